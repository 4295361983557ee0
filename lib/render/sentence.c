#include "render/sentence.h"

#include "base/guard.h"
#include "render/text.h"

void ouro_sentence_write_under(struct ouro_out *out, const struct ouro_buf *sentence, size_t width, const char *begin,
                               const char *indent)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_text_add_buf(&text, sentence);
    out->buf.failed |= text.failed;
    size_t column = 0, margin = strlen(indent);
    for (size_t i = 0; i < text.size;) {
        size_t end = i;
        while (end < text.size && text.data[end] != ' ')
            end++;
        size_t word = ouro_text_width(text.data + i, end - i);
        if (column && width && column + 1 + word > width) {
            ouro_out_text(out, "\n");
            column = 0;
        }
        ouro_out_text(out, column ? " " : i ? indent : begin);
        ouro_out_add(out, text.data + i, end - i);
        column += (column ? 1 : margin) + word;
        i = end + 1;
    }
    ouro_out_text(out, "\n");
}

void ouro_sentence_write(struct ouro_out *out, const struct ouro_buf *sentence, size_t width)
{
    ouro_sentence_write_under(out, sentence, width, "  - ", "    ");
}
