/* Short values of objects: bytes in the form that a snapshot keeps (the encoding is that of its value kinds). */
#ifndef OURO_CPYTHON_VALUE_H
#define OURO_CPYTHON_VALUE_H

#include "base/buf.h"
#include "cpython/type.h"

/* Appends the object's value to out, at most `limit` bytes of content; *cut: there is more. False: it has none that can be read.
 * bare_names: functions and code without file and line. */
bool ouro_value_write(struct ouro_python *python, const struct ouro_type *type, ouro_addr object, size_t limit,
                      bool bare_names, struct ouro_buf *out, bool *cut);
/* "handle_request (/app/service.py:27)" of a code object. */
void ouro_value_write_code(struct ouro_python *python, ouro_addr code, ouro_addr qualname, bool bare_names, uint32_t line,
                           struct ouro_buf *out);
/* An int that is not negative and fits; UINT64_MAX otherwise. */
uint64_t ouro_value_u64(struct ouro_python *python, ouro_addr object);

#endif
