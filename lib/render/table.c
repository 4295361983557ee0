#include "render/table.h"

#include <assert.h>
#include <stdlib.h>

#include "render/text.h"

#define GAP 2
#define NARROWEST 8

void ouro_table_init(struct ouro_table *table)
{
    memset(table, 0, sizeof *table);
}

void ouro_table_fini(struct ouro_table *table)
{
    ouro_buf_fini(&table->text);
    free(table->items);
    memset(table, 0, sizeof *table);
}

/* The text of the cell was added to table->text from `offset` on. */
static void add_cell(struct ouro_table *table, unsigned column, size_t offset)
{
    struct ouro_table_cell *cell = OURO_VEC_ADD(table);
    if (!cell) {
        table->text.failed = true;
        return;
    }
    cell->offset = offset;
    cell->size = table->text.size - offset;
    cell->width = cell->size ? ouro_text_width(table->text.data + offset, cell->size) : 0;
    if (cell->width > table->columns[column].width)
        table->columns[column].width = cell->width;
}

static void add_next(struct ouro_table *table, size_t offset)
{
    add_cell(table, table->at, offset);
    table->at = (table->at + 1) % table->column_count;
}

void ouro_table_column(struct ouro_table *table, const char *title, unsigned flags)
{
    assert(table->column_count < OURO_TABLE_COLUMNS_MAX);
    assert(table->count == table->column_count || table->text.failed);
    size_t offset = table->text.size;
    table->columns[table->column_count].flags = flags;
    ouro_buf_add_text(&table->text, title);
    add_cell(table, table->column_count++, offset);
}

void ouro_table_text(struct ouro_table *table, const void *bytes, size_t size)
{
    size_t offset = table->text.size;
    ouro_text_add(&table->text, bytes, size);
    add_next(table, offset);
}

void ouro_table_buf(struct ouro_table *table, const struct ouro_buf *text)
{
    table->text.failed |= text->failed;
    ouro_table_text(table, text->data, text->size);
}

void ouro_table_string(struct ouro_table *table, const char *text)
{
    ouro_table_text(table, text, strlen(text));
}

void ouro_table_count(struct ouro_table *table, uint64_t count)
{
    size_t offset = table->text.size;
    ouro_text_add_count(&table->text, count);
    add_next(table, offset);
}

void ouro_table_size(struct ouro_table *table, uint64_t bytes)
{
    size_t offset = table->text.size;
    ouro_text_add_size(&table->text, bytes);
    add_next(table, offset);
}

static void fit_columns(const struct ouro_table *table, size_t *widths, size_t width, unsigned indent)
{
    size_t total = indent + (table->column_count ? (table->column_count - 1) * GAP : 0);
    for (unsigned i = 0; i < table->column_count; i++) {
        widths[i] = table->columns[i].width;
        total += widths[i];
    }
    while (width && total > width) {
        unsigned widest = OURO_TABLE_COLUMNS_MAX;
        for (unsigned i = 0; i < table->column_count; i++)
            if (table->columns[i].flags & OURO_TABLE_FLEXIBLE && widths[i] > NARROWEST &&
                (widest == OURO_TABLE_COLUMNS_MAX || widths[i] > widths[widest]))
                widest = i;
        if (widest == OURO_TABLE_COLUMNS_MAX)
            return;
        widths[widest]--;
        total--;
    }
}

static void add_spaces(struct ouro_out *out, size_t count)
{
    while (count--)
        ouro_buf_add_byte(&out->buf, ' ');
}

static void write_cell(const struct ouro_table *table, const struct ouro_table_cell *cell, struct ouro_out *out,
                       unsigned column, size_t width)
{
    const unsigned char *text = cell->size ? table->text.data + cell->offset : (const unsigned char *)"";
    bool right = table->columns[column].flags & OURO_TABLE_RIGHT, last = column + 1 == table->column_count;
    if (cell->width > width && width >= 3) {
        size_t size = ouro_text_fit(text, cell->size, width - 3);
        ouro_out_add(out, text, size);
        ouro_out_text(out, "...");
        if (!last)
            add_spaces(out, width - 3 - ouro_text_width(text, size));
        return;
    }
    size_t space = cell->width < width ? width - cell->width : 0;
    if (right)
        add_spaces(out, space);
    ouro_out_add(out, text, cell->size);
    if (!right && !last)
        add_spaces(out, space);
}

void ouro_table_write(const struct ouro_table *table, struct ouro_out *out, size_t width, unsigned indent)
{
    size_t widths[OURO_TABLE_COLUMNS_MAX];
    bool titled = false;
    if (table->text.failed) {
        out->buf.failed = true;
        return;
    }
    fit_columns(table, widths, width, indent);
    for (unsigned i = 0; i < table->column_count; i++)
        titled |= table->items[i].size > 0;
    for (size_t row = titled ? 0 : table->column_count; row + table->column_count <= table->count;
         row += table->column_count) {
        add_spaces(out, indent);
        for (unsigned i = 0; i < table->column_count; i++) {
            if (i)
                add_spaces(out, GAP);
            write_cell(table, &table->items[row + i], out, i, widths[i]);
        }
        /* No trailing blanks, whatever the last cells were. */
        while (out->buf.size && out->buf.data[out->buf.size - 1] == ' ')
            out->buf.size--;
        ouro_out_text(out, "\n");
    }
}
