#include "wild.h"

#include <stdlib.h>
#include <string.h>

#define TYPES_MAX   48u
#define SHAPES_MAX  60u
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
    "two words",        "a.b.C",     "f (file.py:1)",  " (",        " (file:3)", ")",      "\x1b[31m",
    "\xe2\x80\xae\xff", "__dict__",  "outer.<locals>.f (a.py:3)",
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
    bool pseudo_type[TYPES_MAX];
    uint8_t value_kind[TYPES_MAX];
    uint32_t shape_type[SHAPES_MAX];
    struct ouro_part parts[SHAPES_MAX][PARTS_MAX];
    unsigned part_count[SHAPES_MAX];
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
        object->shape = below(plan, plan->shape_count);
        /* Pseudo objects stand behind all others. */
        if (plan->pseudo_type[plan->shape_type[object->shape]] && i * 4 < plan->object_count * 3)
            object->shape = below(plan, plan->shape_count);
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
    for (unsigned i = below(plan, 3); i; i--) {
        struct ouro_thread_record thread = {
            .interpreter = below(plan, 3),
            .name = tiny_string(plan->tiny, texts[below(plan, sizeof texts / sizeof *texts)]),
            .state = (char)draw(plan),
            .root = any_node(plan),
        };
        ouro_snapshot_writer_thread(writer, &thread);
    }
}

void wild_write(struct tiny *tiny, uint64_t seed, unsigned most, enum ouro_codec codec)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        abort();
    plan->random = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    plan->tiny = tiny;
    tiny_begin_with(tiny, codec);
    plan->object_count = 1 + below(plan, most < OBJECTS_MAX ? most : OBJECTS_MAX);
    add_types(plan);
    add_shapes(plan);
    plan_objects(plan);
    write_tables(plan);
    write_objects(plan);
    write_lists(plan);
    tiny_commit(tiny);
    free(plan);
}
