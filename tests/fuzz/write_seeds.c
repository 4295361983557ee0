/* Writes small snapshots for the fuzzers to begin with: stored, not compressed, so that a changed byte is a changed heap.
 *
 * usage: write_seeds FOLDER */
#include <stdio.h>

#include "wild.h"

#define SEEDS 48u

static struct tiny tiny;

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    for (unsigned i = 0; i < SEEDS; i++) {
        char path[4096];
        wild_write(&tiny, i, i % 4 ? 12 : 40, OURO_CODEC_STORED);
        snprintf(path, sizeof path, "%s/wild-%u", argv[1], i);
        if (rename(tiny.path, path)) {
            perror(path);
            return 1;
        }
    }
    return 0;
}
