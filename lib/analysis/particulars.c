#include "analysis/particulars.h"

#include <string.h>

#include "analysis/access.h"

static void count_instances(struct ouro_particulars *particulars, const struct ouro_heap_model *model, ouro_node node)
{
    uint32_t type = 0;
    while (type < model->type_count && model->types[type].node != node)
        type++;
    for (ouro_node v = 0; type < model->type_count && v < model->heap.count; v++)
        if (ouro_heap_model_type(model, v) == type) {
            particulars->instance_count++;
            particulars->instance_bytes += ouro_heap_model_bytes(model, v);
        }
}

/* A traceback stands at a line of its frame's code. */
static bool find_place(struct ouro_particulars *particulars, const struct ouro_heap_model *model, ouro_node node)
{
    static const char *const kinds[] = {"generator", "coroutine", "async_generator", "frame"};
    bool traceback = ouro_access_is_kind(model, node, "builtins", "traceback");
    bool known = traceback || (model->heap.flags[node] & OURO_OBJECT_PSEUDO &&
                               ouro_heap_model_type(model, node) != model->root_type);
    for (size_t i = 0; !known && i < sizeof kinds / sizeof *kinds; i++)
        known = ouro_access_is_kind(model, node, "builtins", kinds[i]);
    if (!known)
        return false;
    ouro_node frame = traceback ? ouro_heap_model_field(model, node, "tb_frame") : node;
    bool found = ouro_stack_frame_read(&particulars->place, model, frame);
    const struct ouro_line_record *line = ouro_snapshot_line(model->snapshot, node);
    if (traceback) {
        particulars->place.line = line ? line->line : 0;
        particulars->place.state = OURO_RUN_UNKNOWN;
    }
    return found;
}

static void find_lock(struct ouro_particulars *particulars, const struct ouro_heap_model *model, ouro_node node)
{
    size_t count;
    particulars->is_lock =
        ouro_access_is_kind(model, node, "_thread", "lock") || ouro_access_is_kind(model, node, "_thread", "RLock");
    if (!particulars->is_lock)
        return;
    /* A file without the section and one without a locked lock look the same; each that knows lines knows locks. */
    ouro_snapshot_locks(model->snapshot, &count);
    particulars->has_locks = count > 0;
    ouro_snapshot_lines(model->snapshot, &count);
    particulars->has_locks |= count > 0;
    const struct ouro_lock_record *lock = ouro_snapshot_lock(model->snapshot, node);
    if (!lock)
        return;
    particulars->is_locked = true;
    particulars->owner_ident = lock->owner;
    particulars->lock_count = lock->count;
    const struct ouro_thread_record *threads = ouro_snapshot_threads(model->snapshot, &count);
    for (size_t i = 0; lock->owner && i < count && !particulars->owner; i++)
        if (threads[i].ident == lock->owner)
            particulars->owner = &threads[i];
}

void ouro_particulars_find(struct ouro_particulars *particulars, const struct ouro_heap_model *model, ouro_node node)
{
    memset(particulars, 0, sizeof *particulars);
    particulars->file = OURO_NODE_NONE;
    if (node >= model->heap.count)
        return;
    particulars->is_class = ouro_access_is_class(model, node);
    if (particulars->is_class)
        count_instances(particulars, model, node);
    if (ouro_access_is_kind(model, node, "builtins", "module"))
        particulars->file = ouro_access_of_instance(model, node, (struct ouro_name){"__file__", 8});
    particulars->has_place = find_place(particulars, model, node);
    find_lock(particulars, model, node);
}

const char *ouro_particulars_state_name(unsigned state)
{
    static const char *const names[] = {[OURO_RUN_CREATED] = "created",
                                        [OURO_RUN_SUSPENDED] = "suspended",
                                        [OURO_RUN_AWAITING] = "awaiting",
                                        [OURO_RUN_EXECUTING] = "executing",
                                        [OURO_RUN_FINISHED] = "finished"};
    return state < sizeof names / sizeof *names && names[state] ? names[state] : "";
}
