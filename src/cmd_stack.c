/* ouro stack: where each thread stands. */
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "capture/dump.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/page_stack.h"
#include "snapshots.h"
#include "target.h"

struct request {
    const char *thread;
    bool with_locals, group, all_tasks, salvage, json;
    struct ouro_target_options target;
};

/* Of a model that is open, from wherever it came; `name` for messages. */
static int show(const struct request *request, struct ouro_heap_model *model, const char *name)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_stacks_fini) struct ouro_stacks stacks = {0};
    OURO_GUARD(ouro_waits_fini) struct ouro_waits waits = {0};
    OURO_GUARD(ouro_wait_names_fini) struct ouro_wait_names names = {0};
    OURO_GUARD(ouro_tasks_fini) struct ouro_tasks tasks = {0};
    uint32_t *leaders OURO_FREE = NULL;
    enum ouro_status computed = ouro_stacks_init(&stacks, model, &err);
    if (computed == OURO_OK)
        computed = ouro_waits_init(&waits, &stacks, &err);
    if (computed == OURO_OK)
        computed = ouro_wait_names_init(&names, &waits, model, &err);
    if (computed == OURO_OK)
        computed = ouro_tasks_init(&tasks, model, &stacks, &err);
    if (computed == OURO_OK && request->group) {
        leaders = calloc(stacks.threads.count + 1, sizeof *leaders);
        computed = leaders ? ouro_stacks_group(&stacks, leaders) : OURO_NOMEM;
        if (computed != OURO_OK)
            ouro_err_set(&err, computed, "out of memory for groups of threads");
    }
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, name, &err);
    const struct ouro_page_tasks task_page = {&tasks, request->with_locals, request->all_tasks};
    struct ouro_page_stack page = {&waits, request->thread, leaders, request->with_locals, &names,
                                   request->thread ? NULL : &task_page};
    size_t shown = 0;
    for (size_t t = 0; t < stacks.threads.count; t++)
        shown += ouro_page_stack_shows(&page, t);
    if (request->thread && !shown) {
        ouro_command_complain("stack: no thread of %s has the number or the name \"%s\"", name, request->thread);
        return OURO_EXIT_USAGE;
    }
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, NULL)))
        return status;
    if (request->json)
        ouro_page_stack_json(&output.out, &page);
    else
        ouro_page_stack_text(&output.out, &page, ouro_command_columns());
    return ouro_dest_close(&output, OURO_EXIT_DONE);
}

static int show_snapshot(const struct request *request, const char *path)
{
    int status;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, path, request->salvage)))
        return status;
    return show(request, &model, path);
}

/* Straight from a process or a core: what a dump would write is written into memory. */
static int show_target(struct request *request, const char *pid)
{
    int status, fd;
    struct ouro_err err = {0};
    struct ouro_target_bar bar;
    OURO_GUARD(ouro_dump_result_fini) struct ouro_dump_result result = {0};
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model = {0};
    if (!ouro_target_options_finish(&request->target, "stack", pid, &bar))
        return OURO_EXIT_USAGE;
    const struct ouro_dump_options options = {.session = request->target.session, .codec = OURO_CODEC_STORED};
    enum ouro_status captured = ouro_dump_stacks(&options, &result, &fd, &err);
    ouro_target_bar_clear(&bar);
    if (captured != OURO_OK)
        return ouro_command_fail_target(captured, &err);
    const char *name = pid ? pid : request->target.session.core;
    if ((captured = ouro_heap_model_open_fd(&model, fd, &err)) != OURO_OK ||
        (captured = ouro_heap_model_load(&model, OURO_HEAP_SIZE | OURO_STACKS_COLUMNS, &err)) != OURO_OK)
        return ouro_command_fail_snapshot(captured, name, &err);
    status = show(request, &model, name);
    return status;
}

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text);
}

int ouro_cmd_stack(int argc, char **argv)
{
    struct request request = {.target = OURO_TARGET_OPTIONS_INIT};
    struct ouro_session_options *session = &request.target.session;
    const struct ouro_option options[] = {
        {'l', "locals", OURO_OPTION_FLAG, &request.with_locals, NULL, NULL, "local variables too", NULL},
        {'t', "thread", OURO_OPTION_TEXT, &request.thread, NULL, "TID|NAME", "this thread only", NULL},
        {'g', "group", OURO_OPTION_FLAG, &request.group, NULL, NULL, "threads at the very same place as one", NULL},
        {0, "timeout", OURO_OPTION_COUNT, &request.target.timeout_s, &request.target.timeout_given, "SECONDS",
         "with a PID: how long to try to stop it (default 10)", NULL},
        {0, "core", OURO_OPTION_TEXT, &session->core, NULL, "FILE", "of a core file instead", NULL},
        {0, "exe", OURO_OPTION_TEXT, &session->core_options.executable, NULL, "FILE",
         "with --core: the program, where it is now", NULL},
        {0, "sysroot", OURO_OPTION_TEXT, &session->core_options.sysroot, NULL, "DIR",
         "with --core: the folder below which the files of the process lie", NULL},
        {0, "all-tasks", OURO_OPTION_FLAG, &request.all_tasks, NULL, NULL, "tasks that are alike one by one", NULL},
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "stack",
        .arguments = "SNAPSHOT | PID | --core FILE",
        .purpose = "Where each thread stands: state, what it waits for and who has it, and its\n"
                   "Python frames, innermost first. Deadlocks come first. A process stands still only\n"
                   "while the few pages are read on which its stacks are (a millisecond or two for a\n"
                   "hundred threads), and no file is written. A snapshot called 123 is ./123.",
        .least = 0,
        .most = 1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (request.group && request.with_locals && !request.json) {
        ouro_command_complain("stack: --group folds threads whose locals differ: not together with --locals");
        return OURO_EXIT_USAGE;
    }
    bool target = session->core || first == argc || is_number(argv[first]);
    if (target && request.salvage) {
        ouro_command_complain("stack: --salvage is for the file of a snapshot");
        return OURO_EXIT_USAGE;
    }
    if (target)
        return show_target(&request, first < argc ? argv[first] : NULL);
    if (request.target.timeout_given || session->core_options.executable || session->core_options.sysroot) {
        ouro_command_complain("stack: %s is for a %s, not for a snapshot", request.target.timeout_given ? "--timeout"
                              : session->core_options.executable ? "--exe" : "--sysroot",
                              request.target.timeout_given ? "process" : "core");
        return OURO_EXIT_USAGE;
    }
    return show_snapshot(&request, argv[first]);
}
