#include "graph/components.h"

#include <stdlib.h>
#include <string.h>

#include "base/ahead.h"
#include "base/guard.h"
#include "base/large.h"

#define NOT_ROOT  (UINT32_C(1) << 31) /* in next: the node reaches one that was visited before it */
#define EDGES_MAX (NOT_ROOT - 1)
#define PREFETCH  8 /* targets of a node that are asked for together when it is entered */

/* Two stacks in one array: nodes being visited grow from the front, visited ones whose component is still open from the
 * back; together they never hold a node twice. */
struct search {
    const struct ouro_csr *csr;
    uint32_t *rank; /* by node: 0 not visited; while open the least visit number it reaches; then node_count minus the
                       component's number, which is above all visit numbers in use */
    ouro_node *stack;
    uint32_t *next; /* parallel to the front: edges looked at, and NOT_ROOT */
    size_t front, back;
    uint32_t visit, component_rank;
};

static inline void enter(struct search *s, ouro_node v)
{
    s->rank[v] = s->visit++;
    s->stack[s->front] = v;
    s->next[s->front++] = 0;
}

/* The node and all above it on the back stack that reach it are a component, or it goes there itself. */
static inline void leave(struct search *s)
{
    ouro_node v = s->stack[--s->front];
    if (s->next[s->front] & NOT_ROOT) {
        s->stack[--s->back] = v;
        return;
    }
    s->visit--;
    while (s->back < s->csr->node_count && s->rank[s->stack[s->back]] >= s->rank[v]) {
        s->rank[s->stack[s->back++]] = s->component_rank;
        s->visit--;
    }
    s->rank[v] = s->component_rank--;
}

/* The search's own copy, which stays in registers. */
static void visit_from(struct search *shared, ouro_node start)
{
    struct search search = *shared, *s = &search;
    const uint64_t *begin = s->csr->begin;
    enter(s, start);
    while (s->front) {
        ouro_node v = s->stack[s->front - 1];
        const ouro_node *targets = s->csr->targets + begin[v];
        uint32_t count = (uint32_t)(begin[v + 1] - begin[v]);
        uint32_t state = s->next[s->front - 1], rank = s->rank[v], i = state & ~NOT_ROOT;
        if (!i)
            for (uint32_t j = 0; j < count && j < PREFETCH; j++)
                ouro_ahead(&s->rank[targets[j]]);
        for (; i < count; i++) {
            ouro_node w = targets[i];
            uint32_t other = s->rank[w];
            if (!other) {
                if (begin[w] != begin[w + 1])
                    break;
                s->rank[w] = s->component_rank--; /* leads nowhere */
            } else if (other < rank) {
                rank = other;
                state |= NOT_ROOT;
            }
        }
        s->rank[v] = rank;
        s->next[s->front - 1] = (state & NOT_ROOT) | i;
        if (i < count)
            enter(s, targets[i]); /* the same edge is looked at again when it comes back */
        else
            leave(s);
    }
    *shared = search;
}

enum ouro_status ouro_components_init(struct ouro_components *components, const struct ouro_csr *csr)
{
    memset(components, 0, sizeof *components);
    for (ouro_node v = 0; v < csr->node_count; v++)
        if (csr->begin[v + 1] - csr->begin[v] > EDGES_MAX)
            return OURO_INVAL;
    uint32_t *rank = ouro_large_new_zeroed(csr->node_count, sizeof *rank);
    OURO_FREE ouro_node *stack = ouro_large_new(csr->node_count, sizeof *stack);
    OURO_FREE uint32_t *next = ouro_large_new(csr->node_count, sizeof *next);
    if (!rank || !stack || !next) {
        free(rank);
        return OURO_NOMEM;
    }
    struct search search = {
        .csr = csr,
        .rank = rank,
        .stack = stack,
        .next = next,
        .back = csr->node_count,
        .visit = 1,
        .component_rank = csr->node_count,
    };
    for (ouro_node v = 0; v < csr->node_count; v++)
        if (!rank[v])
            visit_from(&search, v);
    for (ouro_node v = 0; v < csr->node_count; v++)
        rank[v] = csr->node_count - rank[v];
    components->node_count = csr->node_count;
    components->component_count = csr->node_count - search.component_rank;
    components->component = rank;
    return OURO_OK;
}

void ouro_components_fini(struct ouro_components *components)
{
    free(components->component);
    memset(components, 0, sizeof *components);
}
