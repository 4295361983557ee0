/* The walk for stacks: only what threads and asyncio tasks stand on.
 *
 * From frames (of threads, and of what tasks await) to their local variables, and of these a little: containers and instances are
 * opened a level or two deep and only up to OURO_STACK_ITEMS items; what is larger, and what lies deeper, is there without what it refers
 * to. What waiting is made of (generators, coroutines, futures, tasks, their callbacks and what these enclose) is followed as far as it
 * leads.
 *
 * It is made for a lazy image (lazy.h): everything that writing the objects down will read is read here as well, so that who walks
 * twice has all pages the second time. Memory: 40 bytes an object. */
#ifndef OURO_CAPTURE_STACK_WALK_H
#define OURO_CAPTURE_STACK_WALK_H

#include "base/map.h"
#include "capture/walk.h"

#define OURO_STACK_ITEMS       64u      /* of a container that is opened */
#define OURO_STACK_LEVELS      2u       /* so deep are the values of local variables opened */
#define OURO_STACK_DEEP_FRAMES 1000u    /* frames of a thread from here on: local variables are not opened */
#define OURO_STACK_OBJECTS_MAX 1000000u /* more are counted and left out */

struct ouro_stack_walk {
    struct ouro_python *python; /* borrowed */
    ouro_addr registries[16];   /* borrowed objects that hold tasks; found by ouro_stack_walk_find */
    size_t registry_count;
    /* From 3.14 on they are in linked lists: where the heads are in the states of threads and interpreters, and the node in a task. */
    struct { uint64_t node, of_interpreter, of_thread; bool known; } lists;
    /* What the threads do (borrowed), for what they wait for; set before each run. */
    const struct ouro_thread_state *states;
    size_t state_count;
    /* Called now and then; may be NULL. */
    void (*tick)(void *context);
    void *tick_context;
    struct {
        struct ouro_stack_object {
            ouro_addr addr;
            struct ouro_type *type;
            uint8_t level;
            bool open, queued, noted, plain; /* plain: a list or tuple that only groups: it makes nothing deeper */
            bool with_mro; /* a class with several bases: these are told */
        } *items; /* owned */
        size_t count, capacity;
    } objects;
    struct ouro_map by_addr, kinds; /* address -> number of the object; type -> enum kind */
    struct { uint32_t *items; size_t count, capacity; } queue; /* owned; of objects to be looked at */
    struct { ouro_addr *items; size_t count, capacity; } targets, noted, namespaces; /* owned */
    struct ouro_buf scratch;
    struct ouro_visitor visitor;
    struct ouro_type_cache types;
    uint64_t left_out_count;
    uint64_t torn_count; /* threads whose frames are not all there */
    uint32_t frame_count; /* of the present thread */
    size_t slot_count, closure_slot, names_slot; /* of the present object: fixed slots so far, and which is its __closure__, its co_names */
    uint64_t skipped_slots; /* of a frame object: bits of fixed slots */
    bool in_thread, out_of_memory;
};

/* Where asyncio keeps its tasks, and threading its names, of each interpreter; a look that needs not be of the same moment as the walk, for it
 * reads whole modules. */
void ouro_stack_walk_find(struct ouro_stack_walk *walk, struct ouro_python *python, struct ouro_modules *modules);
/* Walks. The registries must be set. OURO_NOMEM. */
enum ouro_status ouro_stack_walk_run(struct ouro_stack_walk *walk, struct ouro_python *python, struct ouro_err *err);
/* What was found, for ouro_walk_choose; malloc'ed. NULL: no memory. */
struct ouro_walk_choice *ouro_stack_walk_choices(const struct ouro_stack_walk *walk);
/* Forgets what was found, but not the registries. */
void ouro_stack_walk_clear(struct ouro_stack_walk *walk);
void ouro_stack_walk_fini(struct ouro_stack_walk *walk);

#endif
