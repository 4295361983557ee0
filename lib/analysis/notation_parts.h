/* The parts of notation.c that know single kinds of objects. Each writes into an empty step; false: there is no notation (what
 * was written is dropped). */
#ifndef OURO_ANALYSIS_NOTATION_PARTS_H
#define OURO_ANALYSIS_NOTATION_PARTS_H

#include "analysis/notation.h"
#include "base/guard.h"

void ouro_notation_words(const struct ouro_notation *notation, const struct ouro_slot *slot,
                         struct ouro_notation_step *step);
/* A builtin by its name, another class by way of its module. */
bool ouro_notation_add_base(const struct ouro_notation *notation, const char *module, const char *name, struct ouro_buf *out);
/* A key or a value of a dict. exact_dict: what is written before stands for a plain view of it. */
bool ouro_notation_entry(const struct ouro_notation *notation, const struct ouro_slot *slot, bool exact_dict,
                         struct ouro_notation_step *step);
/* The name of a FIELD part of a dict with shared keys, as a literal; false when it may not be the whole key. */
bool ouro_notation_field_literal(const struct ouro_notation *notation, const struct ouro_slot *slot, struct ouro_buf *out);
/* notation_field.c: FIELD parts of all objects. */
bool ouro_notation_field(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count, bool in_thread,
                         struct ouro_notation_step *step);
/* notation_frame.c: locals, code and value stacks of frames and generators. */
bool ouro_notation_is_frame(const struct ouro_heap_model *model, ouro_node node); /* a frame, a frame object */
bool ouro_notation_frame(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count, bool in_thread,
                         struct ouro_notation_step *step);
bool ouro_notation_stack(const struct ouro_notation *notation, const struct ouro_slot *slot, struct ouro_notation_step *step);

#endif
