#include "graph/reach.h"

#include <stdlib.h>
#include <string.h>

#include "base/large.h"

#define WAITING 24u

enum ouro_status ouro_reach_init(struct ouro_reach *reach, ouro_node node_count, uint8_t *marks, uint8_t bit)
{
    memset(reach, 0, sizeof *reach);
    reach->stack = ouro_large_new(node_count, sizeof *reach->stack);
    if (!reach->stack)
        return OURO_NOMEM;
    reach->node_count = node_count;
    reach->marks = marks;
    reach->bit = bit;
    return OURO_OK;
}

void ouro_reach_fini(struct ouro_reach *reach)
{
    free(reach->stack);
    memset(reach, 0, sizeof *reach);
}

void ouro_reach_run(struct ouro_reach *reach, void (*expand)(void *context, ouro_node node, struct ouro_reach *reach),
                    void *context)
{
    ouro_node waiting[WAITING]; /* a ring: taken off the stack, asked for, not yet expanded */
    size_t in = 0, out = 0;
    while (reach->ahead && (reach->depth || in != out)) {
        while (reach->depth && in - out < WAITING) {
            waiting[in % WAITING] = reach->stack[--reach->depth];
            reach->ahead(context, waiting[in++ % WAITING], reach, 0);
        }
        if (in - out > 2 * WAITING / 3)
            reach->ahead(context, waiting[(out + 2 * WAITING / 3) % WAITING], reach, 1);
        if (in - out > WAITING / 3)
            reach->ahead(context, waiting[(out + WAITING / 3) % WAITING], reach, 2);
        expand(context, waiting[out++ % WAITING], reach);
    }
    while (reach->depth)
        expand(context, reach->stack[--reach->depth], reach);
}

void ouro_reach_run_csr(struct ouro_reach *reach, const struct ouro_csr *csr)
{
    while (reach->depth) {
        ouro_node node = reach->stack[--reach->depth];
        for (uint64_t i = csr->begin[node]; i < csr->begin[node + 1]; i++)
            ouro_reach_add(reach, csr->targets[i]);
    }
}
