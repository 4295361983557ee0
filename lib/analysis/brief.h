/* Any object in one short line, as a debugger would show it.
 *
 * Scalars as repr writes them; the usual containers opened to a bounded depth and count, each object at most once on the
 * way down: [1, 2, 3, ...], {'user:1': <app.Session 0x7f..>, ...}; other objects by type and address
 * (also containers of which only themselves were captured, then with their size where that column is loaded); functions, classes
 * and modules by name, bound methods by function and object, a lock with the word "locked" where the file says so. The
 * result is UTF-8 and not yet escaped for any medium. */
#ifndef OURO_ANALYSIS_BRIEF_H
#define OURO_ANALYSIS_BRIEF_H

#include "analysis/heap_model.h"
#include "base/buf.h"

/* The columns that it needs. */
#define OURO_BRIEF_COLUMNS (OURO_HEAP_ADDR | OURO_HEAP_SHAPE | OURO_HEAP_FLAGS | OURO_HEAP_SLOTS | OURO_HEAP_VALUES)

struct ouro_brief_limits {
    unsigned depth;    /* containers inside of each other; at most OURO_BRIEF_DEPTH_MAX */
    size_t items;      /* of one container */
    size_t text_bytes; /* of one str or bytes */
    size_t bytes;      /* of the whole, before what is left is only hinted at with "..." */
};
#define OURO_BRIEF_DEPTH_MAX 8
#define OURO_BRIEF_SHORT ((struct ouro_brief_limits){2, 4, 60, 160})
#define OURO_BRIEF_LONG  ((struct ouro_brief_limits){4, 20, 400, 2000})

/* Of OURO_NODE_NONE "<NULL>". limits NULL: OURO_BRIEF_SHORT. */
void ouro_brief_add(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node,
                    const struct ouro_brief_limits *limits);
/* "<app.Service 0x7f..>", whatever it is; `word` ("locked ", may be "") comes first. */
void ouro_brief_add_plain(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node, const char *word);

#endif
