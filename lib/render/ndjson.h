/* `ouro export --format ndjson`: the interface that other programs build on. One JSON object a line: a header, then
 * every object by address, then the virtual roots (native ones and "garbage") behind the file's pseudo objects. */
#ifndef OURO_RENDER_NDJSON_H
#define OURO_RENDER_NDJSON_H

#include <signal.h>

#include "analysis/retained.h"
#include "render/out.h"

/* The columns it needs, so that a caller can load all in one go (it loads what is missing itself). */
#define OURO_NDJSON_COLUMNS (OURO_HEAP_ALL & ~OURO_HEAP_GC_ORDER)

/* retained: NULL, or of these roots: adds `idom` and `retained`. cancel: NULL, or set by a signal to give up
 * (OURO_CANCELLED). Errors of writing stay with `out`; they end it early. */
enum ouro_status ouro_ndjson_write(struct ouro_out *out, struct ouro_heap_model *model, const struct ouro_roots *roots,
                                   const struct ouro_retained *retained, const volatile sig_atomic_t *cancel,
                                   struct ouro_err *err);

#endif
