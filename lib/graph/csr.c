#include "graph/csr.h"

#include <stdlib.h>
#include <string.h>

#include "base/large.h"

enum ouro_status ouro_csr_init(struct ouro_csr *csr, ouro_node node_count, uint64_t edge_count)
{
    memset(csr, 0, sizeof *csr);
    csr->begin = ouro_large_new_zeroed((size_t)node_count + 1, sizeof *csr->begin);
    csr->targets = ouro_large_new(edge_count, sizeof *csr->targets);
    if (!csr->begin || !csr->targets) {
        ouro_csr_fini(csr);
        return OURO_NOMEM;
    }
    csr->node_count = node_count;
    csr->edge_count = edge_count;
    return OURO_OK;
}

void ouro_csr_fini(struct ouro_csr *csr)
{
    free(csr->begin);
    free(csr->targets);
    memset(csr, 0, sizeof *csr);
}

/* Turns counts at begin[v] into the rows' starts. */
static void counts_to_starts(struct ouro_csr *csr)
{
    uint64_t sum = 0;
    for (size_t v = 0; v <= csr->node_count; v++) {
        uint64_t count = csr->begin[v];
        csr->begin[v] = sum;
        sum += count;
    }
}

/* After filling, begin[v] has moved to the end of row v, which is the start of the next. */
static void ends_to_starts(struct ouro_csr *csr)
{
    memmove(csr->begin + 1, csr->begin, csr->node_count * sizeof *csr->begin);
    csr->begin[0] = 0;
}

enum ouro_status ouro_csr_build(struct ouro_csr *csr, ouro_node node_count, const struct ouro_csr_edge *edges,
                                uint64_t edge_count)
{
    memset(csr, 0, sizeof *csr);
    for (uint64_t i = 0; i < edge_count; i++)
        if (edges[i].from >= node_count || edges[i].to >= node_count)
            return OURO_INVAL;
    OURO_TRY(ouro_csr_init(csr, node_count, edge_count));
    for (uint64_t i = 0; i < edge_count; i++)
        csr->begin[edges[i].from]++;
    counts_to_starts(csr);
    for (uint64_t i = 0; i < edge_count; i++)
        csr->targets[csr->begin[edges[i].from]++] = edges[i].to;
    ends_to_starts(csr);
    return OURO_OK;
}

enum ouro_status ouro_csr_reverse(struct ouro_csr *reverse, const struct ouro_csr *csr)
{
    OURO_TRY(ouro_csr_init(reverse, csr->node_count, csr->edge_count));
    for (uint64_t i = 0; i < csr->edge_count; i++)
        reverse->begin[csr->targets[i]]++;
    counts_to_starts(reverse);
    for (ouro_node v = 0; v < csr->node_count; v++)
        for (uint64_t i = csr->begin[v]; i < csr->begin[v + 1]; i++)
            reverse->targets[reverse->begin[csr->targets[i]]++] = v;
    ends_to_starts(reverse);
    return OURO_OK;
}
