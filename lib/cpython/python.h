/* A CPython process seen through an image of its memory: its runtime, interpreters, types.
 *
 * Knows what the bytes mean and nothing of files: what it finds it hands to callbacks. Types are resolved once, when an
 * object of theirs is first met, from any thread. Everything read is checked: an address that is not in the image or
 * does not look like what it should be is counted by reason and skipped. */
#ifndef OURO_CPYTHON_PYTHON_H
#define OURO_CPYTHON_PYTHON_H

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "base/map.h"
#include "base/types.h"
#include "cpython/layout.h"
#include "target/image.h"
#include "target/module.h"
#include "target/process.h"

/* Why something could not be read. */
enum ouro_unreadable {
    OURO_UNREADABLE_ADDRESS, /* a reference that leads to no copied page */
    OURO_UNREADABLE_ALIGN,   /* a reference that is not a multiple of 8 */
    OURO_UNREADABLE_TYPE,    /* what should be an object has no type object */
    OURO_UNREADABLE_OBJECT,  /* an object that is not wholly there */
    OURO_UNREADABLE_TABLE,   /* a table (list items, dict keys ...) that is not wholly there or impossible */
    OURO_UNREADABLE_LIST,    /* a collector list that breaks off */
    OURO_UNREADABLE_FRAME,   /* a frame that can't be right */
    OURO_UNREADABLE_COUNT
};
const char *ouro_unreadable_name(enum ouro_unreadable reason);

struct ouro_interpreter {
    ouro_addr addr, gc;
    uint64_t id;
    ouro_addr thread_names; /* threading._active; 0: not looked for yet, 1: there is none */
    ouro_addr interned; /* its table of interned strings (interned.h); 0: not known */
    ouro_addr executing; /* the frame in which the thread that holds the GIL executes; 0: none. Set by ouro_python_init. */
};

/* Where a running CPython keeps its state; found before the stop, from symbols. */
struct ouro_runtime {
    uint32_t hexversion;
    char version[16]; /* "3.11.7" */
    bool exports_version; /* Py_Version tells it; else (up to 3.10) sys.hexversion did */
    bool free_threaded, debug;
    ouro_addr addr; /* _PyRuntime */
    uint64_t size;
    struct ouro_module *module; /* borrowed: the file that holds it */
    struct ouro_layout layout;
};

/* Looks for _PyRuntime in the modules and tells the version. OURO_UNSUPPORTED: not CPython, or a version or build that we don't
 * read; err says which. */
enum ouro_status ouro_runtime_find(struct ouro_runtime *runtime, const struct ouro_space *space,
                                   struct ouro_modules *modules, struct ouro_err *err);
/* Whether a collection is running in any interpreter (its lists are not what they seem then). */
struct ouro_runtime_collecting {
    bool running;
    ouro_addr gil_holder; /* then: the thread state that holds the GIL of the first such interpreter; 0: nobody does */
};
enum ouro_status ouro_runtime_collecting(const struct ouro_runtime *runtime, const struct ouro_space *space,
                                         struct ouro_runtime_collecting *collecting);
/* The interpreters, at most `capacity`; OURO_BADDATA when the chain is broken. */
enum ouro_status ouro_runtime_interpreters(const struct ouro_runtime *runtime, const struct ouro_space *space,
                                           struct ouro_interpreter *interpreters, size_t capacity, size_t *count);
#define OURO_INTERPRETERS_MAX 4096

struct ouro_type;
struct ouro_sandbox;

struct ouro_python {
    const struct ouro_image *image; /* borrowed */
    struct ouro_runtime runtime;
    const struct ouro_layout *layout; /* runtime.layout */
    struct ouro_interpreter *interpreters; /* owned; the main one first */
    size_t interpreter_count;
    /* Visitors by the address of tp_traverse; for types without one by the type's address. Values: index into layout->simple. */
    struct ouro_map traverse_visitors, type_visitors;
    struct ouro_modules *modules; /* borrowed; NULL: no sandbox */
    bool sandboxed;               /* functions can be run (sandbox.h) */
    struct ouro_sandbox *learner; /* the one that types are looked at with; under the lock below */
    pthread_mutex_t sandbox_lock;
    struct {
        struct ouro_sandbox **items; /* owned */
        size_t count, capacity;
    } sandboxes;
    /* With several interpreters and one collector (3.8): object -> index of its interpreter, and a flag (owner.h). */
    struct ouro_map owners;
    bool shared_collector;
    struct ouro_map interned; /* the tables of interned strings; of a lazy image none */
    struct ouro_map sizeof_rules; /* type's address -> enum ouro_sizeof */
    ouro_addr general_lookup; /* dk_lookup of dicts with keys of any type (up to 3.10) */
    ouro_addr subtype_traverse, type_type, dict_type, tuple_type, int_type, method_type, none, true_object, false_object;
    ouro_addr frame_type, traceback_type;
    ouro_addr generic_getattr; /* tp_getattro of object; 0: not known */
    ouro_addr suspending[3]; /* PyGen_Type, PyCoro_Type, PyAsyncGen_Type: nothing derives from them */
    pthread_mutex_t lock;   /* around everything below */
    struct ouro_map types;  /* address -> struct ouro_type *; 1: not a type */
    struct ouro_map known;  /* the same, of those that an earlier look found: owned until they prove to be still there; 1: taken */
    struct ouro_map shared_keys; /* keys objects that a heap type owns */
    struct {
        struct ouro_type **items; /* owned */
        size_t count, capacity;
    } type_list;
    uint64_t unreadable[OURO_UNREADABLE_COUNT]; /* atomic */
};

/* Sets up from an image. With modules (borrowed) what a type refers to can be asked of its own code. Verifies what it can: the type of type is type, None is None. OURO_BADDATA says what doesn't fit. */
enum ouro_status ouro_python_init(struct ouro_python *python, const struct ouro_image *image,
                                  const struct ouro_runtime *runtime, struct ouro_modules *modules, struct ouro_err *err);
/* Sets up for another image of the same process, taken a moment later, from what `from` has found out: visitors, types (each is held
 * against its type object when it is first met), where names are. `from` must not be used any more, only finished. */
enum ouro_status ouro_python_init_again(struct ouro_python *python, const struct ouro_image *image,
                                        struct ouro_python *from, struct ouro_err *err);
void ouro_python_fini(struct ouro_python *python);

static inline void ouro_python_count_unreadable(struct ouro_python *python, enum ouro_unreadable reason)
{
    __atomic_fetch_add(&python->unreadable[reason], 1, __ATOMIC_RELAXED);
}

/* Loads from checked bytes. */
static inline uint64_t ouro_load_u64(const unsigned char *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t ouro_load_u32(const unsigned char *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* The address of a symbol of the runtime, 0 when it has none of that name. */
ouro_addr ouro_python_symbol(const struct ouro_python *python, const char *name);
/* The word at addr, 0 when it is not there. */
static inline uint64_t ouro_python_word(const struct ouro_python *python, ouro_addr addr)
{
    const unsigned char *at = ouro_image_at(python->image, addr, 8);
    return at ? ouro_load_u64(at) : 0;
}

/* The UTF-8 text of a str object into out (terminated, cut at capacity - 1); false if it is none. */
bool ouro_python_text(const struct ouro_python *python, ouro_addr str, char *out, size_t capacity);
/* The items of a tuple in place and their number; NULL if it is none. */
const unsigned char *ouro_python_tuple(const struct ouro_python *python, ouro_addr tuple, uint64_t *count);
/* Looks up a str key in a dict by its text. 0: absent. O(entries). */
ouro_addr ouro_python_dict_get(const struct ouro_python *python, ouro_addr dict, const char *key);

/* Calls visit for every object of a collector list in its order until it returns false. list: 0-2 generations, 3
 * permanent. A list that breaks off is counted. Of a collector that interpreters share each gets what is its own. */
void ouro_python_each_tracked(struct ouro_python *python, const struct ouro_interpreter *interpreter, unsigned list,
                              bool (*visit)(void *context, ouro_addr object), void *context);
/* The same of any list, by the address of its head: a collection that runs has lists of its own, on the stack of its thread. */
void ouro_python_each_linked(struct ouro_python *python, const struct ouro_interpreter *interpreter, ouro_addr head,
                             bool (*visit)(void *context, ouro_addr object), void *context);

#endif
