/* What attribute access would give, decided from the snapshot: the classes' MROs and __dict__s are in it.
 *
 * Nothing is assumed of classes that the snapshot does not show whole (no MRO, no __dict__): the answer is "not known". */
#ifndef OURO_ANALYSIS_ATTRIBUTE_H
#define OURO_ANALYSIS_ATTRIBUTE_H

#include "analysis/heap_model.h"

enum ouro_attribute_answer {
    OURO_ATTRIBUTE_NO,
    OURO_ATTRIBUTE_YES,
    OURO_ATTRIBUTE_NOT_KNOWN,
};

struct ouro_attribute {
    ouro_node owner; /* the first class of the MRO whose __dict__ has the name */
    ouro_node value; /* what stands there */
};

/* The class of an object, as an object; OURO_NODE_NONE where the file does not have it. */
ouro_node ouro_attribute_class(const struct ouro_heap_model *model, ouro_node node);
/* Looks the name up along the MRO of a class. O(entries of its classes' __dict__s). Needs SLOTS, VALUES. */
enum ouro_attribute_answer ouro_attribute_find(const struct ouro_heap_model *model, ouro_node class, const char *name,
                                               struct ouro_attribute *found);
/* Whether the class is this one of the interpreter's own: module and name as the type table has them. */
bool ouro_attribute_is_class(const struct ouro_heap_model *model, ouro_node class, const char *module, const char *name);
/* Whether its objects are of a class, or of one derived from it, by tp_base. */
bool ouro_attribute_derives(const struct ouro_heap_model *model, uint32_t type, const char *module, const char *name);

/* Whether `X.name` of an instance of this class begins with the interpreter's own generic lookup: no __getattribute__ of the
 * program's or of an extension's. */
bool ouro_attribute_is_generic(const struct ouro_heap_model *model, ouro_node class);
/* Whether a value found in a class takes part in attribute access: __set__ or __delete__ (it goes before the instance's
 * own), or __get__. Not known counts as yes. */
bool ouro_attribute_is_data_descriptor(const struct ouro_heap_model *model, ouro_node value);
bool ouro_attribute_has_get(const struct ouro_heap_model *model, ouro_node value);
/* Whether instances of the class have the interpreter's own __dict__ attribute. */
bool ouro_attribute_has_own_dict(const struct ouro_heap_model *model, ouro_node class);

/* Whether `name` can be written behind a dot and means itself there: an ASCII identifier that is no keyword. */
bool ouro_attribute_is_plain_name(const char *name, size_t size);

#endif
