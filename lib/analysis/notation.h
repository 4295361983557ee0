/* References as Python: how the object that a slot refers to is had from the expression of the object that the slot belongs to.
 *
 * Exact means: evaluated in that process it gives that very object, and runs no code of the program's. What the snapshot
 * does not show enough of for that is not exact. What has no notation at all is written in words, ` -> <words>`.
 * Several slots can be one step: an instance, its __dict__, the value is `.name`. */
#ifndef OURO_ANALYSIS_NOTATION_H
#define OURO_ANALYSIS_NOTATION_H

#include "analysis/heap_model.h"
#include "base/buf.h"

struct ouro_notation {
    const struct ouro_heap_model *model; /* borrowed */
    ouro_node modules;                   /* the main interpreter's sys.modules, or OURO_NODE_NONE */
};

/* Needs ADDR, FLAGS, SHAPE, SLOTS, VALUES loaded. No memory, nothing to give back. */
#define OURO_NOTATION_COLUMNS (OURO_HEAP_ADDR | OURO_HEAP_FLAGS | OURO_HEAP_SLOTS | OURO_HEAP_VALUES)
void ouro_notation_init(struct ouro_notation *notation, const struct ouro_heap_model *model);

/* A step. Zero-initialised is empty; buffers are kept from one use to the next. */
struct ouro_notation_step {
    struct ouro_buf before, after; /* of the holder's expression; before is empty for most */
    size_t taken;                  /* slots that it stands for, at least 1 */
    bool exact;
    bool words;                    /* ` -> <words>` */
};
void ouro_notation_step_fini(struct ouro_notation_step *step);

/* The step that begins with slots[0]; slots[i].target is slots[i + 1].node, count > 0. `in_thread`: the holder was written as
 * a thread's frame, `<Thread ..>.frames[2:f]`. Memory that ran out shows in the buffers. */
void ouro_notation_next(const struct ouro_notation *notation, const struct ouro_slot *slots, size_t count, bool in_thread,
                        struct ouro_notation_step *step);

/* An expression that grows at both ends. Zero-initialised is empty. */
struct ouro_notation_text {
    struct ouro_buf front; /* reversed */
    struct ouro_buf back;
    bool exact;            /* of all steps so far */
    unsigned levels, wraps; /* how deep it is nested, at most, and how many brackets stand open at its beginning */
};
/* What every version's compiler takes: a debug build of 3.13 gives up at 497 levels, 3.8 at 99 brackets. */
#define OURO_NOTATION_LEVELS_MAX 400
#define OURO_NOTATION_WRAPS_MAX 40
static inline bool ouro_notation_text_compiles(const struct ouro_notation_text *text)
{
    return text->levels <= OURO_NOTATION_LEVELS_MAX && text->wraps <= OURO_NOTATION_WRAPS_MAX;
}
void ouro_notation_text_fini(struct ouro_notation_text *text);
/* Begins anew with a root's text. */
void ouro_notation_text_begin(struct ouro_notation_text *text, const char *root, size_t size, bool exact);
void ouro_notation_text_step(struct ouro_notation_text *text, const struct ouro_notation_step *step);
void ouro_notation_text_add(const struct ouro_notation_text *text, struct ouro_buf *out);

/* A class, by module and qualified name: `dict`, `sys.modules['app'].Outer.Inner`. False, and nothing written, where that
 * would not give this very class. */
bool ouro_notation_add_class(const struct ouro_notation *notation, ouro_node class, struct ouro_buf *out);
/* `<Thread 'worker-3'>`, the kernel's number behind the name where other threads have the same, or alone where there is no
 * name; of the thread whose <root> this is. False when it is no thread's. */
bool ouro_notation_add_thread(const struct ouro_notation *notation, ouro_node root, struct ouro_buf *out);

#endif
