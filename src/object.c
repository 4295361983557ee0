#include "object.h"

#include <stdio.h>
#include <string.h>

#include "analysis/pattern.h"
#include "base/guard.h"
#include "command.h"
#include "render/text.h"

/* Of the text around the place that is shown. */
#define SHOWN_COLUMNS 60

/* The line with the place, and a caret below it. */
static void show_place(const char *text, size_t size, size_t at)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf before = {0};
    OURO_GUARD(ouro_buf_fini) struct ouro_buf behind = {0};
    size_t begin = at > SHOWN_COLUMNS ? at - SHOWN_COLUMNS : 0,
           end = size - at > SHOWN_COLUMNS ? at + SHOWN_COLUMNS : size;
    while (begin && begin < at && ((unsigned char)text[begin] & 0xc0) == 0x80)
        begin++;
    while (end < size && end > at && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    if (begin)
        ouro_buf_add_text(&before, "...");
    ouro_text_add(&before, text + begin, at - begin);
    ouro_text_add(&behind, text + at, end - at);
    if (end < size)
        ouro_buf_add_text(&behind, "...");
    fprintf(stderr, "  %s%s\n  %*s^\n", ouro_buf_text(&before), ouro_buf_text(&behind),
            (int)ouro_text_width(before.data, before.size), "");
}

bool ouro_object_parse(const char *command, const char *text, struct ouro_object *object)
{
    OURO_GUARD(ouro_expression_fault_fini) struct ouro_expression_fault fault = {0};
    size_t size = strlen(text);
    memset(object, 0, sizeof *object);
    object->command = command;
    object->text = text;
    if (ouro_expression_parse(&object->expression, text, size, &fault) == OURO_OK)
        return true;
    ouro_command_complain("%s: no OBJECT: %s", command, ouro_buf_text(&fault.words));
    if (size <= OURO_EXPRESSION_BYTES_MAX)
        show_place(text, size, fault.at < size ? fault.at : size);
    return false;
}

void ouro_object_fini(struct ouro_object *object)
{
    ouro_expression_fini(&object->expression);
    memset(object, 0, sizeof *object);
}

int ouro_object_find(const struct ouro_object *object, const struct ouro_heap_model *model,
                     const struct ouro_roots *roots, const char *path, ouro_node *node)
{
    OURO_GUARD(ouro_expression_fault_fini) struct ouro_expression_fault fault = {0};
    ouro_addr addr;
    if (ouro_expression_is_address(&object->expression, &addr)) {
        *node = roots ? ouro_roots_find(roots, addr) : ouro_heap_model_find(model, addr);
        if (*node != OURO_NODE_NONE)
            return OURO_EXIT_DONE;
        ouro_command_complain("%s: no object in %s has the address 0x%llx", object->command, path,
                              (unsigned long long)addr);
        return OURO_EXIT_USAGE;
    }
    enum ouro_status status = ouro_expression_find(&object->expression, model, node, &fault);
    if (status == OURO_OK)
        return OURO_EXIT_DONE;
    ouro_command_complain("%s: %s", object->command, ouro_buf_text(&fault.words));
    return status == OURO_NOMEM ? OURO_EXIT_OTHER : OURO_EXIT_USAGE;
}

static bool is_type(const char *text, const struct ouro_heap_model *model)
{
    for (uint32_t type = 0; type < model->type_count; type++)
        if (!(model->types[type].flags & OURO_TYPE_PSEUDO) && ouro_pattern_type(model, type, text))
            return true;
    return false;
}

enum ouro_object_choice ouro_object_choose(const char *text, const struct ouro_heap_model *model, ouro_node *node)
{
    OURO_GUARD(ouro_expression_fault_fini) struct ouro_expression_fault fault = {0};
    OURO_GUARD(ouro_expression_fini) struct ouro_expression expression = {0};
    *node = OURO_NODE_NONE;
    bool object = ouro_expression_parse(&expression, text, strlen(text), &fault) == OURO_OK &&
                  ouro_expression_find(&expression, model, node, &fault) == OURO_OK;
    bool type = is_type(text, model);
    return type && object ? OURO_OBJECT_IS_BOTH
           : type         ? OURO_OBJECT_IS_TYPE
           : object       ? OURO_OBJECT_IS_OBJECT
                          : OURO_OBJECT_NEITHER;
}
