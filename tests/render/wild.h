/* Snapshots of heaps that no interpreter would make, from a seed: types that are their own instances and bases in
 * circles, namespaces that are no dicts, cells that hold themselves, counts, flags and lists that are wrong. The file is
 * sound; what it tells is not. */
#ifndef OURO_TESTS_WILD_H
#define OURO_TESTS_WILD_H

#include "../analysis/tiny.h"

/* Writes it to tiny->path; tiny_end removes it. Up to `most` objects, at least 1. */
void wild_write(struct tiny *tiny, uint64_t seed, unsigned most, enum ouro_codec codec);

#endif
