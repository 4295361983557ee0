/* What runs code when the collector finds an object: a __del__ in Python, a generator that is closed inside of a try. */
#ifndef OURO_CPYTHON_FINALIZER_H
#define OURO_CPYTHON_FINALIZER_H

#include "cpython/type.h"

/* The address of slot_tp_finalize (Objects/typeobject.c), the tp_finalize of classes whose __del__ is written in Python. From
 * its symbol, else learned: of the types met so far those with a function as __del__ have it; the address that most of them
 * have. 0: none has one. O(types), each with its MRO. */
ouro_addr ouro_finalizer_of_python(struct ouro_python *python);

/* Whether the generator, coroutine or asynchronous generator (type->suspends) is suspended where an exception thrown in, as
 * close() throws GeneratorExit, meets a handler of the program's: inside of a try or with. Handlers that the compiler adds (of
 * await, of async for, for the name of an except, for a comprehension's variables, around the whole body) don't count. One that
 * is running, has ended or has not begun is in none. */
bool ouro_finalizer_in_try(const struct ouro_python *python, ouro_addr generator);

#endif
