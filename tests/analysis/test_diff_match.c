/* Which objects of one process's two snapshots are the same, against the rules put down plainly: each object against the one at its
 * address, part by part, then who waits for a holder, then what is certain. Lists of the collector, and what their order makes
 * certain, are not among these. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_match.h"
#include "analysis/value.h"
#include "tiny.h"

#define PAIRS      1500
#define PLACES_MAX 150u
#define ROOM       80u /* slots of an object */
#define RUN_MAX    24u
#define PARTS_MAX  22
#define NOTHING    UINT32_MAX

/* --- Random pairs */

/* The class of each stands at the place of that number. */
enum { TYPE, STR, INT, TUPLE, LIST, DICT, SET, FUNCTION, USER, OTHER, WIDE, TYPE_COUNT };
static const struct {
    const char *module, *name;
    unsigned flags, value_kind, basicsize;
} types[TYPE_COUNT] = {
    [TYPE] = {"builtins", "type", OURO_TYPE_GC, OURO_VALUE_NAME, 880},
    [STR] = {"builtins", "str", 0, OURO_VALUE_STR, 40},
    [INT] = {"builtins", "int", 0, OURO_VALUE_INT, 24},
    [TUPLE] = {"builtins", "tuple", OURO_TYPE_GC, 0, 24},
    [LIST] = {"builtins", "list", OURO_TYPE_GC, 0, 40},
    [DICT] = {"builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, 0, 64},
    [SET] = {"builtins", "set", OURO_TYPE_GC, 0, 200},
    [FUNCTION] = {"builtins", "function", OURO_TYPE_GC, OURO_VALUE_NAME, 136},
    [USER] = {"app", "User", OURO_TYPE_GC | OURO_TYPE_HEAP, 0, 32},
    [OTHER] = {"app", "Other", OURO_TYPE_GC | OURO_TYPE_HEAP, 0, 32},
    [WIDE] = {"app", "Wide", OURO_TYPE_GC | OURO_TYPE_HEAP, 0, 48},
};

#define FIELD(label) {OURO_PART_FIELD, OURO_EDGE_TRAVERSED, label}
#define RUN(kind)    {OURO_PART_##kind, OURO_EDGE_TRAVERSED, ""}
#define HIDDEN(kind) {OURO_PART_##kind, OURO_EDGE_HIDDEN, ""}
#define CLASS        {OURO_PART_TYPE, OURO_EDGE_TRAVERSED, ""}

static const struct row {
    unsigned type;
    struct {
        unsigned kind, class;
        const char *name; /* NULL behind the last */
    } parts[PARTS_MAX];
} rows[] = {
    {TYPE, {CLASS, FIELD("__dict__"), FIELD("__base__"), RUN(ITEMS)}},
    {TYPE, {FIELD("__dict__"), FIELD("__base__"), RUN(ITEMS), CLASS}},
    {STR, {{0}}},
    {INT, {{0}}},
    {TUPLE, {RUN(ITEMS_DOWN)}},
    {LIST, {RUN(ITEMS_DOWN)}},
    {LIST, {RUN(ITEMS)}},
    {DICT, {RUN(ENTRIES_STR)}},
    {DICT, {RUN(NAMESPACE)}},
    {DICT, {RUN(ENTRIES)}},
    {SET, {RUN(ELEMENTS)}},
    {FUNCTION, {FIELD("__globals__"), FIELD("__closure__"), FIELD("__dict__")}},
    /* Its class in front of a run, behind it, in between, and beside what is stored from the back. */
    {USER, {FIELD("__dict__"), CLASS}},
    {USER, {FIELD(".y"), CLASS}},
    {USER, {CLASS, FIELD(".y")}},
    {USER, {CLASS, FIELD(".a"), FIELD("__dict__"), RUN(ITEMS)}},
    {USER, {FIELD(".a"), RUN(ITEMS), FIELD("__dict__"), CLASS}},
    {USER, {FIELD(".a"), RUN(ITEMS), CLASS, FIELD("__dict__")}},
    {USER, {FIELD(".a"), CLASS, FIELD("__dict__"), RUN(ITEMS)}},
    {USER, {FIELD(".a"), CLASS, FIELD("__dict__"), RUN(ITEMS), FIELD(".v"), FIELD(".w"), FIELD(".x"), FIELD(".z")}},
    {OTHER, {RUN(ITEMS_DOWN), CLASS}},
    {OTHER, {CLASS, RUN(ITEMS_DOWN)}},
    {OTHER, {RUN(ENTRIES), FIELD("__dict__"), CLASS}},
    {OTHER, {RUN(ITEMS_DOWN), FIELD(".x"), CLASS}},
    {OTHER, {FIELD(".x"), RUN(ITEMS_DOWN)}},
    /* Two runs; two references to the class; weak ones. */
    {WIDE, {RUN(ITEMS), HIDDEN(ITEMS), CLASS}},
    {WIDE, {RUN(ITEMS_DOWN), RUN(ITEMS_DOWN)}},
    {WIDE, {CLASS, FIELD(".x"), FIELD(".y"), CLASS}},
    {WIDE, {{OURO_PART_FIELD, OURO_EDGE_WEAK, "()"}, FIELD("__callback__"), CLASS}},
    {WIDE, {RUN(LINKS), FIELD(".x")}},
    /* More than are looked at, of which the class is none. */
    {WIDE,
     {FIELD(".a"), FIELD(".b"), FIELD(".c"), FIELD(".d"), FIELD(".e"), FIELD(".f"), FIELD(".g"), FIELD(".h"), CLASS, FIELD(".i"),
      FIELD(".j"), FIELD(".k"), FIELD(".l"), FIELD(".m"), FIELD(".n"), FIELD(".o"), FIELD(".p"), FIELD(".q"), FIELD(".r"),
      FIELD(".s")}},
};
#define ROWS ((unsigned)(sizeof rows / sizeof *rows))
#define ANY  4u /* from here on: what a random object is, but for texts and numbers */

/* What stands at an address; its slots hold places. */
struct thing {
    bool there;
    unsigned row, value, flags, size, references, counts[2], slots[ROOM], slot_count;
};

static struct heap {
    struct thing things[PLACES_MAX];
    const char *name, *root_names[2]; /* name: of USER */
    ouro_addr other_addr;             /* of OTHER; 0: its class's */
    unsigned held[12], held_count, basicsize;
    bool shifted, incremental; /* shifted: other numbers of shapes and types */
} heaps[2];
static unsigned place_count, random_state;

static unsigned below(unsigned count)
{
    return (unsigned)rand_r(&random_state) % count;
}

static unsigned pick(void)
{
    return below(6) ? below(place_count) : NOTHING;
}

static unsigned pick_flags(unsigned row)
{
    static const unsigned states[] = {OURO_OBJECT_IMMORTAL, OURO_OBJECT_FINALIZED, OURO_OBJECT_TORN, OURO_OBJECT_VALUE_CUT};
    unsigned flags = below(5);
    for (unsigned i = 0; i < sizeof states / sizeof *states; i++)
        flags |= below(16) ? 0 : states[i];
    return flags | (types[rows[row].type].value_kind && below(24) ? (unsigned)OURO_OBJECT_VALUE : 0);
}

/* As many slots as a row of parts needs that has so many items in its runs; those that are there stay. */
static void fit(struct thing *thing, unsigned row, const unsigned counts[2])
{
    unsigned slots = 0, run = 0;
    thing->row = row;
    thing->counts[0] = thing->counts[1] = 0;
    for (unsigned i = 0; rows[row].parts[i].name; i++) {
        unsigned kind = rows[row].parts[i].kind;
        if (ouro_part_repeats(kind)) {
            thing->counts[run] = counts[run];
            slots += counts[run++] * ouro_part_width(kind);
        } else {
            slots += kind != OURO_PART_TYPE;
        }
    }
    for (; thing->slot_count < slots; thing->slot_count++)
        thing->slots[thing->slot_count] = pick();
    thing->slot_count = slots;
}

static unsigned pick_row(unsigned place)
{
    return place < TYPE_COUNT ? below(2) : below(3) ? ANY + below(ROWS - ANY) : 2 + below(2);
}

static void fill(struct thing *thing, unsigned place)
{
    unsigned row = pick_row(place), counts[] = {below(2) ? below(6) : below(RUN_MAX + 1), below(6)};
    *thing = (struct thing){.there = true, .value = below(5), .size = 16 * (1 + below(3)), .references = 1 + below(5)};
    thing->flags = pick_flags(row);
    fit(thing, row, counts);
}

/* Where a run of the thing begins, and how wide it is. */
static unsigned find_run(const struct thing *thing, unsigned wanted, unsigned *width)
{
    unsigned at = 0, run = 0;
    for (unsigned i = 0; rows[thing->row].parts[i].name; i++) {
        unsigned kind = rows[thing->row].parts[i].kind;
        *width = ouro_part_width(kind);
        if (ouro_part_repeats(kind)) {
            if (run == wanted)
                return at;
            at += thing->counts[run++] * *width;
        } else {
            at += kind != OURO_PART_TYPE;
        }
    }
    *width = 0;
    return at;
}

/* One item more or less, at either end of a run. */
static void resize(struct thing *thing)
{
    unsigned run = below(2), width, begin = find_run(thing, run, &width), at;
    if (!width)
        return;
    if (below(2) && thing->counts[run]) {
        at = begin + (below(2) ? 0 : (thing->counts[run] - 1) * width);
        thing->slot_count -= width;
        thing->counts[run]--;
        memmove(thing->slots + at, thing->slots + at + width, (thing->slot_count - at) * sizeof *thing->slots);
    } else if (thing->slot_count + width <= ROOM) {
        at = begin + (below(2) ? 0 : thing->counts[run] * width);
        memmove(thing->slots + at + width, thing->slots + at, (thing->slot_count - at) * sizeof *thing->slots);
        for (unsigned i = 0; i < width; i++)
            thing->slots[at + i] = pick();
        thing->slot_count += width;
        thing->counts[run]++;
    }
}

/* Half of a row, more or less, from its front or its back: by the first 16 it may be another one, and not by all. */
static void redirect(struct thing *thing)
{
    unsigned count = thing->slot_count / 2 + below(4), begin = below(2) ? 0 : thing->slot_count - count;
    for (unsigned i = 0; i < count && thing->slot_count > 2; i++)
        thing->slots[(begin + i) % thing->slot_count] = pick();
}

/* Other parts of the same type, and the same slots as far as there is place for them. */
static void change_parts(struct thing *thing)
{
    unsigned row = below(ROWS), fixed = 0, width = 0, counts[2] = {0};
    for (unsigned i = 0; i < 50 && (row == thing->row || rows[row].type != rows[thing->row].type); i++)
        row = below(ROWS);
    if (rows[row].type != rows[thing->row].type)
        return;
    for (unsigned i = 0; rows[row].parts[i].name; i++)
        if (!ouro_part_repeats(rows[row].parts[i].kind))
            fixed += rows[row].parts[i].kind != OURO_PART_TYPE;
        else if (!width)
            width = ouro_part_width(rows[row].parts[i].kind);
    if (width && thing->slot_count > fixed)
        counts[0] = (thing->slot_count - fixed) / width;
    fit(thing, row, counts);
}

/* As many slots as before, but more of them in the first of two runs; else half of them others. */
static void share_out(struct thing *thing)
{
    unsigned more = 1 + below(thing->counts[1] ? thing->counts[1] : 1);
    if (!thing->counts[1]) {
        redirect(thing);
        return;
    }
    thing->counts[0] += more;
    thing->counts[1] -= more;
}

static void change(struct thing *thing, unsigned place)
{
    switch (below(16)) {
    case 0:
        thing->there = place < TYPE_COUNT;
        return;
    case 1:
        fill(thing, place);
        return;
    case 2:
    case 12:
        change_parts(thing);
        return;
    case 3:
        if (thing->slot_count)
            thing->slots[below(thing->slot_count)] = pick();
        return;
    case 4:
    case 5:
        redirect(thing);
        return;
    case 6:
        resize(thing);
        return;
    case 7:
    case 13:
        share_out(thing);
        return;
    case 8:
        thing->flags = pick_flags(thing->row);
        return;
    case 9:
        thing->references = 1 + below(5);
        return;
    case 10:
        thing->size += 16;
        return;
    default:
        thing->value++;
        return;
    }
}

/* The second is the first, with a few changes or with many. */
static void make_pair(unsigned seed)
{
    static const unsigned rates[] = {40, 12, 5, 2};
    random_state = seed;
    place_count = TYPE_COUNT + 4 + below(seed % 4 ? 60 : PLACES_MAX - TYPE_COUNT - 4);
    memset(heaps, 0, sizeof heaps);
    for (unsigned i = 0; i < place_count; i++)
        if (i < TYPE_COUNT || below(12))
            fill(&heaps[0].things[i], i);
    heaps[0].name = "User";
    heaps[0].root_names[0] = "sys.modules";
    heaps[0].root_names[1] = "held";
    heaps[0].held_count = 1 + below(12);
    for (unsigned i = 0; i < heaps[0].held_count; i++)
        heaps[0].held[i] = pick();
    heaps[0].basicsize = types[WIDE].basicsize;
    heaps[1] = heaps[0];
    for (unsigned i = 0, rate = rates[below(4)]; i < place_count; i++) {
        if (below(rate))
            continue;
        if (!heaps[1].things[i].there)
            fill(&heaps[1].things[i], i);
        for (unsigned k = 1 + below(3); k && heaps[1].things[i].there; k--)
            change(&heaps[1].things[i], i);
    }
    heaps[1].name = seed % 16 == 1 ? "Renamed" : "User";
    if (seed % 3 == 1) /* what was held by it has no holder that survived */
        heaps[1].root_names[0] = "sys.modulez";
    if (seed % 6 < 3)
        heaps[1].root_names[1] = "hold";
    heaps[1].other_addr = seed % 16 == 3 ? 0x1000 : 0;
    heaps[1].basicsize += seed % 16 == 4 || seed % 16 == 1 ? 16 : 0; /* a User may become a Wide, and the other way round */
    heaps[1].shifted = seed % 2;
    heaps[1].incremental = seed % 5 == 0;
    if (seed % 5 == 1)
        heaps[1].held[below(heaps[1].held_count)] = pick();
}

static struct tiny tinies[2];
static struct ouro_heap_model models[2];
static struct ouro_diff_side sides[2];
static struct ouro_diff_names names;
static struct ouro_err err;

static ouro_node nodes[PLACES_MAX]; /* by place, of the heap that is being written */

static ouro_node node_of(unsigned place)
{
    return place == NOTHING ? OURO_NODE_NONE : nodes[place];
}

static void write_types(struct tiny *tiny, const struct heap *heap)
{
    for (unsigned i = 0; i < TYPE_COUNT; i++) {
        const char *name = i == USER ? heap->name : types[i].name;
        struct ouro_type_record type = {
            .addr = i == OTHER && heap->other_addr ? heap->other_addr : TINY_BASE + 16 * i,
            .node = node_of(i),
            .name = tiny_string(tiny, name),
            .module = tiny_string(tiny, types[i].module),
            .flags = types[i].flags,
            .value_kind = types[i].value_kind,
            .basicsize = i == WIDE ? heap->basicsize : types[i].basicsize,
            .base = UINT32_MAX,
        };
        ck_assert_uint_eq(ouro_snapshot_writer_type(tiny->writer, &type), i + heap->shifted);
    }
}

static void write_shapes(struct tiny *tiny, const struct heap *heap)
{
    for (unsigned i = 0; i < ROWS; i++) {
        struct ouro_part parts[PARTS_MAX];
        unsigned count = 0;
        for (; rows[i].parts[count].name; count++)
            parts[count] = (struct ouro_part){.kind = (uint8_t)rows[i].parts[count].kind,
                                              .edge_class = (uint8_t)rows[i].parts[count].class,
                                              .name = tiny_string(tiny, rows[i].parts[count].name)};
        parts[count].kind = OURO_PART_KIND_COUNT;
        ck_assert_uint_eq(tiny_shape(tiny, rows[i].type + heap->shifted, parts), i + heap->shifted);
    }
}

static void write_things(struct tiny *tiny, const struct heap *heap)
{
    for (unsigned i = 0; i < place_count; i++) {
        const struct thing *thing = &heap->things[i];
        char value[16];
        if (!thing->there)
            continue;
        tiny_object_at(tiny, TINY_BASE + 16 * i, thing->row + heap->shifted, thing->size, 0, thing->references, thing->flags, 0);
        if (thing->flags & OURO_OBJECT_VALUE)
            tiny_value(tiny, value, (size_t)snprintf(value, sizeof value, "%u", thing->value));
        for (unsigned k = 0, run = 0; rows[thing->row].parts[k].name; k++)
            if (ouro_part_repeats(rows[thing->row].parts[k].kind))
                tiny_count(tiny, thing->counts[run++]);
        for (unsigned k = 0; k < thing->slot_count; k++)
            TINY_SLOTS(tiny, node_of(thing->slots[k]));
    }
}

static void write_root(struct tiny *tiny, uint32_t shape, const char *name, const unsigned *held, unsigned count)
{
    tiny_object(tiny, shape, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    tiny_value(tiny, name, strlen(name));
    if (held)
        tiny_count(tiny, count);
    for (unsigned i = 0; held && i < count; i++)
        TINY_SLOTS(tiny, node_of(held[i]));
}

static void write_heap(struct tiny *tiny, const struct heap *heap, const char *time)
{
    ouro_node next = 0;
    for (unsigned i = 0; i < place_count; i++)
        nodes[i] = heap->things[i].there ? next++ : OURO_NODE_NONE;
    tiny_begin_memory(tiny);
    ouro_snapshot_writer_meta_u64(tiny->writer, "process.start_ticks", 12345);
    ouro_snapshot_writer_meta_u64(tiny->writer, "hash.seed", 99);
    ouro_snapshot_writer_meta(tiny->writer, OURO_META_HOST, "here", 4);
    ouro_snapshot_writer_meta(tiny->writer, OURO_META_TIME, time, strlen(time));
    if (heap->incremental)
        ouro_snapshot_writer_meta(tiny->writer, OURO_META_COLLECTOR, "incremental", 11);
    if (heap->shifted)
        TINY_EMPTY_SHAPE(tiny, tiny_type(tiny, "app", "Unused", 0, OURO_VALUE_NONE));
    write_types(tiny, heap);
    write_shapes(tiny, heap);
    uint32_t root = tiny_type(tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    uint32_t modules = TINY_SHAPE(tiny, root, {.kind = OURO_PART_FIELD, .name = tiny_string(tiny, "sys.modules")});
    uint32_t held = TINY_SHAPE(tiny, root, {.kind = OURO_PART_NAMED, .name = tiny_string(tiny, "held")});
    write_things(tiny, heap);
    write_root(tiny, modules, heap->root_names[0], NULL, 0);
    TINY_SLOTS(tiny, node_of(TYPE_COUNT));
    write_root(tiny, held, heap->root_names[1], heap->held, heap->held_count);
}

static void open_pair(unsigned seed)
{
    make_pair(seed);
    ck_assert_int_eq(ouro_diff_names_init(&names), OURO_OK);
    for (unsigned i = 0; i < 2; i++) {
        write_heap(&tinies[i], &heaps[i], i ? "2.0" : "1.0");
        tiny_open(&tinies[i], &models[i]);
        ck_assert_msg(ouro_diff_side_init(&sides[i], &models[i], &names, true, &err) == OURO_OK, "%s", err.msg);
    }
}

static void close_pair(void)
{
    for (unsigned i = 0; i < 2; i++) {
        ouro_diff_side_fini(&sides[i]);
        ouro_heap_model_close(&models[i]);
        tiny_end(&tinies[i]);
    }
    ouro_diff_names_fini(&names);
}

/* --- The rules */

enum evidence { ANOTHER, PROBABLY_ANOTHER, PROBABLY_SAME, SAME, AS_HOLDER, AS_HOLDER_AND_PLACE, EVIDENCE_COUNT };

static struct {
    ouro_node to_after[PLACES_MAX + 2], to_before[PLACES_MAX + 2], at[PLACES_MAX + 2]; /* at: of `after`: who had that address */
    uint8_t before_verdict[PLACES_MAX + 2], after_verdict[PLACES_MAX + 2];
    enum evidence evidence[PLACES_MAX + 2];
    uint64_t reused_count;
} plain;

static const struct ouro_heap_model *const before = &models[0], *const after = &models[1];

/* What the pairs had of what is looked for. */
static struct {
    unsigned long evidence[EVIDENCE_COUNT], waited[2], values_equal, values_unequal, younger, items;
    unsigned long parts_alike, parts_else, many, down, class_behind, entries; /* of whom referents are asked, mostly */
} seen;

static unsigned flags_of(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node];
}

static bool is_pseudo(const struct ouro_heap_model *model, ouro_node node)
{
    return flags_of(model, node) & OURO_OBJECT_PSEUDO;
}

static const struct ouro_type_record *type_of(const struct ouro_heap_model *model, ouro_node node)
{
    return &model->types[ouro_heap_model_type(model, node)];
}

static bool has_equal_value(ouro_node a, ouro_node b)
{
    size_t size, other;
    const unsigned char *left = ouro_value_raw(before, a, &size), *right = ouro_value_raw(after, b, &other);
    return !(flags_of(before, a) & flags_of(after, b) & OURO_OBJECT_VALUE) || (size == other && !memcmp(left, right, size));
}

/* Roots are those of the same name. */
static void pair_all(void)
{
    memset(&plain, 0, sizeof plain);
    memset(plain.to_after, 0xff, sizeof plain.to_after);
    memset(plain.to_before, 0xff, sizeof plain.to_before);
    memset(plain.at, 0xff, sizeof plain.at);
    for (ouro_node a = 0; a < before->heap.count; a++)
        for (ouro_node b = 0; b < after->heap.count; b++) {
            if (is_pseudo(before, a) != is_pseudo(after, b))
                continue;
            if (is_pseudo(before, a) && has_equal_value(a, b)) {
                plain.to_after[a] = b;
                plain.to_before[b] = a;
            } else if (!is_pseudo(before, a) && before->heap.addr[a] == after->heap.addr[b]) {
                plain.at[b] = a;
            }
        }
}

static bool is_private(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.refcount[node] <= 3 && !(flags_of(model, node) & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO));
}

/* Of two parts the slot of that number, in the order in which it is compared. */
static ouro_node slot_of(const struct ouro_part_walk *walk, uint64_t i, bool down)
{
    uint64_t count = walk->item_count * walk->width;
    return walk->model->heap.slots[walk->first + (down ? count - 1 - i : i)];
}

/* Of its first referents, but for its class, those that few others refer to: how many are what they were? */
static enum evidence ask_referents(ouro_node a, ouro_node b)
{
    struct ouro_part_walk left, right;
    unsigned looked_at = 0, private = 0, same = 0;
    ouro_part_walk_begin(&left, before, a);
    ouro_part_walk_begin(&right, after, b);
    while (ouro_part_walk_next(&left) && ouro_part_walk_next(&right)) {
        uint64_t count = left.item_count * left.width;
        if (count > right.item_count * right.width)
            count = right.item_count * right.width;
        if (left.part->kind == OURO_PART_TYPE || right.part->kind == OURO_PART_TYPE)
            continue;
        bool down = left.part->kind == OURO_PART_ITEMS_DOWN && right.part->kind == OURO_PART_ITEMS_DOWN;
        for (uint64_t i = 0; i < count && looked_at < 16; i++, looked_at++) {
            ouro_node x = slot_of(&left, i, down), y = slot_of(&right, i, down);
            if (x == OURO_NODE_NONE || y == OURO_NODE_NONE || !is_private(before, x) || !is_private(after, y))
                continue;
            private++;
            same += plain.at[y] == x && has_equal_value(x, y);
        }
    }
    return 2 * same > private ? PROBABLY_SAME : same || !private ? AS_HOLDER : AS_HOLDER_AND_PLACE;
}

static enum evidence ask_tuple(ouro_node a, ouro_node b)
{
    const uint64_t *x = &before->heap.slot_begin[a], *y = &after->heap.slot_begin[b];
    bool same = before->heap.size[a] == after->heap.size[b];
    for (uint64_t i = 0; i < x[1] - x[0] && i < y[1] - y[0]; i++) {
        ouro_node left = before->heap.slots[x[0] + i], right = after->heap.slots[y[0] + i];
        same &= (left == OURO_NODE_NONE ? 0 : before->heap.addr[left]) == (right == OURO_NODE_NONE ? 0 : after->heap.addr[right]);
    }
    if (!same)
        return (flags_of(before, a) | flags_of(after, b)) & OURO_OBJECT_TORN ? PROBABLY_ANOTHER : ANOTHER;
    return flags_of(before, a) & flags_of(after, b) & OURO_OBJECT_IMMORTAL ? SAME : PROBABLY_SAME;
}

static bool has_same_text(uint32_t left, uint32_t right)
{
    return !strcmp(ouro_snapshot_string(before->snapshot, left, NULL), ouro_snapshot_string(after->snapshot, right, NULL));
}

static bool has_same_type(const struct ouro_type_record *left, const struct ouro_type_record *right)
{
    return left->addr == right->addr && has_same_text(left->name, right->name) && has_same_text(left->module, right->module);
}

/* Objects only grow older, but for dicts, which leave the collector's lists and come back, and for gc.unfreeze(). */
static bool is_younger(ouro_node a, ouro_node b)
{
    int old = ouro_heap_model_generation(before, a), new = ouro_heap_model_generation(after, b);
    bool younger = old > 0 && new >= 0 && new < old && !(old == 3 && new == 2);
    return younger && !heaps[1].incremental && !(type_of(after, b)->flags & OURO_TYPE_DICT);
}

static enum evidence ask(ouro_node a, ouro_node b)
{
    const struct ouro_type_record *left = type_of(before, a), *right = type_of(after, b);
    unsigned old = flags_of(before, a), new = flags_of(after, b), kind = right->value_kind;
    if (!has_same_type(left, right))
        return left->flags & right->flags & OURO_TYPE_HEAP && left->basicsize == right->basicsize ? PROBABLY_ANOTHER : ANOTHER;
    bool value = old & new & OURO_OBJECT_VALUE && (kind == OURO_VALUE_STR || kind == OURO_VALUE_INT);
    seen.values_equal += value && has_equal_value(a, b);
    seen.values_unequal += value && !has_equal_value(a, b);
    if (value && !has_equal_value(a, b))
        return (old | new) & OURO_OBJECT_VALUE_CUT ? PROBABLY_ANOTHER : ANOTHER;
    if (old & OURO_OBJECT_FINALIZED && !(new & OURO_OBJECT_FINALIZED))
        return ANOTHER;
    if (right - after->types == after->tuple_type)
        return ask_tuple(a, b);
    seen.younger += is_younger(a, b);
    if (is_younger(a, b))
        return ANOTHER;
    if (old & new & OURO_OBJECT_IMMORTAL)
        return SAME;
    return value ? PROBABLY_SAME : ask_referents(a, b);
}

/* By the first of the references by which it does; 0: by one that has no name of its own. */
static uint64_t find_place(const struct ouro_diff_side *side, ouro_node node)
{
    ouro_node holder = ouro_diff_side_holder(side, node);
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    ouro_slot_walk_begin(&walk, side->model, holder);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target != node || slot.edge_class == OURO_EDGE_WEAK)
            continue;
        switch (slot.part->kind) {
        case OURO_PART_FIELD:
        case OURO_PART_NAMED:
        case OURO_PART_NAMESPACE:
        case OURO_PART_NAMESPACE_ANY:
        case OURO_PART_ENTRIES:
        case OURO_PART_ENTRIES_STR:
            return ouro_diff_slot_key(side->model, &slot) >> 32;
        default:
            return 0;
        }
    }
    return 0;
}

static bool holds_as_before(ouro_node a, ouro_node b)
{
    ouro_node left = ouro_diff_side_holder(&sides[0], a), right = ouro_diff_side_holder(&sides[1], b);
    bool alone = left == OURO_NODE_NONE || left == a, still_alone = right == OURO_NODE_NONE || right == b;
    bool same = alone || still_alone ? alone && still_alone : plain.to_after[left] == right;
    if (!same || plain.evidence[b] == AS_HOLDER)
        return same;
    if (alone)
        return false;
    uint64_t place = find_place(&sides[1], b);
    return place && place == find_place(&sides[0], a);
}

static void decide(ouro_node b, enum ouro_diff_verdict verdict)
{
    ouro_node a = plain.at[b];
    plain.before_verdict[a] = plain.after_verdict[b] = verdict;
    if (verdict == OURO_DIFF_NEW_CERTAIN || verdict == OURO_DIFF_NEW_PROBABLE) {
        plain.reused_count++;
        return;
    }
    plain.to_after[a] = b;
    plain.to_before[b] = a;
}

static void decide_waiting(ouro_node b, bool *done)
{
    if (*done || plain.at[b] == OURO_NODE_NONE || plain.evidence[b] < AS_HOLDER)
        return;
    bool same = holds_as_before(plain.at[b], b);
    decide(b, same ? OURO_DIFF_SURVIVED_PROBABLE : OURO_DIFF_NEW_PROBABLE);
    seen.waited[same]++;
    *done = true;
}

/* Holders before what they hold. */
static void decide_all(void)
{
    static const enum ouro_diff_verdict verdicts[] = {[ANOTHER] = OURO_DIFF_NEW_CERTAIN,
                                                      [PROBABLY_ANOTHER] = OURO_DIFF_NEW_PROBABLE,
                                                      [PROBABLY_SAME] = OURO_DIFF_SURVIVED_PROBABLE,
                                                      [SAME] = OURO_DIFF_SURVIVED_CERTAIN};
    bool done[PLACES_MAX + 2] = {false};
    for (ouro_node b = 0; b < after->heap.count; b++) {
        if (plain.at[b] == OURO_NODE_NONE)
            continue;
        plain.evidence[b] = ask(plain.at[b], b);
        seen.evidence[plain.evidence[b]]++;
    }
    for (ouro_node b = 0; b < after->heap.count; b++)
        if (plain.at[b] != OURO_NODE_NONE && plain.evidence[b] < AS_HOLDER)
            decide(b, verdicts[plain.evidence[b]]);
    for (ouro_node i = 0; i < sides[1].search.found_count; i++)
        decide_waiting(sides[1].search.queue[i], &done[sides[1].search.queue[i]]);
    for (ouro_node b = 0; b < after->heap.count; b++)
        decide_waiting(b, &done[b]);
}

static bool make_certain(ouro_node b)
{
    if (b == OURO_NODE_NONE || is_pseudo(after, b) || plain.after_verdict[b] != OURO_DIFF_SURVIVED_PROBABLE)
        return false;
    plain.after_verdict[b] = plain.before_verdict[plain.to_before[b]] = OURO_DIFF_SURVIVED_CERTAIN;
    return true;
}

/* Static types, what is held as sys.modules in both, and what a tuple holds that is certain. */
static void decide_what_is_certain(void)
{
    ouro_node root = before->heap.count - 2, later_root = after->heap.count - 2;
    ouro_node modules = before->heap.slots[before->heap.slot_begin[root]];
    ouro_node later = after->heap.slots[after->heap.slot_begin[later_root]];
    for (uint32_t i = 0; i < after->type_count; i++)
        if (!(after->types[i].flags & (OURO_TYPE_HEAP | OURO_TYPE_PSEUDO)))
            make_certain(after->types[i].node);
    if (plain.to_before[later_root] == root && modules != OURO_NODE_NONE && plain.to_after[modules] == later)
        make_certain(later);
    for (bool more = true; more;) {
        more = false;
        for (ouro_node b = 0; b < after->heap.count; b++)
            if (!is_pseudo(after, b) && plain.after_verdict[b] == OURO_DIFF_SURVIVED_CERTAIN &&
                ouro_heap_model_type(after, b) == after->tuple_type)
                for (uint64_t i = after->heap.slot_begin[b]; i < after->heap.slot_begin[b + 1]; i++)
                    if (make_certain(after->heap.slots[i])) {
                        seen.items++;
                        more = true;
                    }
    }
}

/* --- Both */

static void note_parts(ouro_node a, ouro_node b)
{
    const struct ouro_heap_shape *left = ouro_heap_model_shape(before, a), *right = ouro_heap_model_shape(after, b);
    uint64_t count = before->heap.slot_begin[a + 1] - before->heap.slot_begin[a];
    bool alike = left->part_count == right->part_count && count == after->heap.slot_begin[b + 1] - after->heap.slot_begin[b];
    for (uint32_t i = 0; alike && i < left->part_count; i++)
        alike = left->parts[i].kind == right->parts[i].kind;
    seen.parts_alike += alike;
    seen.parts_else += !alike;
    if (!alike)
        return;
    seen.many += count > 17;
    for (uint32_t i = 0; i < left->part_count; i++) {
        seen.down += left->parts[i].kind == OURO_PART_ITEMS_DOWN && count > 1;
        seen.entries += ouro_part_width(left->parts[i].kind) == 2 && count > 1;
        seen.class_behind += i && left->parts[i].kind == OURO_PART_TYPE && ouro_part_repeats(left->parts[i - 1].kind) && count > 2;
    }
}

static void check_side(unsigned seed, const char *side, const struct ouro_heap_model *model, const ouro_node *partner,
                       const ouro_node *expected, const uint8_t *verdict, const uint8_t *expected_verdict)
{
    for (ouro_node v = 0; v < model->heap.count; v++) {
        if (partner[v] != expected[v])
            ck_abort_msg("seed %u, %s, object %u: %u, not %u", seed, side, v, partner[v], expected[v]);
        if (verdict[v] != expected_verdict[v] && !is_pseudo(model, v))
            ck_abort_msg("seed %u, %s, object %u: verdict %u, not %u", seed, side, v, verdict[v], expected_verdict[v]);
    }
}

START_TEST(who_survived_is_told_as_by_the_rules_one_by_one)
{
    for (unsigned seed = 1; seed <= PAIRS; seed++) {
        struct ouro_diff_match match;
        bool turned = seed % 4 == 0; /* the later one first: all is as it was, the other way round */
        open_pair(seed);
        pair_all();
        decide_all();
        decide_what_is_certain();
        for (ouro_node b = 0; b < after->heap.count; b++)
            if (plain.at[b] != OURO_NODE_NONE && (plain.evidence[b] == PROBABLY_SAME || plain.evidence[b] >= AS_HOLDER))
                note_parts(plain.at[b], b);
        ck_assert_int_eq(ouro_diff_match_init(&match, &sides[turned], &sides[!turned], &err), OURO_OK);
        ck_assert(match.same_process);
        check_side(seed, "before", before, turned ? match.to_before : match.to_after, plain.to_after,
                   turned ? match.after_verdict : match.before_verdict, plain.before_verdict);
        check_side(seed, "after", after, turned ? match.to_after : match.to_before, plain.to_before,
                   turned ? match.before_verdict : match.after_verdict, plain.after_verdict);
        ck_assert_msg(match.reused_count == plain.reused_count, "seed %u", seed);
        ouro_diff_match_fini(&match);
        close_pair();
    }
    /* The pairs had what is looked for. */
    for (unsigned i = 0; i < EVIDENCE_COUNT; i++)
        ck_assert_uint_gt(seen.evidence[i], 800);
    ck_assert_uint_gt(seen.waited[false], 3000);
    ck_assert_uint_gt(seen.waited[true], 6000);
    ck_assert_uint_gt(seen.values_equal, 10000);
    ck_assert_uint_gt(seen.values_unequal, 800);
    ck_assert_uint_gt(seen.parts_alike, 50000);
    ck_assert_uint_gt(seen.parts_else, 2000);
    ck_assert_uint_gt(seen.many, 5000);
    ck_assert_uint_gt(seen.down, 5000);
    ck_assert_uint_gt(seen.class_behind, 5000);
    ck_assert_uint_gt(seen.entries, 3000);
    ck_assert_uint_gt(seen.younger, 150);
    ck_assert_uint_gt(seen.items, 200);
}
END_TEST

int main(void)
{
    TCase *matches = tcase_create("matches");
    tcase_set_timeout(matches, 60);
    tcase_add_test(matches, who_survived_is_told_as_by_the_rules_one_by_one);
    Suite *suite = suite_create("diff match");
    suite_add_tcase(suite, matches);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
