#include "graph/dominators.h"

#include <stdlib.h>
#include <string.h>

#include "base/ahead.h"
#include "base/guard.h"
#include "base/large.h"

/* Preorder numbers count from 1, so that 0 is "not reached". An edge whose target has the higher number (down to a
 * descendant) tells its target's semidominator nothing but its source, at once; only edges up and across, to lower
 * numbers, are looked at again.
 *
 * Graphs are larger than caches, so what costs time are misses, and of these only those that wait for each other: what
 * will be looked at soon is asked for before its turn. */
struct place {
    uint32_t begin;  /* of the node's row; the next one's is its end */
    uint32_t number;
};

/* Ancestors are followed and labels found together: one cache miss a step. */
struct link {
    uint32_t ancestor, label;
};

struct up {
    uint32_t from, to; /* numbers */
};

#define UP_BLOCK   ((size_t)1 << 20)
#define SIBLINGS   8  /* of a node's targets: asked for when it is entered */
#define AHEAD      32 /* sources whose links are asked for before their turn */
#define AHEAD_LESS 16 /* the links' ancestors */

struct work {
    const struct ouro_csr *csr;
    struct ouro_dominators *result;
    union {
        struct place *places; /* by node, and one more: until the sources are in place */
        struct link *links;   /* by number: then */
    };
    uint32_t *parent;  /* by number; in the end the dominator */
    uint32_t *semi;    /* by number: the least source of edges down; in the end the semidominator */
    uint32_t *begin;   /* by number; end of the last */
    uint32_t *sources; /* numbers, those of number i are sources[begin[i] .. begin[i + 1]), so that the main loop runs
                          nearly sequentially and no reverse graph is needed */
    uint32_t *scratch; /* of node_count: lent by result->idom, which is written last */
    struct up **ups;   /* owned; blocks of UP_BLOCK edges up, as they were met */
    size_t up_blocks;
    uint64_t up_count;
};

static void ups_fini(struct work *work)
{
    while (work->up_blocks)
        free(work->ups[--work->up_blocks]);
    free(work->ups);
    work->ups = NULL;
}

static void work_fini(struct work *work)
{
    free(work->places);
    free(work->parent);
    free(work->semi);
    free(work->begin);
    free(work->sources);
    ups_fini(work);
}

static enum ouro_status work_init(struct work *work, struct ouro_dominators *result, const struct ouro_csr *csr)
{
    size_t count = (size_t)csr->node_count + 2;
    _Static_assert(sizeof(struct place) == sizeof(struct link), "one array serves as both");
    *work = (struct work){.csr = csr, .result = result, .scratch = result->idom};
    work->places = ouro_large_new(count, sizeof *work->places);
    work->parent = ouro_large_new(count, sizeof *work->parent);
    work->semi = ouro_large_new(count, sizeof *work->semi);
    work->begin = ouro_large_new(count, sizeof *work->begin);
    work->ups = calloc((size_t)(csr->edge_count / UP_BLOCK) + 1, sizeof *work->ups);
    if (!work->places || !work->parent || !work->semi || !work->begin || !work->ups)
        return OURO_NOMEM;
    for (size_t v = 0; v <= csr->node_count; v++)
        work->places[v] = (struct place){.begin = (uint32_t)csr->begin[v]};
    return OURO_OK;
}

/* Room for the next edge up; NULL: out of memory. */
static struct up *next_ups(struct work *work)
{
    struct up *block = ouro_large_new(UP_BLOCK, sizeof *block);
    if (block)
        work->ups[work->up_blocks++] = block;
    return block;
}

/* Depth-first search: order, number, parent, the sources of edges down, the edges up. scratch: where to go on, by number
 * of the nodes on the path; the path itself is the parents'. */
static enum ouro_status number_nodes(struct work *work, ouro_node root)
{
    const ouro_node *targets = work->csr->targets;
    struct place *places = work->places;
    ouro_node *order = work->result->order;
    struct up *up = NULL, *up_end = NULL;
    uint32_t *parent = work->parent, *semi = work->semi, *next = work->scratch, count = 1, current = 1;
    uint32_t i = places[root].begin, end = places[root + 1].begin;
    order[0] = root;
    places[root].number = 1;
    parent[1] = semi[1] = 0;
    for (;;) {
        while (i < end) {
            ouro_node w = targets[i++];
            uint32_t number = places[w].number;
            if (!number) {
                next[current - 1] = i;
                order[count] = w;
                places[w].number = ++count;
                parent[count] = semi[count] = current;
                current = count;
                i = places[w].begin;
                end = places[w + 1].begin;
                for (uint32_t j = i; j < end && j < i + SIBLINGS; j++)
                    ouro_ahead(&places[targets[j]]);
            } else if (number < current) {
                if (up == up_end) {
                    up = next_ups(work);
                    if (!up)
                        return OURO_NOMEM;
                    up_end = up + UP_BLOCK;
                }
                *up++ = (struct up){current, number};
            } else if (current < semi[number]) {
                semi[number] = current;
            }
        }
        current = parent[current];
        if (!current)
            break;
        i = next[current - 1];
        end = places[order[current - 1] + 1].begin;
    }
    work->result->reached_count = count;
    work->up_count = work->up_blocks * UP_BLOCK - (size_t)(up_end - up);
    return OURO_OK;
}

/* The sources of the edges up, by target. */
static enum ouro_status find_sources(struct work *work)
{
    uint32_t reached = work->result->reached_count, sum = 0, *begin = work->begin;
    memset(begin, 0, ((size_t)reached + 2) * sizeof *begin);
    work->sources = ouro_large_new(work->up_count, sizeof *work->sources);
    if (!work->sources)
        return OURO_NOMEM;
    for (uint64_t i = 0; i < work->up_count; i++)
        begin[work->ups[i / UP_BLOCK][i % UP_BLOCK].to]++;
    for (uint32_t i = 1; i <= reached; i++)
        begin[i] = sum += begin[i];
    begin[reached + 1] = sum;
    for (uint64_t i = 0; i < work->up_count; i++) { /* from the ends of the rows to their beginnings */
        struct up up = work->ups[i / UP_BLOCK][i % UP_BLOCK];
        work->sources[--begin[up.to]] = up.from;
    }
    ups_fini(work);
    return OURO_OK;
}

/* The least semidominator on v's path below the processed part (numbers > last), with path compression. */
static inline uint32_t evaluate(struct link *links, uint32_t *stack, uint32_t v, uint32_t last)
{
    uint32_t u = v;
    size_t depth = 0;
    while (links[u].ancestor > last) {
        stack[depth++] = u;
        u = links[u].ancestor;
    }
    struct link link = links[u];
    while (depth) {
        struct link *below = &links[stack[--depth]];
        if (below->label < link.label)
            link.label = below->label;
        *below = link;
    }
    return link.label;
}

/* From the last number to the second; so the sources are gone through from the last to the first, too. */
static void find_semidominators(struct work *work)
{
    uint32_t reached = work->result->reached_count, *sources = work->sources;
    struct link *links = work->links;
    for (uint32_t i = 0; i <= reached; i++)
        links[i] = (struct link){.ancestor = i ? work->parent[i] : 0, .label = i};
    for (uint32_t i = reached; i >= 2; i--) {
        uint32_t least = work->semi[i];
        for (uint32_t j = work->begin[i + 1]; j-- > work->begin[i];) {
            if (j >= AHEAD) {
                ouro_ahead(&links[sources[j - AHEAD]]);
                ouro_ahead(&links[links[sources[j - AHEAD_LESS]].ancestor]);
            }
            uint32_t found = evaluate(links, work->scratch, sources[j], i);
            if (found < least)
                least = found;
        }
        work->semi[i] = links[i].label = least;
    }
}

/* The dominator of i is the nearest ancestor in the tree built so far that is not below semi[i]. */
static void find_dominators(struct work *work)
{
    struct ouro_dominators *result = work->result;
    uint32_t *parent = work->parent, reached = result->reached_count;
    for (uint32_t i = 2; i <= reached; i++) {
        uint32_t d = parent[i];
        while (d > work->semi[i])
            d = parent[d];
        parent[i] = d;
    }
    memset(result->idom, 0xff, result->node_count * sizeof *result->idom);
    for (uint32_t i = 2; i <= reached; i++)
        result->idom[result->order[i - 1]] = result->order[parent[i] - 1];
}

/* taken: csr or NULL. */
static enum ouro_status compute(struct ouro_dominators *dominators, const struct ouro_csr *csr, ouro_node root,
                                struct ouro_csr *taken)
{
    OURO_GUARD(work_fini) struct work work = {0};
    OURO_TRY(work_init(&work, dominators, csr));
    if (taken) { /* the places have it */
        free(taken->begin);
        taken->begin = NULL;
    }
    OURO_TRY(number_nodes(&work, root));
    if (taken)
        ouro_csr_fini(taken);
    OURO_TRY(find_sources(&work));
    find_semidominators(&work);
    find_dominators(&work);
    return OURO_OK;
}

static enum ouro_status init(struct ouro_dominators *dominators, const struct ouro_csr *csr, ouro_node root,
                             struct ouro_csr *taken)
{
    memset(dominators, 0, sizeof *dominators);
    if (root >= csr->node_count || csr->node_count == UINT32_MAX)
        return OURO_INVAL;
    if (csr->edge_count > UINT32_MAX)
        return OURO_LIMIT;
    dominators->node_count = csr->node_count;
    dominators->idom = ouro_large_new(csr->node_count, sizeof *dominators->idom);
    dominators->order = ouro_large_new(csr->node_count, sizeof *dominators->order);
    enum ouro_status status = OURO_NOMEM;
    if (dominators->idom && dominators->order)
        status = compute(dominators, csr, root, taken);
    if (status != OURO_OK)
        ouro_dominators_fini(dominators);
    return status;
}

enum ouro_status ouro_dominators_init(struct ouro_dominators *dominators, const struct ouro_csr *csr, ouro_node root)
{
    return init(dominators, csr, root, NULL);
}

enum ouro_status ouro_dominators_init_taking(struct ouro_dominators *dominators, struct ouro_csr *csr, ouro_node root)
{
    enum ouro_status status = init(dominators, csr, root, csr);
    ouro_csr_fini(csr);
    return status;
}

void ouro_dominators_fini(struct ouro_dominators *dominators)
{
    free(dominators->idom);
    free(dominators->order);
    memset(dominators, 0, sizeof *dominators);
}

void ouro_dominators_retained(const struct ouro_dominators *dominators, const uint64_t *shallow, uint64_t *retained)
{
    if (retained != shallow)
        memcpy(retained, shallow, dominators->node_count * sizeof *retained);
    for (uint32_t i = dominators->reached_count; i > 1; i--) {
        ouro_node v = dominators->order[i - 1];
        retained[dominators->idom[v]] += retained[v];
    }
}
