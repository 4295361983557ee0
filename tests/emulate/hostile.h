/* Random bytes as code, random memory as data: whatever they are, a call ends within its budgets and harms nothing. */
#ifndef TESTS_EMULATE_HOSTILE_H
#define TESTS_EMULATE_HOSTILE_H

#include <stddef.h>
#include <stdint.h>

/* One round made of the bytes: registers, budgets and data from the first, code from the rest. Aborts with words when a promise
 * is broken. */
void hostile_round(const uint8_t *bytes, size_t size);
/* Bytes for a round: random ones, pieces of real code, of real code damaged. */
size_t hostile_make(uint8_t *bytes, size_t capacity, uint64_t *state);

#endif
