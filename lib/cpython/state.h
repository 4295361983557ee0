/* Interpreters, threads, frames, and what holds references without being an object: the roots. */
#ifndef OURO_CPYTHON_STATE_H
#define OURO_CPYTHON_STATE_H

#include "base/buf.h"
#include "cpython/execution.h"
#include "cpython/type.h"

/* The collector of one interpreter, as struct _gc_runtime_state has it. */
struct ouro_gc_state {
    uint32_t enabled, debug, collecting;
    uint64_t threshold[3];
    int64_t count[3];
    uint64_t collections[3], collected[3], uncollectable[3];
    int64_t long_lived_total, long_lived_pending;
    ouro_addr garbage, callbacks;
};
bool ouro_state_gc(const struct ouro_python *python, const struct ouro_interpreter *interpreter,
                   struct ouro_gc_state *state);

/* Which generation a collection that runs is of: it counted itself to the next one when it began, and no other may begin. The
 * incremental collector counts otherwise: 2. */
unsigned ouro_state_collected_generation(const struct ouro_python *python, const struct ouro_interpreter *interpreter);

/* The threads of an interpreter by their numbers only. ident: pthread_self(); native_id: the kernel's, 0 unknown. */
void ouro_state_each_thread(const struct ouro_python *python, const struct ouro_interpreter *interpreter,
                            void (*visit)(void *context, uint64_t ident, uint64_t native_id), void *context);

/* The frame in which the thread that holds the GIL executes; 0: nobody holds it. */
ouro_addr ouro_state_executing(const struct ouro_python *python, const struct ouro_interpreter *interpreter);

struct ouro_thread {
    ouro_addr addr;
    uint64_t ident, native_id;
    bool holds_gil;
    char name[256]; /* threading's; "" unknown */
};

/* What is found, in a fixed order. Names are borrowed for the call. */
struct ouro_state_sink {
    void *context;
    /* A named root begins; its fields follow. */
    void (*root)(void *context, const char *name);
    void (*field)(void *context, const char *label, ouro_addr target);
    /* A thread's root begins: its fields follow, and then its frames, innermost first. */
    void (*thread)(void *context, const struct ouro_interpreter *interpreter, const struct ouro_thread *thread);
    /* generator: the frame lies in this generator, which is visited itself (0: none). running: no stack top. */
    void (*frame)(void *context, ouro_addr frame, ouro_addr code, struct ouro_execution execution, ouro_addr generator,
                  bool running);
    /* Behind a thread's frames: not all could be read, or it was just about to begin or to end one. May be NULL. */
    void (*torn)(void *context);
};

void ouro_state_each(struct ouro_python *python, const struct ouro_interpreter *interpreter,
                     const struct ouro_state_sink *sink);

/* A global name of a module that sys.modules has; 0: none. */
ouro_addr ouro_state_module_name(const struct ouro_python *python, const struct ouro_interpreter *interpreter,
                                 const char *module, const char *name);

/* A thread of the interpreter, the one that holds the GIL if there is one; *ident: its pthread_self(). 0: none. */
ouro_addr ouro_state_any_thread(const struct ouro_python *python, const struct ouro_interpreter *interpreter, uint64_t *ident);

#endif
