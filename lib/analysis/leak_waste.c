/* What wastes memory: equal strings, empty containers, containers that are mostly room. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/leak_search.h"
#include "analysis/lookup.h"
#include "analysis/value.h"
#include "base/guard.h"

#define EXAMPLE_BYTES 40
#define WASTE_LEAST (UINT64_C(256) << 10)

/* Some waste is in every program. */
static uint64_t waste_min(const struct ouro_leak_search *search)
{
    uint64_t part = search->leaks->total_bytes / 50;
    return search->query->bytes_min ? search->query->bytes_min : part > WASTE_LEAST ? part : WASTE_LEAST;
}

/* --- equal strings */

struct text {
    uint64_t hash;
    ouro_node node;
};

static uint64_t hash_of(const unsigned char *bytes, size_t size)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ size; /* FNV-1a; equal hashes are compared */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static int by_hash(const void *a, const void *b)
{
    const struct text *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

static bool is_whole_text(const struct ouro_heap_model *model, ouro_node v)
{
    uint32_t type = ouro_heap_model_type(model, v);
    return type < model->type_count && model->types[type].value_kind == OURO_VALUE_STR && ouro_value_has(model, v) &&
           !(model->heap.flags[v] & (OURO_OBJECT_VALUE_CUT | OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO));
}

static bool equal(const struct ouro_heap_model *model, ouro_node a, ouro_node b)
{
    size_t a_size, b_size;
    const unsigned char *a_bytes = ouro_value_raw(model, a, &a_size), *b_bytes = ouro_value_raw(model, b, &b_size);
    return a_size == b_size && !memcmp(a_bytes, b_bytes, a_size);
}

struct duplicates {
    uint64_t texts, copies, bytes; /* different texts that are there more than once, superfluous objects, their bytes */
    ouro_node worst;               /* one of the text whose copies take most */
    uint64_t worst_copies, worst_bytes;
};

/* texts[first .. end) have one hash: nearly always one text. */
static void count_run(const struct ouro_heap_model *model, struct text *texts, size_t first, size_t end,
                      struct duplicates *found)
{
    while (first < end) {
        size_t same = first + 1;
        uint64_t bytes = 0;
        for (size_t i = first + 1; i < end; i++)
            if (equal(model, texts[first].node, texts[i].node)) {
                struct text other = texts[same];
                bytes += ouro_heap_model_bytes(model, texts[i].node);
                texts[same++] = texts[i];
                texts[i] = other;
            }
        if (same - first > 1) {
            found->texts++;
            found->copies += same - first - 1;
            found->bytes += bytes;
            if (bytes > found->worst_bytes) {
                found->worst = texts[first].node;
                found->worst_bytes = bytes;
                found->worst_copies = same - first - 1;
            }
        }
        first = same;
    }
}

/* All with this text, where it is short and no glob; else the one. */
static void add_value_command(struct ouro_buf *command, const struct ouro_heap_model *model, ouro_node node)
{
    size_t size;
    const unsigned char *text = ouro_value_raw(model, node, &size);
    bool plain = size > 0 && size <= EXAMPLE_BYTES;
    for (size_t i = 0; i < size && plain; i++)
        plain = text[i] >= ' ' && text[i] < 0x7f && !strchr("*?[]\\'\"", text[i]);
    if (plain) {
        ouro_buf_add_text(command, "objects SNAPSHOT --type str --value=");
        ouro_leak_add_word(command, text, size);
    } else {
        ouro_buf_addf(command, "show SNAPSHOT 0x%" PRIx64, model->heap.addr[node]);
    }
}

static enum ouro_status find_strings(struct ouro_leak_search *search)
{
    const struct ouro_heap_model *model = search->model;
    size_t count = 0, at = 0;
    for (ouro_node v = 0; v < model->heap.count; v++)
        count += is_whole_text(model, v);
    OURO_FREE struct text *texts = calloc(count + 1, sizeof *texts);
    struct duplicates found = {.worst = OURO_NODE_NONE};
    if (!texts)
        return OURO_NOMEM;
    for (ouro_node v = 0; v < model->heap.count; v++)
        if (is_whole_text(model, v)) {
            size_t size;
            const unsigned char *bytes = ouro_value_raw(model, v, &size);
            texts[at++] = (struct text){hash_of(bytes, size), v};
        }
    qsort(texts, count, sizeof *texts, by_hash);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && texts[end].hash == texts[first].hash; end++)
            ;
        if (end - first > 1)
            count_run(model, texts, first, end, &found);
    }
    if (found.bytes < waste_min(search))
        return OURO_OK;
    struct ouro_leak *leak = ouro_leak_add(search, OURO_LEAK_STRINGS, found.worst, found.copies, found.bytes);
    if (!leak)
        return OURO_NOMEM;
    ouro_leak_add_count(&leak->text, found.copies);
    ouro_buf_add_text(&leak->text, " strings are copies of ");
    ouro_leak_add_count(&leak->text, found.texts);
    ouro_buf_add_text(&leak->text, " others: ");
    ouro_leak_add_bytes(&leak->text, found.bytes);
    ouro_buf_add_text(&leak->text, " (");
    ouro_value_add(&leak->text, model, found.worst, EXAMPLE_BYTES);
    ouro_buf_add_text(&leak->text, " alone has ");
    ouro_leak_add_count(&leak->text, found.worst_copies);
    ouro_buf_add_text(&leak->text, "); sys.intern or one table would keep one of each");
    add_value_command(&leak->command, model, found.worst);
    return OURO_OK;
}

/* --- containers with little in them */

static bool is_builtin(const struct ouro_heap_model *model, uint32_t type, const char *name)
{
    return ouro_lookup_is_type(model, type, "builtins", name);
}

/* Bytes that a container has for items it has not; 0 where that is not known or little. */
static uint64_t spare_bytes(const struct ouro_heap_model *model, ouro_node node, uint32_t type, uint64_t items)
{
    uint64_t size = model->heap.size[node], used = 0;
    if (is_builtin(model, type, "list"))
        used = 56 + 8 * items;
    else if (is_builtin(model, type, "dict"))
        used = 64 + 24 * items + 8 * items + 96; /* entries and index; tables have room for half as many again */
    else if (is_builtin(model, type, "set"))
        used = 216 + 16 * items * 4; /* a quarter full is usual */
    return used && size > 4 * used && size > 512 ? size - used : 0;
}

struct waste {
    uint64_t count, bytes;
    ouro_node most;
    uint64_t most_bytes;
};

static void add(struct waste *waste, ouro_node node, uint64_t bytes)
{
    waste->count++;
    waste->bytes += bytes;
    if (bytes > waste->most_bytes) {
        waste->most_bytes = bytes;
        waste->most = node;
    }
}

static enum ouro_status tell(struct ouro_leak_search *search, enum ouro_leak_kind kind, const struct waste *waste,
                             const char *what)
{
    if (waste->bytes < waste_min(search))
        return OURO_OK;
    struct ouro_leak *leak = ouro_leak_add(search, kind, waste->most, waste->count, waste->bytes);
    if (!leak)
        return OURO_NOMEM;
    ouro_leak_add_count(&leak->text, waste->count);
    ouro_buf_addf(&leak->text, " %s: ", what);
    ouro_leak_add_bytes(&leak->text, waste->bytes);
    if (kind == OURO_LEAK_EMPTY)
        ouro_buf_add_text(&leak->text, "; None until there is something would do");
    ouro_buf_addf(&leak->command, "show SNAPSHOT 0x%" PRIx64, search->model->heap.addr[waste->most]);
    return OURO_OK;
}

static enum ouro_status find_containers(struct ouro_leak_search *search)
{
    const struct ouro_heap_model *model = search->model;
    struct waste empty = {.most = OURO_NODE_NONE}, sparse = {.most = OURO_NODE_NONE};
    for (ouro_node v = 0; v < model->heap.count; v++) {
        uint32_t type = ouro_heap_model_type(model, v);
        uint64_t items;
        if (type >= model->type_count || model->heap.flags[v] & (OURO_OBJECT_IMMORTAL | OURO_OBJECT_PSEUDO) ||
            !(is_builtin(model, type, "list") || is_builtin(model, type, "dict") || is_builtin(model, type, "set")) ||
            !ouro_leak_items(model, v, &items))
            continue;
        uint64_t spare = spare_bytes(model, v, type, items);
        if (spare)
            add(&sparse, v, spare);
        else if (!items)
            add(&empty, v, ouro_heap_model_bytes(model, v));
    }
    OURO_TRY(tell(search, OURO_LEAK_EMPTY, &empty, "lists, dicts and sets are empty"));
    return tell(search, OURO_LEAK_SPARSE, &sparse, "lists, dicts and sets have room for many times what is in them");
}

enum ouro_status ouro_leak_find_waste(struct ouro_leak_search *search)
{
    OURO_TRY(find_strings(search));
    return find_containers(search);
}
