#include "wild.h"

#include <stdlib.h>
#include <string.h>

#define TYPES_MAX   48u
#define SHAPES_MAX  60u
#define STAGE_MAX   24u /* shapes of what stacks are made of */
#define PARTS_MAX   8u
#define OBJECTS_MAX 400u
#define SLOTS_MAX   48u

/* Names that the analysis looks for, and some that mean harm. */
static const char *const type_names[][2] = {
    {"builtins",       "type"              },
    {"builtins",       "object"            },
    {"builtins",       "module"            },
    {"builtins",       "function"          },
    {"builtins",       "method"            },
    {"builtins",       "code"              },
    {"builtins",       "cell"              },
    {"builtins",       "dict"              },
    {"builtins",       "list"              },
    {"builtins",       "tuple"             },
    {"builtins",       "set"               },
    {"builtins",       "str"               },
    {"builtins",       "int"               },
    {"builtins",       "frame"             },
    {"builtins",       "traceback"         },
    {"builtins",       "generator"         },
    {"builtins",       "coroutine"         },
    {"builtins",       "async_generator"   },
    {"builtins",       "mappingproxy"      },
    {"builtins",       "wrapper_descriptor"},
    {"builtins",       "weakref"           },
    {"weakref",        "ReferenceType"     },
    {"weakref",        "finalize"          },
    {"weakref",        "finalize._Info"    },
    {"functools",      "_lru_cache_wrapper"},
    {"functools",      "partial"           },
    {"collections",    "OrderedDict"       },
    {"collections",    "deque"             },
    {"_io",            "_IOBase"           },
    {"_asyncio",       "Task"              },
    {"",               "<root>"            },
    {"",               "<frame>"           },
    {"app",            "User"              },
    {"app.models",     "Department"        },
    {"app",            "User"              },
    {"",               ""                  },
    {"a\x1b[2J",       "Cla\nss"           },
    {"\xe2\x80\xae",   "\xed\xb2\x80\xff"  },
};
static const char *const field_names[] = {
    "__base__",      "__dict__",     "__mro__",     "__code__",      "__closure__", "co_freevars", "co_localsplusnames",
    "cell_contents", "gi_frame",     "gi_code",     "f_code",        "__func__",    "__self__",    "__qualname__",
    "__wrapped__",   "__objclass__", "__callback__", "__traceback__", ".x",         "",            ".parent\n",
    "\x1b]0;",       ".func",        "[shared]",    "<weird>",       "__class__",
};
static const char *const texts[] = {
    "__classdict__",    "__class__", "__del__",        "_registry", "x",         "parent", "",
    "wait",             "get",       "__exit__",       "__enter__", "_bootstrap", "join",  "threading.Condition",
    "two words",        "a.b.C",     "f (file.py:1)",  " (",        " (file:3)", ")",      "\x1b[31m",
    "\xe2\x80\xae\xff", "__dict__",  "outer.<locals>.f (a.py:3)",
};

/* What threads' stacks are made of: type, then the names of fields; "*" is a value stack, "frames" a run of them. */
static const char *const stage[][8] = {
    {"", "<root>", "frames"},
    {"", "<frame>", "frame", "f_locals", "f_func", "f_code", "self", "*"},
    {"", "<frame>", "f_func", "f_code", "self", "waiter", "*"},
    {"", "<frame>", "frame", "*"},
    {"", "<frame>", "generator", "self", "*"},
    {"builtins", "frame", "f_code", "f_locals", "f_trace", "self", "*"},
    {"builtins", "generator", "f_func", "f_code", "x", "*"},
    {"builtins", "coroutine", "cr_frame", "cr_code", "__qualname__"},
    {"builtins", "code", "co_name", "co_qualname", "co_filename", "co_localspluskinds", "co_cellvars"},
    {"builtins", "code", "co_name"},
    {"builtins", "str"},
    {"builtins", "function", "__code__", "__qualname__"},
    {"builtins", "method", "__func__", "__self__"},
    {"builtins", "builtin_function_or_method", "__self__"},
    {"builtins", "method_descriptor", "__objclass__"},
    {"builtins", "cell", "cell_contents"},
    {"_thread", "lock"},
    {"_thread", "RLock"},
    {"threading", "Condition", "._lock", "__dict__"},
    {"threading", "Thread", "._ident", "._tstate_lock", "._handle"},
    {"threading", "Event", "._cond"},
    {"queue", "Queue", ".not_empty"},
    {"_frozen_importlib", "_ModuleLock", ".owner", ".name"},
    {"builtins", "ValueError", "args"},
};

struct plan_object {
    uint32_t shape;
    ouro_node slots[SLOTS_MAX];
    unsigned slot_count, count_count;
    uint64_t counts[PARTS_MAX];
    uint64_t refcount;
    unsigned flags;
};

struct plan {
    uint64_t random;
    struct tiny *tiny;
    unsigned type_count, shape_count, object_count;
    bool pseudo_type[TYPES_MAX + STAGE_MAX];
    uint8_t value_kind[TYPES_MAX + STAGE_MAX];
    uint32_t shape_type[SHAPES_MAX + STAGE_MAX];
    struct ouro_part parts[SHAPES_MAX + STAGE_MAX][PARTS_MAX];
    unsigned part_count[SHAPES_MAX + STAGE_MAX];
    unsigned stage_begin; /* of the shapes */
    struct plan_object objects[OBJECTS_MAX];
};

static uint64_t draw(struct plan *plan)
{
    plan->random ^= plan->random << 13;
    plan->random ^= plan->random >> 7;
    plan->random ^= plan->random << 17;
    return plan->random * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

static unsigned below(struct plan *plan, unsigned limit)
{
    return (unsigned)(draw(plan) % limit);
}

static ouro_node any_node(struct plan *plan)
{
    return below(plan, 12) ? below(plan, plan->object_count) : OURO_NODE_NONE;
}

static void add_types(struct plan *plan)
{
    size_t names = sizeof type_names / sizeof *type_names;
    plan->type_count = 4 + below(plan, TYPES_MAX - 4);
    for (unsigned i = 0; i < plan->type_count; i++) {
        size_t which = below(plan, 3) ? i % names : below(plan, (unsigned)names);
        bool pseudo = type_names[which][1][0] == '<' || !below(plan, 40);
        struct ouro_type_record type = {
            .addr = pseudo ? 0 : 0x1000,
            .node = any_node(plan),
            .name = tiny_string(plan->tiny, type_names[which][1]),
            .module = tiny_string(plan->tiny, type_names[which][0]),
            .flags = (uint32_t)draw(plan) & 511 & ~(uint32_t)OURO_TYPE_PSEUDO,
            .value_kind = below(plan, 3) ? below(plan, OURO_VALUE_COMPLEX + 1) : OURO_VALUE_NAME,
            .basicsize = draw(plan) >> below(plan, 60),
            .base = i && below(plan, 4) ? below(plan, i) : UINT32_MAX, /* the reader refuses circles of these */
        };
        if (!strcmp(type_names[which][1], "str") && below(plan, 4))
            type.value_kind = OURO_VALUE_STR;
        if (below(plan, 3))
            type.flags |= OURO_TYPE_GC;
        if (pseudo)
            type.flags |= OURO_TYPE_PSEUDO;
        plan->pseudo_type[i] = pseudo;
        plan->value_kind[i] = (uint8_t)type.value_kind;
        ouro_snapshot_writer_type(plan->tiny->writer, &type);
    }
}

static void add_shapes(struct plan *plan)
{
    plan->shape_count = 1 + below(plan, SHAPES_MAX - 1);
    for (unsigned i = 0; i < plan->shape_count; i++) {
        unsigned parts = below(plan, 3) ? below(plan, 4) : below(plan, PARTS_MAX);
        struct ouro_part with_end[PARTS_MAX + 1];
        plan->shape_type[i] = below(plan, 3) ? i % plan->type_count : below(plan, plan->type_count);
        for (unsigned j = 0; j < parts; j++) {
            struct ouro_part *part = &plan->parts[i][j];
            part->kind = (uint8_t)(below(plan, 2) ? OURO_PART_FIELD : below(plan, OURO_PART_KIND_COUNT));
            part->edge_class = (uint8_t)(below(plan, 4) ? OURO_EDGE_TRAVERSED : below(plan, 3));
            part->name = tiny_string(plan->tiny, field_names[below(plan, sizeof field_names / sizeof *field_names)]);
        }
        if (below(plan, 3) == 0) { /* as the sequences and mappings of real heaps */
            parts = 1;
            plan->parts[i][0].kind =
                (uint8_t)(OURO_PART_ITEMS + below(plan, OURO_PART_KIND_COUNT - OURO_PART_ITEMS));
        }
        plan->part_count[i] = parts;
        memcpy(with_end, plan->parts[i], parts * sizeof *with_end);
        with_end[parts] = (struct ouro_part){.kind = OURO_PART_KIND_COUNT};
        tiny_shape(plan->tiny, plan->shape_type[i], with_end);
    }
}

static void add_stage(struct plan *plan)
{
    plan->stage_begin = plan->shape_count;
    for (unsigned i = 0; i < sizeof stage / sizeof *stage; i++) {
        unsigned type_index = plan->type_count++, shape = plan->shape_count++, parts = 0;
        struct ouro_part with_end[PARTS_MAX + 1];
        bool pseudo = stage[i][1][0] == '<';
        unsigned kind = !strcmp(stage[i][1], "str") ? OURO_VALUE_STR : OURO_VALUE_NAME;
        struct ouro_type_record type = {
            .addr = pseudo ? 0 : 0x1000,
            .node = any_node(plan),
            .name = tiny_string(plan->tiny, stage[i][1]),
            .module = tiny_string(plan->tiny, stage[i][0]),
            .flags = pseudo ? OURO_TYPE_PSEUDO : OURO_TYPE_GC,
            .value_kind = kind,
            .base = below(plan, 3) ? UINT32_MAX : below(plan, type_index),
        };
        ouro_snapshot_writer_type(plan->tiny->writer, &type);
        plan->pseudo_type[type_index] = pseudo;
        plan->value_kind[type_index] = (uint8_t)kind;
        plan->shape_type[shape] = type_index;
        for (unsigned f = 2; f < 8 && stage[i][f]; f++) {
            const char *name = stage[i][f];
            struct ouro_part *part = &plan->parts[shape][parts++];
            part->kind = (uint8_t)(*name == '*'                ? OURO_PART_STACK
                                   : strcmp(name, "frames")    ? OURO_PART_FIELD
                                                               : OURO_PART_NAMED);
            part->edge_class = strcmp(name, "generator") ? OURO_EDGE_TRAVERSED : OURO_EDGE_WEAK;
            part->name = tiny_string(plan->tiny, *name == '*' ? "" : name);
        }
        plan->part_count[shape] = parts;
        memcpy(with_end, plan->parts[shape], parts * sizeof *with_end);
        with_end[parts] = (struct ouro_part){.kind = OURO_PART_KIND_COUNT};
        tiny_shape(plan->tiny, type_index, with_end);
    }
}

static void plan_slots(struct plan *plan, struct plan_object *object)
{
    for (unsigned i = 0; i < plan->part_count[object->shape]; i++) {
        unsigned kind = plan->parts[object->shape][i].kind, width = ouro_part_width(kind), items = 1;
        if (kind == OURO_PART_TYPE)
            continue;
        if (ouro_part_repeats(kind)) {
            items = below(plan, 3) ? below(plan, 4) : below(plan, 12);
            if (items * width > SLOTS_MAX - object->slot_count)
                items = 0;
            object->counts[object->count_count++] = items;
        }
        for (unsigned k = 0; k < items * width && object->slot_count < SLOTS_MAX; k++)
            object->slots[object->slot_count++] = any_node(plan);
    }
}

static void plan_objects(struct plan *plan)
{
    unsigned pseudo = 0;
    for (unsigned i = 0; i < plan->object_count; i++) {
        struct plan_object *object = &plan->objects[i];
        object->shape = below(plan, plan->stage_begin);
        /* Pseudo objects stand behind all others. */
        if (plan->pseudo_type[plan->shape_type[object->shape]] && i * 4 < plan->object_count * 3)
            object->shape = below(plan, plan->stage_begin);
        if (below(plan, 2)) {
            bool late = i * 4 >= plan->object_count * 3; /* pseudo objects stand behind all others */
            object->shape = plan->stage_begin + (late ? below(plan, 5) : 5 + below(plan, STAGE_MAX - 5));
        }
        plan_slots(plan, object);
        object->flags = (unsigned)draw(plan) & 0x7ff8 & (unsigned)draw(plan) & ~(unsigned)OURO_OBJECT_PSEUDO;
        object->flags |= below(plan, 8) ? 1 + below(plan, 3) : below(plan, 5);
        if (below(plan, 2))
            object->flags |= OURO_OBJECT_VALUE;
        if (pseudo || (i * 4 >= plan->object_count * 3 && plan->pseudo_type[plan->shape_type[object->shape]])) {
            object->flags |= OURO_OBJECT_PSEUDO;
            pseudo++;
        }
    }
    /* Mostly the true counts, so that there is garbage. */
    for (unsigned i = 0; i < plan->object_count; i++)
        for (unsigned j = 0; j < plan->objects[i].slot_count; j++)
            if (plan->objects[i].slots[j] != OURO_NODE_NONE)
                plan->objects[plan->objects[i].slots[j]].refcount++;
    for (unsigned i = 0; i < plan->object_count; i++)
        if (!below(plan, 6))
            plan->objects[i].refcount = below(plan, 3) ? below(plan, 4) : draw(plan) >> below(plan, 48);
}

static void write_objects(struct plan *plan)
{
    for (unsigned i = 0; i < plan->object_count; i++) {
        const struct plan_object *object = &plan->objects[i];
        tiny_object_of(plan->tiny, object->shape, below(plan, 8) ? below(plan, 200) : draw(plan) >> 2,
                       below(plan, 5) ? 0 : draw(plan) >> 2, object->refcount, object->flags,
                       below(plan, 9) ? 0 : below(plan, 3));
        for (unsigned k = 0; k < object->count_count; k++)
            tiny_count(plan->tiny, object->counts[k]);
        tiny_slots(plan->tiny, object->slots, object->slot_count);
        if (object->flags & OURO_OBJECT_VALUE) {
            const char *text = texts[below(plan, sizeof texts / sizeof *texts)];
            size_t size = below(plan, 10) ? strlen(text) : strlen(text) + 1;
            if (plan->value_kind[plan->shape_type[object->shape]] == OURO_VALUE_FLOAT && below(plan, 2))
                tiny_value(plan->tiny, "\0\0\0\0\0\0\xf8\x7f", 8);
            else
                tiny_value(plan->tiny, text, size);
        }
    }
}

static void write_lists(struct plan *plan)
{
    struct ouro_snapshot_writer *writer = plan->tiny->writer;
    for (unsigned list = below(plan, 6); list; list--) {
        ouro_node nodes[32];
        unsigned count = below(plan, 32);
        for (unsigned i = 0; i < count; i++)
            nodes[i] = below(plan, plan->object_count);
        ouro_snapshot_writer_gc_order(writer, below(plan, 3), below(plan, 4), nodes, count, NULL);
    }
    for (unsigned i = 0; i < plan->object_count; i += 1 + below(plan, 2 * plan->object_count))
        for (unsigned slot = 0; slot < plan->objects[i].slot_count; slot += 1 + below(plan, 3))
            ouro_snapshot_writer_borrowed(writer, i, slot);
}

/* Lines, locks, and what threads wait for. */
static void write_facts(struct plan *plan, unsigned thread_count)
{
    struct ouro_snapshot_writer *writer = plan->tiny->writer;
    for (unsigned i = 0; i < plan->object_count; i++) {
        struct ouro_line_record line = {i, below(plan, 3) ? below(plan, 99) : (uint32_t)draw(plan), below(plan, 8)};
        struct ouro_lock_record lock = {i, below(plan, 4), draw(plan)};
        if (!below(plan, 4))
            ouro_snapshot_writer_line(writer, &line);
        if (!below(plan, 4))
            ouro_snapshot_writer_lock(writer, &lock);
    }
    for (unsigned i = 0; i < thread_count; i++) {
        struct ouro_wait_record wait = {i, below(plan, 5), any_node(plan)};
        if (below(plan, 4))
            ouro_snapshot_writer_wait(writer, &wait);
    }
}

static void write_tables(struct plan *plan)
{
    static const char *const pythons[] = {"3.8.0", "3.11.7", "3.13.0", "3.14.0", "3.14.5", "3.15.0", "x", "99999999999.1"};
    struct ouro_snapshot_writer *writer = plan->tiny->writer;
    const char *python = pythons[below(plan, sizeof pythons / sizeof *pythons)];
    ouro_snapshot_writer_meta(writer, OURO_META_PYTHON, python, strlen(python));
    if (!below(plan, 4))
        ouro_snapshot_writer_meta(writer, OURO_META_COLLECTOR, "incremental", 11);
    if (!below(plan, 4))
        ouro_snapshot_writer_meta_u64(writer, OURO_META_COLLECTING_GENERATION, draw(plan));
    for (unsigned i = below(plan, 4); i; i--) {
        struct ouro_interpreter_record interpreter = {
            .id = below(plan, 3),
            .gc_enabled = below(plan, 2),
            .gc_debug = (uint32_t)draw(plan),
            .gc_collecting = below(plan, 2),
            .garbage = any_node(plan),
            .callbacks = any_node(plan),
            .long_lived_total = (int64_t)draw(plan) - (int64_t)draw(plan),
            .long_lived_pending = (int64_t)draw(plan) - (int64_t)draw(plan),
        };
        for (unsigned g = 0; g < OURO_GENERATION_COUNT; g++) {
            interpreter.threshold[g] = below(plan, 2) ? below(plan, 800) : draw(plan) << below(plan, 16);
            interpreter.count[g] = below(plan, 2) ? (int64_t)below(plan, 800) : (int64_t)(draw(plan) << below(plan, 17));
            interpreter.tracked[g] = draw(plan) >> below(plan, 48);
        }
        ouro_snapshot_writer_interpreter(writer, &interpreter);
    }
    unsigned thread_count = below(plan, 6);
    for (unsigned i = 0; i < thread_count; i++) {
        struct ouro_thread_record thread = {
            .interpreter = below(plan, 2) ? 0 : below(plan, 3),
            .ident = below(plan, 4),
            .native_id = below(plan, 8) ? 4710 + i : draw(plan),
            .name = tiny_string(plan->tiny, texts[below(plan, sizeof texts / sizeof *texts)]),
            .comm = tiny_string(plan->tiny, texts[below(plan, sizeof texts / sizeof *texts)]),
            .state = below(plan, 3) ? "RSDTtI"[below(plan, 6)] : (char)draw(plan),
            .syscall = below(plan, 3) ? (int64_t)below(plan, 300) - 1 : (int64_t)draw(plan),
            .holds_gil = below(plan, 3) == 0,
            .root = any_node(plan),
        };
        for (unsigned tries = 0; tries < 40; tries++) {
            unsigned node = below(plan, plan->object_count);
            if (plan->objects[node].shape == plan->stage_begin)
                thread.root = node;
        }
        ouro_snapshot_writer_thread(writer, &thread);
    }
    write_facts(plan, thread_count);
}

void wild_write(struct tiny *tiny, uint64_t seed, unsigned most, enum ouro_codec codec)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        abort();
    plan->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    plan->tiny = tiny;
    tiny_begin_with(tiny, codec);
    ouro_snapshot_writer_meta_u64(tiny->writer, "process.start_ticks", seed % 2); /* two may be of one process */
    plan->object_count = 1 + below(plan, most < OBJECTS_MAX ? most : OBJECTS_MAX);
    add_types(plan);
    add_shapes(plan);
    add_stage(plan);
    plan_objects(plan);
    write_tables(plan);
    write_objects(plan);
    write_lists(plan);
    tiny_commit(tiny);
    free(plan);
}
