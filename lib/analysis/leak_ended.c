/* Suspects among what should have gone: kept exceptions, tasks that are done, threads that ended, suspended generators. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/leak_search.h"
#include "analysis/lookup.h"
#include "analysis/stacks.h"
#include "analysis/tasks.h"
#include "analysis/value.h"
#include "base/guard.h"
#include "base/map.h"

#define TRACEBACKS_MANY 20u
#define TASKS_MANY      100u
#define THREADS_MANY    20u
#define GENERATORS_MANY 100u

static void set(uint8_t *bits, ouro_node node)
{
    bits[node >> 3] = (uint8_t)(bits[node >> 3] | 1u << (node & 7));
}

/* What several objects retain together, and the one that retains most as the example. */
static struct ouro_leak *add_many(struct ouro_leak_search *search, enum ouro_leak_kind kind, const uint8_t *bits,
                                  uint64_t count)
{
    ouro_node most = OURO_NODE_NONE;
    for (ouro_node v = 0; v < search->model->heap.count; v++)
        if (bits[v >> 3] >> (v & 7) & 1 &&
            (most == OURO_NODE_NONE || search->retained->bytes[v] > search->retained->bytes[most]))
            most = v;
    return ouro_leak_add(search, kind, most, count, ouro_leak_retained_together(search, bits));
}

/* An exception that is being handled has a traceback too: one or two are nothing. The heads of the chains only: what they lead to is
 * theirs. */
static enum ouro_status find_tracebacks(struct ouro_leak_search *search)
{
    const struct ouro_heap_model *model = search->model;
    OURO_FREE uint8_t *bits = calloc(model->heap.count / 8 + 1, 1);
    OURO_FREE uint8_t *inner = calloc(model->heap.count / 8 + 1, 1);
    uint64_t count = 0, frames = 0;
    if (!bits || !inner)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint32_t type = ouro_heap_model_type(model, v);
        if (type >= model->type_count || !ouro_lookup_is_type(model, type, "builtins", "traceback"))
            continue;
        ouro_node next = ouro_heap_model_field(model, v, "tb_next");
        if (next < model->heap.count)
            set(inner, next);
        set(bits, v);
        frames++;
    }
    for (ouro_node v = 0; v < model->heap.count; v++)
        count += (bits[v >> 3] >> (v & 7) & 1) && !(inner[v >> 3] >> (v & 7) & 1);
    if (count < ouro_leak_many(search, TRACEBACKS_MANY))
        return OURO_OK;
    struct ouro_leak *leak = add_many(search, OURO_LEAK_TRACEBACKS, bits, count);
    if (!leak)
        return OURO_NOMEM;
    ouro_leak_add_count(&leak->text, count);
    ouro_buf_add_text(&leak->text, " kept exceptions have tracebacks, which keep ");
    ouro_leak_add_count(&leak->text, frames);
    ouro_buf_add_text(&leak->text, " frames and their local variables: ");
    ouro_leak_add_bytes(&leak->text, leak->bytes);
    ouro_buf_add_text(&leak->command, "path SNAPSHOT traceback");
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (inner[v >> 3] >> (v & 7) & 1)
            bits[v >> 3] = (uint8_t)(bits[v >> 3] & ~(1u << (v & 7)));
    return ouro_leak_add_holder(search, leak, bits);
}

/* --- tasks that are done */

static enum ouro_status find_done_tasks(struct ouro_leak_search *search)
{
    struct ouro_heap_model *model = search->model;
    OURO_GUARD(ouro_stacks_fini) struct ouro_stacks stacks = {0};
    OURO_GUARD(ouro_tasks_fini) struct ouro_tasks tasks = {0};
    OURO_TRY(ouro_stacks_init(&stacks, model, search->err));
    OURO_TRY(ouro_tasks_init(&tasks, model, &stacks, search->err));
    if (tasks.done_count < ouro_leak_many(search, TASKS_MANY))
        return OURO_OK;
    OURO_FREE uint8_t *bits = calloc(model->heap.count / 8 + 1, 1);
    if (!bits)
        return OURO_NOMEM;
    uint64_t count = 0;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint32_t type = ouro_heap_model_type(model, v);
        bool task = type < model->type_count && (ouro_lookup_derives(model, type, "_asyncio", "Task") ||
                                                 ouro_lookup_derives(model, type, "asyncio.tasks", "Task"));
        if (task && ouro_tasks_find(&tasks, v) == OURO_TASK_NONE) {
            set(bits, v);
            count++;
        }
    }
    if (count < ouro_leak_many(search, TASKS_MANY))
        return OURO_OK;
    struct ouro_leak *leak = add_many(search, OURO_LEAK_TASKS, bits, count);
    if (!leak)
        return OURO_NOMEM;
    ouro_leak_add_count(&leak->text, count);
    ouro_buf_add_text(&leak->text, " asyncio tasks are done and still kept, with their results: ");
    ouro_leak_add_bytes(&leak->text, leak->bytes);
    ouro_buf_add_text(&leak->command, "path SNAPSHOT ");
    ouro_leak_add_type_word(&leak->command, model, leak->type);
    return ouro_leak_add_holder(search, leak, bits);
}

/* --- threads */

static bool int_of(const struct ouro_heap_model *model, ouro_node node, uint64_t *number)
{
    size_t size;
    if (node >= model->heap.count || !ouro_value_has(model, node) ||
        model->types[ouro_heap_model_type(model, node)].value_kind != OURO_VALUE_INT)
        return false;
    const unsigned char *bytes = ouro_value_raw(model, node, &size);
    *number = 0;
    for (size_t i = 0; i < size && i < 8; i++)
        *number |= (uint64_t)bytes[i] << 8 * i;
    return true;
}

/* The attribute of an instance, wherever its class keeps it. */
static ouro_node attribute(const struct ouro_heap_model *model, ouro_node node, const char *name)
{
    char label[64] = ".";
    strncat(label, name, sizeof label - 2);
    ouro_node value = ouro_heap_model_field(model, node, label);
    ouro_node dict = value == OURO_NODE_NONE ? ouro_heap_model_field(model, node, "__dict__") : OURO_NODE_NONE;
    return dict < model->heap.count ? ouro_lookup_entry(model, dict, name) : value;
}

static bool is_alive(const struct ouro_heap_model *model, uint64_t ident)
{
    size_t count;
    const struct ouro_thread_record *threads = ouro_snapshot_threads(model->snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (threads[i].ident == ident)
            return true;
    return false;
}

static enum ouro_status find_ended_threads(struct ouro_leak_search *search)
{
    const struct ouro_heap_model *model = search->model;
    OURO_FREE uint8_t *bits = calloc(model->heap.count / 8 + 1, 1);
    uint64_t count = 0;
    if (!bits)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint32_t type = ouro_heap_model_type(model, v);
        uint64_t ident;
        if (type >= model->type_count || !(model->types[type].flags & OURO_TYPE_HEAP) ||
            !ouro_lookup_derives(model, type, "threading", "Thread") ||
            !int_of(model, attribute(model, v, "_ident"), &ident) || is_alive(model, ident))
            continue;
        set(bits, v);
        count++;
    }
    if (count < ouro_leak_many(search, THREADS_MANY))
        return OURO_OK;
    struct ouro_leak *leak = add_many(search, OURO_LEAK_THREADS, bits, count);
    if (!leak)
        return OURO_NOMEM;
    ouro_leak_add_count(&leak->text, count);
    ouro_buf_add_text(&leak->text, " Thread objects are kept whose threads have ended: ");
    ouro_leak_add_bytes(&leak->text, leak->bytes);
    ouro_buf_add_text(&leak->command, "path SNAPSHOT ");
    ouro_leak_add_type_word(&leak->command, model, leak->type);
    return ouro_leak_add_holder(search, leak, bits);
}

/* --- generators */

struct crowd {
    ouro_node code, example;
    uint64_t count;
};

static enum ouro_status add_crowd(struct ouro_leak_search *search, const struct crowd *crowd)
{
    const struct ouro_heap_model *model = search->model;
    OURO_FREE uint8_t *bits = calloc(model->heap.count / 8 + 1, 1);
    size_t count;
    const struct ouro_line_record *lines = ouro_snapshot_lines(model->snapshot, &count);
    if (!bits)
        return OURO_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct ouro_stack_frame frame;
        if (lines[i].node < model->heap.count && ouro_stack_frame_read(&frame, model, lines[i].node) && frame.code == crowd->code)
            set(bits, lines[i].node);
    }
    struct ouro_leak *leak = ouro_leak_add(search, OURO_LEAK_GENERATORS, crowd->example, crowd->count,
                                           ouro_leak_retained_together(search, bits));
    if (!leak)
        return OURO_NOMEM;
    ouro_leak_add_count(&leak->text, crowd->count);
    ouro_buf_addf(&leak->text, " %ss of ", ouro_heap_model_type_name(model, leak->type, NULL));
    ouro_value_add(&leak->text, model, crowd->code, 200);
    ouro_buf_add_text(&leak->text, " are suspended: ");
    ouro_leak_add_bytes(&leak->text, leak->bytes);
    ouro_buf_addf(&leak->command, "show SNAPSHOT 0x%" PRIx64, model->heap.addr[crowd->example]);
    return ouro_leak_add_holder(search, leak, bits);
}

static enum ouro_status find_generators(struct ouro_leak_search *search)
{
    const struct ouro_heap_model *model = search->model;
    struct ouro_map by_code = {0};
    struct { struct crowd *items; size_t count, capacity; } crowds = {0};
    size_t count;
    const struct ouro_line_record *lines = ouro_snapshot_lines(model->snapshot, &count);
    enum ouro_status status = OURO_OK;
    for (size_t i = 0; i < count && !status; i++) {
        struct ouro_stack_frame frame;
        uint32_t type = ouro_heap_model_type(model, lines[i].node);
        bool idle = lines[i].state == OURO_RUN_CREATED || lines[i].state == OURO_RUN_SUSPENDED ||
                    lines[i].state == OURO_RUN_AWAITING;
        const char *name = ouro_heap_model_type_name(model, type, NULL);
        if (!idle || (strcmp(name, "generator") && strcmp(name, "coroutine") && strcmp(name, "async_generator")) ||
            !ouro_stack_frame_read(&frame, model, lines[i].node) || frame.code >= model->heap.count)
            continue;
        uint64_t *place = ouro_map_put(&by_code, frame.code, NULL);
        if (place && !*place) {
            struct crowd *crowd = OURO_VEC_ADD(&crowds);
            if (crowd)
                *crowd = (struct crowd){.code = frame.code, .example = lines[i].node};
            *place = crowd ? crowds.count : 0;
        }
        if (!place || !*place) {
            status = OURO_NOMEM;
            break;
        }
        crowds.items[*place - 1].count++;
    }
    for (size_t i = 0; i < crowds.count && !status; i++)
        if (crowds.items[i].count >= ouro_leak_many(search, GENERATORS_MANY))
            status = add_crowd(search, &crowds.items[i]);
    free(crowds.items);
    ouro_map_fini(&by_code);
    return status;
}

enum ouro_status ouro_leak_find_ended(struct ouro_leak_search *search)
{
    OURO_TRY(find_tracebacks(search));
    OURO_TRY(find_done_tasks(search));
    OURO_TRY(find_ended_threads(search));
    return find_generators(search);
}
