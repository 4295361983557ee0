#include "analysis/finder.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "analysis/value.h"

/* --- Words */

struct ouro_buf *ouro_finder_words(struct ouro_finder *finder)
{
    return &finder->fault->words;
}

void ouro_finder_add_text(struct ouro_finder *finder, size_t begin, size_t end)
{
    if (end - begin > OURO_FINDER_SHOWN_BYTES) { /* the end tells more than the beginning */
        ouro_buf_add_text(ouro_finder_words(finder), "...");
        begin = end - OURO_FINDER_SHOWN_BYTES;
        while (begin < end && (finder->expression->text[begin] & 0xc0) == 0x80)
            begin++;
    }
    ouro_buf_add(ouro_finder_words(finder), finder->expression->text + begin, end - begin);
}

void ouro_finder_add_expression(struct ouro_finder *finder, const struct ouro_finder_value *value)
{
    ouro_finder_add_text(finder, value->begin, value->end);
}

/* Words behind those that are there. */
enum ouro_status ouro_finder_fail(struct ouro_finder *finder, const struct ouro_step *step, enum ouro_status status,
                                  const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    ouro_buf_add_text(ouro_finder_words(finder), text);
    finder->fault->at = step->at;
    return ouro_finder_words(finder)->failed ? OURO_NOMEM : status;
}

void ouro_finder_add_type_name(struct ouro_finder *finder, ouro_node node)
{
    uint32_t type = ouro_heap_model_type(finder->model, node);
    size_t size;
    const char *module = ouro_heap_model_type_module(finder->model, type, &size);
    if (size && strcmp(module, "builtins")) {
        ouro_buf_add(ouro_finder_words(finder), module, size);
        ouro_buf_add_byte(ouro_finder_words(finder), '.');
    }
    const char *name = ouro_heap_model_type_name(finder->model, type, &size);
    ouro_buf_add(ouro_finder_words(finder), name, size);
}

/* "a dict", "an app.User", "the class app.User", "the module 'app'". */
void ouro_finder_add_kind(struct ouro_finder *finder, ouro_node node)
{
    const struct ouro_heap_model *model = finder->model;
    struct ouro_buf *out = ouro_finder_words(finder);
    if (ouro_access_is_class(model, node) && ouro_value_has(model, node)) {
        ouro_buf_add_text(out, "the class ");
        ouro_value_add(out, model, node, OURO_FINDER_SHOWN_BYTES);
        return;
    }
    size_t at = out->size;
    ouro_buf_add_text(out, "a ");
    size_t name = out->size;
    ouro_finder_add_type_name(finder, node);
    if (out->failed || out->size == name || !strchr("aeiouAEIOU", out->data[name]))
        return;
    ouro_buf_add_byte(out, 0); /* room for the n */
    memmove(out->data + at + 2, out->data + at + 1, out->size - at - 2);
    out->data[at + 1] = 'n';
}

void ouro_finder_add_step_text(struct ouro_finder *finder, const struct ouro_step *step)
{
    ouro_finder_add_text(finder, step->name, step->name + step->name_size);
}

void ouro_finder_add_name(struct ouro_finder *finder, struct ouro_name name)
{
    ouro_value_str(ouro_finder_words(finder), (const unsigned char *)name.bytes, name.size, OURO_FINDER_SHOWN_BYTES,
                   false);
}

enum ouro_status ouro_finder_fail_lost(struct ouro_finder *finder, const struct ouro_step *step,
                                       const struct ouro_finder_value *value)
{
    ouro_finder_add_expression(finder, value);
    return ouro_finder_fail(finder, step, OURO_BADDATA, ": what it refers to there is not in the snapshot");
}

/* --- Near misses */

void ouro_finder_offer_name(void *context, struct ouro_name name)
{
    ouro_nearest_offer(context, name.bytes, name.size, OURO_NODE_NONE);
}

bool ouro_finder_offer_key(struct ouro_finder *finder, struct ouro_nearest *nearest, struct ouro_buf *text,
                           ouro_node key)
{
    const struct ouro_heap_model *model = finder->model;
    if (key >= model->heap.count || !ouro_value_has(model, key))
        return true;
    unsigned kind = model->types[ouro_heap_model_type(model, key)].value_kind;
    size_t size;
    if (kind == OURO_VALUE_STR || kind == OURO_VALUE_BYTES) {
        const char *bytes = (const char *)ouro_value_raw(model, key, &size);
        return ouro_nearest_offer(nearest, bytes, size, key);
    }
    if (kind == OURO_VALUE_NAME)
        return true;
    text->size = 0;
    ouro_value_add(text, model, key, OURO_NEAREST_BYTES_MAX);
    return ouro_nearest_offer(nearest, (const char *)text->data, text->size, key);
}

void ouro_finder_add_near_names(struct ouro_finder *finder, ouro_node node, struct ouro_name name)
{
    struct ouro_nearest nearest;
    ouro_nearest_begin(&nearest, name.bytes, name.size);
    ouro_access_each_name(finder->model, node, OURO_FINDER_NAMES_MAX, ouro_finder_offer_name, &nearest);
    ouro_nearest_add(ouro_finder_words(finder), &nearest, finder->model);
}
