/* Tables of aligned columns for people.
 *
 * Cells are escaped for terminals as they are added. A table that is wider than its medium shortens its flexible
 * columns, the widest first, never below 8; cut cells end in "...". */
#ifndef OURO_RENDER_TABLE_H
#define OURO_RENDER_TABLE_H

#include "render/out.h"

#define OURO_TABLE_COLUMNS_MAX 12

enum ouro_table_column_flag {
    OURO_TABLE_RIGHT = 1,    /* numbers */
    OURO_TABLE_FLEXIBLE = 2, /* may be shortened */
};

struct ouro_table {
    unsigned column_count, at; /* at: column of the next cell */
    struct ouro_table_column {
        unsigned flags;
        size_t width; /* of its widest cell, title included */
    } columns[OURO_TABLE_COLUMNS_MAX];
    struct ouro_buf text; /* all cells, one after the other */
    struct ouro_table_cell {
        size_t offset, size, width;
    } *items; /* owned; the titles are the first row */
    size_t count, capacity;
};

void ouro_table_init(struct ouro_table *table);
void ouro_table_fini(struct ouro_table *table);
/* All columns come before the first cell. */
void ouro_table_column(struct ouro_table *table, const char *title, unsigned flags);
/* The next cell, row by row. */
void ouro_table_text(struct ouro_table *table, const void *bytes, size_t size);
void ouro_table_buf(struct ouro_table *table, const struct ouro_buf *text);
void ouro_table_string(struct ouro_table *table, const char *text);
void ouro_table_count(struct ouro_table *table, uint64_t count);
void ouro_table_size(struct ouro_table *table, uint64_t bytes);
/* width: columns of the medium, 0: any. Every line starts with `indent` spaces. No title line when all titles are
 * empty. */
void ouro_table_write(const struct ouro_table *table, struct ouro_out *out, size_t width, unsigned indent);

#endif
