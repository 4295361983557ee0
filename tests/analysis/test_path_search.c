/* The search for paths, which follows references together and marks what they reach afterwards, against a plain one. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/path.h"
#include "tiny.h"

#define HEAPS       1000
#define OBJECTS_MAX 1600u
#define SLOTS_MAX   60000u
#define WIDE        900u /* references of one object, of a few: more than are followed together */
#define PARTS_MAX   5

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_err err;

/* --- Random heaps */

/* What parts an object has; "?" stands for one of the names that Python has nothing for. */
enum { LEAF, NAMES, WEAK_ONLY, CLASS, ROOT, INTERNED, FIRST_OTHER };
enum { TRAVERSED = OURO_EDGE_TRAVERSED, HIDDEN = OURO_EDGE_HIDDEN, WEAK = OURO_EDGE_WEAK };
static const struct {
    unsigned kind, class;
    const char *name;
} rows[][PARTS_MAX] = {
    [LEAF] = {{0}},
    [NAMES] = {{OURO_PART_NAMESPACE, TRAVERSED, ""}},
    [WEAK_ONLY] = {{OURO_PART_FIELD, WEAK, "()"}},
    [CLASS] = {{OURO_PART_TYPE, TRAVERSED, ""}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}, {OURO_PART_ITEMS, TRAVERSED, ""}},
    [ROOT] = {{OURO_PART_NAMED, TRAVERSED, "held"}},
    [INTERNED] = {{OURO_PART_FIELD, HIDDEN, "interned strings"}},
    [FIRST_OTHER] = {{OURO_PART_ITEMS_DOWN, TRAVERSED, ""}},
    {{OURO_PART_ENTRIES, TRAVERSED, ""}},
    {{OURO_PART_ITEMS, HIDDEN, ""}},
    /* A __dict__: in front, in either of two places, behind a run, behind two; a dict with a __dict__. */
    {{OURO_PART_FIELD, TRAVERSED, ".a"}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}, {OURO_PART_FIELD, TRAVERSED, ".b"}},
    {{OURO_PART_FIELD, HIDDEN, "__dict__"}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}, {OURO_PART_TYPE, TRAVERSED, ""}},
    {{OURO_PART_ITEMS, TRAVERSED, ""}, {OURO_PART_FIELD, TRAVERSED, ".a"}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}},
    {{OURO_PART_ITEMS_DOWN, TRAVERSED, ""},
     {OURO_PART_FIELD, TRAVERSED, "__dict__"},
     {OURO_PART_FIELD, HIDDEN, "__dict__"},
     {OURO_PART_TYPE, TRAVERSED, ""}},
    {{OURO_PART_ITEMS, TRAVERSED, ""}, {OURO_PART_ITEMS, HIDDEN, ""}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}},
    {{OURO_PART_ENTRIES, TRAVERSED, ""}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}},
    /* Between two runs it is a reference like others; so is one beside which a weak one of that name stands. */
    {{OURO_PART_ITEMS, TRAVERSED, ""}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}, {OURO_PART_ITEMS, TRAVERSED, ""}},
    {{OURO_PART_FIELD, WEAK, "__dict__"}, {OURO_PART_FIELD, TRAVERSED, ".a"}},
    {{OURO_PART_FIELD, WEAK, "()"}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}, {OURO_PART_FIELD, TRAVERSED, "__callback__"}},
    /* With names and without. */
    {{OURO_PART_FIELD, TRAVERSED, ".a"}, {OURO_PART_FOUND, TRAVERSED, "word"}, {OURO_PART_FIELD, TRAVERSED, ".b"}},
    {{OURO_PART_FIELD, TRAVERSED, "?"}, {OURO_PART_FIELD, TRAVERSED, "__dict__"}, {OURO_PART_ITEMS, TRAVERSED, ""}},
    {{OURO_PART_FIELD, HIDDEN, "?"}, {OURO_PART_ENTRIES_STR, TRAVERSED, ""}, {OURO_PART_FIELD, WEAK, "()"}},
    {{OURO_PART_LINKS, TRAVERSED, ""}, {OURO_PART_FIELD, TRAVERSED, ".a"}},
    {{OURO_PART_STACK, TRAVERSED, ""}, {OURO_PART_FIELD, TRAVERSED, "tp_base"}, {OURO_PART_FIELD, TRAVERSED, "?"}},
    {{OURO_PART_FOUND, TRAVERSED, "word"}},
    /* Weak ones beside others, pairs among them. */
    {{OURO_PART_ENTRIES, TRAVERSED, ""}, {OURO_PART_FIELD, WEAK, "()"}},
    {{OURO_PART_FIELD, WEAK, "()"}, {OURO_PART_FIELD, TRAVERSED, "__callback__"}},
    {{OURO_PART_ITEMS, WEAK, ""}, {OURO_PART_FIELD, TRAVERSED, ".a"}, {OURO_PART_ITEMS, HIDDEN, ""}},
    {{OURO_PART_ENTRIES_STR, WEAK, ""}},
};
#define ROWS (sizeof rows / sizeof *rows)

static const char *const nameless[] = {"__subclasses__", "tp_cache", "ht_module", "co_localsplusnames", "co_localspluskinds",
                                       "f_func", "__slots__", "registry", "cache", "negative_cache", "exc_value", "sequence",
                                       ".+16", ".-8", "<inside>"};
#define NAMELESS (sizeof nameless / sizeof *nameless)

static struct random_heap {
    unsigned random;
    ouro_node count, reachable; /* what stands behind those no root refers to, nor they */
    struct {
        unsigned row;
        size_t first, slot_count;
        uint64_t counts[PARTS_MAX];
        unsigned runs, references;
    } objects[OBJECTS_MAX];
    ouro_node slots[SLOTS_MAX];
    size_t slot_count;
} heap;

static unsigned below(unsigned count)
{
    return (unsigned)rand_r(&heap.random) % count;
}

/* Some are referred to often, many by their neighbours, so that there are levels and much is met more than once. */
static ouro_node pick(ouro_node from)
{
    bool apart = from >= heap.reachable && below(8);
    ouro_node begin = apart ? heap.reachable : 0, count = apart ? heap.count - heap.reachable : heap.reachable;
    switch (below(8)) {
    case 0:
        return OURO_NODE_NONE;
    case 1:
    case 2:
        return begin + (from + below(8)) % count;
    case 3:
        return begin + below(count < 8 ? count : 8);
    default:
        return begin + below(count);
    }
}

/* What an instance's __dict__ is: mostly a dict, now and then anything; of two neighbouring slots one is filled at most. */
static ouro_node pick_namespace(ouro_node from, bool taken)
{
    ouro_node found = pick(from);
    for (unsigned i = below(8); i && (found == OURO_NODE_NONE || heap.objects[found].row != NAMES); i--)
        found = pick(from);
    return taken ? OURO_NODE_NONE : found;
}

static void add_slot(ouro_node node, ouro_node target)
{
    if (heap.slot_count == SLOTS_MAX)
        ck_abort_msg("a heap of too many references");
    heap.slots[heap.slot_count++] = target;
    heap.objects[node].slot_count++;
}

/* Now and then an instance and its __dict__ side by side, in either order; both stand before `node`. */
static bool add_both(ouro_node node)
{
    ouro_node instance = pick(node), namespace = OURO_NODE_NONE;
    if (instance >= node || below(4))
        return false;
    for (size_t i = 0; i < heap.objects[instance].slot_count; i++)
        if (heap.slots[heap.objects[instance].first + i] != OURO_NODE_NONE)
            namespace = heap.slots[heap.objects[instance].first + i];
    bool turned = below(2);
    add_slot(node, turned ? namespace : instance);
    add_slot(node, turned ? instance : namespace);
    return true;
}

static void fill(ouro_node node)
{
    bool taken = false;
    heap.objects[node].first = heap.slot_count;
    for (unsigned i = 0; i < PARTS_MAX && rows[heap.objects[node].row][i].name; i++) {
        unsigned kind = rows[heap.objects[node].row][i].kind, width = ouro_part_width(kind);
        if (kind == OURO_PART_TYPE)
            continue;
        if (!ouro_part_repeats(kind)) {
            bool is_namespace = !strcmp(rows[heap.objects[node].row][i].name, "__dict__");
            add_slot(node, is_namespace ? pick_namespace(node, taken) : pick(node));
            taken = is_namespace && heap.slots[heap.slot_count - 1] != OURO_NODE_NONE;
            continue;
        }
        bool wide = heap.count > 300 && below(100) == 0;
        uint64_t count = wide ? 200 + below(WIDE - 200) : below(5);
        heap.objects[node].counts[heap.objects[node].runs++] = count;
        for (uint64_t k = 0; k < count * width; k++)
            if (k + 1 < count * width && add_both(node))
                k++;
            else
                add_slot(node, pick(node));
    }
}

static unsigned pick_row(void)
{
    unsigned choice = below(8);
    return choice < 2 ? LEAF : choice < 4 ? NAMES : choice == 4 && !below(4) ? WEAK_ONLY : FIRST_OTHER + below(ROWS - FIRST_OTHER);
}

static void write_shapes(void)
{
    struct ouro_type_record type = {
        .addr = TINY_BASE,
        .node = 0,
        .name = tiny_string(&tiny, "Thing"),
        .module = tiny_string(&tiny, "app"),
        .flags = OURO_TYPE_GC | OURO_TYPE_HEAP,
        .basicsize = 16,
        .base = UINT32_MAX,
    };
    uint32_t thing = ouro_snapshot_writer_type(tiny.writer, &type);
    uint32_t root = tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    for (unsigned i = 0; i < ROWS; i++) {
        struct ouro_part parts[PARTS_MAX + 1];
        unsigned count = 0;
        for (; count < PARTS_MAX && rows[i][count].name; count++) {
            const char *name = rows[i][count].name;
            parts[count] = (struct ouro_part){.kind = (uint8_t)rows[i][count].kind, .edge_class = (uint8_t)rows[i][count].class,
                                              .name = tiny_string(&tiny, strcmp(name, "?") ? name : nameless[below(NAMELESS)])};
        }
        parts[count].kind = OURO_PART_KIND_COUNT;
        ck_assert_uint_eq(tiny_shape(&tiny, i == ROOT || i == INTERNED ? root : thing, parts), i);
    }
}

/* The counts of all owned references, and some more: then native code holds it. */
static void count_references(ouro_node node)
{
    size_t at = heap.objects[node].first;
    unsigned run = 0;
    for (unsigned i = 0; i < PARTS_MAX && rows[heap.objects[node].row][i].name; i++) {
        unsigned kind = rows[heap.objects[node].row][i].kind, width = ouro_part_width(kind);
        uint64_t count = ouro_part_repeats(kind) ? heap.objects[node].counts[run++] : kind != OURO_PART_TYPE;
        heap.objects[0].references += kind == OURO_PART_TYPE;
        for (uint64_t k = 0; k < count * width; k++, at++)
            if (heap.slots[at] != OURO_NODE_NONE &&
                ouro_part_slot_class(kind, rows[heap.objects[node].row][i].class, (unsigned)(k % width)) != OURO_EDGE_WEAK)
                heap.objects[heap.slots[at]].references++;
    }
}

static void write_objects(void)
{
    for (ouro_node v = 0; v < heap.count; v++)
        count_references(v);
    for (ouro_node v = 0; v < heap.count; v++) {
        unsigned more = v >= heap.reachable && below(10) == 0;
        tiny_object(&tiny, heap.objects[v].row, 64, heap.objects[v].references + more, heap.objects[v].row != LEAF);
        for (unsigned i = 0; i < heap.objects[v].runs; i++)
            tiny_count(&tiny, heap.objects[v].counts[i]);
        tiny_slots(&tiny, heap.slots + heap.objects[v].first, heap.objects[v].slot_count);
    }
}

/* Up to three roots, of which one may hold hundreds, and the table of interned strings among them. */
static void write_roots(bool interned)
{
    unsigned count = 1 + below(3), place = interned ? below(count + 1) : UINT32_MAX;
    for (unsigned i = 0; i < count + interned; i++) {
        unsigned held = below(8) ? 1 + below(6) : WIDE;
        tiny_object(&tiny, i == place ? INTERNED : ROOT, 0, 0, OURO_OBJECT_PSEUDO);
        if (i == place) {
            TINY_SLOTS(&tiny, heap.count - 1);
            heap.objects[heap.count - 1].references++;
            continue;
        }
        tiny_count(&tiny, held);
        for (unsigned k = 0; k < held; k++)
            TINY_SLOTS(&tiny, pick(below(heap.reachable)));
    }
}

static void write_random_heap(unsigned seed)
{
    heap.random = seed;
    heap.count = seed % 3 ? 2 + below(60) : 300 + below(OBJECTS_MAX - 300);
    heap.reachable = 1 + below(heap.count - 1);
    heap.slot_count = 0;
    memset(heap.objects, 0, sizeof heap.objects);
    for (ouro_node v = 0; v < heap.count; v++)
        heap.objects[v].row = v == 0 ? CLASS : pick_row();
    heap.objects[heap.count - 1].row = NAMES; /* if anything holds the table of interned strings it is that root alone */
    for (ouro_node v = 0; v < heap.count; v++)
        fill(v);
    tiny_begin_memory(&tiny);
    write_shapes();
    write_objects();
    write_roots(seed % 2);
    tiny_open(&tiny, &model);
}

/* --- The plain search */

static struct plain {
    ouro_node parent[OBJECTS_MAX + 8], queue[OBJECTS_MAX + 8], found, done, begin, named, native;
    unsigned level[OBJECTS_MAX + 8], deepest; /* by object; of what is being found */
    ouro_node named_parent[OBJECTS_MAX + 8]; /* before it went on from native roots and garbage */
} plain;

/* What the heaps had of what is looked for. */
static struct {
    unsigned long namespaces, namespaces_before, nameless, wide, interned, native, garbage, targets, missed;
} seen;

static bool is_named(const struct ouro_part *part, const char *name)
{
    return part->kind == OURO_PART_FIELD && !strcmp(ouro_snapshot_string(model.snapshot, part->name, NULL), name);
}

static bool is_nameless(const struct ouro_part *part)
{
    for (size_t i = 0; i < NAMELESS; i++)
        if (is_named(part, nameless[i]))
            return true;
    return part->kind == OURO_PART_FOUND || part->kind == OURO_PART_LINKS || part->kind == OURO_PART_STACK;
}

static bool is_namespace(const struct ouro_part *part)
{
    return is_named(part, "__dict__") && part->edge_class != OURO_EDGE_WEAK;
}

/* A __dict__ with runs in front and behind is none that is looked for. */
static ouro_node namespace_of(ouro_node node)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(&model, node);
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    unsigned front = 0, behind = 0;
    bool met = false;
    for (uint32_t i = 0; i < shape->part_count; i++) {
        met |= is_namespace(&shape->parts[i]);
        if (ouro_part_repeats(shape->parts[i].kind))
            met ? behind++ : front++;
    }
    ouro_slot_walk_begin(&walk, &model, node);
    while (!(front && behind) && ouro_slot_walk_next(&walk, &slot))
        if (is_namespace(slot.part) && slot.target != OURO_NODE_NONE)
            return slot.target;
    return OURO_NODE_NONE;
}

/* An object, its __dict__ directly behind it, and so on. */
static void find(ouro_node from, ouro_node node)
{
    ouro_node first = node;
    while (node != OURO_NODE_NONE && plain.parent[node] == OURO_NODE_NONE) {
        seen.namespaces += node != first;
        plain.parent[node] = from;
        plain.level[node] = plain.deepest;
        plain.queue[plain.found++] = node;
        from = node;
        node = namespace_of(node);
    }
    seen.namespaces_before += node != first && node != OURO_NODE_NONE;
}

static void follow(ouro_node node, bool without_name)
{
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_node before = plain.found, count = 0;
    ouro_slot_walk_begin(&walk, &model, node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        count++;
        if (slot.target != OURO_NODE_NONE && slot.edge_class != OURO_EDGE_WEAK && is_nameless(slot.part) == without_name)
            find(node, slot.target);
    }
    seen.wide += count > 256 && !without_name;
    seen.nameless += without_name && plain.found > before;
}

static void follow_levels(void)
{
    while (plain.done < plain.found) {
        ouro_node end = plain.found;
        plain.deepest++;
        for (unsigned without_name = 0; without_name < 2; without_name++)
            for (ouro_node i = plain.done; i < end; i++)
                follow(plain.queue[i], without_name);
        plain.done = end;
    }
}

static bool is_interned(ouro_node root)
{
    return model.heap.shape[root] == INTERNED;
}

static void search_plainly(const struct ouro_roots *roots)
{
    ouro_node count = model.heap.count;
    plain.found = plain.done = plain.deepest = 0;
    memset(plain.parent, 0xff, sizeof plain.parent);
    for (ouro_node v = heap.count; v < count; v++)
        if (!is_interned(v))
            find(v, v);
    plain.begin = plain.found;
    follow_levels();
    for (ouro_node v = heap.count; v < count; v++)
        if (is_interned(v)) {
            ouro_node before = plain.found;
            find(v, v);
            follow_levels();
            seen.interned += plain.found - before > 1;
        }
    plain.named = plain.found;
    memcpy(plain.named_parent, plain.parent, sizeof plain.parent);
    for (ouro_node i = 0; i < roots->native_count; i++)
        find(roots->native[i], roots->native[i]);
    follow_levels();
    plain.native = plain.found;
    for (ouro_node i = 0; i < roots->garbage_count; i++)
        find(roots->garbage[i], roots->garbage[i]);
    follow_levels();
    seen.native += plain.native - plain.named;
    seen.garbage += plain.found - plain.native;
}

/* --- Both */

static struct ouro_path_search search;

static void check_found(unsigned seed, const ouro_node *parent, ouro_node found)
{
    for (ouro_node i = 0; i < found && i < search.found_count; i++)
        if (search.queue[i] != plain.queue[i])
            ck_abort_msg("seed %u, found as number %u: %u, not %u", seed, i, search.queue[i], plain.queue[i]);
    ck_assert_msg(search.found_count == found, "seed %u: %u found, not %u", seed, search.found_count, found);
    for (ouro_node v = 0; v < model.heap.count; v++)
        if (search.parent[v] != parent[v])
            ck_abort_msg("seed %u, object %u: from %u, not %u", seed, v, search.parent[v], parent[v]);
}

static void check_holders(unsigned seed, ouro_node target)
{
    for (ouro_node v = target;; v = plain.named_parent[v]) {
        if (search.parent[v] != plain.named_parent[v])
            ck_abort_msg("seed %u, target %u, holder %u: from %u, not %u", seed, target, v, search.parent[v],
                         plain.named_parent[v]);
        if (v == plain.named_parent[v] || plain.named_parent[v] == OURO_NODE_NONE)
            return;
    }
}

/* A search for one or a few ends with the level of the last of them; when it can't find all it goes on as that for everything
 * does. */
static void check_targets(unsigned seed, const struct ouro_roots *roots, size_t count)
{
    ouro_node targets[8];
    unsigned last = 0;
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        targets[i] = i && !below(8) ? targets[i - 1] : below(model.heap.count);
        all &= plain.named_parent[targets[i]] != OURO_NODE_NONE;
        if (plain.level[targets[i]] > last)
            last = plain.level[targets[i]];
    }
    ck_assert_int_eq(ouro_path_search_run(&search, targets, count, &err), OURO_OK);
    for (size_t i = 0; i < count; i++)
        check_holders(seed, targets[i]);
    seen.targets += all;
    seen.missed += !all;
    for (ouro_node i = 0; all && i < search.found_count; i++)
        if (plain.level[search.queue[i]] > last)
            ck_abort_msg("seed %u: object %u is found, though all %zu targets were", seed, search.queue[i], count);
    if (all)
        return;
    check_found(seed, plain.named_parent, plain.named);
    ouro_path_search_extend(&search, roots);
    check_found(seed, plain.parent, plain.found);
}

START_TEST(all_is_found_as_if_one_reference_was_followed_after_the_other)
{
    struct ouro_collector collector;
    struct ouro_roots roots;
    for (unsigned seed = 1; seed <= HEAPS; seed++) {
        write_random_heap(seed);
        ck_assert_int_eq(ouro_collector_init(&collector, &model, &err), OURO_OK);
        ck_assert_int_eq(ouro_roots_init(&roots, &model, &collector, &err), OURO_OK);
        search_plainly(&roots);
        ck_assert_int_eq(ouro_path_search_init(&search, &model, &err), OURO_OK);
        for (unsigned again = 0; again < 2; again++) { /* the second time as if nothing had been before */
            ck_assert_int_eq(ouro_path_search_run(&search, NULL, 0, &err), OURO_OK);
            check_found(seed, plain.named_parent, plain.named);
            ck_assert_uint_eq(search.begin_count, plain.begin);
            ouro_path_search_extend(&search, &roots);
            check_found(seed, plain.parent, plain.found);
            ck_assert_uint_eq(search.named_count, plain.named);
            ck_assert_uint_eq(search.native_count, plain.native);
        }
        for (size_t count = 1; count <= 8; count++)
            check_targets(seed, &roots, count);
        ouro_path_search_fini(&search);
        ouro_roots_fini(&roots);
        ouro_collector_fini(&collector);
        ouro_heap_model_close(&model);
        tiny_end(&tiny);
    }
    /* The heaps had what is looked for. */
    ck_assert_uint_gt(seen.namespaces, 20000);
    ck_assert_uint_gt(seen.namespaces_before, 20000);
    ck_assert_uint_gt(seen.nameless, 5000);
    ck_assert_uint_gt(seen.wide, 1000);
    ck_assert_uint_gt(seen.interned, 400);
    ck_assert_uint_gt(seen.native, 50000);
    ck_assert_uint_gt(seen.garbage, 10000);
    ck_assert_uint_gt(seen.targets, 2000);
    ck_assert_uint_gt(seen.missed, 2000);
}
END_TEST

int main(void)
{
    TCase *searches = tcase_create("searches");
    tcase_set_timeout(searches, 60);
    tcase_add_test(searches, all_is_found_as_if_one_reference_was_followed_after_the_other);
    Suite *suite = suite_create("path search");
    suite_add_tcase(suite, searches);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
