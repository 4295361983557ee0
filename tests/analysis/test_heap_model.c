#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/retained.h"
#include "tiny.h"

static struct tiny tiny;

/* A root that holds a dict with two entries, one of them a borrowing frame; a value, a native size. */
static void open_snapshot(struct ouro_heap_model *model)
{
    tiny_begin(&tiny);
    uint32_t text = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    uint32_t dict = TINY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC, OURO_VALUE_NONE),
                               {.kind = OURO_PART_ENTRIES}, {.kind = OURO_PART_ITEMS});
    uint32_t root = TINY_SHAPE(&tiny, tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NONE),
                               {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "held")});
    tiny_object_of(&tiny, text, 50, 7, 4, OURO_OBJECT_VALUE, 0);
    tiny_value(&tiny, "text", 4);
    tiny_object_of(&tiny, dict, 200, 0, 1, 3, 1);
    tiny_count(&tiny, 2);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, 0, 0, 0, 0, 1);
    tiny_object(&tiny, root, 0, 0, OURO_OBJECT_PSEUDO);
    TINY_SLOTS(&tiny, 1);
    ouro_node order[] = {1};
    struct ouro_err err = {0};
    ck_assert_int_eq(ouro_snapshot_writer_gc_order(tiny.writer, 0, 2, order, 1, &err), OURO_OK);
    ck_assert_int_eq(ouro_snapshot_writer_borrowed(tiny.writer, 1, 3), OURO_OK);
    tiny_open(&tiny, model);
}

/* All that the columns say, as text: what isn't there is a dash. */
static void describe(const struct ouro_heap_model *model, char *out, size_t size)
{
    const struct ouro_heap *heap = &model->heap;
    size_t at = 0;
#define SAY(...) at += (size_t)snprintf(out + at, size - at, __VA_ARGS__)
#define SAY_COLUMN(column)                            \
    for (ouro_node v = 0; v < heap->count; v++) {     \
        if (heap->column)                             \
            SAY("%llu ", (long long)heap->column[v]); \
        else                                          \
            SAY("- ");                                \
    }
    SAY_COLUMN(addr);
    SAY_COLUMN(shape);
    SAY_COLUMN(size);
    SAY_COLUMN(refcount);
    SAY_COLUMN(flags);
    SAY_COLUMN(native);
    SAY_COLUMN(interp);
    for (ouro_node v = 0; heap->slots && v < heap->count; v++) {
        uint64_t counts[2] = {99, 99};
        ouro_heap_part_counts(heap, v, counts, 2);
        SAY("(%llu %llu:", (long long)counts[0], (long long)counts[1]);
        for (uint64_t i = heap->slot_begin[v]; i < heap->slot_begin[v + 1]; i++)
            SAY(" %u", heap->slots[i]);
        SAY(") ");
    }
    for (size_t i = 0; i < heap->borrowed_count; i++)
        SAY("borrowed %u %u ", heap->borrowed[i].node, heap->borrowed[i].slot);
    for (size_t i = 0; i < heap->gc_list_count; i++)
        SAY("list %u of %zu ", heap->gc_lists[i].generation, heap->gc_lists[i].count);
    if (heap->values)
        SAY("%.*s", (int)(heap->value_begin[1] - heap->value_begin[0]), (char *)heap->values);
}

START_TEST(columns_that_were_dropped_come_back_as_they_were)
{
    struct ouro_heap_model model;
    struct ouro_err err = {0};
    char whole[1000], without[1000], again[1000];
    open_snapshot(&model);
    describe(&model, whole, sizeof whole);
    ck_assert_ptr_nonnull(strstr(whole, "(2 1: 0 0 0 0 1) "));
    ck_assert_ptr_nonnull(strstr(whole, "borrowed 1 3 list 2 of 1 text"));
    for (unsigned columns = 1; columns <= OURO_HEAP_ALL; columns++) {
        ouro_heap_model_drop(&model, columns);
        describe(&model, without, sizeof without);
        if (columns & ~(OURO_HEAP_SHAPE | OURO_HEAP_FLAGS)) /* alone these stay */
            ck_assert_str_ne(without, whole);
        ck_assert_int_eq(ouro_heap_model_load(&model, OURO_HEAP_ALL, &err), OURO_OK);
        describe(&model, again, sizeof again);
        ck_assert_str_eq(again, whole);
    }
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}
END_TEST

START_TEST(what_slots_and_values_are_read_with_stays_while_they_do)
{
    struct ouro_heap_model model;
    open_snapshot(&model);
    ouro_heap_model_drop(&model, OURO_HEAP_SHAPE | OURO_HEAP_FLAGS);
    ck_assert_uint_eq(model.columns, OURO_HEAP_ALL);
    ck_assert_ptr_nonnull(model.heap.shape);
    ck_assert_ptr_nonnull(model.heap.flags);
    ouro_heap_model_drop(&model, OURO_HEAP_SHAPE | OURO_HEAP_SLOTS);
    ck_assert_uint_eq(model.columns, OURO_HEAP_ALL & ~(OURO_HEAP_SHAPE | OURO_HEAP_SLOTS));
    ck_assert_ptr_null(model.heap.shape);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}
END_TEST

/* As large heaps are treated: dominators of a graph whose slots, counts and addresses are gone. */
START_TEST(retained_sizes_need_no_more_of_the_heap_than_sizes)
{
    struct ouro_heap_model model;
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_retained whole, lean;
    struct ouro_csr graph;
    struct ouro_err err = {0};
    open_snapshot(&model);
    ck_assert_int_eq(ouro_collector_init(&collector, &model, &err), OURO_OK);
    ck_assert_int_eq(ouro_roots_init(&roots, &model, &collector, &err), OURO_OK);
    ck_assert_int_eq(ouro_retained_init(&whole, &roots, &err), OURO_OK);
    ck_assert_uint_eq(whole.bytes[1], 257);
    ck_assert_int_eq(ouro_roots_graph(&roots, &graph, &err), OURO_OK);
    ouro_heap_model_drop(&model, OURO_HEAP_ALL & ~(OURO_HEAP_SIZE | OURO_HEAP_NATIVE));
    ck_assert_int_eq(ouro_retained_init_taking(&lean, &roots, &graph, &err), OURO_OK);
    ck_assert_ptr_null(graph.begin);
    ck_assert_uint_eq(lean.super_root, whole.super_root);
    ck_assert_mem_eq(lean.bytes, whole.bytes, (whole.super_root + 1) * sizeof *whole.bytes);
    ck_assert_mem_eq(lean.dominators.idom, whole.dominators.idom, (whole.super_root + 1) * sizeof(ouro_node));
    ouro_retained_fini(&lean);
    ouro_retained_fini(&whole);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("heap model");
    TCase *tests = tcase_create("columns");
    tcase_add_test(tests, columns_that_were_dropped_come_back_as_they_were);
    tcase_add_test(tests, what_slots_and_values_are_read_with_stays_while_they_do);
    tcase_add_test(tests, retained_sizes_need_no_more_of_the_heap_than_sizes);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
