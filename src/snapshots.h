/* What all reading commands share: opening, and the chain of computations on top of each other. */
#ifndef OURO_SRC_SNAPSHOTS_H
#define OURO_SRC_SNAPSHOTS_H

#include "analysis/retained.h"

/* Opens and complains; 0 or the exit status. */
int ouro_snapshots_open(struct ouro_heap_model *model, const char *path, bool salvage);

#define OURO_SNAPSHOT_OPTIONS(salvage, json)                                                                           \
    {0, "salvage", OURO_OPTION_FLAG, salvage, NULL, NULL, "read what is left of a damaged file", NULL},                \
    {                                                                                                                  \
        0, "json", OURO_OPTION_FLAG, json, NULL, NULL, "JSON instead of text", NULL                                    \
    }

/* The collector, on it the roots, on them retained sizes: as far as is asked for. Zero-initialised is empty. */
struct ouro_depth {
    struct ouro_collector collector;
    struct ouro_roots roots;
    struct ouro_retained retained;
    bool has_collector, has_roots, has_retained;
};

enum ouro_depth_level {
    OURO_DEPTH_NONE,
    OURO_DEPTH_COLLECTOR,
    OURO_DEPTH_ROOTS,
    OURO_DEPTH_RETAINED,
};

/* columns: loaded together with what the level needs. 0 or the exit status, after having complained about `path`. */
int ouro_depth_init(struct ouro_depth *depth, struct ouro_heap_model *model, enum ouro_depth_level level,
                    unsigned columns, const char *path);
void ouro_depth_fini(struct ouro_depth *depth);

static inline const struct ouro_collector *ouro_depth_collector(const struct ouro_depth *depth)
{
    return depth->has_collector ? &depth->collector : NULL;
}

static inline const struct ouro_roots *ouro_depth_roots(const struct ouro_depth *depth)
{
    return depth->has_roots ? &depth->roots : NULL;
}

static inline const struct ouro_retained *ouro_depth_retained(const struct ouro_depth *depth)
{
    return depth->has_retained ? &depth->retained : NULL;
}

#endif
