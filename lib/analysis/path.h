/* Shortest paths from the roots, as Python expressions.
 *
 * Length counts steps as they are written: `.name` is one, though the instance's __dict__ lies between. Modules, their
 * namespaces and threads' frames are where paths begin: a global and a frame's local are equally near. Of equally short
 * paths the one from a module's globals goes first, then a frame's, then the interpreter's own state; then the order of the
 * file; but what Python has no name for goes last. Breadth first over owned references, 8 bytes an object, 4 more for each that
 * owns something. The reverse graph is never made. */
#ifndef OURO_ANALYSIS_PATH_H
#define OURO_ANALYSIS_PATH_H

#include "analysis/notation.h"
#include "analysis/roots.h"

enum ouro_path_root {
    OURO_PATH_NONE,     /* no path: nothing owns it, or only what is not reached either */
    OURO_PATH_MODULE,   /* sys.modules */
    OURO_PATH_FRAME,    /* a thread */
    OURO_PATH_INTERNAL, /* other state of an interpreter */
    OURO_PATH_NATIVE,   /* only a native reference keeps where it begins */
    OURO_PATH_GARBAGE,  /* it begins with garbage */
};

/* Of a shape's objects: where the __dict__ stands, `count` neighbouring slots of which one is filled at most. */
struct ouro_path_shape {
    int32_t at; /* from the front, or, behind a run, ~n from the back */
    uint32_t count;
    bool leaf;     /* they own nothing */
    bool nameless; /* parts have no name in Python */
    bool special;  /* such parts, or references that own nothing */
};

struct ouro_path_search {
    const struct ouro_heap_model *model; /* borrowed */
    struct ouro_notation notation;
    ouro_node *parent; /* owned; by object: who it was found from; itself: a beginning; OURO_NODE_NONE: not found */
    ouro_node *queue;  /* owned; what was found, in that order, beginnings first */
    ouro_node found_count, begin_count;
    ouro_node named_count, native_count; /* of queue: found from named roots; from those or from native ones */
    ouro_node *pending;                  /* owned; of queue, in the same order: those that own something */
    ouro_node pending_count, done_count; /* done: of pending: whose references were followed */
    uint64_t *found;                     /* owned; a bit for each object that has a parent */
    uint64_t *special;                   /* owned; a bit for each of pending: its shape is special */
    struct ouro_path_shape *shapes;      /* owned; by shape, and one of lost objects */
    uint8_t *closed;                     /* owned; by object: must not be gone through; NULL: none */
    struct ouro_path_edge {
        ouro_node from;
        uint64_t slot; /* among all of its slots */
    } *items;          /* owned: references that must not be used */
    size_t count, capacity;
    ouro_node closed_begin; /* a beginning that must be found in another way, or OURO_NODE_NONE */
    uint8_t *wanted;        /* while it runs; by object */
    ouro_node wanted_count, target;
};

/* Loads what it needs and takes all memory. Nothing is searched yet, nor `parent` set. */
enum ouro_status ouro_path_search_init(struct ouro_path_search *search, struct ouro_heap_model *model,
                                       struct ouro_err *err);
void ouro_path_search_fini(struct ouro_path_search *search);
/* Searches anew from named roots, until all of `targets` are found (NULL: everything that can be found). */
enum ouro_status ouro_path_search_run(struct ouro_path_search *search, const ouro_node *targets, size_t count,
                                      struct ouro_err *err);
/* Goes on where that ended without having found all: from native roots, then from garbage. */
void ouro_path_search_extend(struct ouro_path_search *search, const struct ouro_roots *roots);

static inline bool ouro_path_search_found(const struct ouro_path_search *search, ouro_node node)
{
    return search->parent[node] != OURO_NODE_NONE;
}

struct ouro_path {
    struct ouro_slot *steps; /* owned; the references from the first object to the last */
    size_t count;
    ouro_node first, last;   /* a <root>, or what a native reference or garbage begins with; the target */
    enum ouro_path_root root;
};

/* The path to a node that was found. Of several references from one object to the next the one with the best notation. */
enum ouro_status ouro_path_init(struct ouro_path *path, const struct ouro_path_search *search, ouro_node node,
                                struct ouro_err *err);
void ouro_path_fini(struct ouro_path *path);
/* What lies between the path's beginnings and its end is not gone through by later searches, nor its last reference used: the
 * next path found has nothing in common with it but roots, modules, their namespaces, and threads' frames. */
enum ouro_status ouro_path_close(struct ouro_path_search *search, const struct ouro_path *path, struct ouro_err *err);
void ouro_path_open_all(struct ouro_path_search *search);
/* How many of the path's objects are beginnings: its first, the module, its namespace ... */
size_t ouro_path_begin_count(const struct ouro_path *path, const struct ouro_heap_model *model);

/* A path as text. Zero-initialised is empty. */
struct ouro_path_text {
    struct ouro_buf expression, python; /* python: what can be pasted anywhere, threads' frames by sys._current_frames();
                                           empty where there is none */
    struct ouro_buf root;               /* "sys.modules", "<Thread 'worker-3'>", "<C reference>" ... */
    struct ouro_buf notations;          /* of the steps, one behind the other */
    struct ouro_path_piece {
        size_t end; /* in notations */
        bool exact;
    } *items; /* owned; by step of the path; of several that are one the last has the text */
    size_t count, capacity;
    size_t root_steps; /* so many of the path's steps are said by the root's name */
    bool exact;        /* the expression names that very object */
    bool pasteable;    /* and is Python as it stands, not too deep for its compiler */
};
enum ouro_status ouro_path_text_init(struct ouro_path_text *text, const struct ouro_path_search *search,
                                     const struct ouro_path *path, struct ouro_err *err);
void ouro_path_text_fini(struct ouro_path_text *text);

#endif
