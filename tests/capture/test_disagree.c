/* A visitor that is wrong: of a type of a real interpreter one field is moved, as a layout that doesn't fit would have it. The walk
 * must notice, use the type's own code instead, and write the references that are right. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "capture/emit.h"
#include "capture/session.h"
#include "cpython/type.h"
#include "snapshot/reader.h"

static struct ouro_session session;
static pid_t child;
static int child_input = -1;
static char path[128];

static void start_python(const char *python)
{
    char line[64] = "";
    int to[2], from[2];
    ck_assert_int_eq(pipe(to), 0);
    ck_assert_int_eq(pipe(from), 0);
    child = fork();
    if (!child) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp(python, "python3", "-c",
               "import sys\n"
               "class A:\n"
               "    p = property(lambda self: 1, lambda self, value: None)\n"
               "print('READY', flush=True)\n"
               "sys.stdin.read()\n",
               (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    child_input = to[1];
    for (size_t used = 0; !strchr(line, '\n'); used++)
        ck_assert_int_eq(used < sizeof line - 1 ? read(from[0], line + used, 1) : 0, 1);
    ck_assert_str_eq(line, "READY\n");
    close(from[0]);
}

static void capture(const char *python)
{
    struct ouro_err err = {0};
    start_python(python);
    const struct ouro_session_options options = {.pid = child, .thread_count = 2};
    ck_assert_msg(ouro_session_open(&session, &options, &err) == OURO_OK, "%s: %s", python, err.msg);
    ck_assert_msg(ouro_session_copy(&session, &err) == OURO_OK, "%s: %s", python, err.msg);
    snprintf(path, sizeof path, "%s/ouro-disagree-XXXXXX", getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void release(void)
{
    int status;
    ouro_session_close(&session);
    close(child_input);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the target did not end as it should: %#x", status);
    unlink(path);
}

/* Moves the first field that the type's visitor reports. */
static struct ouro_type *spoil(struct ouro_python *python, const char *symbol)
{
    ouro_addr addr = 0;
    ck_assert_int_eq(ouro_module_symbol(python->runtime.module, symbol, &addr, NULL), OURO_OK);
    struct ouro_type *type = ouro_type_get(python, addr);
    ck_assert_ptr_nonnull(type);
    ck_assert_int_eq(type->how, OURO_HOW_NATIVE);
    for (uint32_t i = 0; i < type->op_count; i++)
        if (type->ops[i].kind == OURO_OP_FIELD && type->ops[i].edge_class == OURO_CLASS_TRAVERSED) {
            type->ops[i].offset += 8;
            return type;
        }
    ck_abort_msg("%s: its visitor has no field", symbol);
    return NULL;
}

struct outcome {
    bool disagreed, interpreted;
    uint64_t checked_count, approximate_count, torn_count;
    ouro_node object_count;
    uint64_t reference_count;
    uint64_t digest; /* of the references of the type's objects, in their order */
};

static void digest_type(struct outcome *outcome, ouro_addr type)
{
    struct ouro_snapshot *snapshot;
    struct ouro_heap heap;
    struct ouro_err err = {0};
    uint32_t shape_count;
    ck_assert_msg(ouro_snapshot_open(&snapshot, path, 0, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_heap_load(&heap, snapshot, OURO_HEAP_ADDR | OURO_HEAP_SLOTS, 1, &err) == OURO_OK, "%s", err.msg);
    const struct ouro_type_record *types = ouro_snapshot_types(snapshot, &shape_count);
    const struct ouro_shape *shapes = ouro_snapshot_shapes(snapshot, &shape_count);
    for (ouro_node v = 0; v < heap.count; v++) {
        if (heap.shape[v] >= shape_count || types[shapes[heap.shape[v]].type].addr != type)
            continue;
        for (uint64_t i = heap.slot_begin[v]; i < heap.slot_begin[v + 1]; i++) {
            if (heap.slots[i] == OURO_NODE_NONE)
                continue;
            outcome->reference_count++;
            outcome->digest = (outcome->digest ^ heap.addr[v] ^ heap.addr[heap.slots[i]] << 1) * UINT64_C(0x100000001b3);
        }
    }
    ouro_heap_fini(&heap);
    ouro_snapshot_close(snapshot);
}

/* A walk over the image, written and read back. */
static struct outcome walk(const char *symbol, bool spoiled, uint32_t checks_per_type)
{
    struct ouro_python python;
    struct ouro_walk walk = {0};
    struct ouro_snapshot_writer *writer = NULL;
    struct ouro_emit_totals totals;
    struct ouro_err err = {0};
    struct outcome outcome = {0};
    const struct ouro_emit_options options = {.codec = OURO_CODEC_STORED};
    uint64_t file_bytes;
    ouro_addr addr;
    ck_assert_msg(ouro_python_init(&python, &session.image, &session.runtime, &session.modules, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_walk_init(&walk, &python, 2, false, NULL, &err) == OURO_OK, "%s", err.msg);
    ck_assert_int_eq(ouro_module_symbol(python.runtime.module, symbol, &addr, NULL), OURO_OK);
    struct ouro_type *type = spoiled ? spoil(&python, symbol) : ouro_type_get(&python, addr);
    walk.checks_per_type = checks_per_type;
    ck_assert_msg(ouro_walk_mark(&walk, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_walk_number(&walk, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_snapshot_writer_open(&writer, path, true, OURO_CODEC_STORED, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_emit(&walk, writer, &options, &totals, &err) == OURO_OK, "%s", err.msg);
    ck_assert_msg(ouro_snapshot_writer_commit(writer, &file_bytes, &err) == OURO_OK, "%s", err.msg);
    outcome.disagreed = type->disagreed;
    outcome.interpreted = type->how == OURO_HOW_INTERPRETED;
    outcome.checked_count = walk.checked_count;
    outcome.object_count = walk.object_count;
    outcome.approximate_count = totals.approximate_count;
    outcome.torn_count = totals.torn_count;
    ouro_snapshot_writer_close(writer);
    ouro_walk_fini(&walk);
    ouro_python_fini(&python);
    digest_type(&outcome, addr);
    return outcome;
}

static bool can_run(void)
{
    struct ouro_machine *machine = NULL;
    bool can = ouro_machine_new(&machine, &session.image, &session.modules, NULL) == OURO_OK;
    ouro_machine_free(machine);
    return can;
}

static void a_wrong_visitor_of(const char *symbol)
{
    struct outcome right = walk(symbol, false, OURO_WALK_CHECKS), wrong = walk(symbol, true, 0);
    ck_assert(!right.disagreed);
    ck_assert_uint_gt(right.reference_count, 1);
    ck_assert_msg(wrong.digest != right.digest, "%s: a moved field makes no difference", symbol);
    ck_assert(!wrong.disagreed);
    ck_assert_uint_eq(wrong.checked_count, 0);
    for (unsigned round = 0; round < 2; round++) {
        struct outcome noticed = walk(symbol, true, round ? UINT32_MAX : OURO_WALK_CHECKS);
        ck_assert_msg(noticed.disagreed, "%s: nobody noticed", symbol);
        ck_assert(noticed.interpreted);
        ck_assert_uint_gt(noticed.checked_count, 0);
        ck_assert_uint_eq(noticed.object_count, right.object_count);
        ck_assert_uint_eq(noticed.reference_count, right.reference_count);
        ck_assert_msg(noticed.digest == right.digest, "%s: its objects' references are not the right ones", symbol);
        ck_assert_uint_eq(noticed.approximate_count, right.approximate_count);
        ck_assert_uint_eq(noticed.torn_count, right.torn_count);
    }
}

START_TEST(a_wrong_visitor_is_noticed_and_not_used)
{
    static const char *const symbols[] = {"PyFunction_Type", "PyProperty_Type", "PyMethodDescr_Type"};
    const char *all = getenv("OURO_TEST_PYTHONS");
    char pythons[4096], *rest = NULL;
    snprintf(pythons, sizeof pythons, "%s", all && *all ? all : "python3");
    for (char *python = strtok_r(pythons, ":", &rest); python; python = strtok_r(NULL, ":", &rest)) {
        capture(python);
        if (can_run())
            for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
                a_wrong_visitor_of(symbols[i]);
        else
            printf("skipped: without Zydis nobody can tell\n");
        release();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("disagreement");
    TCase *tests = tcase_create("disagreement");
    tcase_add_test(tests, a_wrong_visitor_is_noticed_and_not_used);
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK); /* the tracer must not be a grandchild */
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
