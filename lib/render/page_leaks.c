#include "render/page_leaks.h"

#include <inttypes.h>

#include "base/guard.h"
#include "render/page.h"
#include "render/sentence.h"
#include "render/text.h"

static bool is_suppressed(const struct ouro_page_leaks *page, size_t i)
{
    return page->suppressed && page->suppressed[i];
}

static const struct ouro_buf *expression_of(const struct ouro_path_answer *answer)
{
    return answer->count ? &answer->items[0].text.expression : NULL;
}

/* "dominators SNAPSHOT 0x7f.." with the file's name, as one would type it. */
static void add_command(struct ouro_buf *out, const struct ouro_page_leaks *page, const struct ouro_leak *leak)
{
    static const char word[] = "SNAPSHOT";
    struct ouro_buf copy = leak->command;
    const char *text = ouro_buf_text(&copy), *at = strstr(text, word);
    ouro_buf_add_text(out, "ouro ");
    if (!at) {
        ouro_buf_add_text(out, text);
        return;
    }
    ouro_buf_add(out, text, (size_t)(at - text));
    ouro_leak_add_word(out, page->file, strlen(page->file));
    ouro_buf_add_text(out, at + sizeof word - 1);
}

static void write_line(struct ouro_out *out, const char *begin, const struct ouro_buf *text, size_t width)
{
    ouro_sentence_write_under(out, text, width, begin, "    ");
}

/* Broken so that it can be pasted as it stands: a backslash before the end of the line, and never within quotes. */
static void write_command(struct ouro_out *out, struct ouro_buf *command, size_t width)
{
    static const char begin[] = "    more: ", indent[] = "          ";
    OURO_GUARD(ouro_buf_fini) struct ouro_buf word = {0};
    const char *text = ouro_buf_text(command), *end = text + command->size;
    size_t column = sizeof begin - 1;
    ouro_out_text(out, begin);
    for (bool first = true; text < end; first = false) {
        const char *at = text;
        for (bool quoted = false; at < end && (quoted || *at != ' '); at++)
            quoted ^= *at == '\'' && (quoted || at == text || at[-1] != '\\');
        word.size = 0;
        ouro_text_add(&word, text, (size_t)(at - text));
        size_t columns = ouro_text_width(word.data, word.size), behind = at < end ? 2 : 0;
        if (!first && width && column + 1 + columns + behind > width) {
            ouro_out_text(out, " \\\n");
            ouro_out_text(out, indent);
            column = sizeof indent - 1;
        } else if (!first) {
            ouro_out_text(out, " ");
            column++;
        }
        ouro_out_text(out, ouro_buf_text(&word));
        column += columns;
        text = at + (at < end);
    }
    ouro_out_text(out, "\n");
    out->buf.failed |= word.failed | command->failed;
}

static void write_leak(struct ouro_out *out, const struct ouro_page_leaks *page, const struct ouro_leak *leak, size_t number,
                       size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    char begin[16];
    snprintf(begin, sizeof begin, "%2zu. ", number % 100);
    const struct ouro_buf *expression = expression_of(&leak->path), *place = expression_of(&leak->place_path);
    write_line(out, begin, &leak->text, width);
    if (expression) {
        ouro_buf_add_text(&text, leak->count > 1 && leak->kind != OURO_LEAK_CACHE && leak->kind != OURO_LEAK_OUTLIER &&
                                         leak->kind != OURO_LEAK_MODULE ? "e.g. " : "at ");
        ouro_buf_add(&text, expression->data, expression->size);
        write_line(out, "    ", &text, width);
    }
    if (place) {
        text.size = 0;
        ouro_buf_add_text(&text, leak->kind != OURO_LEAK_OBJECT ? "held at " : "accumulates at ");
        ouro_buf_add(&text, place->data, place->size);
        write_line(out, "    ", &text, width);
    }
    text.size = 0;
    add_command(&text, page, leak);
    write_command(out, &text, width);
    out->buf.failed |= text.failed;
}

void ouro_page_leaks_text(struct ouro_out *out, const struct ouro_page_leaks *page, size_t width)
{
    const struct ouro_leaks *leaks = page->leaks;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    size_t number = 0, suppressed = 0;
    bool waste = false;
    for (size_t i = 0; i < leaks->count; i++) {
        const struct ouro_leak *leak = &leaks->items[i];
        if (is_suppressed(page, i)) {
            suppressed++;
            continue;
        }
        if (ouro_leak_is_waste(leak->kind) && !waste)
            ouro_out_text(out, number ? "\nWasted\n" : "Wasted\n");
        else if (!number)
            ouro_out_text(out, "Suspects, largest first (ouro diff shows what grows)\n");
        waste = ouro_leak_is_waste(leak->kind);
        write_leak(out, page, leak, ++number, width);
    }
    if (number)
        ouro_out_text(out, "\n");
    if (!number)
        ouro_buf_add_text(&text, "no suspects");
    else
        ouro_buf_addf(&text, "%zu %s", number, number == 1 ? "suspect" : "suspects");
    ouro_buf_add_text(&text, "; of ");
    ouro_text_add_size(&text, leaks->total_bytes);
    ouro_buf_add_text(&text, ", looked at from ");
    ouro_text_add_size(&text, leaks->bytes_min);
    ouro_buf_add_text(&text, " on (--min-size)");
    if (leaks->left_count)
        ouro_buf_addf(&text, "; %" PRIu64 " more (--limit)", leaks->left_count);
    if (suppressed)
        ouro_buf_addf(&text, "; %zu suppressed", suppressed);
    ouro_sentence_write_under(out, &text, width, "", "");
    ouro_page_doubts_text(out, page->info, width);
}

static void write_path(struct ouro_json *json, const char *key, const struct ouro_page_leaks *page,
                       const struct ouro_path_answer *answer, ouro_node node)
{
    const struct ouro_buf *expression = expression_of(answer);
    if (node >= page->model->heap.count)
        return;
    ouro_json_object(json, key);
    ouro_page_object_fields(json, page->model, node);
    if (expression) {
        ouro_json_buf(json, "expression", expression);
        ouro_json_bool(json, "pasteable", answer->items[0].text.pasteable);
    }
    ouro_json_end(json);
}

void ouro_page_leaks_json(struct ouro_out *out, const struct ouro_page_leaks *page)
{
    const struct ouro_leaks *leaks = page->leaks;
    struct ouro_json json;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "leaks");
    ouro_json_uint(&json, "version", 1);
    ouro_json_uint(&json, "total_bytes", leaks->total_bytes);
    ouro_json_uint(&json, "min_bytes", leaks->bytes_min);
    ouro_json_uint(&json, "left_out", leaks->left_count);
    ouro_json_array(&json, "suspects");
    for (size_t i = 0; i < leaks->count; i++) {
        const struct ouro_leak *leak = &leaks->items[i];
        ouro_json_object(&json, NULL);
        ouro_json_string(&json, "kind", ouro_leak_name(leak->kind));
        ouro_json_bool(&json, "waste", ouro_leak_is_waste(leak->kind));
        ouro_json_bool(&json, "suppressed", is_suppressed(page, i));
        ouro_json_uint(&json, "count", leak->count);
        ouro_json_uint(&json, "bytes", leak->bytes);
        ouro_json_buf(&json, "text", &leak->text);
        write_path(&json, "object", page, &leak->path, leak->node);
        write_path(&json, "accumulation_point", page, &leak->place_path, leak->place);
        text.size = 0;
        add_command(&text, page, leak);
        ouro_json_buf(&json, "command", &text);
        ouro_json_end(&json);
    }
    ouro_json_end(&json);
    ouro_page_doubts_json(&json, page->info);
    if (page->more_json)
        page->more_json(page->more_context, &json);
    ouro_json_end(&json);
}
