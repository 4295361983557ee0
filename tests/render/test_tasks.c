/* Tasks of asyncio in tiny snapshots: who waits for whom, circles, and what no interpreter would write. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tasks.h"
#include "async_heap.h"
#include "render/page_tasks.h"

#define MANY 100000u

static struct tiny tiny;
static struct ouro_heap_model model;
static struct ouro_stacks stacks;
static struct ouro_tasks tasks;
static struct ouro_err err;

static struct async_heap heap;

static void begin(void)
{
    async_heap_begin(&heap, &tiny, ouro_codec_default());
}

static ouro_node add(uint32_t of, const ouro_node *slots, size_t count)
{
    ouro_node node = tiny_object(&tiny, of, 64, 1, 0);
    tiny_slots(&tiny, slots, count);
    return node;
}
#define ADD(of, ...)                                                                                                   \
    add(of, (const ouro_node[]){__VA_ARGS__}, sizeof((const ouro_node[]){__VA_ARGS__}) / sizeof(ouro_node))

static ouro_node add_run(uint32_t of, const ouro_node *items, size_t count)
{
    ouro_node node = tiny_object(&tiny, of, 64, 1, 0);
    tiny_count(&tiny, count);
    tiny_slots(&tiny, items, count);
    return node;
}

static ouro_node add_text(const char *value)
{
    ouro_node node = tiny_object(&tiny, heap.text, 50, 1, OURO_OBJECT_VALUE);
    tiny_value(&tiny, value, strlen(value));
    return node;
}

static void open_all(void)
{
    tiny_open(&tiny, &model);
    ck_assert_msg(ouro_stacks_init(&stacks, &model, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_tasks_init(&tasks, &model, &stacks, &err) == OURO_OK, "%s", err.msg);
}

/* Everything that can be written, twice: the same bytes. */
static void write_all(struct ouro_out *out)
{
    for (unsigned how = 0; how < (tasks.tasks.count < MANY ? 4 : 1); how++) {
        const struct ouro_page_tasks page = {&tasks, how & 1, how & 2};
        ck_assert(ouro_page_tasks_text(out, &page, how ? 80 : 0) == OURO_OK);
    }
    ouro_page_task_deadlocks_text(out, &tasks, 80);
    struct ouro_json json;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_page_tasks_json(&json, &tasks);
    ouro_json_array(&json, "deadlocks");
    ouro_page_task_deadlocks_json(&json, &tasks);
    ouro_json_end(&json);
    ouro_json_end(&json);
    ck_assert(!out->buf.failed);
}

static void end(void)
{
    struct ouro_out once, again;
    ouro_out_init(&once, -1);
    ouro_out_init(&again, -1);
    write_all(&once);
    write_all(&again);
    ck_assert(once.buf.size == again.buf.size && !memcmp(once.buf.data, again.buf.data, once.buf.size));
    ouro_out_fini(&once);
    ouro_out_fini(&again);
    ouro_tasks_fini(&tasks);
    ouro_stacks_fini(&stacks);
    ouro_heap_model_close(&model);
    tiny_end(&tiny);
}

/* Text of the tree, for the caller to free. */
static struct ouro_out tree(bool all)
{
    struct ouro_out out;
    const struct ouro_page_tasks page = {&tasks, false, all};
    ouro_out_init(&out, -1);
    ck_assert(ouro_page_tasks_text(&out, &page, 0) == OURO_OK);
    ouro_buf_text(&out.buf);
    return out;
}

/* Numbers of the objects that one task is made of, one behind the other; the task comes first. */
enum { CORO = 1, CODE, WAKEUP, CONTEXT, PER_TASK };

#define LOOP CONTEXT /* whatever it is */

/* A task that awaits `waiter` and has one callback. */
static ouro_node add_task(ouro_node waiter, ouro_node callback)
{
    ouro_node node = tiny.next;
    ADD(heap.task, node + CONTEXT, node + CORO, OURO_NODE_NONE, waiter, LOOP, callback, node + CONTEXT, OURO_NODE_NONE);
    ouro_node parts[] = {OURO_NODE_NONE, node + CODE, node + CODE};
    tiny_object(&tiny, heap.coroutine, 64, 1, 0);
    tiny_count(&tiny, 0);
    tiny_slots(&tiny, parts, 3);
    tiny_object(&tiny, heap.code, 64, 1, OURO_OBJECT_VALUE);
    tiny_slots(&tiny, (const ouro_node[]){OURO_NODE_NONE, OURO_NODE_NONE}, 2);
    tiny_value(&tiny, "work (a.py:1)", 13);
    ADD(heap.wakeup, node);
    tiny_object(&tiny, heap.context, 64, 1, 0);
    return node;
}

START_TEST(tasks_that_await_each_other_are_a_deadlock)
{
    begin();
    add_task(1 * PER_TASK, 1 * PER_TASK + WAKEUP); /* each awaits the other, whose wakeup it has */
    add_task(0 * PER_TASK, 0 * PER_TASK + WAKEUP);
    add_task(0 * PER_TASK, OURO_NODE_NONE);
    open_all();
    ck_assert_uint_eq(tasks.tasks.count, 3);
    ck_assert_int_eq(tasks.tasks.items[0].state, OURO_TASK_WAITING);
    ck_assert_int_eq(tasks.tasks.items[0].wait, OURO_TASK_WAIT_TASK);
    ck_assert_uint_eq(tasks.deadlocks.count, 1);
    ck_assert_uint_eq(tasks.deadlocks.items[0].count, 2);
    ck_assert_uint_eq(tasks.members.items[0], 0);
    ck_assert_uint_eq(tasks.members.items[1], 1);
    /* Nobody will wake up the third: what it awaits does not know of it. */
    ck_assert_int_eq(tasks.tasks.items[2].state, OURO_TASK_READY);
    end();
}
END_TEST

START_TEST(a_task_behind_a_deadlock_is_no_part_of_it)
{
    begin();
    ouro_node other = 2 * PER_TASK;
    add_task(1 * PER_TASK, 1 * PER_TASK + WAKEUP);
    ouro_node second = tiny.next;
    /* The second has two callbacks: the first's and the third's. */
    add_task(0 * PER_TASK, 0 * PER_TASK + WAKEUP);
    ck_assert_uint_eq(second, PER_TASK);
    add_task(3 * PER_TASK, OURO_NODE_NONE);
    ck_assert_uint_eq(other + PER_TASK, tiny.next);
    add_task(4 * PER_TASK, other + WAKEUP);
    /* A future that the first completes, by a closure; the fourth waits for it. */
    ouro_node base = tiny.next;
    ck_assert_uint_eq(base, 4 * PER_TASK);
    ADD(heap.future, LOOP, 3 * PER_TASK + WAKEUP, 3 * PER_TASK + CONTEXT, OURO_NODE_NONE);
    open_all();
    ck_assert_uint_eq(tasks.deadlocks.count, 1);
    ck_assert_uint_eq(tasks.deadlocks.items[0].stuck_count, 2);
    ck_assert_uint_eq(tasks.tasks.items[2].deadlock, OURO_TASK_NONE);
    ck_assert_uint_eq(tasks.tasks.items[3].deadlock, OURO_TASK_NONE);
    end();
}
END_TEST

/* A task whose callback is a function with `content` in its closure, and one that waits for a future. */
START_TEST(a_future_in_a_closure_leads_to_who_waits_for_it)
{
    begin();
    ouro_node f = 2 * PER_TASK, closing = f + 1;
    ADD(heap.task, CONTEXT, CORO, OURO_NODE_NONE, OURO_NODE_NONE, LOOP, closing, CONTEXT, OURO_NODE_NONE);
    tiny_object(&tiny, heap.coroutine, 64, 1, 0);
    tiny_count(&tiny, 0);
    tiny_slots(&tiny, (const ouro_node[]){OURO_NODE_NONE, CODE, CODE}, 3);
    ADD(heap.code, OURO_NODE_NONE, OURO_NODE_NONE);
    ADD(heap.wakeup, 0);
    tiny_object(&tiny, heap.context, 64, 1, 0);
    add_task(f, OURO_NODE_NONE);
    ck_assert_uint_eq(tiny.next, f);
    ADD(heap.future, LOOP, PER_TASK + WAKEUP, CONTEXT, OURO_NODE_NONE);
    ADD(heap.function, closing + 1, closing + 2);
    ADD(heap.code, OURO_NODE_NONE, OURO_NODE_NONE);
    add_run(heap.tuple, (const ouro_node[]){closing + 3}, 1);
    ADD(heap.cell, f);
    open_all();
    ck_assert_uint_eq(tasks.tasks.count, 2);
    ck_assert_int_eq(tasks.tasks.items[1].wait, OURO_TASK_WAIT_TASK);
    ck_assert_uint_eq(tasks.tasks.items[1].awaited_count, 1);
    ck_assert_uint_eq(tasks.awaited.items[0], 0);
    ck_assert_uint_eq(tasks.tasks.items[0].awaiter_count, 1);
    ck_assert_uint_eq(tasks.deadlocks.count, 0);
    end();
}
END_TEST

static void add_chain(bool circle)
{
    begin();
    for (uint32_t i = 0; i < MANY; i++) {
        ouro_node next = i + 1 < MANY ? (i + 1) * PER_TASK : circle ? 0 : OURO_NODE_NONE;
        ouro_node before = i ? (i - 1) * PER_TASK + WAKEUP : circle ? (MANY - 1) * PER_TASK + WAKEUP : OURO_NODE_NONE;
        add_task(next, before);
    }
    open_all();
    ck_assert_uint_eq(tasks.tasks.count, MANY);
    for (uint32_t i = 0; i + 1 < MANY; i++) {
        ck_assert_uint_eq(tasks.tasks.items[i].awaited_count, 1);
        ck_assert_uint_eq(tasks.awaited.items[tasks.tasks.items[i].first_awaited], i + 1);
    }
}

START_TEST(a_chain_of_a_hundred_thousand_tasks_has_each_once)
{
    add_chain(false);
    ck_assert_uint_eq(tasks.deadlocks.count, 0);
    struct ouro_out out = tree(false);
    size_t lines = 0, colons = 0;
    for (size_t i = 0; i < out.buf.size; i++) {
        lines += out.buf.data[i] == '\n';
        colons += i && out.buf.data[i] == ' ' && out.buf.data[i - 1] == ':';
    }
    ck_assert_uint_eq(colons, MANY + 1 + MANY / 25 - 1); /* a title each, one of the loop, and where it goes on further below */
    ck_assert(!strstr(ouro_buf_text(&out.buf), "(above"));
    ck_assert_uint_le(out.buf.size, (uint64_t)MANY * 400);
    ck_assert_uint_ge(lines, MANY);
    ouro_out_fini(&out);
    end();
}
END_TEST

START_TEST(a_circle_of_a_hundred_thousand_tasks_is_one_deadlock)
{
    add_chain(true);
    ck_assert_uint_eq(tasks.deadlocks.count, 1);
    ck_assert_uint_eq(tasks.deadlocks.items[0].count, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        ck_assert_uint_eq(tasks.members.items[i], i);
    end();
}
END_TEST

START_TEST(tasks_that_are_alike_are_one_line)
{
    begin();
    enum { COUNT = 5000 };
    ouro_node shared = COUNT * PER_TASK;
    for (uint32_t i = 0; i < COUNT; i++) { /* all run the same code */
        ouro_node node = tiny.next;
        ADD(heap.task, node + CONTEXT, node + CORO, OURO_NODE_NONE, shared, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE,
            OURO_NODE_NONE);
        tiny_object(&tiny, heap.coroutine, 64, 1, 0);
        tiny_count(&tiny, 0);
        tiny_slots(&tiny, (const ouro_node[]){OURO_NODE_NONE, CODE, CODE}, 3);
        tiny_object(&tiny, heap.code, 64, 1, OURO_OBJECT_VALUE);
        tiny_slots(&tiny, (const ouro_node[]){OURO_NODE_NONE, OURO_NODE_NONE}, 2);
        tiny_value(&tiny, "work (a.py:1)", 13);
        ADD(heap.wakeup, node);
        tiny_object(&tiny, heap.context, 64, 1, 0);
    }
    ouro_node callbacks[COUNT];
    for (uint32_t i = 0; i < COUNT; i++)
        callbacks[i] = i * PER_TASK + WAKEUP;
    ADD(heap.future, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE, shared + 1);
    add_run(heap.list, callbacks, COUNT);
    open_all();
    for (uint32_t i = 0; i < COUNT; i++)
        ck_assert_int_eq(tasks.tasks.items[i].state, OURO_TASK_READY);
    end();
    /* The loop comes before the callbacks: without one, nothing tells what the list is. */
    begin();
    for (uint32_t i = 0; i < COUNT; i++) {
        ouro_node node = tiny.next;
        ADD(heap.task, node + CONTEXT, node + CORO, OURO_NODE_NONE, shared, CONTEXT, OURO_NODE_NONE, OURO_NODE_NONE,
            OURO_NODE_NONE);
        tiny_object(&tiny, heap.coroutine, 64, 1, 0);
        tiny_count(&tiny, 0);
        tiny_slots(&tiny, (const ouro_node[]){OURO_NODE_NONE, CODE, CODE}, 3);
        tiny_object(&tiny, heap.code, 64, 1, OURO_OBJECT_VALUE);
        tiny_slots(&tiny, (const ouro_node[]){OURO_NODE_NONE, OURO_NODE_NONE}, 2);
        tiny_value(&tiny, "work (a.py:1)", 13);
        ADD(heap.wakeup, node);
        tiny_object(&tiny, heap.context, 64, 1, 0);
    }
    ADD(heap.future, CONTEXT, OURO_NODE_NONE, OURO_NODE_NONE, shared + 1);
    add_run(heap.list, callbacks, COUNT);
    open_all();
    struct ouro_out out = tree(false);
    const char *written = ouro_buf_text(&out.buf);
    ck_assert_msg(strstr(written, "5,000 tasks ("), "%s", written);
    ck_assert(out.buf.size < 1000);
    ouro_out_fini(&out);
    out = tree(true);
    ck_assert(!strstr(ouro_buf_text(&out.buf), "5,000 tasks ("));
    ck_assert(out.buf.size > COUNT * 30);
    ouro_out_fini(&out);
    end();
}
END_TEST

START_TEST(what_waits_for_itself_in_every_way_ends)
{
    begin();
    ouro_node odd = PER_TASK;
    /* A coroutine that awaits itself, a future that is its own callback, a closure that holds its function. */
    ADD(heap.task, CONTEXT, CORO, OURO_NODE_NONE, odd, CONTEXT, odd + 1, CONTEXT, odd + 3);
    tiny_object(&tiny, heap.coroutine, 64, 1, 0);
    tiny_count(&tiny, 3);
    tiny_slots(&tiny, (const ouro_node[]){OURO_NODE_NONE, CODE, CODE, 0, odd, CORO}, 6);
    ADD(heap.code, odd + 3, CODE);
    ADD(heap.wakeup, WAKEUP);
    tiny_object(&tiny, heap.context, 64, 1, 0);
    ADD(heap.future, odd, odd, CONTEXT, odd + 3);
    ADD(heap.function, CODE, odd + 3);
    ADD(heap.cell, odd + 1);
    add_run(heap.tuple, (const ouro_node[]){odd + 2, odd + 3, odd + 4, odd}, 4);
    ADD(heap.method, odd + 1, odd + 4);
    ADD(heap.lock, odd + 6, odd + 5);
    add_run(heap.deque, (const ouro_node[]){odd, odd + 6, odd + 5}, 3);
    open_all();
    ck_assert_uint_eq(tasks.tasks.count, 1);
    ck_assert_uint_eq(tasks.tasks.items[0].frame_count, 1);
    end();
}
END_TEST

START_TEST(names_are_escaped)
{
    begin();
    ADD(heap.task, CONTEXT, CORO, PER_TASK, OURO_NODE_NONE, CONTEXT, OURO_NODE_NONE, OURO_NODE_NONE, OURO_NODE_NONE);
    tiny_object(&tiny, heap.coroutine, 64, 1, 0);
    tiny_count(&tiny, 0);
    tiny_slots(&tiny, (const ouro_node[]){OURO_NODE_NONE, CODE, CODE}, 3);
    ADD(heap.code, OURO_NODE_NONE, OURO_NODE_NONE);
    ADD(heap.wakeup, 0);
    tiny_object(&tiny, heap.context, 64, 1, 0);
    ck_assert_uint_eq(add_text("evil\x1b]0;title\x07\n\xe2\x80\xae"), PER_TASK);
    open_all();
    struct ouro_out out = tree(false);
    const char *written = ouro_buf_text(&out.buf);
    ck_assert_msg(strstr(written, "evil\\x1b]0;title\\x07\\n\\u202e 0x7f"), "%s", written);
    ouro_out_fini(&out);
    end();
}
END_TEST

START_TEST(heaps_at_random_end)
{
    async_heap_random(&tiny, (uint64_t)_i, 400, ouro_codec_default());
    open_all();
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tasks");
    TCase *tests = tcase_create("tasks");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, tasks_that_await_each_other_are_a_deadlock);
    tcase_add_test(tests, a_task_behind_a_deadlock_is_no_part_of_it);
    tcase_add_test(tests, a_future_in_a_closure_leads_to_who_waits_for_it);
    tcase_add_test(tests, a_chain_of_a_hundred_thousand_tasks_has_each_once);
    tcase_add_test(tests, a_circle_of_a_hundred_thousand_tasks_is_one_deadlock);
    tcase_add_test(tests, tasks_that_are_alike_are_one_line);
    tcase_add_test(tests, what_waits_for_itself_in_every_way_ends);
    tcase_add_test(tests, names_are_escaped);
    tcase_add_loop_test(tests, heaps_at_random_end, 0, 200);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
