/* Where each thread stands: its Python frames, innermost first, with function, file, line and local variables.
 *
 * A frame is a pseudo object that holds its locals itself (3.11 on), or names the frame object (up to 3.10) or the generator
 * that does; the same reading serves frame objects, generators and coroutines that no thread runs. Texts are borrowed
 * from the model, and as untrusted as everything in it. What could not be read (a torn frame, code that is none) leaves empty texts
 * and line 0; a file without the section `lines` is served from the names that pseudo frames carry. */
#ifndef OURO_ANALYSIS_STACKS_H
#define OURO_ANALYSIS_STACKS_H

#include "analysis/heap_model.h"

struct ouro_stack_text {
    const unsigned char *bytes; /* borrowed; never NULL */
    size_t size;
};

struct ouro_stack_frame {
    ouro_node node;   /* the pseudo frame, frame object, generator or coroutine */
    ouro_node holder; /* whose fields the locals are: node, or what it names */
    ouro_node code, function; /* or OURO_NODE_NONE */
    struct ouro_stack_text name, qualname, file; /* qualname: the name where nothing better is known */
    uint32_t line;    /* 0 unknown */
    uint32_t state;   /* enum ouro_run_state */
    bool torn;        /* some of it could not be read */
};

/* The columns that everything here needs. */
#define OURO_STACKS_COLUMNS (OURO_HEAP_ADDR | OURO_HEAP_SHAPE | OURO_HEAP_FLAGS | OURO_HEAP_SLOTS | OURO_HEAP_VALUES)

/* Of a frame (pseudo or object), generator or coroutine. False: it is none of these, or has no code. O(its slots). */
bool ouro_stack_frame_read(struct ouro_stack_frame *frame, const struct ouro_heap_model *model, ouro_node node);

/* The local variables that are bound, in the order of the code: arguments, locals, cells, free variables; and what the frame
 * has on its value stack. Variables in cells are given by their content. */
struct ouro_local_walk {
    const struct ouro_heap_model *model; /* borrowed */
    struct ouro_part_walk parts;
    struct ouro_stack_text before; /* the field before */
    bool inside;
    uint64_t index, cell_count;
    struct ouro_stack_text kinds; /* co_localspluskinds; empty: unknown */
};
struct ouro_stack_local {
    struct ouro_stack_text name;
    ouro_node node;
};
void ouro_local_walk_begin(struct ouro_local_walk *walk, const struct ouro_heap_model *model,
                           const struct ouro_stack_frame *frame);
bool ouro_local_walk_next(struct ouro_local_walk *walk, struct ouro_stack_local *local);
/* The local variable of this name, or OURO_NODE_NONE. */
ouro_node ouro_stack_frame_local(const struct ouro_heap_model *model, const struct ouro_stack_frame *frame,
                                 const char *name);
/* The value stack, from its bottom: nodes, some of them OURO_NODE_NONE. Borrowed; *count 0 where it is not known. */
const ouro_node *ouro_stack_frame_values(const struct ouro_heap_model *model, const struct ouro_stack_frame *frame,
                                         uint64_t *count);

/* What a thread does, as far as kernel and interpreter tell; what it waits for is told by analysis/waits.h. */
enum ouro_thread_activity {
    OURO_THREAD_UNKNOWN,
    OURO_THREAD_RUNNING,
    OURO_THREAD_WAITING_GIL,
    OURO_THREAD_WAITING_LOCK,
    OURO_THREAD_WAITING_THREAD,
    OURO_THREAD_IN_SYSCALL,
    OURO_THREAD_SLEEPING,
    OURO_THREAD_STOPPED,
    OURO_THREAD_UNINTERRUPTIBLE,
};
/* "waiting for the GIL" ... */
const char *ouro_thread_state_name(enum ouro_thread_activity state);

struct ouro_stack_thread {
    const struct ouro_thread_record *record; /* borrowed */
    const struct ouro_wait_record *wait;     /* borrowed, or NULL */
    uint32_t index;                          /* among the thread records */
    struct ouro_stack_text name, comm;
    enum ouro_thread_activity state;
    bool is_main; /* the process began with it */
    size_t first_frame, frame_count; /* of ouro_stacks.frames */
    bool torn;                       /* a frame is missing or damaged */
};

struct ouro_stacks {
    const struct ouro_heap_model *model; /* borrowed */
    struct {
        struct ouro_stack_thread *items; /* owned; by interpreter, of each the main thread first, then by native id */
        size_t count, capacity;
    } threads;
    struct {
        struct ouro_stack_frame *items; /* owned */
        size_t count, capacity;
    } frames;
    bool has_lines; /* the file has the section; else lines are those that pseudo frames carry in their names */
};

/* Loads its columns. 16 bytes a frame of code without a co_qualname (up to 3.10), whose functions are looked for among all objects. */
enum ouro_status ouro_stacks_init(struct ouro_stacks *stacks, struct ouro_heap_model *model, struct ouro_err *err);
void ouro_stacks_fini(struct ouro_stacks *stacks);

/* leaders[t]: the first thread that stands at the very same places as t (itself, where there is none before it). leaders: an array
 * of the caller's, one a thread. 16 bytes a thread. OURO_NOMEM. */
enum ouro_status ouro_stacks_group(const struct ouro_stacks *stacks, uint32_t *leaders);

static inline const struct ouro_stack_frame *ouro_stacks_frame(const struct ouro_stacks *stacks,
                                                               const struct ouro_stack_thread *thread, size_t i)
{
    return i < thread->frame_count ? &stacks->frames.items[thread->first_frame + i] : NULL;
}

#endif
