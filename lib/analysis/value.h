/* Values and labels as short texts, written as Python would (repr), in UTF-8.
 *
 * A text of the target may hold anything: lone surrogates and invalid bytes come out escaped as repr does, printable
 * characters as they are. Whoever writes to a terminal, to JSON or to a picture escapes once more for that medium. */
#ifndef OURO_ANALYSIS_VALUE_H
#define OURO_ANALYSIS_VALUE_H

#include "analysis/heap_model.h"
#include "base/buf.h"

/* Keys are shown whole up to this many bytes. */
#define OURO_LABEL_KEY_BYTES 256

/* Python's repr of a str (the bytes are WTF-8) or bytes object. `most` bytes of it at most are shown; a text that is
 * longer, or that `cut` says is longer than its bytes, ends as in 'aaaa...' (cut). */
void ouro_value_str(struct ouro_buf *out, const unsigned char *bytes, size_t size, size_t most, bool cut);
void ouro_value_bytes(struct ouro_buf *out, const unsigned char *bytes, size_t size, size_t most, bool cut);
/* Decimal of little-endian two's complement; huge ones (over 2048 bytes) and cut ones as "<int of N bits>". */
void ouro_value_int(struct ouro_buf *out, const unsigned char *bytes, size_t size, bool cut);
/* The shortest decimal that reads back as the same float, as repr writes it. */
void ouro_value_float(struct ouro_buf *out, double value);
/* Of the eight bytes of a value, the lowest first. */
double ouro_value_double(const unsigned char *bytes);

/* Whether the object has a value (needs FLAGS, SHAPE, VALUES). */
bool ouro_value_has(const struct ouro_heap_model *model, ouro_node node);
/* The object's value; str and bytes as repr, up to `most` bytes of them. False, and nothing written, when it has
 * none. */
bool ouro_value_add(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node node, size_t most);
/* The stored bytes themselves, borrowed; *size 0 and "" when there is none. */
const unsigned char *ouro_value_raw(const struct ouro_heap_model *model, ouro_node node, size_t *size);

/* A key as repr shows it: a scalar's value, a tuple of such; else "Type #0x7f..". Needs VALUES, SLOTS and ADDR. */
void ouro_label_key(struct ouro_buf *out, const struct ouro_heap_model *model, ouro_node key);
/* How the slot's reference is reached from its object: .name  ['key']  [0]  <key 'k'>  <element 1>  <stack[0]> ... */
void ouro_label_add(struct ouro_buf *out, const struct ouro_heap_model *model, const struct ouro_slot *slot);

#endif
