/* Feeds bytes to the reader as a snapshot: whole, salvaged, verified. Needs --enable-fuzz (libFuzzer). */
#include <unistd.h>

#include "mend.h"
#include "snapshot/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(const char *path, unsigned flags)
{
    struct ouro_snapshot *snapshot;
    struct ouro_heap heap;
    if (ouro_snapshot_open(&snapshot, path, flags, NULL) != OURO_OK)
        return;
    if (ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 1, NULL) == OURO_OK)
        ouro_heap_fini(&heap);
    ouro_snapshot_close(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    uint64_t good, bad;
    int fd = mend_open(data, size, path, sizeof path);
    load(path, 0);
    load(path, OURO_OPEN_SALVAGE);
    ouro_snapshot_verify(path, NULL, NULL, &good, &bad, NULL);
    close(fd);
    return 0;
}
