/* Which attribute gives what a field of the interpreter's own types holds. Source: the tables tp_members and tp_getset
 * of these types, 3.8 to 3.15. */
#ifndef OURO_ANALYSIS_NATIVE_FIELD_H
#define OURO_ANALYSIS_NATIVE_FIELD_H

#include <stddef.h>

struct ouro_native_field {
    const char *module, *type; /* that lay out the field; where versions spell the module otherwise, a row each */
    const char *label;         /* the field's label in the file */
    const char *attribute;
};

extern const struct ouro_native_field ouro_native_fields[];
extern const size_t ouro_native_field_count;

#endif
