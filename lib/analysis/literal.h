/* Keys as Python literals: text that evaluates to an equal key without a name, a call or a loss.
 *
 * Str, bytes, int, float, complex, bool, None, and tuples of those; of their exact types, with their whole value in the file,
 * and of a bearable length. inf and nan have no literal. */
#ifndef OURO_ANALYSIS_LITERAL_H
#define OURO_ANALYSIS_LITERAL_H

#include "analysis/heap_model.h"
#include "base/buf.h"

/* Longer texts are not written as keys: by index is shorter and finds them as well. */
#define OURO_LITERAL_BYTES_MAX 256

/* False, and nothing written, when there is none. Needs VALUES and SLOTS. */
bool ouro_literal_add(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key);

#endif
