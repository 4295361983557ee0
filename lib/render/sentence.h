/* Sentences for people, as items of a list. */
#ifndef OURO_RENDER_SENTENCE_H
#define OURO_RENDER_SENTENCE_H

#include "render/out.h"

/* Escapes the sentence for terminals and breaks it at blanks; a word longer than the line stays whole. width: columns of the
 * medium, 0: any. */
void ouro_sentence_write(struct ouro_out *out, const struct ouro_buf *sentence, size_t width);
/* The same with `begin` before the first line and `indent` before the others; both take as many columns. */
void ouro_sentence_write_under(struct ouro_out *out, const struct ouro_buf *sentence, size_t width, const char *begin,
                               const char *indent);

#endif
