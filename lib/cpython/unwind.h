/* What a frame would unwind to: the handlers around an instruction, and how much of the value stack they keep. */
#ifndef OURO_CPYTHON_UNWIND_H
#define OURO_CPYTHON_UNWIND_H

#include "cpython/python.h"

struct ouro_unwind_range {
    uint64_t target; /* the handler's instruction */
    uint64_t depth;  /* values that stay on the stack below what the handler is given */
};

/* In an exception table of 3.11 on (the bytes of co_exceptiontable): the innermost range that holds the instruction. False:
 * none does. O(size). */
bool ouro_unwind_find(const unsigned char *table, uint64_t size, uint64_t instruction, struct ouro_unwind_range *range);

/* How many values are on the value stack of a frame in the middle of its work, at least: those that the innermost handler around
 * its instruction keeps. Nothing there changes before that block is left, so they are certain although the frame has not
 * stored its stack top. A `with` keeps its __exit__ there, from when __enter__ has returned. frame: an interpreter frame, up to
 * 3.10 a frame object. 0: none, or nothing is known. */
uint64_t ouro_unwind_depth(const struct ouro_python *python, ouro_addr frame);

#endif
