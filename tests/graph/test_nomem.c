/* The N-th allocation fails, for all N: OURO_NOMEM, and nothing is left behind. Linked with --wrap for each allocator
 * and free; the graphs are both smaller and larger than where ouro_large_new changes its ways. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "graph/components.h"
#include "graph/dominators.h"
#include "graph/paths.h"
#include "graph/reach.h"
#include "graphs.h"

#define LARGE 2000000u

static long countdown = -1; /* allocations until one fails; negative: none does */
static long alive;          /* allocated and not freed */
static bool failed_once;

static bool fails(void)
{
    if (countdown < 0 || countdown-- > 0) {
        alive++;
        return false;
    }
    failed_once = true;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *memory);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    alive -= old != NULL;
    if (!fails())
        return __real_realloc(old, size);
    alive += old != NULL;
    return NULL;
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

void __wrap_free(void *memory)
{
    alive -= memory != NULL;
    __real_free(memory);
}

static enum ouro_status run_components(const struct ouro_csr *csr)
{
    struct ouro_components components;
    OURO_TRY(ouro_components_init(&components, csr));
    ouro_components_fini(&components);
    return OURO_OK;
}

static enum ouro_status run_dominators(const struct ouro_csr *csr)
{
    struct ouro_dominators dominators;
    OURO_TRY(ouro_dominators_init(&dominators, csr, 0));
    ouro_dominators_fini(&dominators);
    return OURO_OK;
}

/* Of a copy that is taken, whatever happens. */
static enum ouro_status run_dominators_taking(const struct ouro_csr *csr)
{
    struct ouro_csr copy;
    struct ouro_dominators dominators;
    OURO_TRY(ouro_csr_init(&copy, csr->node_count, csr->edge_count));
    memcpy(copy.begin, csr->begin, ((size_t)csr->node_count + 1) * sizeof *copy.begin);
    memcpy(copy.targets, csr->targets, csr->edge_count * sizeof *copy.targets);
    OURO_TRY(ouro_dominators_init_taking(&dominators, &copy, 0));
    ouro_dominators_fini(&dominators);
    return OURO_OK;
}

static enum ouro_status run_paths(const struct ouro_csr *csr)
{
    struct ouro_paths paths;
    ouro_node source = 0;
    OURO_TRY(ouro_paths_init(&paths, csr, &source, 1, OURO_PATHS_FAR, OURO_NODE_NONE));
    ouro_paths_fini(&paths);
    return OURO_OK;
}

static enum ouro_status run_reverse(const struct ouro_csr *csr)
{
    struct ouro_csr reverse;
    OURO_TRY(ouro_csr_reverse(&reverse, csr));
    ouro_csr_fini(&reverse);
    return OURO_OK;
}

static enum ouro_status run_reach(const struct ouro_csr *csr)
{
    static uint8_t marks[LARGE];
    struct ouro_reach reach;
    OURO_TRY(ouro_reach_init(&reach, csr->node_count, marks, 1));
    ouro_reach_fini(&reach);
    return OURO_OK;
}

static const struct {
    enum ouro_status (*run)(const struct ouro_csr *csr);
    long allocations; /* at least */
} algorithms[] = {
    {run_components,        3},
    {run_dominators,        7},
    {run_dominators_taking, 9},
    {run_paths,             3},
    {run_reverse,           2},
    {run_reach,             1},
};

START_TEST(each_failed_allocation_is_told_and_leaves_nothing)
{
    for (int large = 0; large < 2; large++) {
        struct ouro_csr csr;
        graphs_path(&csr, large ? LARGE : 100, true);
        long n = 0;
        do {
            long before =
                alive; /* libcheck is wrapped as well, and between the rounds it frees what it got from strdup */
            failed_once = false;
            countdown = n++;
            enum ouro_status status = algorithms[_i].run(&csr);
            countdown = -1;
            long left = alive - before;
            if (status != (failed_once ? OURO_NOMEM : OURO_OK))
                ck_abort_msg("allocation %ld: %s", n - 1, ouro_status_name(status));
            ck_assert_int_eq(left, 0);
        } while (failed_once);
        ck_assert_int_gt(n, algorithms[_i].allocations);
        ouro_csr_fini(&csr);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("graph out of memory");
    TCase *tests = tcase_create("out of memory");
    tcase_add_loop_test(tests, each_failed_allocation_is_told_and_leaves_nothing, 0,
                        (int)(sizeof algorithms / sizeof *algorithms));
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
