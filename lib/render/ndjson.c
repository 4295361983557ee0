#include "render/ndjson.h"

#include <stdlib.h>

#include "analysis/value.h"
#include "base/guard.h"
#include "render/json.h"

/* Everything that repeats is made once; the rest goes through a handful of buffers that keep their memory. */
struct exporter {
    struct ouro_buf *out; /* of the ouro_out */
    const struct ouro_heap_model *model;
    const struct ouro_roots *roots;
    const struct ouro_retained *retained;
    bool no_values; /* taken with --values none */
    struct ouro_buf types;     /* `","type":"...","module":"...","size":` of each type, lost objects last */
    uint64_t *type_begin;      /* type_count + 2 */
    struct ouro_buf labels, hidden, hidden_labels, weak, scratch;
};

/* ouro_buf_add with its usual case in line: literals become a store or two. */
static inline __attribute__((always_inline)) void put(struct ouro_buf *out, const void *bytes, size_t size)
{
    if (!size)
        return; /* and no bytes, maybe */
    if (out->capacity - out->size >= size) {
        memcpy(out->data + out->size, bytes, size);
        out->size += size;
    } else {
        ouro_buf_add(out, bytes, size);
    }
}

#define LITERAL(out, text) put(out, text, sizeof(text) - 1)

static void add_uint(struct ouro_buf *out, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + value % 10);
    while (value /= 10);
    put(out, digits + at, sizeof digits - at);
}

static void add_addr(struct ouro_buf *out, ouro_addr addr)
{
    char text[20];
    size_t at = sizeof text;
    text[--at] = '"';
    do
        text[--at] = "0123456789abcdef"[addr & 15];
    while (addr >>= 4);
    text[--at] = 'x';
    text[--at] = '0';
    text[--at] = '"';
    put(out, text + at, sizeof text - at);
}

static void add_item_addr(struct ouro_buf *out, ouro_addr addr)
{
    if (out->size && out->data[out->size - 1] != '[')
        ouro_buf_add_byte(out, ',');
    add_addr(out, addr);
}

static enum ouro_status prepare_types(struct exporter *e)
{
    uint32_t count = e->model->type_count;
    e->type_begin = malloc(((size_t)count + 2) * sizeof *e->type_begin);
    if (!e->type_begin)
        return OURO_NOMEM;
    for (uint32_t i = 0; i <= count; i++) {
        size_t size;
        uint32_t type = i < count ? i : OURO_TYPE_NONE;
        e->type_begin[i] = e->types.size;
        const char *name = ouro_heap_model_type_name(e->model, type, &size);
        LITERAL(&e->types, ",\"type\":\"");
        ouro_json_escape(&e->types, name, size);
        const char *module = ouro_heap_model_type_module(e->model, type, &size);
        LITERAL(&e->types, "\",\"module\":\"");
        ouro_json_escape(&e->types, module, size);
        LITERAL(&e->types, "\",\"size\":");
    }
    e->type_begin[count + 1] = e->types.size;
    return e->types.failed ? OURO_NOMEM : OURO_OK;
}

static void add_head(struct exporter *e, ouro_addr addr, uint32_t type)
{
    uint32_t i = type < e->model->type_count ? type : e->model->type_count;
    LITERAL(e->out, "{\"addr\":");
    add_addr(e->out, addr);
    ouro_buf_add(e->out, e->types.data + e->type_begin[i], e->type_begin[i + 1] - e->type_begin[i]);
}

static void add_generation(struct exporter *e, ouro_node node)
{
    int generation = ouro_heap_model_generation(e->model, node);
    if (generation < 0)
        LITERAL(e->out, ",\"gc\":null");
    else if (generation >= OURO_GENERATION_COUNT)
        LITERAL(e->out, ",\"gc\":\"frozen\"");
    else {
        LITERAL(e->out, ",\"gc\":");
        ouro_buf_add_byte(e->out, (unsigned char)('0' + generation));
    }
}

/* Most labels need no escape. */
static bool is_plain(const unsigned char *bytes, size_t size)
{
    bool plain = true;
    for (size_t i = 0; i < size; i++) /* without an exit, so that it is vectorised */
        plain &= bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '"' && bytes[i] != '\\';
    return plain;
}

static void add_label(struct exporter *e, struct ouro_buf *labels, const struct ouro_slot *slot)
{
    if (labels->size)
        ouro_buf_add_byte(labels, ',');
    e->scratch.size = 0;
    ouro_label_add(&e->scratch, e->model, slot);
    ouro_buf_add_byte(labels, '"');
    if (is_plain(e->scratch.data, e->scratch.size))
        put(labels, e->scratch.data, e->scratch.size);
    else
        ouro_json_escape(labels, e->scratch.data, e->scratch.size);
    ouro_buf_add_byte(labels, '"');
}

static void add_array(struct exporter *e, const char *key, size_t key_size, const struct ouro_buf *items)
{
    ouro_buf_add(e->out, key, key_size);
    ouro_buf_add(e->out, items->data, items->size);
    ouro_buf_add_byte(e->out, ']');
}

static void add_references(struct exporter *e, ouro_node node)
{
    const ouro_addr *addr = e->model->heap.addr;
    struct ouro_slot_walk walk;
    struct ouro_slot slot;
    e->labels.size = e->hidden.size = e->hidden_labels.size = e->weak.size = 0;
    LITERAL(e->out, ",\"refs\":[");
    ouro_slot_walk_begin(&walk, e->model, node);
    while (ouro_slot_walk_next(&walk, &slot)) {
        if (slot.target == OURO_NODE_NONE)
            continue;
        switch (slot.edge_class) {
        case OURO_EDGE_TRAVERSED:
            add_item_addr(e->out, addr[slot.target]);
            add_label(e, &e->labels, &slot);
            break;
        case OURO_EDGE_HIDDEN:
            add_item_addr(&e->hidden, addr[slot.target]);
            add_label(e, &e->hidden_labels, &slot);
            break;
        case OURO_EDGE_WEAK:
            add_item_addr(&e->weak, addr[slot.target]);
            break;
        }
    }
    ouro_buf_add_byte(e->out, ']');
    add_array(e, ",\"labels\":[", 11, &e->labels);
    if (e->hidden.size) {
        add_array(e, ",\"hidden\":[", 11, &e->hidden);
        add_array(e, ",\"hidden_labels\":[", 18, &e->hidden_labels);
    }
    if (e->weak.size)
        add_array(e, ",\"weak\":[", 9, &e->weak);
}

static void add_retained(struct exporter *e, ouro_node node)
{
    if (!e->retained)
        return;
    ouro_node idom = ouro_retained_idom(e->retained, node);
    LITERAL(e->out, ",\"idom\":");
    if (idom == OURO_NODE_NONE)
        LITERAL(e->out, "null");
    else
        add_addr(e->out, ouro_roots_addr(e->roots, idom));
    LITERAL(e->out, ",\"retained\":");
    add_uint(e->out, e->retained->bytes[node]);
}

static void add_value(struct exporter *e, ouro_node node, bool pseudo)
{
    e->scratch.size = 0;
    if (!pseudo && e->no_values) /* what is there are names, for labels */
        return;
    if (!ouro_value_add(&e->scratch, e->model, node, SIZE_MAX) && !pseudo)
        return;
    if (pseudo)
        LITERAL(e->out, ",\"name\":\"");
    else
        LITERAL(e->out, ",\"value\":\"");
    ouro_json_escape(e->out, e->scratch.data, e->scratch.size);
    ouro_buf_add_byte(e->out, '"');
}

static void add_object(struct exporter *e, ouro_node node)
{
    const struct ouro_heap *heap = &e->model->heap;
    unsigned flags = heap->flags[node];
    bool pseudo = flags & OURO_OBJECT_PSEUDO;
    add_head(e, heap->addr[node], ouro_heap_model_type(e->model, node));
    add_uint(e->out, heap->size[node]);
    if (heap->native && heap->native[node]) {
        LITERAL(e->out, ",\"native\":");
        add_uint(e->out, heap->native[node]);
    }
    if (flags & OURO_OBJECT_IMMORTAL) {
        LITERAL(e->out, ",\"refcount\":null,\"immortal\":true");
    } else {
        LITERAL(e->out, ",\"refcount\":");
        add_uint(e->out, heap->refcount[node]);
    }
    add_generation(e, node);
    add_references(e, node);
    if (heap->interp && heap->interp[node]) {
        LITERAL(e->out, ",\"interp\":");
        add_uint(e->out, heap->interp[node]);
    }
    add_value(e, node, pseudo);
    if (flags & OURO_OBJECT_APPROXIMATE)
        LITERAL(e->out, ",\"approximate\":true");
    if (flags & OURO_OBJECT_SIZE_ESTIMATED)
        LITERAL(e->out, ",\"size_estimated\":true");
    if (flags & OURO_OBJECT_IN_TRY)
        LITERAL(e->out, ",\"in_try\":true");
    if (ouro_collector_unreachable(e->roots->collector, node))
        LITERAL(e->out, ",\"unreachable\":true");
    if (e->roots->unexplained[node]) {
        LITERAL(e->out, ",\"unexplained\":");
        add_uint(e->out, e->roots->unexplained[node]);
    }
    add_retained(e, node);
    LITERAL(e->out, "}\n");
}

static void add_virtual_root(struct exporter *e, struct ouro_out *out, ouro_node node)
{
    ouro_node count;
    const ouro_node *targets = ouro_roots_targets(e->roots, node, &count);
    LITERAL(e->out, "{\"addr\":");
    add_addr(e->out, ouro_roots_addr(e->roots, node));
    LITERAL(e->out, ",\"type\":\"<root>\",\"module\":\"\",\"size\":0,\"refcount\":0,\"gc\":null,\"refs\":[");
    for (ouro_node i = 0; i < count; i++) {
        if (i)
            ouro_buf_add_byte(e->out, ',');
        add_addr(e->out, e->model->heap.addr[targets[i]]);
        ouro_out_check(out);
    }
    LITERAL(e->out, "],\"labels\":[");
    for (ouro_node i = 0; i < count; i++) {
        if (i)
            ouro_buf_add_byte(e->out, ',');
        LITERAL(e->out, "\"[");
        add_uint(e->out, i);
        LITERAL(e->out, "]\"");
        ouro_out_check(out);
    }
    if (node == ouro_roots_garbage_node(e->roots))
        LITERAL(e->out, "],\"name\":\"garbage\"");
    else
        LITERAL(e->out, "],\"name\":\"native\"");
    add_retained(e, node);
    LITERAL(e->out, "}\n");
}

static inline void count_edge(uint64_t *count, ouro_node target)
{
    (void)target;
    ++*count;
}

static void add_header(struct exporter *e)
{
    const struct ouro_heap_model *model = e->model;
    uint64_t edges = (uint64_t)e->roots->native_count + e->roots->garbage_count;
    for (ouro_node v = 0; v < model->heap.count; v++)
        OURO_EACH_TARGET(model, v, OURO_CLASS_OWNED, count_edge, &edges);
    size_t size = 0;
    const char *python = ouro_snapshot_meta(model->snapshot, OURO_META_PYTHON, &size);
    LITERAL(e->out, "{\"ouro\":\"objects\",\"version\":1,\"python\":\"");
    ouro_json_escape(e->out, python ? python : "", size);
    LITERAL(e->out, "\",\"pid\":");
    add_uint(e->out, ouro_snapshot_meta_u64(model->snapshot, OURO_META_PID, 0));
    LITERAL(e->out, ",\"objects\":");
    add_uint(e->out, (uint64_t)model->heap.count + ouro_roots_virtual_count(e->roots));
    LITERAL(e->out, ",\"edges\":");
    add_uint(e->out, edges);
    LITERAL(e->out, "}\n");
}

static void exporter_fini(struct exporter *e)
{
    ouro_buf_fini(&e->types);
    free(e->type_begin);
    ouro_buf_fini(&e->labels);
    ouro_buf_fini(&e->hidden);
    ouro_buf_fini(&e->hidden_labels);
    ouro_buf_fini(&e->weak);
    ouro_buf_fini(&e->scratch);
}

static bool failed(const struct exporter *e)
{
    return e->labels.failed || e->hidden.failed || e->hidden_labels.failed || e->weak.failed || e->scratch.failed ||
           e->out->failed;
}

enum ouro_status ouro_ndjson_write(struct ouro_out *out, struct ouro_heap_model *model, const struct ouro_roots *roots,
                                   const struct ouro_retained *retained, const volatile sig_atomic_t *cancel,
                                   struct ouro_err *err)
{
    OURO_TRY(ouro_heap_model_load(model, OURO_NDJSON_COLUMNS, err));
    OURO_GUARD(exporter_fini)
    struct exporter e = {.out = &out->buf, .model = model, .roots = roots, .retained = retained};
    const char *values = ouro_snapshot_meta(model->snapshot, OURO_META_VALUES, NULL);
    e.no_values = values && strcmp(values, "none") == 0;
    if (prepare_types(&e) != OURO_OK)
        return ouro_err_set(err, OURO_NOMEM, "out of memory for %u types", model->type_count);
    add_header(&e);
    for (ouro_node v = 0; v < model->heap.count && !out->sys_errno; v++) {
        add_object(&e, v);
        ouro_out_check(out);
        if (cancel && *cancel)
            return ouro_err_set(err, OURO_CANCELLED, "interrupted");
    }
    ouro_node end = model->heap.count + ouro_roots_virtual_count(roots);
    for (ouro_node v = model->heap.count; v < end && !out->sys_errno; v++) {
        add_virtual_root(&e, out, v);
        ouro_out_check(out);
    }
    if (failed(&e))
        return ouro_err_set(err, OURO_NOMEM, "out of memory for the texts of an object");
    return OURO_OK;
}
