/* The tables of a snapshot: parsed from bytes that nobody vouches for, checked against each other once, trusted after.
 */
#include <stdlib.h>

#include "base/cursor.h"
#include "snapshot/snapshot.h"

#define LOST_OFFSET SIZE_MAX /* a string of a block that is gone */

static enum ouro_status no_memory(struct ouro_err *err)
{
    return ouro_err_set(err, OURO_NOMEM, "no memory for the tables of the snapshot");
}

static enum ouro_status bad(const struct ouro_block *block, struct ouro_err *err)
{
    return ouro_err_set(err, OURO_BADDATA, "the block of %s at byte %llu holds something else",
                        ouro_section_name(block->section), (unsigned long long)block->offset);
}

/* A number that has to fit in 32 bits. */
static uint32_t get_u32(struct ouro_cursor *cursor)
{
    uint64_t value = ouro_cursor_varint(cursor);
    if (value > UINT32_MAX) {
        cursor->failed = true;
        return 0;
    }
    return (uint32_t)value;
}

/* 0: none; else 1 + number. */
static uint32_t get_optional(struct ouro_cursor *cursor)
{
    uint64_t value = ouro_cursor_varint(cursor);
    if (value > UINT32_MAX)
        cursor->failed = true;
    return value && !cursor->failed ? (uint32_t)(value - 1) : UINT32_MAX;
}

static enum ouro_status add_string(struct ouro_snapshot *snapshot, const unsigned char *text, size_t size,
                                   struct ouro_err *err)
{
    struct ouro_snapshot_string *string = OURO_VEC_ADD(&snapshot->strings);
    if (!string || !ouro_buf_reserve(&snapshot->string_bytes, size + 1))
        return no_memory(err);
    *string = (struct ouro_snapshot_string){.offset = snapshot->string_bytes.size, .size = (uint32_t)size};
    ouro_buf_add(&snapshot->string_bytes, text, size);
    ouro_buf_add_byte(&snapshot->string_bytes, 0);
    return OURO_OK;
}

static enum ouro_status parse_string(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err)
{
    size_t size = ouro_cursor_count(cursor, 1);
    const unsigned char *text = ouro_cursor_bytes(cursor, size);
    if (!text)
        return OURO_BADDATA;
    return add_string(snapshot, text, size, err);
}

static enum ouro_status lost_string(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    struct ouro_snapshot_string *string = OURO_VEC_ADD(&snapshot->strings);
    if (!string)
        return no_memory(err);
    string->offset = LOST_OFFSET;
    return OURO_OK;
}

static struct ouro_type_record lost_type(void)
{
    return (struct ouro_type_record){
        .node = OURO_NODE_NONE, .name = UINT32_MAX, .module = UINT32_MAX, .base = UINT32_MAX};
}

static enum ouro_status parse_type(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err)
{
    struct ouro_type_record type = {.node = OURO_NODE_NONE};
    type.addr = ouro_cursor_varint(cursor);
    type.name = get_u32(cursor);
    type.module = get_u32(cursor);
    type.flags = get_u32(cursor);
    type.value_kind = get_u32(cursor);
    type.basicsize = ouro_cursor_varint(cursor);
    type.itemsize = ouro_cursor_varint(cursor);
    type.base = get_optional(cursor);
    if (cursor->failed || type.value_kind > OURO_VALUE_COMPLEX)
        return OURO_BADDATA;
    struct ouro_type_record *item = OURO_VEC_ADD(&snapshot->types);
    if (!item)
        return no_memory(err);
    *item = type;
    return OURO_OK;
}

static enum ouro_status lose_type(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    struct ouro_type_record *item = OURO_VEC_ADD(&snapshot->types);
    if (!item)
        return no_memory(err);
    *item = lost_type();
    return OURO_OK;
}

static bool layout_part(struct ouro_shape_layout *layout, unsigned kind)
{
    if (kind == OURO_PART_TYPE) {
        if (layout->type_count == OURO_SHAPE_TYPE_PARTS_MAX)
            return false;
        layout->type_before[layout->type_count++] = layout->fixed;
        layout->types_first = layout->repeat_count == 0;
    } else if (ouro_part_repeats(kind)) {
        layout->width = layout->repeat_count++ ? 0 : ouro_part_width(kind);
        if (layout->type_count)
            layout->types_last = false;
    } else {
        layout->fixed++;
    }
    return true;
}

static enum ouro_status add_shape(struct ouro_snapshot *snapshot, struct ouro_shape shape,
                                  struct ouro_shape_layout layout, struct ouro_err *err)
{
    struct ouro_shape *item = OURO_VEC_ADD(&snapshot->shapes);
    struct ouro_shape_layout *layout_item = item ? OURO_VEC_ADD(&snapshot->layouts) : NULL;
    if (!layout_item)
        return no_memory(err);
    *item = shape;
    *layout_item = layout;
    return OURO_OK;
}

static enum ouro_status parse_parts(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, uint64_t count,
                                    struct ouro_shape_layout *layout, struct ouro_err *err)
{
    for (uint64_t i = 0; i < count; i++) {
        struct ouro_part part;
        part.kind = (uint8_t)ouro_cursor_uint(cursor, 1);
        part.edge_class = (uint8_t)ouro_cursor_uint(cursor, 1);
        part.name = get_u32(cursor);
        if (cursor->failed || part.kind >= OURO_PART_KIND_COUNT || part.edge_class > OURO_EDGE_WEAK ||
            !layout_part(layout, part.kind))
            return OURO_BADDATA;
        struct ouro_part *item = OURO_VEC_ADD(&snapshot->parts);
        if (!item)
            return no_memory(err);
        *item = part;
    }
    return cursor->failed ? OURO_BADDATA : OURO_OK;
}

static enum ouro_status parse_shape(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err)
{
    struct ouro_shape shape = {.type = get_u32(cursor)};
    struct ouro_shape_layout layout = {.types_first = true, .types_last = true};
    size_t parts_before = snapshot->parts.count;
    uint64_t count = ouro_cursor_count(cursor, 3);
    shape.part_count = (uint32_t)count;
    enum ouro_status status = parse_parts(snapshot, cursor, count, &layout, err);
    if (!status)
        status = add_shape(snapshot, shape, layout, err);
    if (status)
        snapshot->parts.count = parts_before; /* parts follow each other without gaps */
    return status;
}

static enum ouro_status lose_shape(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    return add_shape(snapshot, (struct ouro_shape){.type = UINT32_MAX}, (struct ouro_shape_layout){.lost = true}, err);
}

static enum ouro_status parse_interpreter(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor,
                                          struct ouro_err *err)
{
    struct ouro_interpreter_record *record = OURO_VEC_ADD(&snapshot->interpreters);
    if (!record)
        return no_memory(err);
    record->id = ouro_cursor_varint(cursor);
    record->gc_enabled = get_u32(cursor);
    record->gc_debug = get_u32(cursor);
    record->gc_collecting = get_u32(cursor);
    for (unsigned i = 0; i < OURO_GENERATION_COUNT; i++) {
        record->threshold[i] = ouro_cursor_varint(cursor);
        record->count[i] = ouro_unzigzag(ouro_cursor_varint(cursor));
        record->collections[i] = ouro_cursor_varint(cursor);
        record->collected[i] = ouro_cursor_varint(cursor);
        record->uncollectable[i] = ouro_cursor_varint(cursor);
        record->tracked[i] = ouro_cursor_varint(cursor);
    }
    record->frozen = ouro_cursor_varint(cursor);
    record->long_lived_total = ouro_unzigzag(ouro_cursor_varint(cursor));
    record->long_lived_pending = ouro_unzigzag(ouro_cursor_varint(cursor));
    record->garbage = get_optional(cursor);
    record->callbacks = get_optional(cursor);
    if (cursor->failed)
        snapshot->interpreters.count--;
    return cursor->failed ? OURO_BADDATA : OURO_OK;
}

static enum ouro_status parse_thread(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err)
{
    struct ouro_thread_record *record = OURO_VEC_ADD(&snapshot->threads);
    if (!record)
        return no_memory(err);
    record->interpreter = ouro_cursor_varint(cursor);
    record->ident = ouro_cursor_varint(cursor);
    record->native_id = ouro_cursor_varint(cursor);
    record->name = get_u32(cursor);
    record->comm = get_u32(cursor);
    record->state = (char)ouro_cursor_uint(cursor, 1);
    record->syscall = ouro_unzigzag(ouro_cursor_varint(cursor));
    record->holds_gil = get_u32(cursor);
    record->root = get_optional(cursor);
    if (cursor->failed)
        snapshot->threads.count--;
    return cursor->failed ? OURO_BADDATA : OURO_OK;
}

static enum ouro_status parse_line(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err)
{
    struct ouro_line_record record = {.node = get_u32(cursor)};
    record.line = get_u32(cursor);
    record.state = get_u32(cursor);
    if (cursor->failed)
        return OURO_BADDATA;
    struct ouro_line_record *place = OURO_VEC_ADD(&snapshot->lines);
    if (place)
        *place = record;
    return place ? OURO_OK : no_memory(err);
}

static enum ouro_status parse_lock(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err)
{
    struct ouro_lock_record record = {.node = get_u32(cursor)};
    record.owner = ouro_cursor_varint(cursor);
    record.count = ouro_cursor_varint(cursor);
    if (cursor->failed)
        return OURO_BADDATA;
    struct ouro_lock_record *place = OURO_VEC_ADD(&snapshot->locks);
    if (place)
        *place = record;
    return place ? OURO_OK : no_memory(err);
}

static enum ouro_status parse_wait(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err)
{
    struct ouro_wait_record record = {.thread = get_u32(cursor)};
    record.kind = get_u32(cursor);
    record.node = get_optional(cursor);
    if (cursor->failed)
        return OURO_BADDATA;
    struct ouro_wait_record *place = OURO_VEC_ADD(&snapshot->waits);
    if (place)
        *place = record;
    return place ? OURO_OK : no_memory(err);
}

/* A key that was there before is replaced in place. */
static enum ouro_status parse_meta(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err)
{
    struct ouro_buf *bytes = &snapshot->meta_bytes;
    size_t key_size = ouro_cursor_count(cursor, 1);
    const unsigned char *key = ouro_cursor_bytes(cursor, key_size);
    size_t size = ouro_cursor_count(cursor, 1);
    const unsigned char *value = ouro_cursor_bytes(cursor, size);
    if (cursor->failed || memchr(key, 0, key_size) || ++snapshot->meta_pairs > OURO_META_PAIRS_MAX)
        return OURO_BADDATA;
    struct ouro_snapshot_meta_item item = {.key = bytes->size, .value = bytes->size + key_size + 1, .size = size};
    if (!ouro_buf_reserve(bytes, key_size + size + 2))
        return no_memory(err);
    ouro_buf_add(bytes, key, key_size);
    ouro_buf_add_byte(bytes, 0);
    ouro_buf_add(bytes, value, size);
    ouro_buf_add_byte(bytes, 0);
    for (size_t i = 0; i < snapshot->meta.count; i++)
        if (!strcmp((char *)bytes->data + snapshot->meta.items[i].key, (char *)bytes->data + item.key)) {
            snapshot->meta.items[i] = item;
            return OURO_OK;
        }
    struct ouro_snapshot_meta_item *place = OURO_VEC_ADD(&snapshot->meta);
    if (!place)
        return no_memory(err);
    *place = item;
    return OURO_OK;
}

struct table {
    enum ouro_section section;
    uint32_t least_bytes; /* of a record */
    enum ouro_status (*parse)(struct ouro_snapshot *snapshot, struct ouro_cursor *cursor, struct ouro_err *err);
    /* Fills the place of a record that is gone; NULL where nothing refers to records by number. */
    enum ouro_status (*lose)(struct ouro_snapshot *snapshot, struct ouro_err *err);
    size_t count_offset; /* of the count of its vector; 0: none to be numbered by */
};

#define NUMBERED(member) offsetof(struct ouro_snapshot, member.count)

static const struct table tables[] = {
    {OURO_SECTION_META, 2, parse_meta, NULL, 0},
    {OURO_SECTION_STRINGS, 1, parse_string, lost_string, NUMBERED(strings)},
    {OURO_SECTION_TYPES, 8, parse_type, lose_type, NUMBERED(types)},
    {OURO_SECTION_SHAPES, 2, parse_shape, lose_shape, NUMBERED(shapes)},
    {OURO_SECTION_INTERPRETERS, 27, parse_interpreter, NULL, 0},
    {OURO_SECTION_THREADS, 9, parse_thread, NULL, 0},
    {OURO_SECTION_LINES, 3, parse_line, NULL, 0},
    {OURO_SECTION_LOCKS, 3, parse_lock, NULL, 0},
    {OURO_SECTION_WAITS, 3, parse_wait, NULL, 0},
};

/* Brings the table's length to `first`. Gaps are for salvage only, and no wider than the bytes that could have filled
 * them. */
static enum ouro_status fill_gap(struct ouro_snapshot *snapshot, const struct table *table,
                                 const struct ouro_block *block, struct ouro_err *err)
{
    size_t count = *(const size_t *)((const char *)snapshot + table->count_offset);
    if (count == block->first)
        return OURO_OK;
    if (block->first < count || block->first > snapshot->file_bytes * OURO_BLOCK_RATIO_LIMIT)
        return bad(block, err);
    OURO_TRY(ouro_snapshot_damage(snapshot,
                                  ouro_err_set(err, OURO_BADDATA, "the block of %s before byte %llu is missing",
                                               ouro_section_name(block->section), (unsigned long long)block->offset)));
    for (; count < block->first; count++)
        OURO_TRY(table->lose(snapshot, err));
    return OURO_OK;
}

static enum ouro_status parse_block(struct ouro_snapshot *snapshot, const struct table *table,
                                    const struct ouro_block *block, struct ouro_block_reader *reader,
                                    struct ouro_err *err)
{
    const unsigned char *raw = NULL;
    OURO_TRY(ouro_block_load(reader, block, NULL, &raw, err));
    if (block->count > block->raw_bytes / table->least_bytes)
        return bad(block, err);
    if (table->lose)
        OURO_TRY(fill_gap(snapshot, table, block, err));
    struct ouro_cursor cursor = ouro_cursor_of(raw, block->raw_bytes);
    for (uint32_t i = 0; i < block->count; i++) {
        enum ouro_status status = table->parse(snapshot, &cursor, err);
        if (status)
            return status == OURO_BADDATA ? bad(block, err) : status;
    }
    return ouro_cursor_left(&cursor) ? bad(block, err) : OURO_OK;
}

/* Numbers of the objects of types. */
static enum ouro_status parse_type_nodes(struct ouro_snapshot *snapshot, const struct ouro_block *block,
                                         struct ouro_block_reader *reader, struct ouro_err *err)
{
    const unsigned char *raw = NULL;
    OURO_TRY(ouro_block_load(reader, block, NULL, &raw, err));
    struct ouro_cursor cursor = ouro_cursor_of(raw, block->raw_bytes);
    for (uint32_t i = 0; i < block->count && !cursor.failed; i++) {
        ouro_node node = get_optional(&cursor);
        if (cursor.failed || (uint64_t)block->first + i >= snapshot->types.count)
            return bad(block, err);
        snapshot->types.items[block->first + i].node = node;
    }
    return cursor.failed || ouro_cursor_left(&cursor) ? bad(block, err) : OURO_OK;
}

static enum ouro_status bad_reference(struct ouro_snapshot *snapshot, const char *what, size_t index,
                                      struct ouro_err *err)
{
    return ouro_snapshot_damage(
        snapshot, ouro_err_set(err, OURO_BADDATA, "%s %zu refers to something that is not there", what, index));
}

static bool node_there(const struct ouro_snapshot *snapshot, ouro_node node)
{
    return node == OURO_NODE_NONE || node < snapshot->object_count;
}

/* Chains of bases must end: everybody follows them. Marks each type with the number of the walk that first met it. */
static enum ouro_status check_bases(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    struct ouro_type_record *types = snapshot->types.items;
    size_t count = snapshot->types.count;
    uint32_t *walk = calloc(count + 1, sizeof *walk);
    if (!walk)
        return no_memory(err);
    enum ouro_status status = OURO_OK;
    for (uint32_t i = 0; i < count && !status; i++) {
        uint32_t at = i;
        while (!walk[at]) {
            walk[at] = i + 1;
            if (types[at].base == UINT32_MAX)
                break;
            if (types[at].base >= count || walk[types[at].base] == i + 1) {
                status = bad_reference(snapshot, "type", at, err);
                types[at].base = UINT32_MAX;
                break;
            }
            at = types[at].base;
        }
    }
    free(walk);
    return status;
}

static enum ouro_status check_types(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    for (size_t i = 0; i < snapshot->types.count; i++) {
        struct ouro_type_record *type = &snapshot->types.items[i];
        if (type->name >= snapshot->strings.count || type->module >= snapshot->strings.count)
            OURO_TRY(bad_reference(snapshot, "type", i, err));
        if (!node_there(snapshot, type->node)) {
            OURO_TRY(bad_reference(snapshot, "type", i, err));
            type->node = OURO_NODE_NONE;
        }
    }
    return check_bases(snapshot, err);
}

/* Sets the shapes' parts and checks their names and types. Lost ones get a type, so that nobody meets an index of none.
 */
static enum ouro_status check_shapes(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    uint32_t lost = UINT32_MAX;
    size_t offset = 0;
    for (size_t i = 0; i < snapshot->shapes.count; i++) {
        struct ouro_shape *shape = &snapshot->shapes.items[i];
        shape->parts = snapshot->parts.items ? snapshot->parts.items + offset : NULL;
        offset += shape->part_count;
        for (uint32_t j = 0; j < shape->part_count; j++)
            if (shape->parts[j].name >= snapshot->strings.count)
                OURO_TRY(bad_reference(snapshot, "shape", i, err));
        if (shape->type < snapshot->types.count && shape->type != lost)
            continue;
        OURO_TRY(bad_reference(snapshot, "shape", i, err));
        if (lost == UINT32_MAX) {
            lost = (uint32_t)snapshot->types.count;
            OURO_TRY(lose_type(snapshot, err));
        }
        shape->type = lost;
    }
    return OURO_OK;
}

static enum ouro_status check_records(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    for (size_t i = 0; i < snapshot->interpreters.count; i++) {
        struct ouro_interpreter_record *record = &snapshot->interpreters.items[i];
        if (!node_there(snapshot, record->garbage) || !node_there(snapshot, record->callbacks)) {
            OURO_TRY(bad_reference(snapshot, "interpreter", i, err));
            record->garbage = record->callbacks = OURO_NODE_NONE;
        }
    }
    for (size_t i = 0; i < snapshot->threads.count; i++) {
        struct ouro_thread_record *record = &snapshot->threads.items[i];
        if (!node_there(snapshot, record->root) || record->name >= snapshot->strings.count ||
            record->comm >= snapshot->strings.count)
            OURO_TRY(bad_reference(snapshot, "thread", i, err));
        if (!node_there(snapshot, record->root))
            record->root = OURO_NODE_NONE;
    }
    return OURO_OK;
}

/* Records of nodes ascend, and name nodes that are there; in salvage those that don't are left out. */
static enum ouro_status check_lines(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->lines.count; i++) {
        const struct ouro_line_record *record = &snapshot->lines.items[i];
        if (record->node < snapshot->object_count && (!kept || record->node > snapshot->lines.items[kept - 1].node))
            snapshot->lines.items[kept++] = *record;
        else
            OURO_TRY(bad_reference(snapshot, "line", i, err));
    }
    snapshot->lines.count = kept;
    return OURO_OK;
}

static enum ouro_status check_locks(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < snapshot->locks.count; i++) {
        const struct ouro_lock_record *record = &snapshot->locks.items[i];
        if (record->node < snapshot->object_count && (!kept || record->node > snapshot->locks.items[kept - 1].node))
            snapshot->locks.items[kept++] = *record;
        else
            OURO_TRY(bad_reference(snapshot, "lock", i, err));
    }
    snapshot->locks.count = kept;
    return OURO_OK;
}

static enum ouro_status check_waits(struct ouro_snapshot *snapshot, struct ouro_err *err)
{
    size_t kept = 0;
    unsigned char *waiting = calloc(snapshot->threads.count + 1, 1);
    enum ouro_status status = waiting ? OURO_OK : no_memory(err);
    for (size_t i = 0; i < snapshot->waits.count && !status; i++) {
        const struct ouro_wait_record *record = &snapshot->waits.items[i];
        if (record->thread < snapshot->threads.count && !waiting[record->thread] && node_there(snapshot, record->node)) {
            waiting[record->thread] = 1;
            snapshot->waits.items[kept++] = *record;
        } else {
            status = bad_reference(snapshot, "wait", i, err);
        }
    }
    free(waiting);
    snapshot->waits.count = kept;
    return status;
}

enum ouro_status ouro_snapshot_read_tables(struct ouro_snapshot *snapshot, struct ouro_block_reader *reader,
                                           struct ouro_err *err)
{
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (size_t i = 0; i < snapshot->blocks.count; i++)
            if (snapshot->blocks.items[i].section == tables[t].section)
                OURO_TRY(ouro_snapshot_damage(
                    snapshot, parse_block(snapshot, &tables[t], &snapshot->blocks.items[i], reader, err)));
    for (size_t i = 0; i < snapshot->blocks.count; i++)
        if (snapshot->blocks.items[i].section == OURO_SECTION_TYPE_NODES)
            OURO_TRY(
                ouro_snapshot_damage(snapshot, parse_type_nodes(snapshot, &snapshot->blocks.items[i], reader, err)));
    /* A snapshot without any string has lost them: 0 is the empty one. */
    if (!snapshot->strings.count) {
        OURO_TRY(ouro_snapshot_damage(snapshot, ouro_err_set(err, OURO_BADDATA, "the snapshot has no strings")));
        OURO_TRY(add_string(snapshot, (const unsigned char *)"", 0, err));
    }
    OURO_TRY(check_types(snapshot, err));
    OURO_TRY(check_shapes(snapshot, err));
    OURO_TRY(check_records(snapshot, err));
    OURO_TRY(check_lines(snapshot, err));
    OURO_TRY(check_locks(snapshot, err));
    return check_waits(snapshot, err);
}
