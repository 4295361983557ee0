/* Finds by name what Python code would: fields, entries of dicts, methods of types. Needs SLOTS, SHAPE and VALUES. */
#ifndef OURO_ANALYSIS_LOOKUP_H
#define OURO_ANALYSIS_LOOKUP_H

#include "analysis/heap_model.h"
#include "base/buf.h"
#include "base/map.h"

/* Whether the part is a field of this label. */
bool ouro_lookup_is_labelled(const struct ouro_heap_model *model, const struct ouro_part *part, const char *label);
/* Whether a field ".name" of the object that is no slot is one that C code lays out; else it may be the
 * value of an attribute that lies in the object. O(its parts and its class's shared keys). */
bool ouro_lookup_is_native(const struct ouro_heap_model *model, ouro_node node, const struct ouro_part *part,
                           const char *name, size_t size);
/* The value behind a str key of a dict, or OURO_NODE_NONE. O(entries). */
ouro_node ouro_lookup_entry(const struct ouro_heap_model *model, ouro_node dict, const char *key);
/* What instances of a type have by this name from their classes: the first __dict__ along the MRO that holds it. known:
 * what lookups of this name found, by __dict__, so that each is searched once. */
ouro_node ouro_lookup_method(const struct ouro_heap_model *model, uint32_t type, const char *name,
                             struct ouro_map *known);
/* Whether the type has this module and name. */
bool ouro_lookup_is_type(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name);

/* The same of it or of a class that it is derived from: by the table of types, which has the bases that its layout comes from, and by
 * the MRO of its object. O(its bases). */
bool ouro_lookup_derives(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name);

/* What would run if this were called, in words: "name (file:line)", of bound methods and partials what lies inside. */
void ouro_lookup_add_callable(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node callable);

#endif
