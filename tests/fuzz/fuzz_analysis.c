/* Feeds bytes to the whole offline analysis as a snapshot: as it is, and salvaged. Needs --enable-fuzz (libFuzzer). */
#include <unistd.h>

#include "mend.h"
#include "snapshot/reader.h"
#include "whole.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    int fd = mend_open(data, size, path, sizeof path);
    if (whole_analysis(path, 0, WHOLE_ALL, NULL) != OURO_OK)
        whole_analysis(path, OURO_OPEN_SALVAGE, WHOLE_ALL, NULL);
    close(fd);
    return 0;
}
