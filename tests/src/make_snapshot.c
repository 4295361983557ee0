/* Writes the snapshot that the scripts in tests/src ask about: every field of the export, and names that mean harm.
 * Given a number, one with that many objects instead.
 *
 * usage: make_snapshot FILE [COUNT] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../analysis/tiny.h"

static struct tiny tiny;

static ouro_node add_text(uint32_t shape, const char *text, unsigned flags)
{
    ouro_node node = tiny_object(&tiny, shape, 50, 1, flags | OURO_OBJECT_VALUE);
    tiny_value(&tiny, text, strlen(text));
    return node;
}

static void add_tables(void)
{
    struct ouro_interpreter_record interpreter = {
        .gc_enabled = 1,
        .threshold = {700, 10, 10},
        .count = {-3, 2, 1},
        .collections = {9, 8, 7},
        .tracked = {4, 1, 0},
        .frozen = 1,
        .garbage = OURO_NODE_NONE,
        .callbacks = OURO_NODE_NONE,
    };
    struct ouro_thread_record thread = {
        .ident = 99,
        .native_id = 4711,
        .name = tiny_string(&tiny, "Main\x1b]0;evil\x07Thread"),
        .comm = tiny_string(&tiny, "python3"),
        .state = 'S',
        .syscall = -1,
        .holds_gil = 1,
        .root = OURO_NODE_NONE,
    };
    static const char command[] = "python3\0app.py\0--name=\xe2\x80\xae evil";
    ouro_snapshot_writer_interpreter(tiny.writer, &interpreter);
    interpreter.id = 1;
    ouro_snapshot_writer_interpreter(tiny.writer, &interpreter);
    ouro_snapshot_writer_thread(tiny.writer, &thread);
    ouro_snapshot_writer_meta(tiny.writer, OURO_META_COMMAND, command, sizeof command);
    ouro_snapshot_writer_meta(tiny.writer, OURO_META_NAME, "python3", 7);
    ouro_snapshot_writer_meta(tiny.writer, OURO_META_TIME, "1700000000.5", 12);
}

/* Numbers of objects, as test_commands.py knows them too. */
enum {
    KEY,
    SURROGATE,
    NUMBER,
    LIST,
    DICT,
    HOSTILE,
    CYCLE_A,
    CYCLE_B,
    HANGING,
    WEAK,
    FROZEN,
    IMMORTAL,
    FOREIGN,
    FOUND,
    FRAME,
    ROOT
};

static void add_objects(void)
{
    uint32_t type = tiny_type(&tiny, "builtins", "str", 0, OURO_VALUE_STR), list;
    uint32_t text = TINY_EMPTY_SHAPE(&tiny, type);
    uint32_t number = TINY_EMPTY_SHAPE(&tiny, tiny_type(&tiny, "builtins", "int", 0, OURO_VALUE_INT));
    type = tiny_type(&tiny, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE);
    list = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS_DOWN});
    type = tiny_type(&tiny, "builtins", "dict", OURO_TYPE_GC | OURO_TYPE_DICT, OURO_VALUE_NONE);
    uint32_t dict = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ENTRIES_STR});
    type = tiny_type(&tiny, "app\"\x1b[2J", "Outer.<b>\xe2\x80\xae\n", OURO_TYPE_GC, OURO_VALUE_NONE);
    uint32_t hostile =
        TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, ".\"\x1b[1m\\")},
                   {.kind = OURO_PART_FIELD, .edge_class = OURO_EDGE_HIDDEN, .name = tiny_string(&tiny, ".h")});
    type = tiny_type(&tiny, "weakref", "ReferenceType", OURO_TYPE_GC | OURO_TYPE_WEAKREF, OURO_VALUE_NONE);
    uint32_t weak = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .edge_class = OURO_EDGE_WEAK, .name = 0});
    type = tiny_type(&tiny, "ext", "Thing", OURO_TYPE_GC | OURO_TYPE_APPROXIMATE, OURO_VALUE_NONE);
    uint32_t found = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FOUND, .name = tiny_string(&tiny, "word")});
    type = tiny_type(&tiny, "", "<frame>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    uint32_t frame = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_FIELD, .name = tiny_string(&tiny, "local")});
    type = tiny_type(&tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    uint32_t root = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_NAMED, .name = tiny_string(&tiny, "frames")});

    add_text(text, "user:1", OURO_OBJECT_IS_KEY);
    add_text(text, "\xed\xb2\x80 \xf0\x9f\x90\x8d", 0);
    tiny_object(&tiny, number, 28, 2, OURO_OBJECT_VALUE);
    tiny_value(&tiny, "\x2a", 1);
    tiny_object(&tiny, list, 88, 2, 3); /* one count that nobody explains */
    tiny_count(&tiny, 3);
    TINY_SLOTS(&tiny, SURROGATE, NUMBER, DICT);
    tiny_object_of(&tiny, dict, 232, 64, 1, 1, 0);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, HOSTILE, KEY);
    tiny_object(&tiny, hostile, 48, 1, 2);
    TINY_SLOTS(&tiny, NUMBER, FROZEN);
    tiny_object(&tiny, list, 72, 1, 1);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, CYCLE_B);
    tiny_object(&tiny, list, 80, 1, 1);
    tiny_count(&tiny, 2);
    TINY_SLOTS(&tiny, HANGING, CYCLE_A);
    add_text(text, "hanging", 0);
    tiny_object(&tiny, weak, 72, 1, 1);
    TINY_SLOTS(&tiny, LIST);
    tiny_object(&tiny, list, 56, 1, 4);
    tiny_count(&tiny, 0);
    tiny_object(&tiny, text, 49, 0, OURO_OBJECT_IMMORTAL | OURO_OBJECT_VALUE);
    tiny_value(&tiny, "", 0);
    tiny_object_of(&tiny, list, 56, 0, 1, 1, 1);
    tiny_count(&tiny, 0);
    tiny_object(&tiny, found, 64, 1, 1 | OURO_OBJECT_APPROXIMATE);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, OURO_NODE_NONE);
    tiny_object(&tiny, frame, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    tiny_value(&tiny, "main (app.py:3)", 15);
    TINY_SLOTS(&tiny, LIST);
    tiny_object(&tiny, root, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    tiny_value(&tiny, "thread 4711", 11);
    tiny_count(&tiny, 1);
    TINY_SLOTS(&tiny, FRAME);
}

static void add_many(ouro_node count)
{
    uint32_t type = tiny_type(&tiny, "builtins", "list", OURO_TYPE_GC, OURO_VALUE_NONE);
    uint32_t list = TINY_SHAPE(&tiny, type, {.kind = OURO_PART_ITEMS});
    for (ouro_node i = 0; i < count; i++) {
        tiny_object(&tiny, list, 56 + i % 7, 1, 1);
        tiny_count(&tiny, i > 0);
        if (i)
            TINY_SLOTS(&tiny, i - 1);
    }
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    tiny_begin(&tiny);
    if (argc > 2)
        add_many((ouro_node)strtoul(argv[2], NULL, 10));
    else {
        add_tables();
        add_objects();
    }
    tiny_commit(&tiny);
    if (rename(tiny.path, argv[1])) {
        perror(argv[1]);
        return 1;
    }
    return 0;
}
