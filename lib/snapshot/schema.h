/* What a snapshot holds, as both its writer and its reader see it. docs/FORMAT.md specifies the bytes.
 *
 * Objects are numbered from 0 by address; pseudo objects (frames that nothing materialised, roots) follow behind them
 * with addresses from OURO_PSEUDO_BASE on, where no process has memory.
 *
 * An object has a *shape*: its type and the list of its *parts*. A part is one field, or a run of as many
 * slots as the object's count for that part says. The object's slots follow from its parts, in the order in which
 * tp_traverse visits; a slot holds a node or nothing. So no edge needs a label: the part (and the place in the run) names it. */
#ifndef OURO_SNAPSHOT_SCHEMA_H
#define OURO_SNAPSHOT_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/types.h"

#define OURO_PSEUDO_BASE UINT64_C(0xffff800000000000)

/* How a slot's reference counts. */
enum ouro_edge_class {
    OURO_EDGE_TRAVERSED = 0, /* reported by tp_traverse: `refs` */
    OURO_EDGE_HIDDEN = 1,    /* owned but not reported: `hidden` */
    OURO_EDGE_WEAK = 2,      /* not owned: `weak` */
};

enum ouro_part_kind {
    OURO_PART_FIELD = 0,    /* one slot. Label: the name, as it is to be shown: ".x", "__globals__", "[shared]" */
    OURO_PART_TYPE = 1,     /* one slot, always the object's type: not stored */
    OURO_PART_ITEMS = 2,    /* n slots, labels [0] [1] ... in slot order */
    OURO_PART_ITEMS_DOWN = 3, /* n slots, labels [n-1] ... [0]: list_traverse and tuple_traverse go from the end */
    OURO_PART_ENTRIES = 4,  /* n pairs of slots (value, key), both of the part's class: a dict with keys of any kind */
    OURO_PART_ENTRIES_STR = 5, /* n pairs (value, key): value of the part's class, key hidden: a dict with only str keys */
    OURO_PART_NAMESPACE = 6, /* as ENTRIES_STR, but this dict is a __dict__: labels .name */
    OURO_PART_KEYS = 7,     /* n slots, labels <key 'a'>: keys without values (OrderedDict's nodes, shared keys) */
    OURO_PART_ELEMENTS = 8, /* n slots of a set: labels <element 'a'> */
    OURO_PART_STACK = 9,    /* n slots, labels <stack[0]> ... : a frame's value stack */
    OURO_PART_LINKS = 10,   /* n triples (key, result, the link's type): functools._lru_cache_wrapper before 3.12 and on */
    OURO_PART_FOUND = 11,   /* n slots found by the generic visitor: name is a prefix, label name[i]; approximate */
    OURO_PART_NAMED = 12,   /* n slots, labels NAME[0] NAME[1] ...: frames of a thread, callbacks of an interpreter */
    OURO_PART_NAMESPACE_ANY = 13, /* as ENTRIES (keys visited), but this dict is a __dict__: labels .name */
    OURO_PART_KIND_COUNT
};

/* Slots of one item of a run (2 for the pairs, 3 for links); 1 for single ones. 0: not stored or unknown kind. */
static inline unsigned ouro_part_width(unsigned kind)
{
    switch (kind) {
    case OURO_PART_ENTRIES:
    case OURO_PART_ENTRIES_STR:
    case OURO_PART_NAMESPACE:
    case OURO_PART_NAMESPACE_ANY:
        return 2;
    case OURO_PART_LINKS:
        return 3;
    default:
        return kind < OURO_PART_KIND_COUNT ? 1 : 0;
    }
}

#define OURO_PART_WIDTH_MAX 3

static inline bool ouro_part_repeats(unsigned kind)
{
    return kind >= OURO_PART_ITEMS && kind < OURO_PART_KIND_COUNT;
}

/* The class of slot `place` (0, 1, 2) of an item. */
static inline enum ouro_edge_class ouro_part_slot_class(unsigned kind, enum ouro_edge_class part_class, unsigned place)
{
    if ((kind == OURO_PART_ENTRIES_STR || kind == OURO_PART_NAMESPACE) && place == 1)
        return OURO_EDGE_HIDDEN;
    return part_class;
}

struct ouro_part {
    uint8_t kind;       /* enum ouro_part_kind */
    uint8_t edge_class; /* enum ouro_edge_class */
    uint32_t name;      /* index into the string table; 0 (the empty string) where the kind needs none */
};

struct ouro_shape {
    uint32_t type;       /* index into the types */
    uint32_t part_count;
    const struct ouro_part *parts; /* borrowed */
};

/* What an object's value text is made from. */
enum ouro_value_kind {
    OURO_VALUE_NONE = 0,     /* no value */
    OURO_VALUE_STR = 1,      /* UTF-8; lone surrogates as the three bytes that UTF-8 would give them ("WTF-8") */
    OURO_VALUE_BYTES = 2,    /* the bytes */
    OURO_VALUE_INT = 3,      /* little-endian two's complement, as short as it can be (0: no bytes) */
    OURO_VALUE_FLOAT = 4,    /* 8 bytes, little-endian IEEE 754 */
    OURO_VALUE_BOOL = 5,     /* one byte, 0 or 1 */
    OURO_VALUE_NULL = 6,     /* None; no bytes */
    OURO_VALUE_NAME = 7,     /* text to show as it is: function, code, module, type, frame, root */
    OURO_VALUE_COMPLEX = 8,  /* two floats */
};

enum ouro_type_flag {
    OURO_TYPE_HEAP = 1,        /* made at run time */
    OURO_TYPE_GC = 2,          /* its objects can be tracked */
    OURO_TYPE_FINALIZE = 4,    /* tp_finalize */
    OURO_TYPE_DEL = 8,         /* tp_del (legacy finalizer) */
    OURO_TYPE_APPROXIMATE = 16, /* the generic visitor reads its objects */
    OURO_TYPE_PSEUDO = 32,     /* <frame>, <root> */
    OURO_TYPE_WEAKREF = 64,    /* a kind of weakref.ref */
    OURO_TYPE_DICT = 128,      /* a kind of dict */
    OURO_TYPE_FINALIZE_SLOT_PY = 256, /* tp_finalize is slot_tp_finalize: a __del__ written in Python */
    OURO_TYPE_GENERIC_GETATTR = 512,  /* tp_getattro is that of object: attributes are looked up in the usual way */
    OURO_TYPE_DESCR_GET = 1024,       /* tp_descr_get, which a type can have without a __get__ in its dict */
    OURO_TYPE_DESCR_SET = 2048,       /* tp_descr_set */
};

struct ouro_type_record {
    ouro_addr addr;         /* 0 for pseudo types */
    ouro_node node;         /* its object's number, or OURO_NODE_NONE */
    uint32_t name;          /* string: the qualified name without the module ("Outer.Inner") */
    uint32_t module;        /* string; "" for pseudo types */
    uint32_t flags;         /* enum ouro_type_flag */
    uint32_t value_kind;    /* enum ouro_value_kind of its objects */
    uint64_t basicsize, itemsize;
    uint32_t base;          /* index of its tp_base among the types, or UINT32_MAX */
};

/* An object's flags. The low three bits are its generation. */
enum ouro_object_flag {
    OURO_OBJECT_GC_MASK = 7,     /* 0 not tracked; 1, 2, 3: generation 0, 1, 2; 4 permanent */
    OURO_OBJECT_VALUE = 1 << 3,  /* it has an entry among the values */
    OURO_OBJECT_IMMORTAL = 1 << 4,
    OURO_OBJECT_FINALIZED = 1 << 5,
    OURO_OBJECT_APPROXIMATE = 1 << 6,
    OURO_OBJECT_SIZE_ESTIMATED = 1 << 7, /* size from tp_basicsize and tp_itemsize; the type has a __sizeof__ we don't know */
    OURO_OBJECT_PSEUDO = 1 << 8,
    OURO_OBJECT_TORN = 1 << 9,   /* some of what it refers to could not be read: counted, left out */
    OURO_OBJECT_VALUE_CUT = 1 << 10, /* the value is longer than what is stored */
    OURO_OBJECT_IS_KEY = 1 << 11, /* a str or bytes that is a key of some mapping, or the file of code */
    OURO_OBJECT_UNASKED = 1 << 12, /* tracked, but its tp_is_gc says no: no reference to it is subtracted, it reports none */
    OURO_OBJECT_UNTRACKED_FIRST = 1 << 13, /* a tuple that a full collection stops tracking before it decides (3.14.0 to 3.14.4) */
    OURO_OBJECT_SHALLOW = 1 << 15, /* what it refers to was not captured, and it has no slots (OURO_META_SCOPE) */
    OURO_OBJECT_IN_TRY = 1 << 14, /* a generator or coroutine suspended inside of a try or with: closing it runs the program's code */
};

/* Keys of the meta data (ouro_snapshot_meta) that readers rely on; there are more. Texts are UTF-8, numbers decimal; a key
 * may be missing. */
#define OURO_META_CREATOR_VERSION "ouro.version"
#define OURO_META_PYTHON "python.version"        /* of the target: "3.11.7" */
#define OURO_META_PID "pid"
#define OURO_META_NAME "process.name"            /* the kernel's */
#define OURO_META_COMMAND "process.command"      /* arguments, NUL between them; absent under --values none */
#define OURO_META_HOST "host.name"
#define OURO_META_TIME "capture.time"            /* seconds since 1970, with a fraction */
#define OURO_META_VALUES "capture.values"        /* "full", "short", "none" */
#define OURO_META_CONSISTENT "capture.consistent" /* "1": nothing ran while it was copied */
#define OURO_META_INCONSISTENT "capture.inconsistent" /* then: why it is not */
/* "stacks": only what threads and tasks stand on. Then no totals, no garbage, no referrers can be told, most objects are missing, an
 * empty slot may have been one that was not followed. Absent: everything. */
#define OURO_META_SCOPE "capture.scope"
#define OURO_META_LEFT_OUT "count.left_out"      /* of such a capture: objects that found no room */
#define OURO_META_MODE "capture.mode" /* how memory was read */
#define OURO_META_PAUSE_NS "capture.pause_ns"    /* how long the target stood still */
#define OURO_META_COPIED_BYTES "capture.copied_bytes"
#define OURO_META_CORE "core.file"               /* name of the core file it was captured from; absent: from a process */
#define OURO_META_CORE_MISSING "core.missing"    /* what the core did not hold: sentences, a NUL behind each */
#define OURO_META_COLLECTOR "gc.kind"            /* "generations", or "incremental" (3.14.0 to 3.14.4) */
#define OURO_META_UNREADABLE "count.unreadable." /* prefix: "count.unreadable.REASON", references left out for that reason */
/* Of an interpreter that was inside of a collection; of another than the main one followed by a dot and its id. */
#define OURO_META_COLLECTING_THREAD "gc.collecting_thread" /* the kernel's number of the thread that ran it */
#define OURO_META_COLLECTING_GENERATION "gc.collecting_generation"
/* Then: objects on none of the lists that the interpreters keep, found through lists on stacks, and in the allocators' memory. */
#define OURO_META_COMPLETED_LINKS "count.completed.links"
#define OURO_META_COMPLETED_POOLS "count.completed.pools"

/* The collector of one interpreter. */
#define OURO_GENERATION_COUNT 3
struct ouro_interpreter_record {
    uint64_t id;
    uint32_t gc_enabled, gc_debug, gc_collecting;
    uint64_t threshold[OURO_GENERATION_COUNT];
    int64_t count[OURO_GENERATION_COUNT];
    uint64_t collections[OURO_GENERATION_COUNT], collected[OURO_GENERATION_COUNT], uncollectable[OURO_GENERATION_COUNT];
    uint64_t tracked[OURO_GENERATION_COUNT]; /* length of each list */
    uint64_t frozen;                         /* length of the permanent generation */
    int64_t long_lived_total, long_lived_pending;
    ouro_node garbage, callbacks; /* the lists gc.garbage and gc.callbacks, or OURO_NODE_NONE */
};

struct ouro_thread_record {
    uint64_t interpreter; /* id */
    uint64_t ident;       /* threading.get_ident() */
    uint64_t native_id;   /* the kernel's tid; 0 unknown */
    uint32_t name;        /* string: threading's name, "" unknown */
    uint32_t comm;        /* string: the kernel's name */
    char state;           /* when it was stopped: 'S' slept in a system call, 'R' did not, 'T' by a signal; '?', or as in /proc */
    int64_t syscall;      /* number of the one it slept in, -1: none */
    uint32_t holds_gil;   /* 0 no, 1 yes */
    ouro_node root;       /* the thread's <root> */
};

/* Where code stands. */
enum ouro_run_state {
    OURO_RUN_UNKNOWN = 0,   /* of a traceback, too: it only has a line */
    OURO_RUN_CREATED = 1,   /* has not begun */
    OURO_RUN_SUSPENDED = 2, /* at a yield of its own */
    OURO_RUN_AWAITING = 3,  /* at an await or yield from: the last of its value stack is what it waits for */
    OURO_RUN_EXECUTING = 4, /* a thread is inside of it (it may have called something) */
    OURO_RUN_FINISHED = 5,
};

/* Of frames (pseudo objects and frame objects), generators, coroutines and asynchronous generators that are not finished, and tracebacks. */
struct ouro_line_record {
    ouro_node node;
    uint32_t line;  /* 0 unknown, or code without a line */
    uint32_t state; /* enum ouro_run_state; others are of later writers */
};

/* A lock object that is locked: threading.Lock, RLock. */
struct ouro_lock_record {
    ouro_node node;
    uint64_t owner; /* threading.get_ident() of who has it; 0: a Lock does not know */
    uint64_t count; /* how often its owner has taken it; 1 of a Lock */
};

enum ouro_wait_kind {
    OURO_WAIT_OTHER = 0,  /* for something that is none of these */
    OURO_WAIT_LOCK = 1,   /* node: the lock object */
    OURO_WAIT_GIL = 2,
    OURO_WAIT_THREAD = 3, /* for a thread's end; node: its handle (3.13 on) */
};

/* What a thread sleeps for, as far as native code says: the address of its futex. */
struct ouro_wait_record {
    uint32_t thread; /* which of the thread records */
    uint32_t kind;   /* enum ouro_wait_kind; others are of later writers */
    ouro_node node;  /* or OURO_NODE_NONE */
};

#endif
