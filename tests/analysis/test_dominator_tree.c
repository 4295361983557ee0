#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/dominator_tree.h"
#include "analysis/histogram.h"
#include "tiny.h"

static long countdown = -1; /* allocations until one fails; negative: none does */

static bool fails(void)
{
    return countdown >= 0 && !countdown--;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);

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
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_collector collector;
static struct ouro_roots roots;
static struct ouro_retained retained;
static struct ouro_dominator_tree tree;
static struct ouro_err err;

/* Shapes: lists of three types in two modules, an instance with a __dict__ and a field, its dict, texts, roots. */
static uint32_t list, node, other, instance, dict, text, root;

static void begin(void)
{
    tiny_begin(&tiny);
    uint32_t type = tiny_type(&tiny, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE);
    list = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    type = tiny_type(&tiny, "app", "Node", OURO_TYPE_GC, OURO_VALUE_NONE);
    node = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    type = tiny_type(&tiny, "app", "Other", OURO_TYPE_GC, OURO_VALUE_NONE);
    other = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    type = tiny_type(&tiny, "app", "User", OURO_TYPE_GC, OURO_VALUE_NONE);
    instance = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "__dict__")},
                          {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".slot")});
    type = tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, OURO_VALUE_NONE);
    dict = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMESPACE});
    text = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR));
    type = tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    root = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
}

static ouro_node add(uint32_t shape, uint64_t size, uint64_t refcount, unsigned flags)
{
    return tiny_object(&tiny, shape, size, refcount, flags | (shape == root ? OURO_OBJECT_PSEUDO : 0));
}

/* Of a shape with items. */
static ouro_node add_items(uint32_t shape, uint64_t size, uint64_t refcount, const ouro_node *items, size_t count)
{
    ouro_node added = add(shape, size, refcount, shape == root ? 0 : 1);
    tiny_count(&tiny, count);
    tiny_slots(&tiny, items, count);
    return added;
}

#define ADD(shape, size, refcount, ...)                                                                                \
    add_items(shape, size, refcount, (const ouro_node[]){__VA_ARGS__},                                                 \
              sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))

static void compute(void)
{
    tiny_open(&tiny, &model);
    ck_assert_int_eq(ouro_collector_init(&collector, &model, &err), OURO_OK);
    ck_assert_int_eq(ouro_roots_init(&roots, &model, &collector, &err), OURO_OK);
    ck_assert_int_eq(ouro_retained_init(&retained, &roots, &err), OURO_OK);
}

static void grow(const struct ouro_dominator_query *query)
{
    ouro_dominator_tree_fini(&tree);
    ck_assert_int_eq(ouro_dominator_tree_init(&tree, &model, &roots, &retained, query, &err), OURO_OK);
}

static void end(void)
{
    ouro_dominator_tree_fini(&tree);
    ouro_retained_fini(&retained);
    ouro_roots_fini(&roots);
    ouro_collector_fini(&collector);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

static const struct ouro_dominator_query everything = {.top = OURO_NODE_NONE, .grouping = OURO_DOMINATOR_GROUP_NONE};

static const struct ouro_dominator_row *row_of(ouro_node wanted)
{
    for (size_t i = 0; i < tree.count; i++)
        if (tree.items[i].node == wanted && tree.items[i].kind == OURO_DOMINATOR_OBJECT)
            return &tree.items[i];
    return NULL;
}

static const struct ouro_dominator_row *section(enum ouro_dominator_section wanted)
{
    for (size_t i = 0; i < tree.count; i++)
        if (tree.items[i].kind == OURO_DOMINATOR_SECTION && tree.items[i].section == wanted)
            return &tree.items[i];
    return NULL;
}

static void check_label(const struct ouro_dominator_row *row, const char *label)
{
    ck_assert_uint_eq(row->label_size, strlen(label));
    ck_assert_mem_eq(tree.labels.data + row->label, label, strlen(label));
}

START_TEST(children_that_know_their_parent_hang_on_the_owner)
{
    enum { OWNER, TOP, LEFT, RIGHT, LEAF, ROOT };
    begin();
    ADD(list, 100, 1, TOP);
    ADD(node, 10, 4, LEFT, RIGHT);
    ADD(node, 20, 2, TOP, LEAF);
    ADD(node, 30, 1, TOP);
    ADD(node, 40, 1, LEFT, TOP);
    ADD(root, 0, 0, OWNER);
    compute();
    grow(&everything);
    ck_assert_uint_eq(row_of(OWNER)->retained_bytes, 200);
    ck_assert_uint_eq(row_of(OWNER)->object_count, 5);
    ck_assert_uint_eq(row_of(TOP)->retained_bytes, 100);
    ck_assert_uint_eq(row_of(LEFT)->retained_bytes, 60);
    check_label(row_of(LEFT), "[0]");
    check_label(row_of(LEAF), "[1]");
    ck_assert_uint_eq(row_of(LEAF)->level, 5); /* section, root, owner, top, left, leaf */
    ck_assert_uint_eq(section(OURO_DOMINATOR_NAMED)->retained_bytes, 200);
    ck_assert_uint_eq(section(OURO_DOMINATOR_NAMED)->object_count, 5);
    end();
}
END_TEST

START_TEST(what_two_share_hangs_on_their_common_dominator_without_a_label)
{
    enum { OWNER, LEFT, RIGHT, SHARED, ROOT };
    begin();
    ADD(list, 100, 1, LEFT, RIGHT);
    ADD(node, 10, 1, SHARED);
    ADD(node, 10, 1, SHARED);
    add(text, 7, 2, 0);
    ADD(root, 0, 0, OWNER);
    compute();
    grow(&everything);
    ck_assert_uint_eq(row_of(LEFT)->retained_bytes, 10);
    ck_assert_uint_eq(tree.items[row_of(SHARED)->parent].node, OWNER);
    ck_assert_uint_eq(row_of(SHARED)->label_size, 0);
    ck_assert_uint_eq(row_of(OWNER)->retained_bytes, 127);
    end();
}
END_TEST

START_TEST(an_instance_dict_has_no_row_of_its_own)
{
    enum { USER, ITS_DICT, NAME, VALUE, SLOT, SHARED, TWIN, TWINS_DICT, HOLDER, ROOT };
    begin();
    add(instance, 48, 1, 1);
    TINY_SLOTS(&tiny, ITS_DICT, SLOT);
    add(dict, 200, 1, 1);
    tiny_count(&tiny, 2);
    TINY_SLOTS(&tiny, VALUE, NAME, SHARED, OURO_NODE_NONE);
    add(text, 50, 1, OURO_OBJECT_VALUE);
    tiny_value(&tiny, "profile", 7);
    ADD(list, 60, 1, OURO_NODE_NONE);
    ADD(list, 40, 1, SHARED);
    add(text, 30, 2, 0);
    add(instance, 48, 1, 1);
    TINY_SLOTS(&tiny, TWINS_DICT, OURO_NODE_NONE);
    add(dict, 64, 2, 1); /* somebody else holds it too */
    tiny_count(&tiny, 0);
    ADD(list, 80, 1, USER, TWIN, TWINS_DICT);
    ADD(root, 0, 0, HOLDER, TWINS_DICT);
    compute();
    grow(&everything);
    ck_assert_ptr_null(row_of(ITS_DICT));
    ck_assert_uint_eq(row_of(USER)->dict, ITS_DICT);
    ck_assert_uint_eq(row_of(USER)->shallow_bytes, 248);
    ck_assert_uint_eq(row_of(USER)->retained_bytes, 48 + 200 + 50 + 60 + 40 + 30);
    ck_assert_ptr_eq(&tree.items[row_of(VALUE)->parent], row_of(USER));
    ck_assert_uint_eq(row_of(VALUE)->through, ITS_DICT);
    check_label(row_of(VALUE), ".profile");
    check_label(row_of(SLOT), ".slot");
    check_label(row_of(SHARED), "[?]"); /* held by the list too, and so not through the dict */
    ck_assert_uint_eq(row_of(SHARED)->through, OURO_NODE_NONE);
    ck_assert_ptr_eq(&tree.items[row_of(SHARED)->parent], row_of(USER));
    ck_assert_uint_eq(row_of(TWIN)->dict, OURO_NODE_NONE);
    ck_assert_uint_eq(row_of(TWIN)->shallow_bytes, 48);
    ck_assert_uint_eq(row_of(TWINS_DICT)->retained_bytes, 64);
    end();
}
END_TEST

START_TEST(the_dict_of_a_module_is_called_after_it)
{
    enum { MODULE, DICT, FUNCTION, HELD, FIRST, SECOND };
    begin();
    add(instance, 48, 1, 1);
    TINY_SLOTS(&tiny, DICT, OURO_NODE_NONE);
    add(dict, 200, 2, 1);
    tiny_count(&tiny, 0);
    ADD(list, 10, 1, DICT);
    ADD(list, 20, 2, OURO_NODE_NONE);
    ADD(root, 0, 0, MODULE, HELD);
    ADD(root, 0, 0, FUNCTION, HELD);
    compute();
    grow(&everything);
    ck_assert_uint_eq(tree.items[row_of(DICT)->parent].kind, OURO_DOMINATOR_SECTION);
    ck_assert_uint_eq(row_of(DICT)->owner, MODULE);
    ck_assert_uint_eq(row_of(HELD)->owner, FIRST);
    ck_assert_uint_eq(row_of(FUNCTION)->owner, OURO_NODE_NONE);
    end();
}
END_TEST

START_TEST(sections_tell_named_native_garbage_and_unreached_apart)
{
    enum { BY_NAME, BY_BOTH, NATIVE_A, NATIVE_B, BY_TWO_NATIVES, CYCLE_A, CYCLE_B, HANGING, LONE, ROOT };
    begin();
    ADD(list, 1, 1, OURO_NODE_NONE);
    ADD(list, 2, 2, OURO_NODE_NONE);
    ADD(list, 4, 1, BY_TWO_NATIVES, BY_BOTH);
    ADD(list, 8, 1, BY_TWO_NATIVES);
    ADD(list, 16, 2, OURO_NODE_NONE);
    ADD(list, 32, 1, CYCLE_B);
    ADD(list, 64, 1, CYCLE_A, HANGING);
    add(text, 128, 1, 0);
    add(list, 256, 1, 0); /* not tracked, in a cycle with itself */
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, LONE);
    ADD(root, 0, 0, BY_NAME, BY_BOTH);
    compute();
    grow(&everything);
    ck_assert_uint_eq(section(OURO_DOMINATOR_NAMED)->retained_bytes, 3);
    ck_assert_uint_eq(section(OURO_DOMINATOR_NATIVE)->retained_bytes, 28);
    ck_assert_uint_eq(section(OURO_DOMINATOR_GARBAGE)->retained_bytes, 224);
    ck_assert_uint_eq(section(OURO_DOMINATOR_UNREACHED)->retained_bytes, 256);
    ck_assert_uint_eq(tree.total_bytes, 511);
    ck_assert_uint_eq(tree.object_count, 9);
    ck_assert_uint_eq(row_of(NATIVE_A)->level, 1);
    ck_assert_uint_eq(row_of(NATIVE_A)->through, model.heap.count); /* the first virtual root */
    ck_assert_uint_eq(row_of(BY_TWO_NATIVES)->section, OURO_DOMINATOR_NATIVE);
    ck_assert_uint_eq(row_of(BY_BOTH)->section, OURO_DOMINATOR_NAMED);
    ck_assert_uint_eq(row_of(HANGING)->section, OURO_DOMINATOR_GARBAGE);
    ck_assert_uint_eq(tree.items[row_of(HANGING)->parent].node, CYCLE_B);
    ck_assert_uint_eq(row_of(LONE)->section, OURO_DOMINATOR_UNREACHED);
    end();
}
END_TEST

/* Twelve nodes of one size with a text each, a large one, two others, below one list. */
enum { HOLDER, LARGE, OTHER_A, OTHER_B, FIRST_NODE, FIRST_TEXT = FIRST_NODE + 12, GROUP_ROOT = FIRST_TEXT + 12 };

static void begin_siblings(void)
{
    ouro_node items[15] = {OTHER_A, OTHER_B};
    begin();
    for (ouro_node i = 0; i < 12; i++)
        items[2 + i] = FIRST_NODE + i;
    items[14] = LARGE;
    add_items(list, 100, 1, items, 15);
    ADD(node, 5000, 1, OURO_NODE_NONE);
    ADD(other, 2, 1, OURO_NODE_NONE);
    ADD(other, 3, 1, OURO_NODE_NONE);
    for (ouro_node i = 0; i < 12; i++)
        ADD(node, 10, 1, FIRST_TEXT + i);
    for (ouro_node i = 0; i < 12; i++)
        add(text, 20, 1, 0);
    ADD(root, 0, 0, HOLDER);
    compute();
}

START_TEST(small_siblings_stand_together_and_what_is_left_out_is_counted)
{
    begin_siblings();
    grow(&(struct ouro_dominator_query){.top = HOLDER, .retained_min = 100});
    ck_assert_uint_eq(tree.count, 4); /* the list, the large one, the others of its type, the rest */
    ck_assert_uint_eq(tree.items[1].node, LARGE);
    check_label(&tree.items[1], "[14]");
    ck_assert_int_eq(tree.items[2].kind, OURO_DOMINATOR_GROUP);
    ck_assert_uint_eq(tree.items[2].count, 12);
    ck_assert_uint_eq(tree.items[2].retained_bytes, 360);
    ck_assert_uint_eq(tree.items[2].shallow_bytes, 120);
    ck_assert_uint_eq(tree.items[2].object_count, 24);
    ck_assert_uint_eq(tree.items[2].node, FIRST_NODE);
    ck_assert_int_eq(tree.items[3].kind, OURO_DOMINATOR_REST);
    ck_assert_uint_eq(tree.items[3].count, 2);
    ck_assert_uint_eq(tree.items[3].retained_bytes, 5);
    /* Too many are treated as too small. */
    grow(&(struct ouro_dominator_query){.top = HOLDER, .child_count = 1, .depth = 1});
    ck_assert_uint_eq(tree.count, 4);
    ck_assert_uint_eq(tree.items[2].count, 12);
    grow(&(struct ouro_dominator_query){
        .top = HOLDER, .child_count = 3, .depth = 1, .grouping = OURO_DOMINATOR_GROUP_NONE});
    ck_assert_uint_eq(tree.count, 5);
    ck_assert_uint_eq(tree.items[2].node, FIRST_NODE); /* equals by address */
    ck_assert_uint_eq(tree.items[4].count, 12);
    ck_assert_uint_eq(tree.items[4].retained_bytes, 10 * 30 + 5);
    end();
}
END_TEST

START_TEST(limits_are_of_what_the_top_retains)
{
    begin_siblings();
    uint64_t all = retained.bytes[HOLDER];
    grow(&(struct ouro_dominator_query){.top = HOLDER, .share_min = 50, .retained_min = 7});
    ck_assert_uint_eq(tree.retained_min, all / 2);
    grow(&(struct ouro_dominator_query){.top = FIRST_NODE, .share_min = 50, .retained_min = 20});
    ck_assert_uint_eq(tree.retained_min, 20);
    ck_assert_uint_eq(tree.count, 2);
    ck_assert_int_eq(tree.items[0].section, OURO_DOMINATOR_NAMED);
    end();
}
END_TEST

START_TEST(groups_are_expanded_together)
{
    begin_siblings();
    grow(&(struct ouro_dominator_query){.top = HOLDER, .grouping = OURO_DOMINATOR_GROUP_TYPE});
    ck_assert_uint_eq(tree.count, 4);
    ck_assert_uint_eq(tree.items[1].count, 13);
    ck_assert_uint_eq(tree.items[1].node, LARGE);
    ck_assert_uint_eq(tree.items[1].label_size, 0); /* all in one list, each at a place of its own */
    ck_assert_int_eq(tree.items[2].kind, OURO_DOMINATOR_GROUP);
    ck_assert_uint_eq(tree.items[2].level, 2);
    ck_assert_uint_eq(tree.items[2].count, 12); /* the texts of all nodes */
    check_label(&tree.items[2], "[0]");         /* each the first of its node */
    ck_assert_uint_eq(tree.items[3].count, 2);
    ck_assert_uint_eq(tree.items[3].retained_bytes, 5);
    ck_assert_uint_eq(tree.items[3].node, OTHER_B); /* the larger one */
    grow(&(struct ouro_dominator_query){.top = HOLDER, .grouping = OURO_DOMINATOR_GROUP_MODULE});
    ck_assert_uint_eq(tree.count, 3);
    ck_assert_uint_eq(tree.items[1].count, 15);
    ck_assert_uint_eq(tree.items[2].retained_bytes, 240);
    /* A group of one is that object. */
    grow(&(struct ouro_dominator_query){.top = FIRST_NODE, .grouping = OURO_DOMINATOR_GROUP_TYPE});
    ck_assert_int_eq(tree.items[1].kind, OURO_DOMINATOR_OBJECT);
    ck_assert_uint_eq(tree.items[1].node, FIRST_TEXT);
    check_label(&tree.items[1], "[0]");
    end();
}
END_TEST

START_TEST(the_garbage_root_has_a_tree_too_and_what_is_no_node_is_refused)
{
    begin();
    ADD(list, 32, 1, 1);
    ADD(list, 64, 1, 0);
    compute();
    struct ouro_dominator_query query = everything;
    query.top = ouro_roots_find(&roots, ouro_roots_addr(&roots, ouro_roots_garbage_node(&roots)));
    ck_assert_uint_eq(query.top, ouro_roots_garbage_node(&roots));
    grow(&query);
    ck_assert_uint_eq(tree.count, 3);
    ck_assert_uint_eq(tree.items[0].retained_bytes, 96);
    ck_assert_uint_eq(ouro_roots_find(&roots, model.heap.addr[1]), 1);
    ck_assert_uint_eq(ouro_roots_find(&roots, ouro_roots_addr(&roots, retained.super_root)), OURO_NODE_NONE);
    ck_assert_uint_eq(ouro_roots_find(&roots, roots.first_addr + 4), OURO_NODE_NONE);
    struct ouro_dominator_tree none;
    query.top = retained.super_root;
    ck_assert_int_eq(ouro_dominator_tree_init(&none, &model, &roots, &retained, &query, &err), OURO_INVAL);
    end();
}
END_TEST

START_TEST(a_long_chain_takes_no_recursion)
{
    enum { LENGTH = 60000 };
    struct ouro_dominator_chain chain;
    begin();
    for (ouro_node i = 0; i < LENGTH; i++)
        ADD(list, 1, 1, i + 1 < LENGTH ? i + 1 : OURO_NODE_NONE);
    ADD(root, 0, 0, 0);
    compute();
    grow(&everything);
    ck_assert_uint_eq(tree.items[tree.count - 1].parent, SIZE_MAX); /* the last, empty section */
    ck_assert_uint_eq(row_of(LENGTH - 1)->level, LENGTH + 1);
    ck_assert_int_eq(ouro_dominator_chain_init(&chain, &model, &retained, LENGTH - 1, 0, &err), OURO_OK);
    ck_assert_uint_eq(chain.total, LENGTH);
    ck_assert_uint_eq(chain.items[0], LENGTH - 2);
    ck_assert_uint_eq(chain.items[LENGTH - 1], LENGTH); /* the root */
    ck_assert_uint_eq(chain.object_count, 1);
    ouro_dominator_chain_fini(&chain);
    ck_assert_int_eq(ouro_dominator_chain_init(&chain, &model, &retained, 7, 3, &err), OURO_OK);
    ck_assert_uint_eq(chain.total, 8);
    ck_assert_uint_eq(chain.count, 3);
    ck_assert_uint_eq(chain.object_count, LENGTH - 7);
    ck_assert(chain.reached);
    ouro_dominator_chain_fini(&chain);
    end();
}
END_TEST

/* --- What many random heaps have in common. */

static uint64_t state;

static uint32_t below(uint32_t limit)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(state >> 33) % limit;
}

#define COUNT 48
#define ROOTS 3

/* Few references from the roots, so that there is garbage, and some counts too many, so that there are native roots. */
static void begin_random(uint64_t seed)
{
    static const ouro_node none = OURO_NODE_NONE;
    uint32_t shapes[COUNT];
    ouro_node slots[COUNT + ROOTS][5];
    unsigned counts[COUNT + ROOTS], known[COUNT] = {0};
    state = seed;
    begin();
    for (ouro_node v = 0; v < COUNT; v++)
        shapes[v] = (const uint32_t[]){list, node, other, instance, dict, text}[below(6)];
    for (ouro_node v = 0; v < COUNT + ROOTS; v++) {
        uint32_t shape = v < COUNT ? shapes[v] : root;
        counts[v] = shape == text ? 0 : shape == instance ? 2 : shape == dict ? 2 * below(3) : below(4);
        for (unsigned i = 0; i < counts[v]; i++) {
            slots[v][i] = below(6) ? below(COUNT) : none;
            for (unsigned more = 0; shape == instance && !i && more < 8 && shapes[slots[v][i] % COUNT] != dict; more++)
                slots[v][i] = below(COUNT);
            if (slots[v][i] != none)
                known[slots[v][i]]++;
        }
    }
    for (ouro_node v = 0; v < COUNT + ROOTS; v++) {
        uint32_t shape = v < COUNT ? shapes[v] : root;
        add(shape, v < COUNT ? 1 + below(1000) : 0, v < COUNT ? known[v] + !below(8) : 0,
            shape == root || shape == text || !below(8) ? 0 : 1);
        if (shape == dict)
            tiny_count(&tiny, counts[v] / 2);
        else if (shape != instance && shape != text)
            tiny_count(&tiny, counts[v]);
        tiny_slots(&tiny, slots[v], counts[v]);
    }
    compute();
}

/* A row below which something stands is made up of it and of its own size. */
static void check_sums(bool whole)
{
    uint64_t *sums = calloc(tree.count + 1, sizeof *sums), *objects = calloc(tree.count + 1, sizeof *objects);
    bool *expanded = calloc(tree.count + 1, sizeof *expanded);
    uint64_t total = 0, last = UINT64_MAX;
    ck_assert(sums && objects && expanded);
    for (size_t i = 0; i < tree.count; i++) {
        const struct ouro_dominator_row *row = &tree.items[i];
        if (row->parent == SIZE_MAX) {
            total += row->retained_bytes;
            continue;
        }
        ck_assert_uint_lt(row->parent, i);
        ck_assert_uint_eq(tree.items[row->parent].level + 1, row->level);
        ck_assert_int_eq(tree.items[row->parent].section, row->section);
        sums[row->parent] += row->retained_bytes;
        objects[row->parent] += row->object_count;
        expanded[row->parent] = true;
        if (tree.items[i - 1].parent == row->parent && row->kind == OURO_DOMINATOR_OBJECT &&
            tree.items[i - 1].kind == OURO_DOMINATOR_OBJECT)
            ck_assert_uint_ge(last, row->retained_bytes);
        last = row->retained_bytes;
    }
    for (size_t i = 0; i < tree.count; i++)
        if (expanded[i]) {
            ck_assert_uint_eq(tree.items[i].retained_bytes, tree.items[i].shallow_bytes + sums[i]);
            ck_assert_uint_ge(tree.items[i].object_count, objects[i]);
        }
    if (whole)
        ck_assert_uint_eq(total, tree.total_bytes);
    free(sums);
    free(objects);
    free(expanded);
}

static void check_whole_tree(uint64_t seed)
{
    uint64_t bytes = 0, rows = 0, dicts = 0;
    grow(&everything);
    for (ouro_node v = 0; v < model.heap.count; v++)
        bytes += ouro_heap_model_bytes(&model, v);
    ck_assert_msg(tree.total_bytes == bytes, "seed %llu", (unsigned long long)seed);
    ck_assert_uint_eq(tree.object_count, COUNT);
    for (size_t i = 0; i < tree.count; i++) {
        const struct ouro_dominator_row *row = &tree.items[i];
        if (row->kind != OURO_DOMINATOR_OBJECT)
            continue;
        rows++;
        dicts += row->dict != OURO_NODE_NONE;
        ouro_node idom = retained.dominators.idom[row->node], parent = tree.items[row->parent].node;
        if (row->through != OURO_NODE_NONE) {
            ck_assert_uint_eq(idom, row->through);
            idom = retained.dominators.idom[row->through];
        }
        if (parent != OURO_NODE_NONE)
            ck_assert_uint_eq(idom, parent);
        else
            ck_assert(idom == OURO_NODE_NONE || idom == retained.super_root || idom == ouro_roots_garbage_node(&roots));
        ck_assert_uint_eq(row->retained_bytes, retained.bytes[row->node]);
    }
    ck_assert_uint_eq(rows + dicts, model.heap.count);
    check_sums(true);
}

START_TEST(rows_add_up_however_they_are_grouped_and_limited)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        begin_random(seed);
        check_whole_tree(seed);
        for (int grouping = OURO_DOMINATOR_GROUP_SMALL; grouping <= OURO_DOMINATOR_GROUP_MODULE; grouping++)
            for (unsigned i = 0; i < 4; i++) {
                grow(&(struct ouro_dominator_query){
                    .top = i < 2 ? OURO_NODE_NONE : below(retained.super_root),
                    .depth = below(4),
                    .child_count = below(3),
                    .share_min = below(3),
                    .grouping = grouping,
                });
                check_sums(i < 2);
            }
        end();
    }
}
END_TEST

static void mark(ouro_node v, const uint32_t *group_of, uint32_t group, bool *marks)
{
    ouro_node stack[2 * COUNT * 8], depth = 0;
    stack[depth++] = v;
    while (depth) {
        v = stack[--depth];
        if (marks[v] || group_of[v] == group)
            continue;
        marks[v] = true;
        for (uint64_t i = model.heap.slot_begin[v]; i < model.heap.slot_begin[v + 1]; i++)
            if (model.heap.slots[i] != OURO_NODE_NONE)
                stack[depth++] = model.heap.slots[i];
    }
}

static uint64_t reached_bytes(const uint32_t *group_of, uint32_t group)
{
    bool marks[COUNT + ROOTS] = {false};
    uint64_t bytes = 0;
    for (ouro_node i = 0; i < roots.named_count; i++)
        mark(roots.named[i], group_of, group, marks);
    for (ouro_node i = 0; i < roots.native_count; i++)
        mark(roots.native[i], group_of, group, marks);
    for (ouro_node i = 0; i < roots.garbage_count; i++)
        mark(roots.garbage[i], group_of, group, marks);
    for (ouro_node v = 0; v < model.heap.count; v++)
        bytes += marks[v] ? ouro_heap_model_bytes(&model, v) : 0;
    return bytes;
}

static uint64_t unreached_bytes_of(const uint32_t *group_of, uint32_t group)
{
    uint64_t bytes = 0;
    for (ouro_node v = 0; v < model.heap.count; v++)
        if (group_of[v] == group && retained.dominators.idom[v] == OURO_NODE_NONE)
            bytes += ouro_heap_model_bytes(&model, v);
    return bytes;
}

START_TEST(a_set_retains_exactly_what_goes_with_it)
{
    uint64_t differed = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint32_t group_of[COUNT + ROOTS];
        uint64_t bounds[6], exact;
        begin_random(seed);
        /* Groups of one, a few, and many; no root is in one. */
        for (ouro_node v = 0; v < model.heap.count; v++)
            group_of[v] = v >= COUNT ? UINT32_MAX : v == 7 ? 5 : below(2) ? 4 : below(4);
        ck_assert_int_eq(ouro_retained_by_group(&retained, group_of, model.heap.count, bounds, 6), OURO_OK);
        for (uint32_t group = 0; group < 6; group++) {
            ck_assert_int_eq(ouro_retained_exact(&roots, group_of, group, &exact), OURO_OK);
            uint64_t oracle = reached_bytes(group_of, UINT32_MAX - 1) - reached_bytes(group_of, group) +
                              unreached_bytes_of(group_of, group);
            ck_assert_msg(exact == oracle, "seed %llu, group %u", (unsigned long long)seed, group);
            ck_assert_uint_le(bounds[group], exact);
            differed += bounds[group] < exact;
        }
        ck_assert_uint_eq(bounds[5], retained.bytes[7]);
        ck_assert_int_eq(ouro_retained_exact(&roots, group_of, 5, &exact), OURO_OK);
        ck_assert_uint_eq(exact, retained.bytes[7]);
        end();
    }
    ck_assert_uint_gt(differed, 0);
}
END_TEST

START_TEST(types_say_whether_what_they_retain_is_exact)
{
    enum { LEFT, RIGHT, SHARED, ALONE, ROOT };
    struct ouro_histogram histogram;
    begin();
    ADD(node, 10, 1, SHARED);
    ADD(node, 20, 1, SHARED);
    add(text, 300, 2, 0);
    ADD(other, 5, 1, OURO_NODE_NONE);
    ADD(root, 0, 0, LEFT, RIGHT, ALONE);
    compute();
    ck_assert_int_eq(ouro_histogram_init(&histogram, &model, NULL, NULL, &retained, &err), OURO_OK);
    ouro_histogram_sort(&histogram, &model, OURO_HISTOGRAM_BY_RETAINED);
    ck_assert_uint_eq(histogram.count, 3);
    ck_assert(histogram.items[0].retained_exact && histogram.items[0].retained_bytes == 300); /* str */
    ck_assert(!histogram.items[1].retained_exact && histogram.items[1].retained_bytes == 30);
    ck_assert(histogram.items[2].retained_exact && histogram.items[2].retained_bytes == 5); /* one object */
    ck_assert_int_eq(ouro_histogram_make_exact(&histogram, &roots, 1, &err), OURO_OK);
    ck_assert(!histogram.items[1].retained_exact);
    ck_assert_int_eq(ouro_histogram_make_exact(&histogram, &roots, 0, &err), OURO_OK);
    ck_assert(histogram.items[1].retained_exact && histogram.items[1].retained_bytes == 330);
    ouro_histogram_fini(&histogram);
    ck_assert_int_eq(ouro_histogram_init_modules(&histogram, &model, NULL, NULL, &retained, &err), OURO_OK);
    ouro_histogram_sort(&histogram, &model, OURO_HISTOGRAM_BY_NAME);
    ck_assert_uint_eq(histogram.count, 2);
    ck_assert_uint_eq(histogram.items[0].count, 3);
    ck_assert_uint_eq(histogram.items[0].retained_bytes, 35);
    ck_assert_int_eq(ouro_histogram_make_exact(&histogram, &roots, 0, &err), OURO_OK);
    ck_assert_uint_eq(histogram.items[0].retained_bytes, 335);
    ouro_histogram_fini(&histogram);
    end();
}
END_TEST

/* Calls it with the first, the second ... allocation failing, until none does. */
static void check_memory(enum ouro_status (*call)(const void *context), const void *context)
{
    for (long n = 0;; n++) {
        countdown = n;
        enum ouro_status status = call(context);
        bool ran_out = countdown < 0;
        countdown = -1;
        ck_assert_int_eq(status, ran_out ? OURO_NOMEM : OURO_OK);
        if (!ran_out) {
            ck_assert_int_gt(n, 0);
            return;
        }
        ck_assert_int_lt(n, 10000);
    }
}

static enum ouro_status grow_a_tree(const void *query)
{
    struct ouro_dominator_tree grown;
    enum ouro_status status = ouro_dominator_tree_init(&grown, &model, &roots, &retained, query, &err);
    if (status == OURO_OK)
        ouro_dominator_tree_fini(&grown);
    return status;
}

static enum ouro_status follow_a_chain(const void *at)
{
    struct ouro_dominator_chain chain;
    enum ouro_status status = ouro_dominator_chain_init(&chain, &model, &retained, *(const ouro_node *)at, 0, &err);
    if (status == OURO_OK)
        ouro_dominator_chain_fini(&chain);
    return status;
}

static enum ouro_status count_types(const void *exact)
{
    struct ouro_histogram histogram;
    enum ouro_status status = ouro_histogram_init(&histogram, &model, NULL, NULL, &retained, &err);
    if (status != OURO_OK)
        return status;
    if (*(const bool *)exact)
        status = ouro_histogram_make_exact(&histogram, &roots, 0, &err);
    ouro_histogram_fini(&histogram);
    return status;
}

START_TEST(memory_that_runs_out_is_an_error_wherever_it_does)
{
    begin_random(7);
    for (int grouping = OURO_DOMINATOR_GROUP_SMALL; grouping <= OURO_DOMINATOR_GROUP_MODULE; grouping++)
        check_memory(grow_a_tree, &(struct ouro_dominator_query){
                                      .top = OURO_NODE_NONE, .child_count = 3, .grouping = grouping});
    check_memory(follow_a_chain, &(const ouro_node){7});
    check_memory(count_types, &(const bool){true});
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dominator_tree");
    TCase *tcase = tcase_create("dominator_tree");
    tcase_add_test(tcase, children_that_know_their_parent_hang_on_the_owner);
    tcase_add_test(tcase, what_two_share_hangs_on_their_common_dominator_without_a_label);
    tcase_add_test(tcase, an_instance_dict_has_no_row_of_its_own);
    tcase_add_test(tcase, the_dict_of_a_module_is_called_after_it);
    tcase_add_test(tcase, sections_tell_named_native_garbage_and_unreached_apart);
    tcase_add_test(tcase, small_siblings_stand_together_and_what_is_left_out_is_counted);
    tcase_add_test(tcase, limits_are_of_what_the_top_retains);
    tcase_add_test(tcase, groups_are_expanded_together);
    tcase_add_test(tcase, the_garbage_root_has_a_tree_too_and_what_is_no_node_is_refused);
    tcase_add_test(tcase, a_long_chain_takes_no_recursion);
    tcase_add_test(tcase, rows_add_up_however_they_are_grouped_and_limited);
    tcase_add_test(tcase, a_set_retains_exactly_what_goes_with_it);
    tcase_add_test(tcase, types_say_whether_what_they_retain_is_exact);
    tcase_add_test(tcase, memory_that_runs_out_is_an_error_wherever_it_does);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
