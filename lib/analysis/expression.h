/* Path expressions: which object of a snapshot somebody means, written as Python.
 *
 *     app.CACHE['user:1'].profile            from a module (the longest prefix in sys.modules), __main__ or builtins
 *     sys.modules['app'].CACHE               the same, as `ouro path` writes it
 *     <Thread 'worker-3'>.frames[2:handle].locals['rows'][17]
 *     <interpreter 0: codec search cache>['utf_8']        and other named roots
 *     0x7f3a5c0e4d80['a'].b, 139888.b        an address or id() and steps from there
 *
 * Steps: .name, [literal], [-1], [expression]; around what stands before: vars(X), type(X), [*X][3], [*X.values()][3],
 * object.__getattribute__(X, 'n'), list.__getitem__(X, 3), dict.__getitem__(X, 'k'), [*dict.keys(X)][3],
 * [*set.__iter__(X)][3], vars(C)['slot'].__get__(X), X() of a weak reference, X -> words (the label of a reference, or
 * the type that it leads to, where that is only one).
 *
 * An expression gives the very object that Python would, or it fails and says how far it led. Nothing is run: what
 * would (properties, __getattr__, methods being bound) is an error that names the way round it. */
#ifndef OURO_ANALYSIS_EXPRESSION_H
#define OURO_ANALYSIS_EXPRESSION_H

#include "analysis/constant.h"

#define OURO_EXPRESSION_BYTES_MAX ((size_t)128 << 10)
#define OURO_EXPRESSION_DEPTH_MAX 100 /* forms inside of each other */

enum ouro_step_kind {
    OURO_STEP_NAME, /* a first name: module, global of __main__, builtin */
    OURO_STEP_ADDR,
    OURO_STEP_ROOT,           /* <name> */
    OURO_STEP_THREAD,         /* <Thread 'name' 27523> */
    OURO_STEP_CURRENT_FRAMES, /* sys._current_frames() */
    OURO_STEP_ATTRIBUTE,
    OURO_STEP_ITEM,   /* [literal] */
    OURO_STEP_FRAME,  /* [2:function] */
    OURO_STEP_STACK,  /* <stack[1]> */
    OURO_STEP_LOOKUP, /* [expression]: two values from the stack */
    OURO_STEP_VARS,
    OURO_STEP_TYPE,
    OURO_STEP_UNPACK,  /* [*X] */
    OURO_STEP_ITER,    /* set.__iter__(X), of dict, OrderedDict ... */
    OURO_STEP_VALUES,  /* X.values(), dict.values(X) */
    OURO_STEP_KEYS,    /* X.keys(), dict.keys(X) */
    OURO_STEP_OWN,     /* object.__getattribute__(X, 'name') */
    OURO_STEP_GETITEM, /* list.__getitem__(X, literal), of dict, tuple ... */
    OURO_STEP_GET,     /* D.__get__(X): two values */
    OURO_STEP_CALL,    /* X() */
    OURO_STEP_ARROW,   /* X -> words */
};

/* Steps in the order in which they are done, on a stack of values. */
struct ouro_expression {
    const char *text; /* borrowed */
    size_t size;
    struct ouro_constants literals;
    struct ouro_step {
        enum ouro_step_kind kind;
        bool has_name, has_number; /* of threads, of frames */
        uint32_t literal;          /* of items */
        uint64_t number;           /* address, index of a frame, a thread's native id */
        size_t name, name_size;    /* in text: of attributes, roots, functions, words */
        size_t base, base_size;    /* in text: the class whose method is meant; size 0: the object's own */
        size_t at, end;            /* in text: the step itself */
        size_t begin;              /* in text: where the value that it makes begins */
    } * items;                     /* owned */
    size_t count, capacity;
};

/* What is wrong. Zero-initialised is empty. */
struct ouro_expression_fault {
    struct ouro_buf words; /* a sentence, UTF-8, not escaped for any medium */
    bool syntax;           /* it is no expression; else the snapshot has no such object, or can't tell */
    size_t at;             /* where, in bytes of the text */
};
void ouro_expression_fault_fini(struct ouro_expression_fault *fault);

/* The text is borrowed as long as the expression is used. OURO_INVAL: no expression, fault says why and where. No
 * recursion; texts of more than OURO_EXPRESSION_BYTES_MAX are refused. */
enum ouro_status ouro_expression_parse(struct ouro_expression *expression, const char *text, size_t size,
                                       struct ouro_expression_fault *fault);
void ouro_expression_fini(struct ouro_expression *expression);
/* Whether it is only an address or id(): *addr. */
bool ouro_expression_is_address(const struct ouro_expression *expression, ouro_addr *addr);

/* The columns that finding needs. */
#define OURO_EXPRESSION_COLUMNS \
    (OURO_HEAP_ADDR | OURO_HEAP_SLOTS | OURO_HEAP_VALUES | OURO_HEAP_FLAGS | OURO_HEAP_INTERP)
/* OURO_GONE: there is no such object; OURO_INVAL: Python would run code for it; OURO_BADDATA: the file can't tell;
 * OURO_NOMEM. The fault says which, and how far the expression led. O(entries of the dicts on the way), a look through
 * the heap for frames that lie elsewhere. */
enum ouro_status ouro_expression_find(const struct ouro_expression *expression, const struct ouro_heap_model *model,
                                      ouro_node *node, struct ouro_expression_fault *fault);

#endif
