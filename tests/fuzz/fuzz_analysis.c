/* Feeds bytes to the offline analysis as a snapshot: as it is, and salvaged. Needs --enable-fuzz (libFuzzer). Some of the
 * questions each time, by the size of the file, so that more files have their turn. */
#include <unistd.h>

#include "mend.h"
#include "snapshot/reader.h"
#include "whole.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned parts[] = {WHOLE_CYCLES, WHOLE_GARBAGE | WHOLE_COLLECTOR, WHOLE_DOMINATORS | WHOLE_TYPES,
                                     WHOLE_INFO | WHOLE_OBJECTS | WHOLE_EXPORT, WHOLE_PATHS, WHOLE_PICTURES | WHOLE_WRITTEN, WHOLE_LEAKS};
    unsigned part = parts[size % (sizeof parts / sizeof *parts)];
    char path[64];
    int fd = mend_open(data, size, path, sizeof path);
    if (whole_analysis(path, 0, part, NULL) != OURO_OK)
        whole_analysis(path, OURO_OPEN_SALVAGE, part, NULL);
    close(fd);
    return 0;
}
