/* The mutator of all fuzzers that take snapshots.
 *
 * Random bytes would never get past the checksums. So after each mutation the file is mended: checksums of header,
 * blocks and trailer, the entries of the table of contents. One time in eight it is left as it is. */
#ifndef OURO_TESTS_MEND_H
#define OURO_TESTS_MEND_H

#include <stddef.h>
#include <stdint.h>

/* A file without a name that holds the bytes: its descriptor, to be closed, and in `path` how to open it. */
int mend_open(const uint8_t *data, size_t size, char *path, size_t capacity);

#endif
