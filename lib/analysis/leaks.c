#include "analysis/leaks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/leak_search.h"
#include "analysis/lookup.h"
#include "analysis/unexplained.h"
#include "base/guard.h"

#define BYTES_LEAST (UINT64_C(64) << 10)

const char *ouro_leak_name(enum ouro_leak_kind kind)
{
    static const char *const names[OURO_LEAK_KIND_COUNT] = {
        [OURO_LEAK_OBJECT] = "object",           [OURO_LEAK_GROUP] = "group",
        [OURO_LEAK_OUTLIER] = "outlier",         [OURO_LEAK_CACHE] = "cache",
        [OURO_LEAK_MODULE] = "module",           [OURO_LEAK_TRACEBACKS] = "tracebacks",
        [OURO_LEAK_TASKS] = "tasks",             [OURO_LEAK_THREADS] = "threads",
        [OURO_LEAK_GENERATORS] = "generators",   [OURO_LEAK_UNEXPLAINED] = "unexplained",
        [OURO_LEAK_UNCOLLECTABLE] = "uncollectable", [OURO_LEAK_STRINGS] = "strings",
        [OURO_LEAK_EMPTY] = "empty",             [OURO_LEAK_SPARSE] = "sparse",
    };
    return names[kind];
}

bool ouro_leak_is_waste(enum ouro_leak_kind kind)
{
    return kind == OURO_LEAK_STRINGS || kind == OURO_LEAK_EMPTY || kind == OURO_LEAK_SPARSE;
}

struct ouro_leak *ouro_leak_add(struct ouro_leak_search *search, enum ouro_leak_kind kind, ouro_node node, uint64_t count,
                                uint64_t bytes)
{
    struct ouro_leak *leak = OURO_VEC_ADD(search->leaks);
    if (!leak)
        return NULL;
    leak->kind = kind;
    leak->node = node;
    leak->place = OURO_NODE_NONE;
    leak->type = node < search->model->heap.count ? ouro_heap_model_type(search->model, node) : OURO_TYPE_NONE;
    leak->count = count;
    leak->bytes = bytes;
    return leak;
}

bool ouro_leak_is_told(const struct ouro_leak_search *search, ouro_node node)
{
    return search->told[node >> 3] >> (node & 7) & 1;
}

void ouro_leak_tell(struct ouro_leak_search *search, ouro_node node)
{
    if (node < search->model->heap.count)
        search->told[node >> 3] = (uint8_t)(search->told[node >> 3] | 1u << (node & 7));
}

void ouro_leak_add_type(struct ouro_buf *out, const struct ouro_heap_model *model, uint32_t type)
{
    size_t size;
    const char *module = ouro_heap_model_type_module(model, type, &size);
    if (size && strcmp(module, "builtins")) {
        ouro_buf_add(out, module, size);
        ouro_buf_add_byte(out, '.');
    }
    const char *name = ouro_heap_model_type_name(model, type, &size);
    ouro_buf_add(out, name, size);
}

void ouro_leak_add_word(struct ouro_buf *out, const void *bytes, size_t size)
{
    const char *text = bytes;
    bool plain = size > 0;
    for (size_t i = 0; i < size; i++) /* nothing that any shell would take for its own */
        plain &= (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z') ||
                 (text[i] >= '0' && text[i] <= '9') || (text[i] && strchr("_./:@%+,-", text[i]));
    if (plain) {
        ouro_buf_add(out, bytes, size);
        return;
    }
    ouro_buf_add_byte(out, '\'');
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\'')
            ouro_buf_add_text(out, "'\\''");
        else
            ouro_buf_add_byte(out, (unsigned char)text[i]);
    ouro_buf_add_byte(out, '\'');
}

void ouro_leak_add_type_word(struct ouro_buf *out, const struct ouro_heap_model *model, uint32_t type)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf name = {0};
    ouro_leak_add_type(&name, model, type);
    ouro_leak_add_word(out, name.data, name.size);
    out->failed |= name.failed;
}

void ouro_leak_add_count(struct ouro_buf *out, uint64_t count)
{
    if (count >= 1000) {
        ouro_leak_add_count(out, count / 1000); /* at most seven deep */
        ouro_buf_addf(out, ",%03u", (unsigned)(count % 1000));
    } else {
        ouro_buf_addf(out, "%u", (unsigned)count);
    }
}

void ouro_leak_add_bytes(struct ouro_buf *out, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    ouro_buf_addf(out, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

bool ouro_leak_items(const struct ouro_heap_model *model, ouro_node node, uint64_t *count)
{
    const struct ouro_heap_shape *shape = ouro_heap_model_shape(model, node);
    struct ouro_part_walk walk;
    bool container = false;
    *count = 0;
    for (uint32_t i = 0; i < shape->part_count && !container; i++) {
        unsigned kind = shape->parts[i].kind;
        container = kind == OURO_PART_ITEMS || kind == OURO_PART_ITEMS_DOWN || kind == OURO_PART_ELEMENTS ||
                    (ouro_part_repeats(kind) && ouro_part_width(kind) == 2);
    }
    if (!container)
        return false;
    ouro_part_walk_begin(&walk, model, node);
    while (ouro_part_walk_next(&walk)) {
        unsigned kind = walk.part->kind;
        if (kind != OURO_PART_ITEMS && kind != OURO_PART_ITEMS_DOWN && kind != OURO_PART_ELEMENTS && walk.width != 2)
            continue;
        for (uint64_t i = 0; i < walk.item_count; i++)
            *count += model->heap.slots[walk.first + i * walk.width] != OURO_NODE_NONE;
    }
    return true;
}

uint64_t ouro_leak_retained_together(const struct ouro_leak_search *search, const uint8_t *bits)
{
    /* The nodes' order is no order of the tree: climb from each, as far as another of the set. Chains are short; very long ones
     * are cut, which counts such an object again, but never more than it retains. */
    const struct ouro_retained *retained = search->retained;
    uint64_t bytes = 0;
    for (ouro_node v = 0; v < search->model->heap.count; v++) {
        if (!(bits[v >> 3] >> (v & 7) & 1))
            continue;
        bool below = false;
        ouro_node up = ouro_retained_idom(retained, v);
        for (unsigned step = 0; up < search->model->heap.count && step < 256 && !below; step++) {
            below = bits[up >> 3] >> (up & 7) & 1;
            up = ouro_retained_idom(retained, up);
        }
        if (!below)
            bytes += retained->bytes[v];
    }
    return bytes;
}

static enum ouro_status find_unexplained(struct ouro_leak_search *search)
{
    OURO_GUARD(ouro_unexplained_fini) struct ouro_unexplained found = {0};
    const struct ouro_heap_model *model = search->model;
    OURO_TRY(ouro_unexplained_init(&found, search->roots, search->err));
    for (size_t i = 0; i < found.count; i++) {
        const struct ouro_unexplained_row *row = &found.items[i];
        if (ouro_lookup_is_type(model, row->type, "functools", "_lru_list_elem"))
            continue; /* the list that orders a cache's entries counts them too */
        struct ouro_leak *leak = ouro_leak_add(search, OURO_LEAK_UNEXPLAINED, row->most, row->object_count,
                                               row->object_count * ouro_heap_model_bytes(model, row->most));
        if (!leak)
            return OURO_NOMEM;
        ouro_leak_add_count(&leak->text, row->object_count);
        ouro_buf_add_text(&leak->text, row->object_count == 1 ? " object of " : " objects of ");
        ouro_leak_add_type(&leak->text, model, row->type);
        ouro_buf_add_text(&leak->text, row->object_count == 1 ? " has " : " have ");
        ouro_leak_add_count(&leak->text, row->reference_count);
        ouro_buf_addf(&leak->text, " references that nothing known explains (0x%" PRIx64 " alone ", model->heap.addr[row->most]);
        ouro_leak_add_count(&leak->text, row->most_count);
        ouro_buf_add_text(&leak->text, "): native code holds them, or an extension has leaked them");
        ouro_buf_addf(&leak->command, "show SNAPSHOT 0x%" PRIx64, model->heap.addr[row->most]);
    }
    return OURO_OK;
}

static enum ouro_status find_uncollectable(struct ouro_leak_search *search)
{
    const struct ouro_heap_model *model = search->model;
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(model->snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        uint64_t length = 0;
        ouro_node garbage = interpreters[i].garbage;
        if (garbage >= model->heap.count || !ouro_leak_items(model, garbage, &length) || !length)
            continue;
        struct ouro_leak *leak =
            ouro_leak_add(search, OURO_LEAK_UNCOLLECTABLE, garbage, length, search->retained->bytes[garbage]);
        if (!leak)
            return OURO_NOMEM;
        ouro_buf_add_text(&leak->text, "gc.garbage holds ");
        ouro_leak_add_count(&leak->text, length);
        ouro_buf_add_text(&leak->text, length == 1 ? " object: the collector won't free it" : " objects: the collector won't free them");
        ouro_buf_add_text(&leak->command, "show SNAPSHOT gc.garbage");
        ouro_leak_tell(search, garbage);
    }
    return OURO_OK;
}

static int by_weight(const void *a, const void *b)
{
    const struct ouro_leak *left = a, *right = b;
    bool left_waste = ouro_leak_is_waste(left->kind), right_waste = ouro_leak_is_waste(right->kind);
    if (left_waste != right_waste)
        return left_waste - right_waste;
    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return (left->node > right->node) - (left->node < right->node);
}

static void leak_fini(struct ouro_leak *leak)
{
    ouro_buf_fini(&leak->text);
    ouro_buf_fini(&leak->command);
    ouro_path_answer_fini(&leak->path);
    ouro_path_answer_fini(&leak->place_path);
}

/* Of each kind the first ones; the list is sorted. */
static void apply_limit(struct ouro_leaks *leaks, size_t limit)
{
    size_t counts[OURO_LEAK_KIND_COUNT] = {0}, kept = 0;
    for (size_t i = 0; i < leaks->count; i++) {
        if (limit && counts[leaks->items[i].kind]++ >= limit) {
            leak_fini(&leaks->items[i]);
            leaks->left_count++;
        } else {
            leaks->items[kept++] = leaks->items[i];
        }
    }
    leaks->count = kept;
}

/* One search for all nodes that are named. */
static enum ouro_status find_paths(struct ouro_leaks *leaks, struct ouro_heap_model *model, struct ouro_err *err)
{
    OURO_GUARD(ouro_path_finder_fini) struct ouro_path_finder finder = {0};
    OURO_FREE ouro_node *nodes = calloc(2 * leaks->count + 1, sizeof *nodes);
    size_t count = 0;
    if (!nodes)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the paths of suspects");
    for (size_t i = 0; i < leaks->count; i++) {
        if (leaks->items[i].node < model->heap.count)
            nodes[count++] = leaks->items[i].node;
        if (leaks->items[i].place < model->heap.count)
            nodes[count++] = leaks->items[i].place;
    }
    if (!count)
        return OURO_OK;
    OURO_TRY(ouro_path_finder_init(&finder, model, err));
    OURO_TRY(ouro_path_finder_run(&finder, nodes, count, err));
    for (size_t i = 0; i < leaks->count; i++) {
        struct ouro_leak *leak = &leaks->items[i];
        if (leak->node < model->heap.count)
            OURO_TRY(ouro_path_answer_init(&leak->path, &finder, leak->node, 1, err));
        if (leak->place < model->heap.count)
            OURO_TRY(ouro_path_answer_init(&leak->place_path, &finder, leak->place, 1, err));
    }
    return OURO_OK;
}

/* What every process has, however large: said by where it is. */
static bool is_ordinary(struct ouro_leak *leak)
{
    static const char *const places[] = {
        "sys.modules['sys'].path_importer_cache", "sys.modules['sys'].__std", "sys.modules['sys'].std",
        "sys.modules['sys'].stdlib_module_names", "sys.modules['html.entities'].", "sys.modules['builtins'].object -> <__subclasses__>",
        "sys.modules['encodings.", "sys.modules['opcode'].", "sys.modules['_opcode_metadata'].", "sys.modules['stringprep'].",
        "sys.modules['mimetypes'].", "sys.modules['errno'].",
        "sys.modules['_ssl']",
    };
    if (leak->kind != OURO_LEAK_OBJECT && leak->kind != OURO_LEAK_MODULE && leak->kind != OURO_LEAK_OUTLIER)
        return false;
    const char *path = leak->path.count ? ouro_buf_text(&leak->path.items[0].text.expression) : "";
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (!strncmp(path, places[i], strlen(places[i])))
            return true;
    return false;
}

static void drop_ordinary(struct ouro_leaks *leaks)
{
    size_t kept = 0;
    for (size_t i = 0; i < leaks->count; i++)
        if (is_ordinary(&leaks->items[i]))
            leak_fini(&leaks->items[i]);
        else
            leaks->items[kept++] = leaks->items[i];
    leaks->count = kept;
}

static enum ouro_status run(struct ouro_leak_search *search)
{
    struct ouro_leaks *leaks = search->leaks;
    OURO_TRY(find_uncollectable(search));
    OURO_TRY(ouro_leak_find_caches(search)); /* first: what they say is more than that somebody retains them */
    OURO_TRY(ouro_leak_find_ended(search));
    OURO_TRY(ouro_leak_find_outliers(search));
    OURO_TRY(ouro_leak_find_large(search));
    OURO_TRY(find_unexplained(search));
    OURO_TRY(ouro_leak_find_waste(search));
    for (size_t i = 0; i < leaks->count; i++)
        if (leaks->items[i].text.failed || leaks->items[i].command.failed)
            return OURO_NOMEM;
    if (leaks->count)
        qsort(leaks->items, leaks->count, sizeof *leaks->items, by_weight);
    OURO_TRY(find_paths(leaks, search->model, search->err));
    drop_ordinary(leaks);
    apply_limit(leaks, search->query->limit);
    return OURO_OK;
}

enum ouro_status ouro_leaks_init(struct ouro_leaks *leaks, struct ouro_heap_model *model, const struct ouro_roots *roots,
                                 const struct ouro_retained *retained, const struct ouro_leaks_query *query,
                                 struct ouro_err *err)
{
    memset(leaks, 0, sizeof *leaks);
    OURO_TRY(ouro_heap_model_load(model, OURO_HEAP_ALL, err));
    OURO_FREE uint8_t *told = calloc(model->heap.count / 8 + 1, 1);
    if (!told)
        return ouro_err_set(err, OURO_NOMEM, "no memory to look for suspects");
    for (ouro_node v = 0; v < model->heap.count; v++)
        leaks->total_bytes += ouro_heap_model_bytes(model, v);
    leaks->bytes_min = query->bytes_min ? query->bytes_min
                       : leaks->total_bytes / 100 > BYTES_LEAST ? leaks->total_bytes / 100 : BYTES_LEAST;
    struct ouro_leak_search search = {leaks, model, roots, retained, query, told, err};
    enum ouro_status status = run(&search);
    if (status != OURO_OK) {
        ouro_leaks_fini(leaks);
        if (status == OURO_NOMEM)
            ouro_err_set(err, status, "no memory for leak suspects");
    }
    return status;
}

void ouro_leaks_fini(struct ouro_leaks *leaks)
{
    for (size_t i = 0; i < leaks->count; i++)
        leak_fini(&leaks->items[i]);
    free(leaks->items);
    memset(leaks, 0, sizeof *leaks);
}
