/* Libraries compiled from C while the test runs, by each compiler at hand at several levels of optimisation. */
#ifndef TESTS_EMULATE_LIBRARY_H
#define TESTS_EMULATE_LIBRARY_H

#include <stdint.h>
#include <stdio.h>

#include "traverse.h"

struct library {
    void *handle;
    const struct traverse_library *contents;
};

size_t library_compiler_count(void);
/* "gcc", "clang" ...; NULL: that one is not here. */
const char *library_compiler(size_t number);
size_t library_flags_count(void);
const char *library_flags(size_t number);
/* Compiles and loads. source: a path. */
struct library library_build(const char *compiler, const char *flags, const char *source);
void library_close(struct library *library);
/* The path of a file of tests/emulate. */
const char *library_source(const char *name, char *path, size_t size);
/* Writes `count` random functions like those of traverse.c. */
void library_write_random(FILE *out, unsigned count, uint64_t *state);

#endif
