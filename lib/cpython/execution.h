/* Where code stands: the lines and states of frames, generators, coroutines, asynchronous generators and tracebacks. */
#ifndef OURO_CPYTHON_EXECUTION_H
#define OURO_CPYTHON_EXECUTION_H

#include "cpython/type.h"

/* Numbers are those of the snapshot's run states. */
enum ouro_execution_state {
    OURO_EXECUTION_UNKNOWN = 0, /* of a traceback, too */
    OURO_EXECUTION_CREATED = 1,
    OURO_EXECUTION_SUSPENDED = 2,
    OURO_EXECUTION_AWAITING = 3, /* what it waits for is the last of its value stack */
    OURO_EXECUTION_EXECUTING = 4,
    OURO_EXECUTION_FINISHED = 5,
};

struct ouro_execution {
    uint32_t line; /* 0: unknown, or code without a line */
    enum ouro_execution_state state;
};

/* The line that instruction offset `at` (bytes from the first instruction; negative: in front of it) of a code object is
 * on, as PyCode_Addr2Line says; 0 unknown. O(code). */
uint32_t ouro_execution_code_line(const struct ouro_python *python, ouro_addr code, int64_t at);

/* Of a frame in the chain of a thread, as f_lineno says: up to 3.10 an object, then a _PyInterpreterFrame that belongs to
 * code. One that has yet to make its cells is CREATED: sys._current_frames passes over it (_PyFrame_IsIncomplete). */
struct ouro_execution ouro_execution_of_frame(const struct ouro_python *python, ouro_addr frame);

/* Of an object whose type executes (type->executes). False: it is finished and has neither (a generator), or can't be
 * read. */
bool ouro_execution_find(const struct ouro_python *python, const struct ouro_type *type, ouro_addr object,
                         struct ouro_execution *execution);

#endif
