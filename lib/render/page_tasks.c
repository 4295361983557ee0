#include "render/page_tasks.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/guard.h"
#include "base/map.h"
#include "render/page_stack.h"
#include "render/sentence.h"
#include "render/text.h"

#define DEPTH_MAX   24 /* of the tree, before it goes on at the margin */
#define FOLD_LEAST  3  /* tasks that are alike */
#define NAMES_SHOWN 3  /* of them */
#define MEMBERS_SHOWN 50 /* of a deadlock */

/* One entry of the tree, still to be written. */
struct entry {
    uint32_t task;
    uint32_t count; /* of tasks that are alike: this one and those that follow it in `siblings` */
    size_t first;   /* of siblings */
    uint8_t depth;
    bool is_last;
};

struct tree {
    struct ouro_out *out;
    const struct ouro_page_tasks *page;
    const struct ouro_tasks *tasks;
    size_t width;
    uint32_t *rank;   /* owned; by task: its place in the order of names */
    uint32_t *order;  /* owned; tasks in that order */
    uint8_t *written; /* owned; by task: 1 when it is or soon will be, 2 when it comes at the margin further below */
    struct {
        struct entry *items; /* owned; the next one last */
        size_t count, capacity;
    } stack;
    struct {
        uint32_t *items; /* owned; groups of tasks that are alike, while they are needed */
        size_t count, capacity;
    } siblings;
    struct {
        uint32_t *items; /* owned; tasks that lie too deep: written at the margin */
        size_t count, capacity;
    } later;
    uint32_t path[DEPTH_MAX + 1];
    bool last[DEPTH_MAX + 2]; /* an entry of the deepest level has lines below it */
    struct ouro_buf text, prefix;
    bool failed;
};

/* --- The order: by the number of a name that asyncio gave, then by name, then by address. */

struct named {
    uint64_t number;
    const unsigned char *name;
    size_t size;
    uint32_t task;
};

static int by_name(const void *a, const void *b)
{
    const struct named *left = a, *right = b;
    size_t least = left->size < right->size ? left->size : right->size;
    if (left->number != right->number)
        return left->number < right->number ? -1 : 1;
    int order = least ? memcmp(left->name, right->name, least) : 0;
    if (order || left->size != right->size)
        return order ? order : left->size < right->size ? -1 : 1;
    return left->task < right->task ? -1 : left->task > right->task;
}

static uint64_t number_in(const unsigned char *name, size_t size)
{
    uint64_t number = 0;
    if (size < 6 || size > 18 || memcmp(name, "Task-", 5))
        return UINT64_MAX;
    for (size_t i = 5; i < size; i++) {
        if (name[i] < '0' || name[i] > '9')
            return UINT64_MAX;
        number = number * 10 + (name[i] - '0');
    }
    return number;
}

static bool sort_names(struct tree *t)
{
    size_t count = t->tasks->tasks.count;
    OURO_FREE struct named *named = calloc(count + 1, sizeof *named);
    OURO_GUARD(ouro_buf_fini) struct ouro_buf names = {0};
    if (!named)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t begin = names.size;
        ouro_task_add_name(&names, t->tasks, &t->tasks->tasks.items[i]);
        named[i] = (struct named){0, NULL, names.size - begin, (uint32_t)i};
    }
    const unsigned char *at = names.data;
    for (size_t i = 0; !names.failed && i < count; i++) {
        named[i].name = at;
        named[i].number = number_in(at, named[i].size);
        at += named[i].size;
    }
    if (names.failed)
        return false;
    qsort(named, count, sizeof *named, by_name);
    for (size_t i = 0; i < count; i++) {
        t->order[i] = named[i].task;
        t->rank[named[i].task] = (uint32_t)i;
    }
    return true;
}

/* --- Which tasks are alike: the same code at the same lines, waiting for the same. */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

/* Of what it waits for, what is not its own alone. */
static ouro_node shared_wait(const struct ouro_task *task)
{
    return task->wait == OURO_TASK_WAIT_LOCK || task->wait == OURO_TASK_WAIT_QUEUE ? task->wait_node : OURO_NODE_NONE;
}

static uint64_t hash_of(const struct tree *t, const struct ouro_task *task)
{
    uint64_t hash = mix(task->state, task->wait);
    for (size_t i = 0; i < task->frame_count; i++) {
        const struct ouro_stack_frame *frame = &t->tasks->frames.items[task->first_frame + i];
        hash = mix(hash, (uint64_t)frame->code << 32 | frame->line);
    }
    hash = mix(hash, shared_wait(task));
    for (size_t i = 0; i < task->awaited_count; i++)
        hash = mix(hash, t->tasks->awaited.items[task->first_awaited + i]);
    return hash == UINT64_MAX ? 0 : hash;
}

static bool is_alike(const struct tree *t, const struct ouro_task *a, const struct ouro_task *b)
{
    if (a->state != b->state || a->wait != b->wait || a->cancelling != b->cancelling || a->timed != b->timed ||
        a->deadlock != b->deadlock || a->behind != b->behind || a->wait_any != b->wait_any ||
        a->wait_put != b->wait_put || shared_wait(a) != shared_wait(b) || a->loop != b->loop ||
        a->frame_count != b->frame_count || a->awaited_count != b->awaited_count)
        return false;
    for (size_t i = 0; i < a->frame_count; i++) {
        const struct ouro_stack_frame *left = &t->tasks->frames.items[a->first_frame + i];
        const struct ouro_stack_frame *right = &t->tasks->frames.items[b->first_frame + i];
        if (left->code != right->code || left->line != right->line || left->code == OURO_NODE_NONE)
            return false;
    }
    return !a->awaited_count ||
           !memcmp(t->tasks->awaited.items + a->first_awaited, t->tasks->awaited.items + b->first_awaited,
                   a->awaited_count * sizeof *t->tasks->awaited.items);
}

/* --- Lines. */

static void begin_line(struct tree *t, unsigned depth, bool is_title)
{
    t->prefix.size = 0;
    for (unsigned i = 1; i < depth; i++)
        ouro_buf_add_text(&t->prefix, t->last[i] ? "    " : "\u2502   ");
    if (depth && is_title)
        ouro_buf_add_text(&t->prefix, t->last[depth] ? "\u2514\u2500\u2500 " : "\u251c\u2500\u2500 ");
    else if (depth)
        ouro_buf_add_text(&t->prefix, t->last[depth] ? "    " : "\u2502   ");
}

/* The text under a prefix that its further lines have too; `bar`: an entry follows below. */
static void write_text(struct tree *t, unsigned depth, bool is_title, bool bar)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf first = {0};
    begin_line(t, depth, is_title);
    ouro_buf_add_text(&first, "  ");
    ouro_buf_add(&first, t->prefix.data, t->prefix.size);
    if (!is_title)
        ouro_buf_add_text(&first, bar ? "\u2502     " : "      ");
    OURO_GUARD(ouro_buf_fini) struct ouro_buf further = {0};
    begin_line(t, depth, false);
    ouro_buf_add_text(&further, "  ");
    ouro_buf_add(&further, t->prefix.data, t->prefix.size);
    ouro_buf_add_text(&further, is_title ? (bar ? "\u2502     " : "      ") : (bar ? "\u2502       " : "        "));
    t->failed |= first.failed || further.failed || t->text.failed;
    ouro_sentence_write_under(t->out, &t->text, t->width, ouro_buf_text(&first), ouro_buf_text(&further));
    t->text.size = 0;
}

static void add_thread(struct ouro_buf *text, const struct ouro_tasks *tasks, uint32_t thread)
{
    const struct ouro_stack_thread *it = &tasks->stacks->threads.items[thread];
    ouro_buf_addf(text, "thread %" PRIu64, it->record->native_id);
    if (it->name.size) {
        ouro_buf_add_text(text, " \"");
        ouro_buf_add(text, it->name.bytes, it->name.size);
        ouro_buf_add_byte(text, '"');
    }
}

static void add_name(struct ouro_buf *text, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    size_t begin = text->size;
    ouro_task_add_name(text, tasks, task);
    ouro_buf_addf(text, "%s0x%" PRIx64, text->size == begin ? "" : " ", tasks->stacks->model->heap.addr[task->node]);
}

static void add_state(struct ouro_buf *text, const struct ouro_tasks *tasks, const struct ouro_task *task)
{
    if (task->state == OURO_TASK_WAITING) {
        ouro_buf_add_text(text, "waits for ");
        ouro_task_add_wait(text, tasks, task);
    } else {
        ouro_buf_add_text(text, ouro_task_state_name(task->state));
        if (task->state == OURO_TASK_RUNNING && task->thread != OURO_TASK_NONE) {
            ouro_buf_add_text(text, " in ");
            add_thread(text, tasks, task->thread);
        }
    }
    ouro_buf_add_text(text, task->timed ? ", with a timeout" : "");
    ouro_buf_add_text(text, task->cancelling ? ", cancelling" : "");
    if (task->deadlock != OURO_TASK_NONE)
        ouro_buf_add_text(text, task->behind ? " (behind a deadlock)" : " (deadlock)");
}

static void write_title(struct tree *t, const struct entry *entry, bool bar)
{
    const struct ouro_task *task = &t->tasks->tasks.items[entry->task];
    if (entry->count > 1) {
        ouro_text_add_count(&t->text, entry->count);
        ouro_buf_add_text(&t->text, " tasks (");
        for (uint32_t i = 0; i < entry->count && i < NAMES_SHOWN; i++) {
            ouro_buf_add_text(&t->text, i ? ", " : "");
            add_name(&t->text, t->tasks, &t->tasks->tasks.items[t->siblings.items[entry->first + i]]);
        }
        ouro_buf_add_text(&t->text, entry->count > NAMES_SHOWN ? ", ...): each " : "): each ");
    } else {
        add_name(&t->text, t->tasks, task);
        ouro_buf_add_text(&t->text, ": ");
    }
    add_state(&t->text, t->tasks, task);
    write_text(t, entry->depth, true, bar);
}

static struct ouro_stack_text file_name(const struct ouro_stack_frame *frame)
{
    struct ouro_stack_text file = frame->file;
    for (size_t i = file.size; i--;)
        if (file.bytes[i] == '/')
            return (struct ouro_stack_text){file.bytes + i + 1, file.size - i - 1};
    return file;
}

#define FRAMES_SHOWN 24 /* on the line of a task; of more, those at both ends */

static void write_stack(struct tree *t, const struct entry *entry, bool bar)
{
    const struct ouro_task *task = &t->tasks->tasks.items[entry->task];
    for (size_t i = 0; i < task->frame_count; i++) {
        const struct ouro_stack_frame *frame = &t->tasks->frames.items[task->first_frame + i];
        struct ouro_stack_text name = frame->qualname.size ? frame->qualname : frame->name, file = file_name(frame);
        if (t->page->with_locals) {
            begin_line(t, entry->depth, false);
            ouro_buf_add_text(&t->text, "  ");
            ouro_buf_add(&t->text, t->prefix.data, t->prefix.size);
            ouro_buf_addf(&t->text, bar ? "\u2502     #%zu " : "      #%zu ", i);
            ouro_page_frame_text(t->out, frame, ouro_buf_text(&t->text), t->width);
            t->text.size = 0;
            ouro_page_locals_text(t->out, t->tasks->stacks->model, frame, 4 * entry->depth + 12, t->width);
            continue;
        }
        if (task->frame_count > FRAMES_SHOWN && i == FRAMES_SHOWN / 2) {
            ouro_buf_addf(&t->text, "... %zu more ... < ", task->frame_count - FRAMES_SHOWN);
            i = task->frame_count - FRAMES_SHOWN / 2;
            frame = &t->tasks->frames.items[task->first_frame + i];
            name = frame->qualname.size ? frame->qualname : frame->name;
            file = file_name(frame);
        }
        ouro_buf_add(&t->text, name.bytes, name.size);
        if (!name.size)
            ouro_buf_add_byte(&t->text, '?');
        ouro_buf_add_text(&t->text, " (");
        ouro_buf_add(&t->text, file.bytes, file.size);
        if (frame->line)
            ouro_buf_addf(&t->text, ":%" PRIu32, frame->line);
        ouro_buf_add_text(&t->text, i + 1 < task->frame_count ? ") < " : ")");
    }
    if (t->text.size)
        write_text(t, entry->depth, false, bar);
}

/* --- The tree. */

static void push(struct tree *t, uint32_t task, uint32_t count, size_t first, unsigned depth)
{
    struct entry *entry = OURO_VEC_ADD(&t->stack);
    t->failed |= !entry;
    if (entry)
        *entry = (struct entry){task, count, first, (uint8_t)depth, false};
}

static int by_place(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

/* Entries for tasks that have not been written, alike ones in one; pushed so that the first comes first. ranked: their ranks,
 * which are sorted here. */
static void push_group(struct tree *t, uint64_t *ranked, size_t count, unsigned depth)
{
    OURO_GUARD(ouro_map_fini) struct ouro_map groups = {0};
    size_t begin = t->stack.count;
    OURO_FREE uint32_t *leader = calloc(count + 1, sizeof *leader); /* by place: the place of the first that is alike */
    OURO_FREE uint32_t *size = calloc(count + 1, sizeof *size);
    OURO_FREE size_t *first = calloc(count + 1, sizeof *first);
    if (!leader || !size || !first) {
        t->failed = true;
        return;
    }
    if (count)
        qsort(ranked, count, sizeof *ranked, by_place);
    for (size_t i = 0; i < count; i++) {
        const struct ouro_task *task = &t->tasks->tasks.items[t->order[ranked[i]]];
        bool added = true;
        bool folds = !t->page->all && !t->page->with_locals;
        uint64_t *found = folds ? ouro_map_put(&groups, hash_of(t, task), &added) : NULL;
        t->failed |= folds && !found;
        leader[i] = (uint32_t)i;
        if (found && added)
            *found = i;
        else if (found && is_alike(t, task, &t->tasks->tasks.items[t->order[ranked[*found]]]))
            leader[i] = (uint32_t)*found;
        size[leader[i]]++;
    }
    for (size_t i = 0; i < count; i++) /* too few to be worth it */
        if (size[leader[i]] < FOLD_LEAST && leader[i] != i) {
            size[leader[i]]--;
            leader[i] = (uint32_t)i;
            size[i] = 1;
        }
    size_t at = t->siblings.count;
    for (size_t i = 0; i < count; i++) {
        first[i] = at;
        at += size[i];
        size[i] = 0;
    }
    while (t->siblings.count < at && !t->failed)
        t->failed |= !OURO_VEC_ADD(&t->siblings);
    for (size_t i = 0; i < count && !t->failed; i++)
        t->siblings.items[first[leader[i]] + size[leader[i]]++] = t->order[ranked[i]];
    for (size_t i = count; i-- && !t->failed;)
        if (leader[i] == i)
            push(t, t->order[ranked[i]], size[i], first[i], depth);
    if (t->stack.count > begin)
        t->stack.items[begin].is_last = true;
}

static void write_above(struct tree *t, const struct ouro_task *task, unsigned depth, size_t above)
{
    uint32_t only = OURO_TASK_NONE;
    bool circle = false;
    for (size_t i = 0; i < task->awaited_count; i++) {
        uint32_t other = t->tasks->awaited.items[task->first_awaited + i];
        only = t->written[other] ? other : only;
        for (unsigned d = 0; d < depth; d++)
            circle |= t->path[d] == other;
    }
    t->last[depth] = above == task->awaited_count;
    if (above == 1)
        add_name(&t->text, t->tasks, &t->tasks->tasks.items[only]);
    else
        ouro_buf_addf(&t->text, "%zu tasks", above);
    bool below = only != OURO_TASK_NONE && t->written[only] == 2;
    ouro_buf_add_text(&t->text, circle ? " (above: a circle)" : below ? " (further below)" : " (above)");
    write_text(t, depth, true, false);
}

static void write_entry(struct tree *t, const struct entry *entry)
{
    const struct ouro_task *task = &t->tasks->tasks.items[entry->task];
    size_t above = 0, count = 0;
    OURO_FREE uint64_t *ranked = calloc(task->awaited_count + 1, sizeof *ranked);
    t->last[entry->depth] = entry->is_last;
    t->path[entry->depth] = entry->task;
    if (!ranked) {
        t->failed = true;
        return;
    }
    for (size_t i = 0; i < task->awaited_count; i++) {
        uint32_t other = t->tasks->awaited.items[task->first_awaited + i];
        if (t->written[other])
            above++;
        else
            ranked[count++] = t->rank[other];
    }
    bool deeper = entry->depth == DEPTH_MAX && count;
    write_title(t, entry, task->awaited_count && !deeper);
    write_stack(t, entry, task->awaited_count && !deeper);
    if (deeper) {
        for (size_t i = 0; i < count; i++) {
            uint32_t *later = OURO_VEC_ADD(&t->later);
            t->failed |= !later;
            if (later)
                *later = t->order[ranked[i]];
            t->written[t->order[ranked[i]]] = 2;
        }
        ouro_buf_add_text(&t->text, "(what it waits for: further below)");
        write_text(t, entry->depth, false, false);
        return;
    }
    if (above)
        write_above(t, task, entry->depth + 1, above);
    for (size_t i = 0; i < count; i++)
        t->written[t->order[ranked[i]]] = 1; /* no other entry will have them */
    push_group(t, ranked, count, entry->depth + 1);
}

static void write_pending(struct tree *t)
{
    size_t at = 0;
    do {
        while (t->stack.count && !t->failed) {
            struct entry entry = t->stack.items[--t->stack.count];
            write_entry(t, &entry);
        }
        t->siblings.count = 0;
        if (at < t->later.count) {
            t->written[t->later.items[at]] = 1;
            push(t, t->later.items[at++], 1, 0, 0);
        }
    } while (t->stack.count && !t->failed);
    t->later.count = 0;
}

/* All of a loop that nobody waits for, and what lay too deep; then those that are only reached in circles, one of each.
 * ranks: of its tasks, ascending; used up. */
static void write_loop(struct tree *t, uint64_t *ranks, size_t total)
{
    size_t count = 0;
    OURO_FREE uint64_t *roots = calloc(total + 1, sizeof *roots);
    if (!roots) {
        t->failed = true;
        return;
    }
    for (size_t i = 0; i < total; i++) {
        uint32_t task = t->order[(uint32_t)ranks[i]];
        if (t->tasks->tasks.items[task].awaiter_count || t->written[task])
            continue;
        roots[count++] = (uint32_t)ranks[i];
        t->written[task] = 1;
    }
    push_group(t, roots, count, 0);
    write_pending(t);
    for (size_t i = 0; i < total && !t->failed; i++) {
        uint32_t task = t->order[(uint32_t)ranks[i]];
        if (t->written[task])
            continue;
        t->written[task] = 1;
        push(t, task, 1, 0, 0);
        write_pending(t);
    }
}

static void write_loop_title(struct tree *t, const struct ouro_task *first, size_t count)
{
    const struct ouro_heap_model *model = t->tasks->stacks->model;
    ouro_node loop = first->loop;
    size_t size;
    ouro_buf_add_text(&t->text, "\nTasks of asyncio: ");
    ouro_text_add_count(&t->text, count);
    if (loop == OURO_NODE_NONE) {
        ouro_buf_add_text(&t->text, " of unknown loops");
    } else {
        const char *name = ouro_heap_model_type_name(model, ouro_heap_model_type(model, loop), &size);
        ouro_buf_add_text(&t->text, " of ");
        ouro_text_add(&t->text, name, size);
        ouro_buf_addf(&t->text, " 0x%" PRIx64, model->heap.addr[loop]);
    }
    if (loop != OURO_NODE_NONE && first->thread != OURO_TASK_NONE) {
        OURO_GUARD(ouro_buf_fini) struct ouro_buf thread = {0};
        add_thread(&thread, t->tasks, first->thread);
        ouro_buf_add_text(&t->text, ", run by ");
        ouro_text_add_buf(&t->text, &thread);
    } else if (loop != OURO_NODE_NONE) {
        ouro_buf_add_text(&t->text, ", run by no thread");
    }
    ouro_buf_add_byte(&t->text, '\n');
    ouro_out_buf(t->out, &t->text);
    t->text.size = 0;
}

/* Loop by loop; those of none last. */
static void write_loops(struct tree *t)
{
    size_t count = t->tasks->tasks.count, end;
    OURO_FREE uint64_t *places = calloc(count + 1, sizeof *places);
    if (!places) {
        t->failed = true;
        return;
    }
    for (size_t i = 0; i < count; i++)
        places[i] = (uint64_t)t->tasks->tasks.items[i].loop << 32 | t->rank[i];
    qsort(places, count, sizeof *places, by_place);
    for (size_t i = 0; i < count && !t->failed; i = end) {
        for (end = i; end < count && places[end] >> 32 == places[i] >> 32; end++)
            ;
        write_loop_title(t, &t->tasks->tasks.items[t->order[(uint32_t)places[i]]], end - i);
        write_loop(t, places + i, end - i);
    }
}

static enum ouro_status write_tree(struct ouro_out *out, const struct ouro_page_tasks *page, size_t width)
{
    const struct ouro_tasks *tasks = page->tasks;
    size_t count = tasks->tasks.count;
    OURO_FREE uint32_t *rank = calloc(count + 1, sizeof *rank);
    OURO_FREE uint32_t *order = calloc(count + 1, sizeof *order);
    OURO_FREE uint8_t *written = calloc(count + 1, 1);
    struct tree t = {.out = out, .page = page, .tasks = tasks, .width = width};
    t.rank = rank;
    t.order = order;
    t.written = written;
    t.failed = !rank || !order || !written || !sort_names(&t);
    if (!t.failed)
        write_loops(&t);
    if (tasks->done_count)
        ouro_out_addf(out, "  and %" PRIu64 " that %s done\n", tasks->done_count, tasks->done_count == 1 ? "is" : "are");
    if (tasks->cut)
        ouro_out_text(out, "  (who waits for whom is not shown completely: there is too much of it)\n");
    t.failed |= t.text.failed || t.prefix.failed;
    free(t.stack.items);
    free(t.siblings.items);
    free(t.later.items);
    ouro_buf_fini(&t.text);
    ouro_buf_fini(&t.prefix);
    return t.failed ? OURO_NOMEM : OURO_OK;
}

enum ouro_status ouro_page_tasks_text(struct ouro_out *out, const struct ouro_page_tasks *page, size_t width)
{
    return page->tasks->tasks.count ? write_tree(out, page, width) : OURO_OK;
}

void ouro_page_task_deadlocks_text(struct ouro_out *out, const struct ouro_tasks *tasks, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    for (size_t i = 0; i < tasks->deadlocks.count; i++) {
        const struct ouro_task_deadlock *deadlock = &tasks->deadlocks.items[i];
        if (deadlock->count == 1)
            ouro_out_text(out, "\nDeadlock: a task waits for itself\n");
        else
            ouro_out_addf(out, "\nDeadlock of %zu tasks\n", deadlock->count);
        for (size_t m = 0; m < deadlock->count && m < MEMBERS_SHOWN; m++) {
            const struct ouro_task *task = &tasks->tasks.items[tasks->members.items[deadlock->first + m]];
            text.size = 0;
            add_name(&text, tasks, task);
            ouro_buf_add_byte(&text, ' ');
            add_state(&text, tasks, task);
            ouro_sentence_write(out, &text, width);
        }
        if (deadlock->count > MEMBERS_SHOWN)
            ouro_out_addf(out, "    %zu more tasks are part of this circle\n", deadlock->count - MEMBERS_SHOWN);
        if (deadlock->stuck_count > deadlock->count)
            ouro_out_addf(out, "    %zu more in other circles that hang together with this one\n",
                          deadlock->stuck_count - deadlock->count);
        if (deadlock->behind_count)
            ouro_out_addf(out, "    %zu more %s for them\n", deadlock->behind_count,
                          deadlock->behind_count == 1 ? "task waits" : "tasks wait");
    }
}
