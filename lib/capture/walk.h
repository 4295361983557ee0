/* The walk over an image: mark everything reachable, number it by rank, find each object's number again.
 *
 * One bit per 8 bytes of image says "an object begins here"; its number is the rank of its bit. Tracked objects come from the
 * collector's lists; while one thread follows those, another visits what it found; then a sweep in address order visits the
 * rest. Memory beside the image: at most 1/16 of it for bits and ranks, 8 bytes a tracked object, a stack of bounded size for each
 * thread (what does not fit waits as a bit).
 *
 * Of an image with a window it is 1/64 for the marks, at most 1/32 more, and of the ranks 1/512; tracked
 * objects go to a file where there is one. Marking goes region by region then: what a reference leads to is only looked at when its page is
 * there; else its bit waits for the sweep. And a list is read only a little ahead of who visits what is on it. */
#ifndef OURO_CAPTURE_WALK_H
#define OURO_CAPTURE_WALK_H

#include <signal.h>

#include "base/buf.h"
#include "capture/tracked.h"
#include "cpython/state.h"
#include "cpython/visit.h"

#define OURO_WALK_COUNTED 4u /* words of marks */
#define OURO_WALK_CHECKS 2u /* objects of each type that every walk compares */

struct ouro_walk_field {
    char *label; /* owned */
    ouro_addr target;
};

/* A root or a frame of a thread. */
struct ouro_pseudo {
    enum { OURO_PSEUDO_ROOT, OURO_PSEUDO_THREAD, OURO_PSEUDO_FRAME, OURO_PSEUDO_STATIC_TYPES } kind;
    char *name;  /* owned */
    uint64_t interpreter;
    size_t first_field, field_count;  /* among the walk's fields */
    size_t first_frame, frame_count;  /* of a thread: pseudo objects that follow it */
    ouro_addr frame, generator;
    bool running;
    bool torn; /* a thread whose frames are not all there */
    struct ouro_execution execution; /* of a frame */
    struct ouro_thread thread;
};

/* A collection that was running. */
struct ouro_walk_collection {
    uint64_t interpreter;
    unsigned generation;
    uint64_t thread; /* the kernel's number of the thread that runs it; 0 unknown */
    uint64_t linked_count, scanned_count; /* objects found by lists on its stack, and in memory */
};

/* 64 marks and how many objects are in front of them: together, since a look-up needs both. */
struct ouro_rank {
    uint64_t marks, before;
};

struct ouro_walk {
    struct ouro_python *python;
    const struct ouro_image *image;
    unsigned thread_count;
    uint32_t checks_per_type; /* objects of each type compared with what its own code says (check.h); 0: none */
    uint64_t checked_count;   /* atomic */
    uint64_t impossible_count; /* atomic: of those that could not be */
    uint64_t disagreed_count; /* atomic: types whose visitor was found wrong during the present round */
    /* Of each interpreter that was inside of a collection. */
    struct { struct ouro_walk_collection *items; size_t count, capacity; } collections;
    const struct ouro_thread_state *states; /* borrowed during the marking; for where the stacks of threads are */
    size_t state_count;
    bool torn; /* it ran while it was read: where a collector's list breaks off, its objects are looked for in memory */
    uint64_t broken_count; /* then: lists that did */
    bool names_only; /* note only keys of namespaces */
    bool limited;    /* it has what was chosen, and nothing else: a target without a mark is not lost */
    uint64_t *shallow; /* owned; of a limited walk: objects whose references are left out */
    const volatile sig_atomic_t *cancel; /* may be NULL */
    uint64_t *marked; /* owned; one bit per 8 bytes of image; without a window until ouro_walk_number */
    uint64_t *todo;  /* owned; the same: what is to be visited; with a window also what has to be looked at first. Until ouro_walk_number */
    uint64_t *noted; /* owned; one bit per 16 bytes: no two objects begin in there */
    size_t word_count; /* of the marks */
    struct ouro_rank *ranks; /* owned; word_count; after ouro_walk_number, without a window */
    uint32_t *counts;        /* owned; with a window: objects in front of each OURO_WALK_COUNTED words of marks */
    bool bounded;            /* the image has a window */
    int spool;               /* borrowed; a file for the lists of tracked objects; -1: none. May be set after ouro_walk_init. */
    uint64_t spool_end;
    int spool_errno; /* why it could not be written or read */
    ouro_node object_count;
    struct { struct ouro_tracked *items; size_t count, capacity; } tracked;
    struct { struct ouro_pseudo *items; size_t count, capacity; } pseudo;
    struct { struct ouro_walk_field *items; size_t count, capacity; } fields;
    /* Which interpreter (its index) an object belongs to, where there are several: of each the bits of what it tracks,
     * and behind those, of each but the first, of the rest that its walk added. Ascending. */
    struct ouro_walk_added { size_t interpreter; uint64_t *bits; size_t count, capacity; } *added;
    size_t added_count;
    bool out_of_memory;
};

enum ouro_status ouro_walk_init(struct ouro_walk *walk, struct ouro_python *python, unsigned thread_count,
                                bool names_only, const volatile sig_atomic_t *cancel, struct ouro_err *err);
void ouro_walk_fini(struct ouro_walk *walk);
/* Marks all that is reachable. Where a native visitor is found wrong (type->disagreed), it is not used, and everything is marked
 * once more. OURO_CANCELLED when *cancel became set. */
enum ouro_status ouro_walk_mark(struct ouro_walk *walk, struct ouro_err *err);
/* Marks what was chosen, and the frames of all threads, instead. */
struct ouro_walk_choice {
    ouro_addr addr;
    bool shallow, noted; /* noted: as ouro_walk_noted */
};
enum ouro_status ouro_walk_choose(struct ouro_walk *walk, const struct ouro_walk_choice *items, size_t count,
                                  struct ouro_err *err);
/* Numbers what is marked. OURO_LIMIT: more than 2^32 - 2^24 objects. */
enum ouro_status ouro_walk_number(struct ouro_walk *walk, struct ouro_err *err);
/* The interpreter that the object with this bit belongs to: its index among python->interpreters. */
size_t ouro_walk_interpreter(const struct ouro_walk *walk, uint64_t bit);

static inline uint64_t ouro_walk_bit(uint64_t offset)
{
    return offset >> 3;
}

/* The bit of `noted`. */
static inline uint64_t ouro_walk_cell(uint64_t bit)
{
    return bit >> 1;
}

static inline bool ouro_walk_is_set(const uint64_t *bits, uint64_t bit)
{
    return bits[bit >> 6] >> (bit & 63) & 1;
}

/* Without the instruction, which not every x86-64 has; a call of the compiler's own function costs more than this. */
static inline unsigned ouro_walk_popcount(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(word * UINT64_C(0x0101010101010101) >> 56);
}

/* After ouro_walk_number: the marks of a word, and how many objects are in front of it. */
static inline uint64_t ouro_walk_marks(const struct ouro_walk *walk, size_t word)
{
    return walk->counts ? walk->marked[word] : walk->ranks[word].marks;
}

static inline uint64_t ouro_walk_before(const struct ouro_walk *walk, size_t word)
{
    if (!walk->counts)
        return walk->ranks[word].before;
    uint64_t before = walk->counts[word / OURO_WALK_COUNTED];
    for (size_t i = word / OURO_WALK_COUNTED * OURO_WALK_COUNTED; i < word; i++)
        before += ouro_walk_popcount(walk->marked[i]);
    return before;
}

/* The number of the object at addr, or OURO_NODE_NONE. */
static inline ouro_node ouro_walk_node(const struct ouro_walk *walk, ouro_addr addr)
{
    uint64_t offset = ouro_image_offset(walk->image, addr);
    if (offset == UINT64_MAX || offset & 7)
        return OURO_NODE_NONE;
    uint64_t bit = ouro_walk_bit(offset);
    if (__builtin_expect(walk->counts != NULL, 0)) {
        uint64_t marks = walk->marked[bit >> 6];
        if (!(marks >> (bit & 63) & 1))
            return OURO_NODE_NONE;
        return (ouro_node)(ouro_walk_before(walk, bit >> 6) + ouro_walk_popcount(marks & ((UINT64_C(1) << (bit & 63)) - 1)));
    }
    const struct ouro_rank *rank = &walk->ranks[bit >> 6];
    if (!(rank->marks >> (bit & 63) & 1))
        return OURO_NODE_NONE;
    return (ouro_node)(rank->before + ouro_walk_popcount(rank->marks & ((UINT64_C(1) << (bit & 63)) - 1)));
}

/* Whether a bit was noted: a dict that is a namespace, a str or bytes that is a key. */
static inline bool ouro_walk_noted(const struct ouro_walk *walk, ouro_addr addr)
{
    uint64_t offset = ouro_image_offset(walk->image, addr);
    return offset != UINT64_MAX && ouro_walk_is_set(walk->noted, ouro_walk_cell(ouro_walk_bit(offset)));
}

#endif
