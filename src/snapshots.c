#include "snapshots.h"

#include <string.h>

#include "command.h"

/* Behind every answer stands the question whether its parts are of one moment. */
static void note_consistency(const struct ouro_heap_model *model, const char *path)
{
    size_t size;
    const char *consistent = ouro_snapshot_meta(model->snapshot, OURO_META_CONSISTENT, &size);
    if (!consistent || (size == 1 && *consistent == '1'))
        return;
    const char *why = ouro_snapshot_meta(model->snapshot, OURO_META_INCONSISTENT, &size);
    ouro_command_note("%s is not of one moment, what changed while it was captured may be torn or missing%s%.*s", path,
                      why ? ": " : "", why ? (int)(size < 1024 ? size : 1024) : 0, why ? why : "");
}

int ouro_snapshots_open(struct ouro_heap_model *model, const char *path, bool salvage)
{
    struct ouro_err err = {0};
    enum ouro_status status = ouro_heap_model_open(model, path, salvage ? OURO_OPEN_SALVAGE : 0, &err);
    if (status == OURO_OK) {
        if (ouro_snapshot_damaged(model->snapshot))
            ouro_command_note("%s is damaged: what follows is about what is left of it", path);
        note_consistency(model, path);
        return OURO_EXIT_DONE;
    }
    return ouro_command_fail_snapshot(status, path, &err);
}

/* From so many objects on, what dominators don't need waits in the file: reading it again takes less than a tenth of
 * the whole, and fifty million objects are within 5 GB. */
#define LARGE_HEAP (UINT32_C(1) << 24)

static bool is_large(const struct ouro_heap_model *model)
{
    return model->heap.count >= LARGE_HEAP && !ouro_snapshot_damaged(model->snapshot);
}

static enum ouro_status init_retained(struct ouro_depth *depth, struct ouro_heap_model *model, struct ouro_err *err)
{
    unsigned waiting = is_large(model) ? model->columns & (OURO_HEAP_ADDR | OURO_HEAP_REFCOUNT | OURO_HEAP_SLOTS) : 0;
    struct ouro_csr graph;
    ouro_heap_model_drop(model, waiting & ~(unsigned)OURO_HEAP_SLOTS);
    OURO_TRY(ouro_roots_graph(&depth->roots, &graph, err));
    ouro_heap_model_drop(model, waiting);
    OURO_TRY(ouro_retained_init_taking(&depth->retained, &depth->roots, &graph, err));
    depth->has_retained = true;
    return ouro_heap_model_load(model, waiting, err);
}

int ouro_depth_init(struct ouro_depth *depth, struct ouro_heap_model *model, enum ouro_depth_level level,
                    unsigned columns, const char *path)
{
    struct ouro_err err = {0};
    memset(depth, 0, sizeof *depth);
    if (level >= OURO_DEPTH_COLLECTOR)
        columns |= OURO_COLLECTOR_COLUMNS;
    if (level >= OURO_DEPTH_ROOTS)
        columns |= OURO_HEAP_ADDR;
    unsigned late = level >= OURO_DEPTH_RETAINED && is_large(model) ? OURO_HEAP_VALUES | OURO_HEAP_GC_ORDER : 0;
    enum ouro_status status = ouro_heap_model_load(model, columns & ~late, &err);
    if (status == OURO_OK && level >= OURO_DEPTH_COLLECTOR) {
        status = ouro_collector_init(&depth->collector, model, &err);
        depth->has_collector = status == OURO_OK;
    }
    if (status == OURO_OK && level >= OURO_DEPTH_ROOTS) {
        status = ouro_roots_init(&depth->roots, model, &depth->collector, &err);
        depth->has_roots = status == OURO_OK;
    }
    if (status == OURO_OK && level >= OURO_DEPTH_RETAINED)
        status = init_retained(depth, model, &err);
    if (status == OURO_OK)
        status = ouro_heap_model_load(model, columns & late, &err);
    if (status == OURO_OK)
        return OURO_EXIT_DONE;
    ouro_depth_fini(depth);
    return ouro_command_fail_snapshot(status, path, &err);
}

void ouro_depth_fini(struct ouro_depth *depth)
{
    if (depth->has_retained)
        ouro_retained_fini(&depth->retained);
    if (depth->has_roots)
        ouro_roots_fini(&depth->roots);
    if (depth->has_collector)
        ouro_collector_fini(&depth->collector);
    memset(depth, 0, sizeof *depth);
}
