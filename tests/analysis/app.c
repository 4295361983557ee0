#include "app.h"

#include <string.h>

enum { TYPE, OBJECT, DICT, LIST, STR, INT, MODULE, USER, PROPERTY, MEMBER, CLASS_COUNT };

static const char *const names[CLASS_COUNT] = {"type", "object", "dict", "list",     "str",
                                               "int",  "module", "User", "property", "member_descriptor"};

static uint32_t string(struct tiny *tiny, const char *text)
{
    return tiny_string(tiny, text);
}

static ouro_node add_str(struct tiny *tiny, uint32_t shape, const char *text)
{
    ouro_node node = tiny_object(tiny, shape, 50, 1, OURO_OBJECT_VALUE | OURO_OBJECT_IS_KEY);
    tiny_value(tiny, text, strlen(text));
    return node;
}

static ouro_node add_dict(struct tiny *tiny, uint32_t shape, const ouro_node *pairs, size_t count)
{
    ouro_node node = tiny_object(tiny, shape, 200, 1, 0);
    tiny_count(tiny, count);
    tiny_slots(tiny, pairs, 2 * count);
    return node;
}

void app_begin(struct tiny *tiny, struct app *app)
{
    static const unsigned kinds[CLASS_COUNT] = {
        [TYPE] = OURO_VALUE_NAME, [STR] = OURO_VALUE_STR, [INT] = OURO_VALUE_INT, [MODULE] = OURO_VALUE_NAME};
    uint32_t types[CLASS_COUNT];
    tiny_begin(tiny);
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        types[i] = ouro_snapshot_writer_type(
            tiny->writer, &(struct ouro_type_record){.addr = TINY_BASE + 16 * i,
                                                     .node = i,
                                                     .name = string(tiny, names[i]),
                                                     .module = string(tiny, i == USER ? "app" : "builtins"),
                                                     .flags = i == DICT   ? OURO_TYPE_DICT
                                                              : i == USER ? OURO_TYPE_HEAP
                                                                          : 0,
                                                     .value_kind = kinds[i],
                                                     .base = i == OBJECT ? UINT32_MAX : OBJECT});
    uint32_t dict_field = string(tiny, "__dict__"),
             frame_type = tiny_type(tiny, "", "<frame>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME),
             root_type = tiny_type(tiny, "", "<root>", OURO_TYPE_PSEUDO, OURO_VALUE_NAME);
    uint32_t class_shape = TINY_SHAPE(tiny, types[TYPE], {.kind = OURO_PART_FIELD, .name = dict_field}),
             str_shape = TINY_EMPTY_SHAPE(tiny, types[STR]), int_shape = TINY_EMPTY_SHAPE(tiny, types[INT]),
             any_shape = TINY_SHAPE(tiny, types[DICT], {.kind = OURO_PART_ENTRIES}),
             names_shape = TINY_SHAPE(tiny, types[DICT], {.kind = OURO_PART_NAMESPACE}),
             list_shape = TINY_SHAPE(tiny, types[LIST], {.kind = OURO_PART_ITEMS_DOWN}),
             property_shape = TINY_EMPTY_SHAPE(tiny, types[PROPERTY]),
             member_shape = TINY_EMPTY_SHAPE(tiny, types[MEMBER]),
             module_shape = TINY_SHAPE(tiny, types[MODULE], {.kind = OURO_PART_FIELD, .name = dict_field}),
             user_shape = TINY_SHAPE(tiny, types[USER], {.kind = OURO_PART_FIELD, .name = string(tiny, ".slot")},
                                     {.kind = OURO_PART_FIELD, .name = string(tiny, "._name")},
                                     {.kind = OURO_PART_FIELD, .name = dict_field}),
             root_shape = TINY_SHAPE(tiny, root_type, {.kind = OURO_PART_FIELD, .name = string(tiny, "sys.modules")}),
             thread_shape = TINY_SHAPE(tiny, root_type, {.kind = OURO_PART_NAMED, .name = string(tiny, "frames")}),
             frame_shape =
                 TINY_SHAPE(tiny, frame_type, {.kind = OURO_PART_FIELD, .name = string(tiny, "f_func")},
                            {.kind = OURO_PART_FIELD, .name = string(tiny, "f_code")},
                            {.kind = OURO_PART_FIELD, .name = string(tiny, "rows")}, {.kind = OURO_PART_STACK});
    /* Classes come first; the dict of User's lies behind them, at a number that is known. */
    for (unsigned i = 0; i < CLASS_COUNT; i++) {
        tiny_object(tiny, class_shape, 400, 1, OURO_OBJECT_VALUE);
        tiny_value(tiny, names[i], strlen(names[i]));
        tiny_slots(tiny, (const ouro_node[]){i == USER ? CLASS_COUNT : OURO_NODE_NONE}, 1);
    }
    app->user_class = USER;
    add_dict(tiny, names_shape, (const ouro_node[]){CLASS_COUNT + 1, CLASS_COUNT + 2, CLASS_COUNT + 3, CLASS_COUNT + 4},
             2);
    tiny_object(tiny, property_shape, 40, 1, 0);
    add_str(tiny, str_shape, "name");
    app->slot = tiny_object(tiny, member_shape, 40, 1, 0);
    add_str(tiny, str_shape, "slot");
    app->text = add_str(tiny, str_shape, "text");
    ouro_node key11 = add_str(tiny, str_shape, "user:11"), key2 = add_str(tiny, str_shape, "user:2"),
              name_app = add_str(tiny, str_shape, "app"), name_cache = add_str(tiny, str_shape, "CACHE"),
              name_list = add_str(tiny, str_shape, "LIST"), name_user = add_str(tiny, str_shape, "User"),
              name_sub = add_str(tiny, str_shape, "app.sub");
    ouro_node cut = tiny_object(tiny, str_shape, 90, 1, OURO_OBJECT_VALUE | OURO_OBJECT_VALUE_CUT);
    tiny_value(tiny, "long", 4);
    app->number = tiny_object(tiny, int_shape, 28, 1, OURO_OBJECT_VALUE);
    tiny_value(tiny, "\x07", 1);
    app->user = tiny_object(tiny, user_shape, 56, 1, 0);
    TINY_SLOTS(tiny, app->text, app->number, OURO_NODE_NONE);
    app->other_user = tiny_object(tiny, user_shape, 56, 1, 0);
    TINY_SLOTS(tiny, OURO_NODE_NONE, app->text, OURO_NODE_NONE);
    app->cache = add_dict(
        tiny, any_shape,
        (const ouro_node[]){app->user, key11, app->other_user, key2, app->text, app->number, app->text, cut}, 4);
    app->list = tiny_object(tiny, list_shape, 80, 1, 0);
    tiny_count(tiny, 3);
    TINY_SLOTS(tiny, app->cache, app->number, app->text);
    app->names =
        add_dict(tiny, names_shape,
                 (const ouro_node[]){app->cache, name_cache, app->list, name_list, app->user_class, name_user}, 3);
    app->module = tiny_object(tiny, module_shape, 70, 1, OURO_OBJECT_VALUE);
    tiny_value(tiny, "app", 3);
    TINY_SLOTS(tiny, app->names);
    ouro_node sub = tiny_object(tiny, module_shape, 70, 1, OURO_OBJECT_VALUE);
    tiny_value(tiny, "app.sub", 7);
    TINY_SLOTS(tiny, app->names);
    ouro_node modules = add_dict(tiny, any_shape, (const ouro_node[]){app->module, name_app, sub, name_sub}, 2);
    app->frame = tiny_object(tiny, frame_shape, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    tiny_value(tiny, "Service.handle (app.py:12)", 26);
    tiny_count(tiny, 1);
    TINY_SLOTS(tiny, OURO_NODE_NONE, OURO_NODE_NONE, app->list, app->number);
    app->local = app->list;
    tiny_object(tiny, root_shape, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    tiny_value(tiny, "sys.modules", 11);
    TINY_SLOTS(tiny, modules);
    ouro_node thread = tiny_object(tiny, thread_shape, 0, 0, OURO_OBJECT_PSEUDO | OURO_OBJECT_VALUE);
    tiny_value(tiny, "<Thread 'worker-3' 27523>", 25);
    tiny_count(tiny, 1);
    TINY_SLOTS(tiny, app->frame);
    ouro_snapshot_writer_thread(tiny->writer, &(struct ouro_thread_record){.ident = 77,
                                                                           .native_id = 27523,
                                                                           .name = string(tiny, "worker-3"),
                                                                           .comm = string(tiny, ""),
                                                                           .state = 'S',
                                                                           .syscall = -1,
                                                                           .root = thread});
    app->eleven = app->user;
    app->two = app->other_user;
}
