/* ouro stack: where each thread stands. */
#include <stdlib.h>
#include <string.h>

#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/page_stack.h"
#include "snapshots.h"

struct request {
    const char *thread;
    bool with_locals, group, salvage, json;
};

/* Of a model that is open, from wherever it came; `name` for messages. */
static int show(const struct request *request, struct ouro_heap_model *model, const char *name)
{
    int status;
    struct ouro_err err;
    OURO_GUARD(ouro_stacks_fini) struct ouro_stacks stacks = {0};
    OURO_GUARD(ouro_waits_fini) struct ouro_waits waits = {0};
    OURO_GUARD(ouro_wait_names_fini) struct ouro_wait_names names = {0};
    uint32_t *leaders OURO_FREE = NULL;
    enum ouro_status computed = ouro_stacks_init(&stacks, model, &err);
    if (computed == OURO_OK)
        computed = ouro_waits_init(&waits, &stacks, &err);
    if (computed == OURO_OK)
        computed = ouro_wait_names_init(&names, &waits, model, &err);
    if (computed == OURO_OK && request->group) {
        leaders = calloc(stacks.threads.count + 1, sizeof *leaders);
        computed = leaders ? ouro_stacks_group(&stacks, leaders) : OURO_NOMEM;
        if (computed != OURO_OK)
            ouro_err_set(&err, computed, "out of memory for groups of threads");
    }
    if (computed != OURO_OK)
        return ouro_command_fail_snapshot(computed, name, &err);
    struct ouro_page_stack page = {&waits, request->thread, leaders, request->with_locals, &names};
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

int ouro_cmd_stack(int argc, char **argv)
{
    struct request request = {0};
    const struct ouro_option options[] = {
        {'l', "locals", OURO_OPTION_FLAG, &request.with_locals, NULL, NULL, "local variables too", NULL},
        {'t', "thread", OURO_OPTION_TEXT, &request.thread, NULL, "TID|NAME", "this thread only", NULL},
        {'g', "group", OURO_OPTION_FLAG, &request.group, NULL, NULL, "threads at the very same place as one", NULL},
        OURO_SNAPSHOT_OPTIONS(&request.salvage, &request.json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "stack",
        .arguments = "SNAPSHOT",
        .purpose = "Where each thread stands: state, what it waits for and who has it, and its\n"
                   "Python frames, innermost first. Deadlocks come first.",
        .least = 1,
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
    return show_snapshot(&request, argv[first]);
}
