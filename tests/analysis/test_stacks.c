/* Stacks, what threads wait for, and short values, on tiny snapshots that hold the answer. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/brief.h"
#include "analysis/syscall.h"
#include "analysis/waits.h"
#include "tiny.h"

#define ITEMS_MAX 8000u
#define NONE      OURO_NODE_NONE

/* Objects, in any order and with references to later ones: written when all are known, pseudo objects last. */
enum kind {
    STR,
    INT,
    LOCK,
    RLOCK,
    BUILTIN,   /* __self__ */
    FUNCTION,  /* __code__, __qualname__ */
    METHOD,    /* __func__, __self__ */
    CONDITION, /* ._lock */
    THREAD,    /* ._ident, ._tstate_lock */
    QUEUE,
    CODE,      /* co_name, co_filename, co_qualname */
    LIST,      /* items */
    DICT,      /* .shared, then entries (value, key) */
    CELL,      /* cell_contents */
    OLD_FRAME, /* f_code, f_locals, f_trace, self, x; stack */
    ROOT,      /* frames */
    FRAME,     /* f_func, f_code, self, waiter, name; stack */
    FRAME_OF,  /* frame; stack */
    KIND_COUNT,
};

static const struct {
    const char *module, *name;
    unsigned value;
    const char *fields[6];
    unsigned run; /* kind of the part behind the fields; 0: none */
} kinds[KIND_COUNT] = {
    [STR] = {"builtins", "str", OURO_VALUE_STR, {0}, 0},
    [INT] = {"builtins", "int", OURO_VALUE_INT, {0}, 0},
    [LOCK] = {"_thread", "lock", 0, {0}, 0},
    [RLOCK] = {"_thread", "RLock", 0, {0}, 0},
    [BUILTIN] = {"builtins", "builtin_function_or_method", OURO_VALUE_NAME, {"__self__"}, 0},
    [FUNCTION] = {"builtins", "function", OURO_VALUE_NAME, {"__code__", "__qualname__"}, 0},
    [METHOD] = {"builtins", "method", 0, {"__func__", "__self__"}, 0},
    [CONDITION] = {"threading", "Condition", 0, {"._lock"}, 0},
    [THREAD] = {"threading", "Thread", 0, {"._ident", "._tstate_lock"}, 0},
    [QUEUE] = {"queue", "Queue", 0, {0}, 0},
    [CODE] = {"builtins", "code", OURO_VALUE_NAME, {"co_name", "co_filename", "co_qualname"}, 0},
    [LIST] = {"builtins", "list", 0, {0}, OURO_PART_ITEMS},
    [DICT] = {"builtins", "dict", 0, {".shared"}, OURO_PART_ENTRIES},
    [CELL] = {"builtins", "cell", 0, {"cell_contents"}, 0},
    [OLD_FRAME] = {"builtins", "frame", 0, {"f_code", "f_locals", "f_trace", "self", "x"}, OURO_PART_STACK},
    [ROOT] = {"", "<root>", OURO_VALUE_NAME, {0}, OURO_PART_NAMED},
    [FRAME] = {"", "<frame>", OURO_VALUE_NAME, {"f_func", "f_code", "self", "waiter", "name"}, OURO_PART_STACK},
    [FRAME_OF] = {"", "<frame>", OURO_VALUE_NAME, {"frame"}, OURO_PART_STACK},
};

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_stacks stacks;
static struct ouro_waits waits;
static struct ouro_err err;
static struct item {
    enum kind kind;
    const void *value;
    size_t size;
    ouro_node fields[6], run[16];
    unsigned run_count;
    ouro_node node; /* once written */
} items[ITEMS_MAX];
static unsigned item_count, thread_count;
static unsigned thread_root[ITEMS_MAX];
static uint32_t shapes[KIND_COUNT];

static void begin(void)
{
    item_count = thread_count = 0;
    tiny_begin(&tiny);
    for (unsigned k = 0; k < KIND_COUNT; k++) {
        struct ouro_part parts[8];
        unsigned count = 0, pseudo = k >= ROOT ? OURO_TYPE_PSEUDO : 0;
        for (; count < 6 && kinds[k].fields[count]; count++)
            parts[count] = (struct ouro_part){.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, kinds[k].fields[count])};
        if (kinds[k].run)
            parts[count++] = (struct ouro_part){.kind = (uint8_t)kinds[k].run, .name = tiny_string(&tiny, "frames")};
        parts[count] = (struct ouro_part){.kind = OURO_PART_KIND_COUNT};
        shapes[k] = tiny_shape(&tiny, tiny_type(&tiny, kinds[k].module, kinds[k].name, pseudo, kinds[k].value), parts);
    }
}

/* fields: as many as the kind has; NONE for the rest. */
static unsigned add(enum kind kind, const char *value, ouro_node first, ouro_node second, ouro_node third)
{
    struct item *item = &items[item_count];
    *item = (struct item){.kind = kind, .value = value, .size = value ? strlen(value) : 0};
    for (unsigned i = 0; i < 6; i++)
        item->fields[i] = NONE;
    item->fields[0] = first;
    item->fields[1] = second;
    item->fields[2] = third;
    ck_assert_uint_lt(item_count, ITEMS_MAX);
    return item_count++;
}

static unsigned plain(enum kind kind)
{
    return add(kind, NULL, NONE, NONE, NONE);
}

static unsigned text(const char *value)
{
    return add(STR, value, NONE, NONE, NONE);
}

static void push(unsigned item, ouro_node value)
{
    items[item].run[items[item].run_count++] = value;
}

static unsigned add_code(const char *name, const char *file)
{
    return add(CODE, NULL, text(name), text(file), text(name));
}

/* A frame of 3.11 on in a function of that name. */
static unsigned add_frame(const char *name, ouro_node self)
{
    unsigned frame = add(FRAME, "whole.name (file.py:17)", NONE, add_code(name, "file.py"), self);
    return frame;
}

/* A thread with native id 100 + n and ident n + 1, and its innermost frame; its root, which takes further frames. */
static unsigned add_thread(const char *name, unsigned frame)
{
    unsigned root = plain(ROOT);
    if (frame != NONE)
        push(root, frame);
    thread_root[thread_count] = root;
    thread_count++;
    items[root].value = name;
    items[root].size = strlen(name);
    return root;
}

static void with(unsigned frame, unsigned lock)
{
    push(frame, add(BUILTIN, "__exit__", lock, NONE, NONE));
}

struct facts {
    unsigned thread, item, kind;
};
static struct facts facts[ITEMS_MAX];
static unsigned fact_count;

static void waits_for(unsigned thread, unsigned item, unsigned kind)
{
    facts[fact_count++] = (struct facts){thread, item, kind};
}

static ouro_node node_of(ouro_node item)
{
    return item == NONE ? NONE : items[item].node;
}

static void write_item(const struct item *item)
{
    unsigned fields = 0;
    unsigned flags = (item->kind >= ROOT ? OURO_OBJECT_PSEUDO : 0) | (item->value ? OURO_OBJECT_VALUE : 0);
    while (fields < 6 && kinds[item->kind].fields[fields])
        fields++;
    tiny_object(&tiny, shapes[item->kind], 0, 1, flags);
    for (unsigned i = 0; i < fields; i++)
        TINY_SLOTS(&tiny, node_of(item->fields[i]));
    if (kinds[item->kind].run)
        tiny_count(&tiny, item->run_count / ouro_part_width(kinds[item->kind].run));
    for (unsigned i = 0; i < item->run_count; i++)
        TINY_SLOTS(&tiny, node_of(item->run[i]));
    if (item->value)
        tiny_value(&tiny, item->value, item->size);
}

/* Writes everything; opens; computes. */
static void finish(bool with_facts)
{
    ouro_node next = 0;
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < item_count; i++)
            if ((items[i].kind >= ROOT) == pass)
                items[i].node = next++;
    for (unsigned t = 0; t < thread_count; t++) {
        struct ouro_thread_record record = {.ident = t + 1,
                                            .native_id = 100 + t,
                                            .name = tiny_string(&tiny, "thread"),
                                            .state = 'S',
                                            .syscall = OURO_SYSCALL_FUTEX,
                                            .root = items[thread_root[t]].node};
        ouro_snapshot_writer_thread(tiny.writer, &record);
    }
    for (unsigned pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < item_count; i++)
            if ((items[i].kind >= ROOT) == pass)
                write_item(&items[i]);
    for (unsigned i = 0; i < fact_count && with_facts; i++) {
        struct ouro_wait_record wait = {facts[i].thread, facts[i].kind,
                                        facts[i].item == NONE ? NONE : items[facts[i].item].node};
        ouro_snapshot_writer_wait(tiny.writer, &wait);
    }
    fact_count = 0;
    tiny_open(&tiny, &model);
    ck_assert_int_eq(ouro_stacks_init(&stacks, &model, &err), OURO_OK);
    ck_assert_int_eq(ouro_waits_init(&waits, &stacks, &err), OURO_OK);
}

static void end(void)
{
    ouro_waits_fini(&waits);
    ouro_stacks_fini(&stacks);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

static void check_brief(unsigned item, const struct ouro_brief_limits *limits, const char *wanted)
{
    struct ouro_buf out = {0};
    ouro_brief_add(&out, &model, items[item].node, limits);
    ck_assert_str_eq(ouro_buf_text(&out), wanted);
    ouro_buf_fini(&out);
}

START_TEST(two_locks_crossed_are_one_deadlock)
{
    begin();
    unsigned a = plain(LOCK), b = plain(LOCK), one = add_frame("one", NONE), two = add_frame("two", NONE);
    unsigned three = add_frame("three", NONE), four = add_frame("four", NONE);
    with(one, a);
    with(two, b);
    add_thread("one", one);
    add_thread("two", two);
    add_thread("three", three);
    add_thread("four", four);
    waits_for(0, b, OURO_WAIT_LOCK);
    waits_for(1, a, OURO_WAIT_LOCK);
    waits_for(2, a, OURO_WAIT_LOCK);
    waits_for(3, NONE, OURO_WAIT_OTHER);
    finish(true);
    ck_assert_uint_eq(waits.deadlocks.count, 1);
    ck_assert_uint_eq(waits.deadlocks.items[0].count, 2);
    ck_assert_uint_eq(waits.members[0], 0);
    ck_assert_uint_eq(waits.members[1], 1);
    ck_assert_uint_eq(waits.deadlocks.items[0].behind_count, 1);
    ck_assert(waits.items[2].behind && waits.items[2].deadlock == 0 && waits.items[2].owner == 0);
    ck_assert(!waits.items[0].behind && waits.items[0].owner_certain && waits.items[0].owner == 1);
    ck_assert(waits.items[3].deadlock == OURO_THREAD_NONE && waits.items[3].kind == OURO_WAIT_OTHER);
    ck_assert_uint_eq(waits.hangs.count, 1);
    struct ouro_buf out = {0};
    ouro_hang_add(&out, &waits, &waits.hangs.items[0]);
    ck_assert_ptr_nonnull(strstr(ouro_buf_text(&out), "deadlock: thread (100) waits for <_thread.lock 0x"));
    ck_assert_ptr_nonnull(strstr(ouro_buf_text(&out), "; 1 more thread waits behind"));
    ouro_buf_fini(&out);
    end();
}
END_TEST

START_TEST(a_lock_that_is_being_entered_is_not_held)
{
    begin();
    unsigned a = plain(LOCK), one = add_frame("one", NONE), two = add_frame("two", NONE);
    with(one, a);
    push(one, add(BUILTIN, "__enter__", a, NONE, NONE));
    add_thread("one", one);
    add_thread("two", two);
    waits_for(0, a, OURO_WAIT_LOCK);
    waits_for(1, a, OURO_WAIT_LOCK);
    finish(true);
    ck_assert_uint_eq(waits.deadlocks.count, 0);
    ck_assert_uint_eq(waits.items[0].owner, OURO_THREAD_NONE);
    ck_assert_uint_eq(waits.items[1].owner, OURO_THREAD_NONE);
    end();
}
END_TEST

START_TEST(a_lock_held_and_entered_again_is_a_deadlock_of_one)
{
    begin();
    unsigned a = plain(LOCK), one = add_frame("one", NONE);
    with(one, a);
    with(one, a);
    push(one, add(BUILTIN, "__enter__", a, NONE, NONE));
    add_thread("one", one);
    waits_for(0, a, OURO_WAIT_LOCK);
    finish(true);
    ck_assert_uint_eq(waits.deadlocks.count, 1);
    ck_assert_uint_eq(waits.deadlocks.items[0].count, 1);
    end();
}
END_TEST

START_TEST(condition_wait_gives_its_lock_back)
{
    begin();
    unsigned a = plain(LOCK), condition = add(CONDITION, NULL, a, NONE, NONE), waiter = plain(LOCK);
    unsigned inner = add_frame("wait", condition), outer = add_frame("outer", NONE), other = add_frame("other", NONE);
    unsigned exits = add(FUNCTION, "Condition.__exit__ (threading.py:1)", NONE, NONE, NONE);
    items[inner].fields[3] = waiter;
    push(outer, add(METHOD, NULL, exits, condition, NONE));
    unsigned root = add_thread("one", inner);
    push(root, outer);
    add_thread("two", other);
    waits_for(0, waiter, OURO_WAIT_LOCK);
    waits_for(1, a, OURO_WAIT_LOCK);
    finish(true);
    ck_assert_str_eq(waits.items[0].call, "Condition.wait");
    ck_assert_uint_eq(waits.items[0].through, items[condition].node);
    ck_assert_uint_eq(waits.items[0].owner, OURO_THREAD_NONE);
    ck_assert(!waits.items[1].owner_certain);
    ck_assert_uint_eq(waits.deadlocks.count, 0);
    end();
    /* And without the wait it is held, by the condition's own lock. */
    begin();
    a = plain(LOCK);
    condition = add(CONDITION, NULL, a, NONE, NONE);
    outer = add_frame("outer", NONE);
    other = add_frame("other", NONE);
    exits = add(FUNCTION, "Condition.__exit__ (threading.py:1)", NONE, NONE, NONE);
    push(outer, add(METHOD, NULL, exits, condition, NONE));
    add_thread("one", outer);
    add_thread("two", other);
    waits_for(1, a, OURO_WAIT_LOCK);
    finish(true);
    ck_assert(waits.items[1].owner_certain && waits.items[1].owner == 0);
    ck_assert_uint_eq(waits.hangs.items[0].kind, OURO_HANG_LOCKED);
    end();
}
END_TEST

START_TEST(an_rlock_says_who_has_it)
{
    begin();
    unsigned a = plain(RLOCK), one = add_frame("one", NONE), two = add_frame("two", NONE);
    add_thread("one", one);
    add_thread("two", two);
    waits_for(1, a, OURO_WAIT_LOCK);
    /* numbers of objects that are no pseudo objects are those of the items up to here */
    struct ouro_lock_record lock = {.node = a, .owner = 1, .count = 2};
    ouro_snapshot_writer_lock(tiny.writer, &lock);
    finish(true);
    ck_assert_uint_eq(items[a].node, a);
    ck_assert(waits.items[1].owner_certain && waits.items[1].owner == 0);
    check_brief(a, NULL, "<locked _thread.RLock 0x7f0000000000>");
    end();
}
END_TEST

START_TEST(threads_that_join_each_other_are_a_deadlock)
{
    begin();
    ouro_node threads[2], frames[2];
    for (unsigned i = 0; i < 2; i++) {
        unsigned ident = add(INT, i ? "\2" : "\1", NONE, NONE, NONE);
        threads[i] = add(THREAD, NULL, ident, plain(LOCK), NONE);
    }
    for (unsigned i = 0; i < 2; i++) {
        frames[i] = add_frame("join", threads[!i]);
        push(add_thread("thread", frames[i]), add_frame("_bootstrap", threads[i]));
        waits_for(i, items[threads[!i]].fields[1], OURO_WAIT_LOCK);
    }
    finish(true);
    ck_assert_uint_eq(waits.deadlocks.count, 1);
    ck_assert_uint_eq(waits.deadlocks.items[0].count, 2);
    ck_assert_uint_eq(waits.items[0].kind, OURO_WAIT_THREAD);
    ck_assert_str_eq(waits.items[0].call, "Thread.join");
    ck_assert_str_eq(ouro_thread_state_name(ouro_waits_state(&waits, 0)), "waiting for a thread's end");
    end();
}
END_TEST

START_TEST(a_ring_of_a_thousand_threads_is_found_once)
{
    static unsigned locks[1000];
    begin();
    for (unsigned i = 0; i < 1000; i++)
        locks[i] = plain(LOCK);
    unsigned code = add_code("ring", "file.py");
    for (unsigned i = 0; i < 1000; i++) {
        unsigned frame = add(FRAME, NULL, NONE, code, NONE);
        with(frame, locks[i]);
        add_thread("thread", frame);
        waits_for(i, locks[(i + 1) % 1000], OURO_WAIT_LOCK);
    }
    finish(true);
    ck_assert_uint_eq(waits.deadlocks.count, 1);
    ck_assert_uint_eq(waits.deadlocks.items[0].count, 1000);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_uint_eq(waits.members[i], i);
    uint32_t leaders[1000];
    ck_assert_int_eq(ouro_stacks_group(&stacks, leaders), OURO_OK);
    for (unsigned i = 0; i < 1000; i++)
        ck_assert_uint_eq(leaders[i], 0);
    end();
}
END_TEST

START_TEST(a_file_without_sections_is_served_by_frames_and_their_names)
{
    begin();
    unsigned queue = plain(QUEUE), condition = add(CONDITION, NULL, plain(LOCK), NONE, NONE), waiter = plain(LOCK);
    unsigned inner = add_frame("wait", condition), get = add_frame("get", queue);
    items[inner].fields[3] = waiter;
    push(add_thread("one", inner), get);
    finish(false);
    const struct ouro_stack_frame *frame = ouro_stacks_frame(&stacks, &stacks.threads.items[0], 0);
    ck_assert(!stacks.has_lines);
    ck_assert_uint_eq(frame->line, 17);
    ck_assert_str_eq(waits.items[0].call, "Queue.get");
    ck_assert(waits.items[0].inferred && !waits.items[0].alarming);
    ck_assert_uint_eq(waits.items[0].node, items[waiter].node);
    ck_assert_uint_eq(waits.items[0].through, items[queue].node);
    ck_assert_str_eq(ouro_thread_state_name(ouro_waits_state(&waits, 0)), "waiting for a lock");
    end();
}
END_TEST

START_TEST(frames_in_circles_and_frames_of_nothing_end)
{
    begin();
    unsigned itself = plain(FRAME_OF), old = plain(OLD_FRAME), of_old = plain(FRAME_OF), no_code = plain(FRAME);
    items[itself].fields[0] = itself;
    items[old].fields[0] = add_code("old", "old.py");
    items[old].fields[1] = old;
    items[old].fields[3] = old;
    items[of_old].fields[0] = old;
    push(of_old, add(BUILTIN, "__exit__", of_old, NONE, NONE));
    unsigned root = add_thread("one", itself);
    push(root, NONE);
    push(root, of_old);
    push(root, of_old);
    push(root, root);
    push(root, no_code);
    finish(false);
    const struct ouro_stack_thread *thread = &stacks.threads.items[0];
    ck_assert_uint_eq(thread->frame_count, 6);
    ck_assert(thread->torn);
    ck_assert(ouro_stacks_frame(&stacks, thread, 1)->torn);
    const struct ouro_stack_frame *frame = ouro_stacks_frame(&stacks, thread, 2);
    ck_assert_uint_eq(frame->holder, items[old].node);
    ck_assert(frame->name.size == 3 && !memcmp(frame->name.bytes, "old", 3));
    ck_assert_uint_eq(ouro_stack_frame_local(&model, frame, "self"), items[old].node);
    ck_assert_uint_eq(ouro_stack_frame_local(&model, frame, "x"), NONE);
    ck_assert_uint_eq(ouro_stack_frame_local(&model, frame, "f_code"), NONE);
    end();
}
END_TEST

START_TEST(locals_in_cells_are_their_content_and_unbound_ones_are_left_out)
{
    begin();
    unsigned value = text("inside"), frame = add_frame("f", NONE);
    items[frame].fields[3] = add(CELL, NULL, value, NONE, NONE);
    items[frame].fields[4] = plain(CELL);
    add_thread("one", frame);
    finish(false);
    struct ouro_local_walk walk;
    struct ouro_stack_local local;
    ouro_local_walk_begin(&walk, &model, ouro_stacks_frame(&stacks, &stacks.threads.items[0], 0));
    ck_assert(ouro_local_walk_next(&walk, &local));
    ck_assert_uint_eq(local.node, items[value].node);
    ck_assert(local.name.size == 6 && !memcmp(local.name.bytes, "waiter", 6));
    ck_assert(!ouro_local_walk_next(&walk, &local));
    end();
}
END_TEST

START_TEST(a_qualified_name_is_that_of_the_function_not_of_what_it_wraps)
{
    begin();
    unsigned code = add(CODE, NULL, text("f"), text("a.py"), NONE), wrapper = add(CODE, NULL, text("wrapper"), text("a.py"), NONE);
    add(FUNCTION, "C.f", code, text("C.f"), NONE);
    add(FUNCTION, "C.f", wrapper, text("C.f"), NONE);
    add_thread("one", add(FRAME, NULL, NONE, code, NONE));
    add_thread("two", add(FRAME, NULL, NONE, wrapper, NONE));
    finish(false);
    const struct ouro_stack_frame *frame = ouro_stacks_frame(&stacks, &stacks.threads.items[0], 0);
    ck_assert(frame->qualname.size == 3 && !memcmp(frame->qualname.bytes, "C.f", 3));
    frame = ouro_stacks_frame(&stacks, &stacks.threads.items[1], 0);
    ck_assert(frame->qualname.size == 7 && !memcmp(frame->qualname.bytes, "wrapper", 7));
    end();
}
END_TEST

START_TEST(what_acquire_took_is_a_guess_and_no_deadlock)
{
    begin();
    unsigned a = plain(LOCK), b = plain(LOCK), one = add_frame("one", NONE), two = add_frame("two", NONE);
    items[one].fields[3] = a;
    items[two].fields[3] = b;
    add_thread("one", one);
    add_thread("two", two);
    waits_for(0, b, OURO_WAIT_LOCK);
    waits_for(1, a, OURO_WAIT_LOCK);
    finish(true);
    ck_assert(waits.items[0].owner == 1 && !waits.items[0].owner_certain);
    ck_assert_uint_eq(waits.deadlocks.count, 0);
    ck_assert_uint_eq(waits.hangs.items[0].kind, OURO_HANG_ALL_WAIT);
    end();
}
END_TEST

START_TEST(short_values_open_containers_and_end)
{
    const struct ouro_brief_limits three = {1, 3, 6, 1000};
    begin();
    unsigned circle = plain(LIST), nested = plain(LIST), many = plain(LIST), dict = plain(DICT), empty = plain(LIST);
    unsigned lock = plain(LOCK), key = text("key"), bound = add(BUILTIN, "append", many, NONE, NONE);
    push(circle, circle);
    push(nested, many);
    push(nested, NONE);
    for (unsigned i = 0; i < 6; i++)
        push(many, add(INT, "\7", NONE, NONE, NONE));
    items[dict].fields[0] = key;
    push(dict, many);
    push(dict, text("a long key"));
    finish(false);
    check_brief(circle, NULL, "[[...]]");
    check_brief(nested, NULL, "[[7, 7, 7, 7, ...], <NULL>]");
    check_brief(nested, &three, "[[...], <NULL>]");
    check_brief(many, &three, "[7, 7, 7, ...]");
    check_brief(empty, NULL, "[]");
    check_brief(dict, &three, "{'shared': 'key', 'a long...' (cut): [...]}");
    check_brief(bound, NULL, "<built-in append of [7, 7, 7, 7, ...]>");
    struct ouro_buf out = {0}, wanted = {0};
    ouro_buf_addf(&wanted, "<_thread.lock 0x%llx>", (unsigned long long)model.heap.addr[items[lock].node]);
    ouro_brief_add(&out, &model, items[lock].node, NULL);
    ck_assert_str_eq(ouro_buf_text(&out), ouro_buf_text(&wanted));
    ouro_buf_fini(&out);
    ouro_buf_fini(&wanted);
    end();
}
END_TEST

START_TEST(system_calls_have_names)
{
    ck_assert_str_eq(ouro_syscall_name(0), "read");
    ck_assert_str_eq(ouro_syscall_name(OURO_SYSCALL_FUTEX), "futex");
    ck_assert_str_eq(ouro_syscall_name(334), "rseq");
    ck_assert_ptr_null(ouro_syscall_name(-1));
    ck_assert_ptr_null(ouro_syscall_name(400));
    ck_assert_ptr_null(ouro_syscall_name(INT64_MAX));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stacks");
    TCase *tests = tcase_create("stacks");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, two_locks_crossed_are_one_deadlock);
    tcase_add_test(tests, a_lock_that_is_being_entered_is_not_held);
    tcase_add_test(tests, a_lock_held_and_entered_again_is_a_deadlock_of_one);
    tcase_add_test(tests, condition_wait_gives_its_lock_back);
    tcase_add_test(tests, an_rlock_says_who_has_it);
    tcase_add_test(tests, threads_that_join_each_other_are_a_deadlock);
    tcase_add_test(tests, a_ring_of_a_thousand_threads_is_found_once);
    tcase_add_test(tests, a_file_without_sections_is_served_by_frames_and_their_names);
    tcase_add_test(tests, frames_in_circles_and_frames_of_nothing_end);
    tcase_add_test(tests, locals_in_cells_are_their_content_and_unbound_ones_are_left_out);
    tcase_add_test(tests, a_qualified_name_is_that_of_the_function_not_of_what_it_wraps);
    tcase_add_test(tests, what_acquire_took_is_a_guess_and_no_deadlock);
    tcase_add_test(tests, short_values_open_containers_and_end);
    tcase_add_test(tests, system_calls_have_names);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
