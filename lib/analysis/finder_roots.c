#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analysis/finder.h"
#include "analysis/value.h"

#define PARTS_MAX 64 /* of a dotted module name */

/* --- Roots, threads and frames */

struct ouro_name ouro_finder_root_name(const struct ouro_heap_model *model, ouro_node root)
{
    size_t size = 0;
    const char *bytes = (const char *)ouro_value_raw(model, root, &size);
    return (struct ouro_name){bytes, size};
}

/* The first <root> of this name in an interpreter (UINT64_MAX: any), or OURO_NODE_NONE. */
static ouro_node find_root(const struct ouro_heap_model *model, const char *name, size_t size, uint64_t interpreter)
{
    ouro_node first = model->heap.count;
    while (first && !model->heap.lost_count && model->heap.flags[first - 1] & OURO_OBJECT_PSEUDO)
        first--;
    for (ouro_node v = model->heap.lost_count ? 0 : first; v < model->heap.count; v++) {
        if (!(model->heap.flags[v] & OURO_OBJECT_PSEUDO) || ouro_heap_model_type(model, v) != model->root_type)
            continue;
        struct ouro_name own = ouro_finder_root_name(model, v);
        if (own.size == size && !memcmp(own.bytes, name, size) &&
            (interpreter == UINT64_MAX || !model->heap.interp || model->heap.interp[v] == interpreter))
            return v;
    }
    return OURO_NODE_NONE;
}

/* What a root of one reference refers to. */
ouro_node ouro_finder_root_target(const struct ouro_heap_model *model, ouro_node root)
{
    if (root >= model->heap.count || model->heap.slot_begin[root + 1] - model->heap.slot_begin[root] != 1)
        return OURO_NODE_NONE;
    return model->heap.slots[model->heap.slot_begin[root]];
}

ouro_node ouro_finder_named_root(const struct ouro_heap_model *model, const char *name)
{
    return ouro_finder_root_target(model, find_root(model, name, strlen(name), UINT64_MAX));
}

enum ouro_status ouro_finder_put_root(struct ouro_finder *finder, const struct ouro_step *step)
{
    const struct ouro_heap_model *model = finder->model;
    const char *name = finder->expression->text + step->name;
    size_t size = step->name_size;
    uint64_t interpreter = UINT64_MAX;
    ouro_node root = find_root(model, name, size, interpreter);
    static const char prefix[] = "interpreter ";
    if (root == OURO_NODE_NONE && size > sizeof prefix && !memcmp(name, prefix, sizeof prefix - 1)) {
        size_t at = sizeof prefix - 1;
        char own[256];
        for (interpreter = 0; at < size && name[at] >= '0' && name[at] <= '9' && interpreter < UINT32_MAX; at++)
            interpreter = interpreter * 10 + (uint64_t)(name[at] - '0');
        if (size - at > 2 && size - at < 200 && name[at] == ':' && name[at + 1] == ' ') {
            int length = snprintf(own, sizeof own, "interpreter%.*s", (int)(size - at), name + at);
            root = find_root(model, own, (size_t)length, interpreter);
            if (root == OURO_NODE_NONE)
                root = find_root(model, name + at + 2, size - at - 2, interpreter);
        }
    }
    if (root == OURO_NODE_NONE) {
        ouro_finder_add_text(finder, step->at, step->end);
        return ouro_finder_fail(finder, step, OURO_GONE, " is no named root of this snapshot");
    }
    finder->values[finder->count++] =
        (struct ouro_finder_value){OURO_FINDER_ROOT, root, OURO_NODE_NONE, step->begin, step->end};
    return OURO_OK;
}

enum ouro_status ouro_finder_put_thread(struct ouro_finder *finder, const struct ouro_step *step)
{
    const struct ouro_heap_model *model = finder->model;
    struct ouro_name name =
        step->has_name ? ouro_finder_literal_name(finder, step->literal) : (struct ouro_name){"", 0};
    size_t count, matches = 0, best = 0;
    struct ouro_nearest nearest;
    if (step->has_name && !ouro_finder_is_text(finder, step->literal))
        return ouro_finder_fail(finder, step, OURO_INVAL, "a thread's name is a text");
    ouro_nearest_begin(&nearest, name.bytes, name.size);
    const struct ouro_thread_record *threads = ouro_snapshot_threads(model->snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        size_t size = 0;
        const char *own = ouro_snapshot_string(model->snapshot, threads[i].name, &size);
        if (step->has_name && own)
            ouro_nearest_offer(&nearest, own, size, OURO_NODE_NONE);
        if ((step->has_number && threads[i].native_id != step->number) ||
            (step->has_name && (!own || size != name.size || memcmp(own, name.bytes, size))))
            continue;
        best = matches++ ? best : i;
    }
    if (matches > 1) {
        ouro_buf_addf(ouro_finder_words(finder), "%zu threads are ", matches);
        ouro_finder_add_text(finder, step->at, step->end);
        return ouro_finder_fail(finder, step, OURO_GONE,
                                "; with its number it is one of them: <Thread ... %" PRIu64 ">",
                                threads[best].native_id);
    }
    if (!matches || threads[best].root >= model->heap.count) {
        ouro_buf_add_text(ouro_finder_words(finder), "no thread of the snapshot is ");
        ouro_finder_add_text(finder, step->at, step->end);
        ouro_nearest_add(ouro_finder_words(finder), &nearest, model);
        return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
    }
    finder->values[finder->count++] =
        (struct ouro_finder_value){OURO_FINDER_ROOT, threads[best].root, OURO_NODE_NONE, step->begin, step->end};
    return OURO_OK;
}

/* A thread's frames: the run of its root with that name. */
static uint64_t find_frames(const struct ouro_heap_model *model, ouro_node root, uint64_t *begin)
{
    struct ouro_part_walk walk;
    ouro_part_walk_begin(&walk, model, root);
    while (ouro_part_walk_next(&walk))
        if (walk.part->kind == OURO_PART_NAMED) {
            *begin = walk.first;
            return walk.item_count;
        }
    return 0;
}

/* Whether a frame is in a function: its qualified name, or the last part of that. */
static bool is_in_function(const struct ouro_heap_model *model, ouro_node frame, const char *name, size_t size)
{
    struct ouro_name text = ouro_finder_root_name(model, frame);
    const char *place = memmem(text.bytes, text.size, " (", 2);
    size_t length = place ? (size_t)(place - text.bytes) : text.size;
    return length >= size && !memcmp(text.bytes + length - size, name, size) &&
           (length == size || text.bytes[length - size - 1] == '.');
}

enum ouro_status ouro_finder_frame_item(struct ouro_finder *finder, const struct ouro_step *step,
                                        struct ouro_finder_value *value)
{
    const struct ouro_heap_model *model = finder->model;
    uint64_t begin = 0, count = find_frames(model, value->node, &begin), index = step->number;
    if (step->kind == OURO_STEP_ITEM ? !ouro_finder_get_index(finder, step, count, &index) : index >= count) {
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_GONE, ": the thread has %" PRIu64 " frame%s", count,
                                count == 1 ? "" : "s");
    }
    ouro_node frame = model->heap.slots[begin + index];
    if (frame >= model->heap.count)
        return ouro_finder_fail_lost(finder, step, value);
    const char *name = finder->expression->text + step->name;
    if (step->kind == OURO_STEP_FRAME && !is_in_function(model, frame, name, step->name_size)) {
        struct ouro_name own = ouro_finder_root_name(model, frame);
        ouro_finder_add_expression(finder, value);
        ouro_buf_addf(ouro_finder_words(finder), "[%" PRIu64 "] is ", index);
        ouro_buf_add(ouro_finder_words(finder), own.bytes, own.size < 200 ? own.size : 200);
        ouro_buf_add_text(ouro_finder_words(finder), ", not ");
        ouro_finder_add_step_text(finder, step);
        return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
    }
    return ouro_finder_put(finder, value, step, frame);
}

static void offer_local(void *context, struct ouro_name name, ouro_node target)
{
    (void)target;
    ouro_finder_offer_name(context, name);
}

enum ouro_status ouro_finder_local_item(struct ouro_finder *finder, const struct ouro_step *step,
                                        struct ouro_finder_value *value)
{
    const struct ouro_expression *expression = finder->expression;
    const struct ouro_step *next = finder->next < expression->count ? &expression->items[finder->next] : NULL;
    static const char contents[] = "cell_contents";
    if (!ouro_finder_is_text(finder, step->literal)) {
        ouro_finder_add_expression(finder, value);
        return ouro_finder_fail(finder, step, OURO_GONE, ": variables have names");
    }
    struct ouro_name name = ouro_finder_literal_name(finder, step->literal);
    bool cell = next && next->kind == OURO_STEP_ATTRIBUTE && next->name_size == sizeof contents - 1 &&
                !memcmp(expression->text + next->name, contents, sizeof contents - 1);
    ouro_node local = ouro_access_local(finder->model, value->node, name, cell);
    if (local != OURO_NODE_NONE)
        return ouro_finder_put(finder, value, step, local);
    struct ouro_nearest nearest;
    ouro_nearest_begin(&nearest, name.bytes, name.size);
    ouro_access_each_local(finder->model, value->node, offer_local, &nearest);
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_text(ouro_finder_words(finder), " has no ");
    ouro_finder_add_step_text(finder, step);
    ouro_nearest_add(ouro_finder_words(finder), &nearest, finder->model);
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}

bool ouro_finder_step_is(const struct ouro_finder *finder, const struct ouro_step *step, const char *name)
{
    return step->name_size == strlen(name) && !memcmp(finder->expression->text + step->name, name, step->name_size);
}

/* sys._current_frames()[ident] */
enum ouro_status ouro_finder_current_frame(struct ouro_finder *finder, const struct ouro_step *step,
                                           struct ouro_finder_value *value)
{
    size_t count;
    int64_t ident;
    uint64_t begin;
    const struct ouro_thread_record *threads = ouro_snapshot_threads(finder->model->snapshot, &count);
    bool good = ouro_constant_index(&finder->expression->literals, step->literal, &ident);
    for (size_t i = 0; good && i < count; i++)
        if (threads[i].ident == (uint64_t)ident && threads[i].root < finder->model->heap.count &&
            find_frames(finder->model, threads[i].root, &begin))
            return ouro_finder_put(finder, value, step, finder->model->heap.slots[begin]);
    ouro_buf_add_text(ouro_finder_words(finder), "no thread of the snapshot that is in Python has the ident ");
    ouro_finder_add_step_text(finder, step);
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}

/* The frame that called one of a thread's. */
static ouro_node caller(const struct ouro_heap_model *model, ouro_node frame)
{
    size_t count;
    const struct ouro_thread_record *threads = ouro_snapshot_threads(model->snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t begin = 0,
                 frames = threads[i].root < model->heap.count ? find_frames(model, threads[i].root, &begin) : 0;
        for (uint64_t k = 0; k + 1 < frames; k++)
            if (model->heap.slots[begin + k] == frame)
                return model->heap.slots[begin + k + 1];
    }
    return OURO_NODE_NONE;
}

bool ouro_finder_is_pseudo(const struct ouro_heap_model *model, ouro_node node)
{
    return model->heap.flags[node] & OURO_OBJECT_PSEUDO;
}

/* Before 3.11 a thread's frame is an object, which holds what is asked for. */
ouro_node ouro_finder_frame_holder(const struct ouro_heap_model *model, ouro_node frame)
{
    if (ouro_heap_model_field(model, frame, "f_code") == OURO_NODE_NONE &&
        ouro_heap_model_field(model, frame, "generator") == OURO_NODE_NONE) {
        ouro_node object = ouro_heap_model_field(model, frame, "frame");
        return object == OURO_NODE_NONE ? frame : object;
    }
    return frame;
}

/* .locals and other steps of a thread's frame, which is no object. */
enum ouro_status ouro_finder_frame_attribute(struct ouro_finder *finder, const struct ouro_step *step,
                                             struct ouro_finder_value *value)
{
    const struct ouro_heap_model *model = finder->model;
    ouro_node frame = value->node, holder = ouro_finder_frame_holder(model, frame), target = OURO_NODE_NONE;
    if (ouro_finder_step_is(finder, step, "locals") || ouro_finder_step_is(finder, step, "f_locals"))
        return ouro_finder_put_locals(finder, value, step, holder);
    if (ouro_finder_step_is(finder, step, "f_back"))
        target = caller(model, frame);
    else if (ouro_finder_step_is(finder, step, "f_globals") || ouro_finder_step_is(finder, step, "f_builtins"))
        target = holder != frame
                     ? ouro_heap_model_field(
                           model, holder, ouro_finder_step_is(finder, step, "f_globals") ? "f_globals" : "f_builtins")
                     : ouro_heap_model_field(model, ouro_heap_model_field(model, frame, "f_func"),
                                             ouro_finder_step_is(finder, step, "f_globals") ? "__globals__"
                                                                                            : "__builtins__");
    else if (ouro_finder_step_is(finder, step, "f_code") || ouro_finder_step_is(finder, step, "f_func") ||
             ouro_finder_step_is(finder, step, "generator") || ouro_finder_step_is(finder, step, "frame")) {
        char label[16];
        snprintf(label, sizeof label, "%.*s", (int)step->name_size, finder->expression->text + step->name);
        target = ouro_heap_model_field(model, !strcmp(label, "frame") ? frame : holder, label);
    }
    if (target != OURO_NODE_NONE)
        return ouro_finder_put(finder, value, step, target);
    ouro_finder_add_expression(finder, value);
    ouro_buf_add_text(ouro_finder_words(finder), " is a frame; it has no ");
    ouro_finder_add_step_text(finder, step);
    return ouro_finder_fail(finder, step, OURO_GONE,
                            " (.locals['name'], .f_code, .f_globals, .f_back and <stack[0]> are possible)");
}

/* A label of a root that the text goes on with, such as "[0].func"; moves behind it. */
bool ouro_finder_follow_root_label(struct ouro_finder *finder, const struct ouro_step *step,
                                   struct ouro_finder_value *value)
{
    const struct ouro_expression *expression = finder->expression;
    const struct ouro_heap_model *model = finder->model;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    struct ouro_buf text = {0};
    ouro_slot_walk_begin(&walk, model, value->node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        text.size = 0;
        ouro_label_add(&text, model, &slot);
        size_t at = step->at + (expression->text[step->at] == '.' && text.size && text.data[0] != '.');
        if (slot.target >= model->heap.count || !text.size || text.size > expression->size - at ||
            memcmp(expression->text + at, text.data, text.size))
            continue;
        size_t last = finder->next - 1;
        while (last < expression->count && expression->items[last].end < at + text.size)
            last++;
        if (last == expression->count || expression->items[last].end != at + text.size)
            continue;
        finder->next = last + 1;
        *value =
            (struct ouro_finder_value){OURO_FINDER_OBJECT, slot.target, OURO_NODE_NONE, step->begin, at + text.size};
        finder->no_memory |= text.failed;
        ouro_buf_fini(&text);
        return true;
    }
    finder->no_memory |= text.failed;
    ouro_buf_fini(&text);
    return false;
}

/* --- First names */

ouro_node ouro_finder_module(const struct ouro_finder *finder, ouro_node modules, struct ouro_name name)
{
    const struct ouro_heap_model *model = finder->model;
    ouro_node found = ouro_access_in_dict(model, modules, name);
    struct ouro_part_walk walk;
    if (found != OURO_NODE_NONE || modules >= model->heap.count)
        return found;
    ouro_part_walk_begin(&walk, model, modules);
    while (ouro_part_walk_next(&walk))
        for (uint64_t i = 0; walk.width == 2 && i < walk.item_count; i++) {
            ouro_node module = model->heap.slots[walk.first + 2 * i], key = model->heap.slots[walk.first + 2 * i + 1];
            if (module >= model->heap.count || key >= model->heap.count || ouro_value_has(model, key) ||
                !ouro_access_is_kind(model, module, "builtins", "module"))
                continue;
            struct ouro_name own = ouro_finder_root_name(model, module);
            if (own.size == name.size && !memcmp(own.bytes, name.bytes, own.size))
                return module;
        }
    return OURO_NODE_NONE;
}

enum ouro_status ouro_finder_put_first(struct ouro_finder *finder, const struct ouro_step *step, ouro_node node,
                                       size_t end)
{
    struct ouro_finder_value *value = &finder->values[finder->count++];
    *value = (struct ouro_finder_value){OURO_FINDER_OBJECT, node, OURO_NODE_NONE, step->begin, end};
    return node < finder->model->heap.count ? OURO_OK : ouro_finder_fail_lost(finder, step, value);
}

/* sys.modules, gc.garbage, gc.callbacks: what the interpreter itself goes by. */
static bool put_own_root(struct ouro_finder *finder, const struct ouro_step *step)
{
    static const char *const names[] = {"sys.modules", "gc.garbage", "gc.callbacks"};
    const struct ouro_expression *expression = finder->expression;
    if (finder->next >= expression->count || expression->items[finder->next].kind != OURO_STEP_ATTRIBUTE)
        return false;
    const struct ouro_step *second = &expression->items[finder->next];
    for (size_t i = 0; i < 3; i++) {
        size_t first = strcspn(names[i], ".");
        if (step->name_size != first || memcmp(expression->text + step->name, names[i], first) ||
            !ouro_finder_step_is(finder, second, names[i] + first + 1))
            continue;
        ouro_node target = ouro_finder_named_root(finder->model, names[i]);
        if (target >= finder->model->heap.count)
            return false;
        finder->next++;
        ouro_finder_put_first(finder, step, target, second->end);
        return true;
    }
    return false;
}

/* app.cache.X: the longest of app, app.cache, app.cache.X that is a module. */
static bool put_module(struct ouro_finder *finder, const struct ouro_step *step, ouro_node modules)
{
    const struct ouro_expression *expression = finder->expression;
    size_t ends[PARTS_MAX], count = 0;
    struct ouro_buf name = {0};
    ouro_node module = OURO_NODE_NONE;
    for (size_t i = finder->next - 1; i < expression->count && count < PARTS_MAX; i++) {
        const struct ouro_step *part = &expression->items[i];
        if (count && part->kind != OURO_STEP_ATTRIBUTE)
            break;
        if (count)
            ouro_buf_add_byte(&name, '.');
        ouro_buf_add(&name, expression->text + part->name, part->name_size);
        ends[count++] = name.size;
    }
    while (count && !name.failed) {
        module = ouro_finder_module(finder, modules, (struct ouro_name){(const char *)name.data, ends[count - 1]});
        if (module < finder->model->heap.count)
            break;
        count--;
    }
    finder->no_memory |= name.failed;
    ouro_buf_fini(&name);
    if (!count)
        return false;
    finder->next += count - 1;
    ouro_finder_put_first(finder, step, module, expression->items[finder->next - 1].end);
    return true;
}

enum ouro_status ouro_finder_name_step(struct ouro_finder *finder, const struct ouro_step *step)
{
    const struct ouro_heap_model *model = finder->model;
    struct ouro_name name = {finder->expression->text + step->name, step->name_size};
    ouro_node modules = ouro_finder_named_root(model, "sys.modules");
    if (put_own_root(finder, step))
        return OURO_OK;
    if (modules >= model->heap.count)
        return ouro_finder_fail(finder, step, OURO_BADDATA,
                                "sys.modules is not in the snapshot: only addresses and roots can be followed");
    if (put_module(finder, step, modules))
        return OURO_OK;
    ouro_node main = ouro_finder_module(finder, modules, (struct ouro_name){"__main__", 8});
    ouro_node found = main < model->heap.count ? ouro_access_of_instance(model, main, name) : OURO_NODE_NONE;
    if (found == OURO_NODE_NONE)
        found = ouro_access_in_dict(model, ouro_finder_named_root(model, "builtins.__dict__"), name);
    if (found != OURO_NODE_NONE)
        return ouro_finder_put_first(finder, step, found, step->end);
    struct ouro_buf wanted = {0};
    ouro_buf_add(&wanted, name.bytes, name.size);
    ouro_buf_add_text(ouro_finder_words(finder), "sys.modules has no ");
    ouro_finder_add_name(finder, name);
    size_t before = ouro_finder_words(finder)->size;
    ouro_finder_add_near_keys(finder, modules, &wanted);
    finder->no_memory |= wanted.failed;
    ouro_buf_fini(&wanted);
    if (main < model->heap.count && ouro_finder_words(finder)->size == before) {
        struct ouro_nearest nearest;
        ouro_nearest_begin(&nearest, name.bytes, name.size);
        ouro_node dict;
        if (ouro_access_has_namespace(model, main, &dict))
            ouro_access_each_name(model, main, OURO_FINDER_NAMES_MAX, ouro_finder_offer_name, &nearest);
        if (nearest.count) {
            ouro_buf_add_text(ouro_finder_words(finder), ", nor has __main__");
            ouro_nearest_add(ouro_finder_words(finder), &nearest, model);
        }
    }
    return ouro_finder_fail(finder, step, OURO_GONE, "%s", "");
}
