#include "capture/walk_roots.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpython/value.h"

struct rooting {
    struct ouro_walk *walk;
    struct ouro_walk_worker *worker; /* NULL: of a limited walk */
    uint64_t interpreter;
    size_t thread; /* the number of the present thread's pseudo object, and 1; 0: none */
    bool skipped; /* the root whose fields come now is left out */
};

static struct ouro_pseudo *add_pseudo(struct rooting *rooting, int kind, const char *name)
{
    struct ouro_walk *walk = rooting->walk;
    struct ouro_pseudo *pseudo = OURO_VEC_ADD(&walk->pseudo);
    if (!pseudo) {
        walk->out_of_memory = true;
        return NULL;
    }
    pseudo->kind = kind;
    pseudo->interpreter = rooting->interpreter;
    pseudo->name = strdup(name);
    pseudo->first_field = walk->fields.count;
    pseudo->first_frame = walk->pseudo.count;
    if (!pseudo->name)
        walk->out_of_memory = true;
    return pseudo;
}

static void on_root(void *context, const char *name)
{
    struct rooting *rooting = context;
    rooting->skipped = rooting->walk->limited;
    if (rooting->skipped)
        return;
    add_pseudo(context, OURO_PSEUDO_ROOT, name);
}

static void on_field(void *context, const char *label, ouro_addr target)
{
    struct rooting *rooting = context;
    struct ouro_walk *walk = rooting->walk;
    if (rooting->skipped)
        return;
    struct ouro_walk_field *field = walk->pseudo.count ? OURO_VEC_ADD(&walk->fields) : NULL;
    if (!field || !(field->label = strdup(label))) {
        walk->out_of_memory = true;
        return;
    }
    field->target = target;
    walk->pseudo.items[walk->pseudo.count - 1].field_count++;
    if (target && !walk->limited)
        ouro_walk_worker_mark(rooting->worker, target);
}

static void on_thread(void *context, const struct ouro_interpreter *interpreter, const struct ouro_thread *thread)
{
    struct rooting *rooting = context;
    char name[400];
    (void)interpreter;
    rooting->skipped = false;
    bool named = thread->name[0] && !rooting->walk->names_only; /* somebody's text, not a name of the program's */
    if (named)
        snprintf(name, sizeof name, "<Thread '%s' %llu>", thread->name, (unsigned long long)thread->native_id);
    else
        snprintf(name, sizeof name, "<Thread %llu>", (unsigned long long)thread->native_id);
    struct ouro_pseudo *pseudo = add_pseudo(rooting, OURO_PSEUDO_THREAD, name);
    if (!pseudo)
        return;
    rooting->thread = rooting->walk->pseudo.count;
    pseudo->thread = *thread;
    if (!named)
        pseudo->thread.name[0] = 0;
}

static void on_torn(void *context)
{
    struct rooting *rooting = context;
    if (rooting->thread)
        rooting->walk->pseudo.items[rooting->thread - 1].torn = true;
}

static void on_frame(void *context, ouro_addr frame, ouro_addr code, struct ouro_execution execution, ouro_addr generator,
                     bool running)
{
    struct rooting *rooting = context;
    struct ouro_walk *walk = rooting->walk;
    struct ouro_buf name = {0};
    size_t thread = rooting->thread;
    ouro_value_write_code(walk->python, code, 0, walk->names_only, execution.line, &name);
    struct ouro_pseudo *pseudo = add_pseudo(rooting, OURO_PSEUDO_FRAME, ouro_buf_text(&name));
    ouro_buf_fini(&name);
    if (!pseudo || !thread)
        return;
    pseudo->frame = frame;
    pseudo->generator = generator;
    pseudo->running = running;
    pseudo->execution = execution;
    walk->pseudo.items[thread - 1].frame_count++;
    if (walk->limited)
        return;
    struct ouro_visitor *visitor = &rooting->worker->visitor;
    if (!generator) {
        ouro_visit_frame(visitor, frame, true);
    } else {
        ouro_walk_worker_mark(rooting->worker, generator);
        ouro_visit_frame_rest(visitor, frame, running);
    }
    ouro_visit_end(visitor);
}

void ouro_walk_add_roots(struct ouro_walk *walk, struct ouro_walk_worker *worker,
                         const struct ouro_interpreter *interpreter)
{
    struct rooting rooting = {.walk = walk, .worker = worker, .interpreter = interpreter->id};
    const struct ouro_state_sink sink = {
        .context = &rooting, .root = on_root, .field = on_field, .thread = on_thread, .frame = on_frame, .torn = on_torn};
    ouro_state_each(walk->python, interpreter, &sink);
}

void ouro_walk_add_static_types(struct ouro_walk *walk)
{
    struct rooting rooting = {.walk = walk, .interpreter = walk->python->interpreters[0].id};
    add_pseudo(&rooting, OURO_PSEUDO_STATIC_TYPES, "static types");
}
