/* A picture goes to a file or to standard output. */
#ifndef OURO_SRC_PICTURE_H
#define OURO_SRC_PICTURE_H

#include "render/picture.h"

/* -o, --format and what they come to; initialise .path and .format with NULL. */
struct ouro_picture_dest {
    const char *path;   /* NULL: none was asked for; "-": standard output */
    const char *format; /* --format; NULL: by the path's extension */
    enum ouro_drawing_format chosen;
};

#define OURO_PICTURE_OPTIONS(dest)                                                                                     \
    {'o', "output", OURO_OPTION_TEXT, &(dest)->path, NULL, "FILE",                                                     \
     "draw into this file: .dot, .svg, .png or .pdf; -: to\nstandard output", NULL},                                   \
    {                                                                                                                  \
        0, "format", OURO_OPTION_TEXT, &(dest)->format, NULL, "FORMAT", "dot, svg, png, pdf: whatever the file's name is", NULL     \
    }

/* Finds the format. 0, or the exit status after having said what is wrong. */
int ouro_picture_dest_check(const char *command, struct ouro_picture_dest *dest);

/* "size,retained,address" in any order, NULL for none: enum ouro_picture_extra. False, after having complained, when there is
 * something else in it. */
bool ouro_picture_parse_extra(const char *command, const char *text, unsigned *extra);

#define OURO_PICTURE_SECONDS 30 /* for a layout, unless told otherwise */
#define OURO_PICTURE_BUDGET  300 /* boxes, unless told otherwise */
#define OURO_PICTURE_BUDGET_OPTIONS(budget, seconds)                                                                   \
    {0, "budget", OURO_OPTION_COUNT, budget, NULL, "N",                                                                \
     "objects drawn at most (default 300, 0: any number);\nthe rest is counted", NULL},                                \
    {                                                                                                                  \
        0, "layout-time", OURO_OPTION_COUNT, seconds, NULL, "SECONDS", "then less is drawn (default 30)", NULL         \
    }

/* Makes the drawing with so many boxes at most (0: all); *drawn: how many it has that a smaller budget would leave out. 0, or
 * the exit status after having complained. */
typedef int ouro_picture_make(void *context, size_t budget, struct ouro_drawing **drawing, size_t *drawn);

/* Makes, lays out in a process of its own, and writes; with half the budget again and again as long as the layout takes
 * longer than `seconds`. 0, or the exit status after having complained. */
int ouro_picture_draw(const char *command, const struct ouro_picture_dest *dest, uint64_t budget, uint64_t seconds,
                      ouro_picture_make *make, void *context);

#endif
