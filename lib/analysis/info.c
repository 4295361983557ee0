#include "analysis/info.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/schedule.h"
#include "analysis/unexplained.h"
#include "base/guard.h"

#define TYPES_NAMED_MAX 5
#define TASKS_NAMED_MAX 5
#define CORE_MISSING_MAX 32u /* sentences; a dump writes a dozen */
/* docs/FORMAT.md, "Meta keys" */
#define META_SANDBOX "capture.sandbox"
#define META_CHECKED "count.checked"
#define META_CHECK_IMPOSSIBLE "count.check_impossible"
#define META_DISAGREED "check.disagreed"
#define META_RUN_FAILED "count.run_failed." /* prefix */

const char *ouro_finding_name(enum ouro_finding_kind kind)
{
    static const char *const names[] = {
        [OURO_FINDING_DAMAGED] = "damaged",
        [OURO_FINDING_NOT_STOPPED] = "not_stopped",
        [OURO_FINDING_COLLECTING] = "collecting",
        [OURO_FINDING_INCONSISTENT] = "inconsistent",
        [OURO_FINDING_UNREADABLE] = "unreadable",
        [OURO_FINDING_CORE_MISSING] = "core-missing",
        [OURO_FINDING_TORN] = "torn",
        [OURO_FINDING_GARBAGE] = "garbage",
        [OURO_FINDING_COLLECTOR_OFF] = "collector_off",
        [OURO_FINDING_UNCOLLECTABLE] = "uncollectable",
        [OURO_FINDING_SAVEALL] = "saveall",
        [OURO_FINDING_FROZEN] = "frozen",
        [OURO_FINDING_APPROXIMATE] = "approximate",
        [OURO_FINDING_RUN_FAILED] = "run_failed",
        [OURO_FINDING_DISAGREED] = "disagreed",
        [OURO_FINDING_ESTIMATED] = "estimated",
        [OURO_FINDING_HUNG] = "hung",
        [OURO_FINDING_UNEXPLAINED] = "unexplained",
    };
    return names[kind];
}

/* The command that shows more of it. */
static const char *command_of(enum ouro_finding_kind kind)
{
    switch (kind) {
    case OURO_FINDING_DAMAGED:
        return "ouro verify";
    case OURO_FINDING_COLLECTING:
    case OURO_FINDING_HUNG:
        return "ouro stack";
    case OURO_FINDING_TORN:
    case OURO_FINDING_RUN_FAILED:
    case OURO_FINDING_DISAGREED:
        return "ouro doctor";
    case OURO_FINDING_GARBAGE:
    case OURO_FINDING_COLLECTOR_OFF:
        return "ouro garbage";
    case OURO_FINDING_UNCOLLECTABLE:
    case OURO_FINDING_SAVEALL:
        return "ouro show SNAPSHOT gc.garbage";
    case OURO_FINDING_FROZEN:
        return "ouro objects --gen frozen";
    case OURO_FINDING_APPROXIMATE:
        return "ouro objects --approximate";
    case OURO_FINDING_UNEXPLAINED:
        return "ouro objects --sort unexplained";
    default:
        return NULL;
    }
}

bool ouro_finding_is_doubt(enum ouro_finding_kind kind)
{
    switch (kind) {
    case OURO_FINDING_GARBAGE:
    case OURO_FINDING_COLLECTOR_OFF:
    case OURO_FINDING_UNCOLLECTABLE:
    case OURO_FINDING_SAVEALL:
    case OURO_FINDING_FROZEN:
    case OURO_FINDING_HUNG:
    case OURO_FINDING_UNEXPLAINED:
        return false;
    default:
        return true;
    }
}

static inline void count_reference(uint64_t *count, ouro_node target)
{
    (void)target;
    ++*count;
}

/* Counts `frozen` without the immortal ones in *frozen_by_user. */
static void count_objects(struct ouro_info *info, const struct ouro_heap_model *model, uint64_t *frozen_by_user)
{
    const struct ouro_heap *heap = &model->heap;
    for (ouro_node v = 0; v < heap->count; v++) {
        unsigned flags = heap->flags[v];
        OURO_EACH_TARGET(model, v, OURO_CLASS_OWNED, count_reference, &info->reference_count);
        if (flags & OURO_OBJECT_PSEUDO) {
            if (model->root_type != OURO_TYPE_NONE && ouro_heap_model_type(model, v) == model->root_type)
                info->root_count++;
            else
                info->frame_count++;
            continue;
        }
        if (heap->shape[v] >= model->shape_count) {
            info->lost_count++;
            continue;
        }
        int generation = ouro_heap_model_generation(model, v);
        info->object_count++;
        info->size_bytes += heap->size[v];
        info->native_bytes += heap->native ? heap->native[v] : 0;
        if (generation < 0)
            info->untracked_count++;
        else if (generation < OURO_GENERATION_COUNT)
            info->tracked_count[generation]++;
        else {
            info->frozen_count++;
            *frozen_by_user += !(flags & OURO_OBJECT_IMMORTAL);
        }
        info->immortal_count += (flags & OURO_OBJECT_IMMORTAL) != 0;
        info->finalized_count += (flags & OURO_OBJECT_FINALIZED) != 0;
        info->approximate_count += (flags & OURO_OBJECT_APPROXIMATE) != 0;
        info->torn_count += (flags & OURO_OBJECT_TORN) != 0;
        info->estimated_count += (flags & OURO_OBJECT_SIZE_ESTIMATED) != 0;
    }
}

/* A finding without its text; NULL when memory runs out (the caller's buffer then is a dummy). */
static struct ouro_buf *add_finding(struct ouro_info *info, enum ouro_finding_kind kind, uint64_t count)
{
    struct ouro_finding *finding = OURO_VEC_ADD(&info->findings);
    if (!finding)
        return NULL;
    finding->kind = kind;
    finding->count = count;
    finding->command = command_of(kind);
    return &finding->text;
}

#define FIND(kind, count, ...)                                                                                         \
    do {                                                                                                               \
        struct ouro_buf *text_ = add_finding(info, kind, count);                                                       \
        if (!text_)                                                                                                    \
            return OURO_NOMEM;                                                                                         \
        ouro_buf_addf(text_, __VA_ARGS__);                                                                             \
    } while (0)

static enum ouro_status find_capture_trouble(struct ouro_info *info, const struct ouro_heap_model *model)
{
    const char *consistent = ouro_snapshot_meta(model->snapshot, OURO_META_CONSISTENT, NULL);
    const char *key, *value;
    size_t size, prefix = strlen(OURO_META_UNREADABLE);
    if (ouro_snapshot_damaged(model->snapshot) || info->lost_count)
        FIND(OURO_FINDING_DAMAGED, info->lost_count,
             "the file is damaged: %llu objects are lost, and what follows is about the rest",
             (unsigned long long)info->lost_count);
    const char *why = ouro_snapshot_meta(model->snapshot, OURO_META_INCONSISTENT, &size);
    if (consistent && strcmp(consistent, "1"))
        FIND(OURO_FINDING_NOT_STOPPED, 1, "captured while the process ran on: the heap may have changed meanwhile%s%.*s",
             why ? "; " : "", why ? (int)(size < 1024 ? size : 1024) : 0, why ? why : "");
    if (info->inconsistent_count)
        FIND(OURO_FINDING_INCONSISTENT, info->inconsistent_count,
             "%llu objects have more references than their count says: torn objects, or a layout that is wrong; they "
             "are "
             "taken as reachable",
             (unsigned long long)info->inconsistent_count);
    for (size_t i = 0; ouro_snapshot_meta_each(model->snapshot, i, &key, &value, &size); i++) {
        uint64_t count;
        if (strncmp(key, OURO_META_UNREADABLE, prefix) || !(count = strtoull(value, NULL, 10)))
            continue;
        info->exact = false;
        FIND(OURO_FINDING_UNREADABLE, count, "%llu references could not be read: %s", (unsigned long long)count,
             key + prefix);
    }
    const char *missing = ouro_snapshot_meta(model->snapshot, OURO_META_CORE_MISSING, &size);
    for (size_t at = 0, n = 0; missing && at < size && n < CORE_MISSING_MAX; n++, at += strnlen(missing + at, size - at) + 1)
        FIND(OURO_FINDING_CORE_MISSING, 1, "%.*s", (int)strnlen(missing + at, size - at), missing + at);
    if (info->torn_count)
        FIND(OURO_FINDING_TORN, info->torn_count,
             "%llu objects could be read only in part: references of theirs are missing",
             (unsigned long long)info->torn_count);
    return OURO_OK;
}

static uint64_t list_length(const struct ouro_heap_model *model, ouro_node list)
{
    uint64_t length = 0;
    if (list < model->heap.count)
        OURO_EACH_TARGET(model, list, OURO_CLASS_TRAVERSED, count_reference, &length);
    return length;
}

/* The number behind a key that of another interpreter than the main one ends in its id. */
static uint64_t meta_of_interpreter(const struct ouro_snapshot *snapshot, const char *name, uint64_t interpreter,
                                    uint64_t absent)
{
    char key[64];
    snprintf(key, sizeof key, interpreter ? "%s.%llu" : "%s", name, (unsigned long long)interpreter);
    return ouro_snapshot_meta_u64(snapshot, key, absent);
}

uint64_t ouro_info_collecting_thread(const struct ouro_snapshot *snapshot, uint64_t interpreter)
{
    return meta_of_interpreter(snapshot, OURO_META_COLLECTING_THREAD, interpreter, 0);
}

static enum ouro_status find_collecting(struct ouro_info *info, const struct ouro_snapshot *snapshot, uint64_t interpreter)
{
    uint64_t thread = ouro_info_collecting_thread(snapshot, interpreter);
    uint64_t generation = meta_of_interpreter(snapshot, OURO_META_COLLECTING_GENERATION, interpreter, OURO_GENERATION_COUNT);
    struct ouro_buf *text = add_finding(info, OURO_FINDING_COLLECTING, 1);
    if (!text)
        return OURO_NOMEM;
    ouro_buf_addf(text, "the collector of interpreter %llu was running", (unsigned long long)interpreter);
    if (generation < OURO_GENERATION_COUNT)
        ouro_buf_addf(text, " (generation %llu)", (unsigned long long)generation);
    if (thread) {
        size_t count, size = 0;
        const struct ouro_thread_record *threads = ouro_snapshot_threads(snapshot, &count);
        const char *name = "";
        for (size_t i = 0; i < count; i++)
            if (threads[i].native_id == thread)
                name = ouro_snapshot_string(snapshot, threads[i].name, &size);
        ouro_buf_addf(text, " in thread %llu", (unsigned long long)thread);
        if (size)
            ouro_buf_addf(text, " '%.*s'", (int)(size < INT_MAX ? size : INT_MAX), name);
    }
    uint64_t links = ouro_snapshot_meta_u64(snapshot, OURO_META_COMPLETED_LINKS, UINT64_MAX);
    if (links == UINT64_MAX)
        ouro_buf_add_text(text, ": what it says about unreachable objects may be off");
    else
        ouro_buf_addf(text, ": of what it works on, %llu objects were found by its own lists and %llu in memory",
                      (unsigned long long)links,
                      (unsigned long long)ouro_snapshot_meta_u64(snapshot, OURO_META_COMPLETED_POOLS, 0));
    return OURO_OK;
}

static enum ouro_status find_collector_trouble(struct ouro_info *info, const struct ouro_heap_model *model,
                                               uint64_t frozen_by_user)
{
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(model->snapshot, &count);
    if (info->unreachable_count)
        FIND(OURO_FINDING_GARBAGE, info->unreachable_count,
             "%llu objects (%llu bytes) are unreachable and wait for the collector",
             (unsigned long long)info->unreachable_count, (unsigned long long)info->unreachable_bytes);
    for (size_t i = 0; i < count; i++) {
        const struct ouro_interpreter_record *interpreter = &interpreters[i];
        unsigned long long id = interpreter->id;
        if (interpreter->gc_collecting)
            OURO_TRY(find_collecting(info, model->snapshot, interpreter->id));
        if (!interpreter->gc_enabled)
            FIND(OURO_FINDING_COLLECTOR_OFF, 1, "the collector of interpreter %llu is disabled (gc.disable())", id);
        if (interpreter->gc_debug & OURO_GC_DEBUG_SAVEALL)
            FIND(OURO_FINDING_SAVEALL, 1, "gc.DEBUG_SAVEALL is set in interpreter %llu: garbage is kept in gc.garbage",
                 id);
        uint64_t length = list_length(model, interpreter->garbage);
        if (length)
            FIND(OURO_FINDING_UNCOLLECTABLE, length, "gc.garbage of interpreter %llu holds %llu objects", id,
                 (unsigned long long)length);
    }
    if (frozen_by_user)
        FIND(OURO_FINDING_FROZEN, frozen_by_user,
             "%llu objects are in the permanent generation (gc.freeze()): the collector never looks at them",
             (unsigned long long)frozen_by_user);
    return OURO_OK;
}

static int by_approximate(const void *a, const void *b)
{
    const struct ouro_histogram_row *const *left = a, *const *right = b;
    return (*left)->approximate_count < (*right)->approximate_count ? 1
           : (*left)->approximate_count > (*right)->approximate_count ? -1
                                                                      : 0;
}

/* Types whose own code told that what ouro knew of them was wrong: names with a NUL between them. */
static enum ouro_status find_disagreed(struct ouro_info *info, const struct ouro_heap_model *model)
{
    size_t size = 0, count = 0;
    const char *names = ouro_snapshot_meta(model->snapshot, META_DISAGREED, &size);
    for (size_t at = 0; names && at < size; at += strlen(names + at) + 1)
        count++;
    if (!count)
        return OURO_OK;
    struct ouro_buf *text = add_finding(info, OURO_FINDING_DISAGREED, count);
    if (!text)
        return OURO_NOMEM;
    ouro_buf_addf(text, "what ouro knew of %zu %s differed from what %s own code says, which was used instead:", count,
                  count == 1 ? "type" : "types", count == 1 ? "its" : "their");
    size_t named = 0;
    for (size_t at = 0; at < size && named < TYPES_NAMED_MAX; at += strlen(names + at) + 1)
        ouro_buf_addf(text, "%s %s", named++ ? "," : "", names + at);
    if (count > TYPES_NAMED_MAX)
        ouro_buf_add_text(text, ", ...");
    return OURO_OK;
}

/* Types' code that could not be run, by reason. */
static enum ouro_status find_run_failed(struct ouro_info *info, const struct ouro_heap_model *model)
{
    const char *key, *value;
    size_t size, prefix = strlen(META_RUN_FAILED);
    struct ouro_buf *text = NULL;
    uint64_t sum = 0;
    for (size_t i = 0; ouro_snapshot_meta_each(model->snapshot, i, &key, &value, &size); i++) {
        uint64_t count = strncmp(key, META_RUN_FAILED, prefix) ? 0 : strtoull(value, NULL, 10);
        if (!count)
            continue;
        if (!text && !(text = add_finding(info, OURO_FINDING_RUN_FAILED, 0)))
            return OURO_NOMEM;
        ouro_buf_addf(text, "%s%s (%llu)", sum ? ", " : "objects whose type's own code could not be run: ", key + prefix,
                      (unsigned long long)count);
        sum += count;
    }
    if (text)
        info->findings.items[info->findings.count - 1].count = sum;
    return OURO_OK;
}

static const char *why_no_sandbox(const struct ouro_heap_model *model)
{
    const char *sandbox = ouro_snapshot_meta(model->snapshot, META_SANDBOX, NULL);
    return !sandbox                 ? ""
           : !strcmp(sandbox, "none") ? "; the ouro that captured it had no sandbox to run their types' code in"
           : !strcmp(sandbox, "off")  ? "; it was captured with --no-sandbox"
                                      : "";
}

static enum ouro_status find_approximate(struct ouro_info *info, const struct ouro_heap_model *model)
{
    if (info->approximate_count) {
        const struct ouro_histogram_row **rows = malloc(info->types.count * sizeof *rows + 1);
        size_t count = 0;
        struct ouro_buf *text = add_finding(info, OURO_FINDING_APPROXIMATE, info->approximate_count);
        if (!rows || !text) {
            free(rows);
            return OURO_NOMEM;
        }
        for (size_t i = 0; i < info->types.count; i++)
            if (info->types.items[i].approximate_count)
                rows[count++] = &info->types.items[i];
        qsort(rows, count, sizeof *rows, by_approximate);
        ouro_buf_addf(text, "%llu objects of %zu types are approximate (references guessed from memory):",
                      (unsigned long long)info->approximate_count, count);
        for (size_t i = 0; i < count && i < TYPES_NAMED_MAX; i++) {
            const char *module = ouro_heap_model_type_module(model, rows[i]->type, NULL);
            ouro_buf_addf(text, "%s %s%s%s (%llu)", i ? "," : "", module, *module ? "." : "",
                          ouro_heap_model_type_name(model, rows[i]->type, NULL),
                          (unsigned long long)rows[i]->approximate_count);
        }
        if (count > TYPES_NAMED_MAX)
            ouro_buf_add_text(text, ", ...");
        ouro_buf_add_text(text, why_no_sandbox(model));
        info->approximate_type_count = count;
        free(rows);
    }
    OURO_TRY(find_run_failed(info, model));
    OURO_TRY(find_disagreed(info, model));
    if (info->estimated_count)
        FIND(OURO_FINDING_ESTIMATED, info->estimated_count,
             "%llu objects have estimated sizes: their types have a __sizeof__ of their own that could not be run",
             (unsigned long long)info->estimated_count);
    return OURO_OK;
}

static enum ouro_status compute(struct ouro_info *info, struct ouro_heap_model *model,
                                const struct ouro_collector *collector, struct ouro_err *err)
{
    uint64_t frozen_by_user = 0;
    info->inconsistent_count = collector->inconsistent_count;
    info->unreachable_count = collector->unreachable_count;
    info->unreachable_bytes = collector->unreachable_bytes;
    OURO_TRY(ouro_histogram_init(&info->types, model, NULL, NULL, NULL, err));
    ouro_histogram_sort(&info->types, model, OURO_HISTOGRAM_BY_SIZE);
    count_objects(info, model, &frozen_by_user);
    info->checked_count = ouro_snapshot_meta_u64(model->snapshot, META_CHECKED, 0);
    info->check_impossible_count = ouro_snapshot_meta_u64(model->snapshot, META_CHECK_IMPOSSIBLE, 0);
    const char *consistent = ouro_snapshot_meta(model->snapshot, OURO_META_CONSISTENT, NULL);
    info->exact = !info->approximate_count && !info->torn_count && !info->lost_count && !info->inconsistent_count &&
                  !ouro_snapshot_damaged(model->snapshot) && (!consistent || !strcmp(consistent, "1"));
    enum ouro_status status = find_capture_trouble(info, model);
    if (status == OURO_OK)
        status = find_collector_trouble(info, model, frozen_by_user);
    if (status == OURO_OK)
        status = find_approximate(info, model);
    for (size_t i = 0; status == OURO_OK && i < info->findings.count; i++)
        status = info->findings.items[i].text.failed ? OURO_NOMEM : OURO_OK;
    return status == OURO_OK ? OURO_OK : ouro_err_set(err, status, "out of memory for the findings");
}

/* The last finding goes to that place. */
static void move_last(struct ouro_info *info, size_t place)
{
    struct ouro_finding *findings = info->findings.items, last = findings[info->findings.count - 1];
    memmove(findings + place + 1, findings + place, (info->findings.count - 1 - place) * sizeof *findings);
    findings[place] = last;
}

static void say_task_deadlock(struct ouro_buf *text, const struct ouro_tasks *tasks, const struct ouro_task_deadlock *deadlock)
{
    ouro_buf_addf(text, "deadlock of %zu asyncio %s: ", deadlock->stuck_count, deadlock->stuck_count == 1 ? "task" : "tasks");
    for (size_t m = 0; m < deadlock->count && m < TASKS_NAMED_MAX; m++) {
        const struct ouro_task *task = &tasks->tasks.items[tasks->members.items[deadlock->first + m]];
        ouro_buf_add_text(text, m ? ", and " : "");
        ouro_task_add_name(text, tasks, task);
        ouro_buf_add_text(text, " waits for ");
        ouro_task_add_wait(text, tasks, task);
    }
    if (deadlock->count > TASKS_NAMED_MAX)
        ouro_buf_addf(text, ", and %zu more", deadlock->count - TASKS_NAMED_MAX);
}

enum ouro_status ouro_info_add_hangs(struct ouro_info *info, const struct ouro_waits *waits,
                                     const struct ouro_tasks *tasks, struct ouro_err *err)
{
    size_t place = 0;
    for (size_t i = 0; i < waits->hangs.count + tasks->deadlocks.count; i++) {
        const struct ouro_task_deadlock *deadlock =
            i < waits->hangs.count ? NULL : &tasks->deadlocks.items[i - waits->hangs.count];
        struct ouro_buf *text =
            add_finding(info, OURO_FINDING_HUNG, deadlock ? deadlock->stuck_count : waits->hangs.items[i].count);
        if (text && deadlock)
            say_task_deadlock(text, tasks, deadlock);
        else if (text)
            ouro_hang_add(text, waits, &waits->hangs.items[i]);
        if (!text || text->failed)
            return ouro_err_set(err, OURO_NOMEM, "out of memory for the findings");
        move_last(info, place++);
    }
    return OURO_OK;
}

static void say_unexplained(struct ouro_buf *text, const struct ouro_heap_model *model,
                            const struct ouro_unexplained_row *row)
{
    const char *module = ouro_heap_model_type_module(model, row->type, NULL);
    const char *name = ouro_heap_model_type_name(model, row->type, NULL);
    unsigned long long objects = row->object_count, references = row->reference_count, most = row->most_count;
    bool builtin = !strcmp(module, "builtins");
    if (objects == 1)
        ouro_buf_addf(text, "an object of %s%s%s has", builtin ? "" : module, builtin || !*module ? "" : ".", name);
    else
        ouro_buf_addf(text, "%llu objects of %s%s%s have", objects, builtin ? "" : module, builtin || !*module ? "" : ".",
                      name);
    ouro_buf_addf(text, " %llu references that nothing known explains", references);
    if (most > 1)
        ouro_buf_addf(text, " (0x%llx alone %llu)", (unsigned long long)model->heap.addr[row->most], most);
    ouro_buf_add_text(text, ": native code holds them, or an extension has leaked them");
}

enum ouro_status ouro_info_add_unexplained(struct ouro_info *info, const struct ouro_roots *roots, struct ouro_err *err)
{
    OURO_GUARD(ouro_unexplained_fini) struct ouro_unexplained unexplained = {0};
    OURO_TRY(ouro_unexplained_init(&unexplained, roots, err));
    for (size_t i = 0; i < unexplained.count && i < TYPES_NAMED_MAX; i++) {
        const struct ouro_unexplained_row *row = &unexplained.items[i];
        struct ouro_buf *text = add_finding(info, OURO_FINDING_UNEXPLAINED, row->reference_count);
        if (text)
            say_unexplained(text, roots->model, row);
        if (!text || text->failed)
            return ouro_err_set(err, OURO_NOMEM, "out of memory for the findings");
    }
    return OURO_OK;
}

enum ouro_status ouro_info_init_with(struct ouro_info *info, struct ouro_heap_model *model,
                                     const struct ouro_collector *collector, struct ouro_err *err)
{
    memset(info, 0, sizeof *info);
    enum ouro_status status = compute(info, model, collector, err);
    if (status != OURO_OK)
        ouro_info_fini(info);
    return status;
}

enum ouro_status ouro_info_init(struct ouro_info *info, struct ouro_heap_model *model, struct ouro_err *err)
{
    OURO_GUARD(ouro_collector_fini) struct ouro_collector collector = {0};
    memset(info, 0, sizeof *info);
    OURO_TRY(ouro_collector_init(&collector, model, err));
    return ouro_info_init_with(info, model, &collector, err);
}

void ouro_info_fini(struct ouro_info *info)
{
    ouro_histogram_fini(&info->types);
    for (size_t i = 0; i < info->findings.count; i++)
        ouro_buf_fini(&info->findings.items[i].text);
    free(info->findings.items);
    memset(info, 0, sizeof *info);
}
