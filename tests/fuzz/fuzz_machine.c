/* Feeds bytes as code and data to the machine of lib/emulate. Needs --enable-fuzz (libFuzzer); starts from real code. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t capacity);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hostile_round(data, size);
    return 0;
}

/* Now and then a new start from real code: mutations alone rarely come to a loop that calls something. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t capacity, unsigned seed)
{
    uint64_t state = seed;
    return seed % 64 ? LLVMFuzzerMutate(data, size, capacity) : hostile_make(data, capacity, &state);
}
