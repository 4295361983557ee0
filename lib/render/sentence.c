#include "render/sentence.h"

#include "base/guard.h"
#include "render/text.h"

void ouro_sentence_write(struct ouro_out *out, const struct ouro_buf *sentence, size_t width)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf text = {0};
    ouro_text_add(&text, sentence->data, sentence->size);
    size_t column = 0;
    for (size_t i = 0; i < text.size;) {
        size_t end = i;
        while (end < text.size && text.data[end] != ' ')
            end++;
        size_t word = ouro_text_width(text.data + i, end - i);
        if (column && width && column + 1 + word > width) {
            ouro_out_text(out, "\n");
            column = 0;
        }
        ouro_out_text(out, column ? " " : i ? "    " : "  - ");
        ouro_out_add(out, text.data + i, end - i);
        column += (column ? 1 : 4) + word;
        i = end + 1;
    }
    ouro_out_text(out, "\n");
}
