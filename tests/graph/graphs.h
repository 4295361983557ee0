/* Graphs that several tests look at. */
#ifndef OURO_TEST_GRAPHS_H
#define OURO_TEST_GRAPHS_H

#include <stdbool.h>

#include "graph/csr.h"

#define GRAPHS_LARGE 10000000u

/* Seeds from OURO_TEST_SEED or the clock, and prints it. */
void graphs_seed(const char *test);
uint32_t graphs_random_below(uint32_t limit);
/* Any edges between nodes, repeats and self references among them. */
void graphs_random(struct ouro_csr *csr, ouro_node nodes, uint32_t edges);
/* 0 -> 1 -> ... -> nodes - 1; closed: and back to 0. */
void graphs_path(struct ouro_csr *csr, ouro_node nodes, bool closed);
/* 0 -> each other; mutual: and each back to 0. */
void graphs_star(struct ouro_csr *csr, ouro_node nodes, bool mutual);
/* 0 -> 0 and 0 -> 1, `repeats` times each, then 1 -> 0 as often. */
void graphs_parallel(struct ouro_csr *csr, uint32_t repeats);

#endif
