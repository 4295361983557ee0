/* Frames, and where code keeps the names of local variables.
 *
 * Up to 3.10 each running call has a frame object, which holds its local variables and its value stack and stands in the chain of
 * the thread; a generator holds its frame object. From 3.11 on see ouro_visit_frame. */
#ifndef OURO_CPYTHON_FRAME_OBJECT_H
#define OURO_CPYTHON_FRAME_OBJECT_H

#include "cpython/state.h"
#include "cpython/visit.h"

#define OURO_FRAME_LOCALS_MAX 65536 /* no code object has more local variables than this */

/* Whether the frames of this version are objects that hold their contents. */
static inline bool ouro_frame_is_object(const struct ouro_layout *layout)
{
    return layout->frame_localsplus >= 0;
}

/* How many local variables, cells and free variables the code has; 0 if it can't be read. */
uint64_t ouro_frame_local_count(const struct ouro_python *python, ouro_addr code);
/* The name of the i-th of them; false: unknown. */
bool ouro_frame_local_name(const struct ouro_python *python, ouro_addr code, uint64_t i, char *out, size_t capacity);

/* The local variables and the value stack of a frame object, as frame_traverse visits them: without a stack while it runs. */
void ouro_frame_object_visit(struct ouro_visitor *visitor, ouro_addr frame, const unsigned char *object);
/* How many slots of its value stack are known: f_stacktop is NULL, f_stackdepth -1 while the frame runs. */
uint64_t ouro_frame_object_depth(const struct ouro_layout *layout, const unsigned char *object);
/* Hands out the frames of a thread, innermost first. */
void ouro_frame_object_each(struct ouro_python *python, ouro_addr thread, const struct ouro_state_sink *sink);
/* The line of the instruction at byte `at` by the pairs of deltas of 3.8 to 3.10; -1: in front of the first. 0 unknown. */
uint32_t ouro_frame_line_by_pairs(const struct ouro_layout *layout, const unsigned char *pairs, uint64_t size, int64_t line,
                                  int64_t at);

#endif
