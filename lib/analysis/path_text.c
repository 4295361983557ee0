/* Paths as text. */
#include <stdlib.h>
#include <string.h>

#include "analysis/lookup.h"
#include "analysis/path.h"
#include "analysis/value.h"
#include "base/guard.h"

void ouro_path_text_fini(struct ouro_path_text *text)
{
    ouro_buf_fini(&text->expression);
    ouro_buf_fini(&text->python);
    ouro_buf_fini(&text->root);
    ouro_buf_fini(&text->notations);
    free(text->items);
    memset(text, 0, sizeof *text);
}

/* Two texts at once: as the expression shows it, and as Python takes it. */
struct writing {
    struct ouro_path_text *text;
    const struct ouro_path_search *search;
    const struct ouro_path *path;
    struct ouro_notation_text shown, python;
    struct ouro_notation_step step;
};

static bool add_piece(struct writing *writing, const struct ouro_notation_step *step)
{
    struct ouro_path_text *text = writing->text;
    struct ouro_path_piece *piece = OURO_VEC_ADD(text);
    if (!piece)
        return false;
    if (step) {
        if (step->before.size) {
            ouro_buf_add(&text->notations, step->before.data, step->before.size);
            ouro_buf_add_byte(&text->notations, 'X');
        }
        if (step->after.size)
            ouro_buf_add(&text->notations, step->after.data, step->after.size);
    }
    piece->end = text->notations.size;
    piece->exact = !step || step->exact;
    return true;
}

static void add_type(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    const char *name = ouro_heap_model_type_name(model, ouro_heap_model_type(model, node), &size);
    ouro_buf_add(out, name, size);
}

/* `.frames[2:handle_request]` */
static void add_frame(struct ouro_buf *out, const struct ouro_heap_model *model, const struct ouro_slot *slot)
{
    ouro_node frame = slot->target, object = ouro_heap_model_field(model, frame, "frame");
    ouro_node code = ouro_heap_model_field(model, frame, "f_code");
    if (code == OURO_NODE_NONE && object != OURO_NODE_NONE)
        code = ouro_heap_model_field(model, object, "f_code");
    ouro_node name = code == OURO_NODE_NONE ? code : ouro_heap_model_field(model, code, "co_name");
    size_t size;
    ouro_buf_addf(out, ".frames[%llu", (unsigned long long)slot->item);
    if (name != OURO_NODE_NONE && ouro_value_has(model, name)) {
        const unsigned char *bytes = ouro_value_raw(model, name, &size);
        if (size && !memchr(bytes, ']', size) && !memchr(bytes, '\n', size)) {
            ouro_buf_add_byte(out, ':');
            ouro_buf_add(out, bytes, size);
        }
    }
    ouro_buf_add_byte(out, ']');
}

static uint64_t ident_of(const struct ouro_heap_model *model, ouro_node root)
{
    size_t count;
    const struct ouro_thread_record *threads = ouro_snapshot_threads(model->snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (threads[i].root == root && !(model->heap.interp && model->heap.interp[root]))
            return threads[i].ident;
    return 0;
}

/* The root's name into text->root, how both texts begin, and how many steps that says. */
static size_t begin(struct writing *writing)
{
    const struct ouro_heap_model *model = writing->search->model;
    const struct ouro_path *path = writing->path;
    struct ouro_buf *root = &writing->text->root;
    uint32_t interpreter = model->heap.interp ? model->heap.interp[path->first] : 0;
    bool exact = false;
    size_t taken = 0, size;
    const char *name = (const char *)ouro_value_raw(model, path->first, &size);
    switch (path->root) {
    case OURO_PATH_NONE:
        ouro_buf_add_text(root, "<nothing>");
        break;
    case OURO_PATH_NATIVE:
    case OURO_PATH_GARBAGE:
        ouro_buf_add_text(root, path->root == OURO_PATH_NATIVE ? "<C reference>" : "<garbage>");
        break;
    case OURO_PATH_FRAME:
        if (!ouro_notation_add_thread(&writing->search->notation, path->first, root)) {
            ouro_buf_add_text(root, size && name[0] == '<' ? "" : "<");
            ouro_buf_add(root, name, size);
            ouro_buf_add_text(root, size && name[0] == '<' ? "" : ">");
        }
        break;
    case OURO_PATH_MODULE:
    case OURO_PATH_INTERNAL:
        taken = path->count > 0;
        exact = !interpreter && path->count;
        if (exact && path->root == OURO_PATH_MODULE)
            ouro_buf_add_text(root, "sys.modules");
        else if (exact && size == strlen("sys.__dict__") && !memcmp(name, "sys.__dict__", size))
            ouro_buf_add_text(root, "vars(sys)");
        else if (exact && size == strlen("builtins.__dict__") && !memcmp(name, "builtins.__dict__", size))
            ouro_buf_add_text(root, "vars(builtins)");
        else if (exact && size > 3 && !memcmp(name, "gc.", 3))
            ouro_buf_add(root, name, size);
        else {
            static const char prefix[] = "interpreter: ";
            size_t skip = size >= sizeof prefix && !memcmp(name, prefix, sizeof prefix - 1) ? sizeof prefix - 1 : 0;
            ouro_buf_addf(root, "<interpreter %lu: ", (unsigned long)interpreter);
            ouro_buf_add(root, name + skip, size - skip);
            ouro_buf_add_byte(root, '>');
            exact = false;
            size_t label_size;
            const char *label =
                path->count ? ouro_snapshot_string(model->snapshot, path->steps[0].part->name, &label_size) : NULL;
            taken = label && label_size == size && !memcmp(label, name, size);
        }
        break;
    }
    ouro_notation_text_begin(&writing->shown, (const char *)root->data, root->size, exact);
    ouro_notation_text_begin(&writing->python, (const char *)root->data, root->size, exact);
    if (path->root == OURO_PATH_NATIVE || path->root == OURO_PATH_GARBAGE) {
        ouro_buf_add_text(&writing->shown.back, " -> ");
        add_type(&writing->shown.back, model, path->first);
    }
    return taken;
}

/* The step from a thread to one of its frames: false when it is something else of the thread's. */
static bool frame_step(struct writing *writing)
{
    const struct ouro_heap_model *model = writing->search->model;
    const struct ouro_slot *slot = &writing->path->steps[0];
    struct ouro_notation_step *step = &writing->step;
    uint64_t ident = ident_of(model, writing->path->first);
    if (slot->part->kind != OURO_PART_NAMED || !(model->heap.flags[slot->target] & OURO_OBJECT_PSEUDO))
        return false;
    step->before.size = step->after.size = 0;
    step->exact = true;
    step->words = false;
    step->taken = 1;
    add_frame(&step->after, model, slot);
    writing->shown.exact = true;
    ouro_notation_text_step(&writing->shown, step);
    OURO_GUARD(ouro_buf_fini) struct ouro_buf python = {0};
    ouro_buf_addf(&python, "sys._current_frames()[%llu]", (unsigned long long)ident);
    for (uint64_t i = 0; i < slot->item; i++)
        ouro_buf_add_text(&python, ".f_back");
    ouro_notation_text_begin(&writing->python, (const char *)python.data, python.size, ident != 0);
    writing->python.back.failed |= python.failed;
    return true;
}

static void add_python(struct writing *writing, bool in_thread)
{
    static const char locals[] = ".locals";
    struct ouro_notation_step *step = &writing->step;
    struct ouro_notation_step as_python = *step;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf after = {0};
    if (in_thread && step->after.size >= sizeof locals - 1 && !memcmp(step->after.data, locals, sizeof locals - 1)) {
        ouro_buf_add_text(&after, ".f_locals");
        ouro_buf_add(&after, step->after.data + sizeof locals - 1, step->after.size - (sizeof locals - 1));
        as_python.after = after;
    }
    ouro_notation_text_step(&writing->python, &as_python);
}

static enum ouro_status write_steps(struct writing *writing)
{
    const struct ouro_path *path = writing->path;
    size_t at = begin(writing);
    bool in_thread = false, words = false;
    writing->text->root_steps = at;
    for (size_t i = 0; i < at; i++)
        if (!add_piece(writing, NULL))
            return OURO_NOMEM;
    if (path->root == OURO_PATH_FRAME && path->count && frame_step(writing)) {
        in_thread = true;
        at = 1;
        if (!add_piece(writing, &writing->step))
            return OURO_NOMEM;
    }
    while (at < path->count) {
        struct ouro_notation_step *step = &writing->step;
        ouro_notation_next(&writing->search->notation, &path->steps[at], path->count - at, in_thread, step);
        if (step->words && path->root == OURO_PATH_FRAME && at == 0)
            writing->shown.exact = false;
        ouro_notation_text_step(&writing->shown, step);
        add_python(writing, in_thread);
        for (size_t i = 0; i + 1 < step->taken; i++)
            if (!add_piece(writing, NULL))
                return OURO_NOMEM;
        if (!add_piece(writing, step))
            return OURO_NOMEM;
        at += step->taken;
        in_thread &= step->exact && !step->after.size && !step->before.size;
        words = step->words;
    }
    if (words) {
        ouro_buf_add_text(&writing->shown.back, " -> ");
        add_type(&writing->shown.back, writing->search->model, path->last);
    }
    return OURO_OK;
}

enum ouro_status ouro_path_text_init(struct ouro_path_text *text, const struct ouro_path_search *search,
                                     const struct ouro_path *path, struct ouro_err *err)
{
    struct writing writing = {.text = text, .search = search, .path = path};
    memset(text, 0, sizeof *text);
    enum ouro_status status = write_steps(&writing);
    if (status == OURO_OK) {
        ouro_notation_text_add(&writing.shown, &text->expression);
        text->exact = writing.shown.exact;
        if (writing.python.exact && ouro_notation_text_compiles(&writing.python))
            ouro_notation_text_add(&writing.python, &text->python);
        text->pasteable =
            writing.shown.exact && path->root != OURO_PATH_FRAME && ouro_notation_text_compiles(&writing.shown);
    }
    if (text->expression.failed || text->python.failed || text->root.failed || text->notations.failed ||
        writing.python.front.failed || writing.python.back.failed)
        status = OURO_NOMEM;
    ouro_notation_text_fini(&writing.shown);
    ouro_notation_text_fini(&writing.python);
    ouro_notation_step_fini(&writing.step);
    if (status != OURO_OK) {
        ouro_path_text_fini(text);
        return ouro_err_set(err, status, "out of memory for a path of %zu references", path->count);
    }
    return OURO_OK;
}
