/* A neighbourhood as an indented list, and as JSON: what `ouro refs` and `backrefs` print where nothing is drawn. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/guard.h"
#include "render/page.h"
#include "render/picture.h"
#include "render/text.h"

#define INDENTS_MAX 20

/* Edges by the node that they were found from: those of node i are edges[order[begin[i] .. begin[i + 1])]. */
struct listing {
    const struct ouro_heap_model *model;
    const struct ouro_neighbourhood *neighbourhood;
    bool back;
    uint32_t *begin, *order; /* owned */
    bool *shown;             /* owned */
    struct place {
        uint32_t node, depth, edge; /* edge: UINT32_MAX for a start */
    } *stack; /* owned; each edge is on it at most once */
    size_t stack_count;
};

static void listing_fini(struct listing *listing)
{
    free(listing->begin);
    free(listing->order);
    free(listing->shown);
    free(listing->stack);
}

static uint32_t found_from(const struct listing *listing, size_t edge)
{
    const struct ouro_neighbourhood_edge *item = &listing->neighbourhood->edges.items[edge];
    return listing->back ? item->to : item->from;
}

static bool listing_init(struct listing *listing)
{
    size_t nodes = listing->neighbourhood->nodes.count, edges = listing->neighbourhood->edges.count;
    listing->begin = calloc(nodes + 2, sizeof *listing->begin);
    listing->order = calloc(edges + 1, sizeof *listing->order);
    listing->shown = calloc(nodes + 1, sizeof *listing->shown);
    listing->stack = calloc(nodes + edges + 1, sizeof *listing->stack);
    if (!listing->begin || !listing->order || !listing->shown || !listing->stack)
        return false;
    for (size_t i = 0; i < edges; i++)
        listing->begin[found_from(listing, i) + 2]++;
    for (size_t i = 2; i < nodes + 2; i++)
        listing->begin[i] += listing->begin[i - 1];
    for (size_t i = 0; i < edges; i++)
        listing->order[listing->begin[found_from(listing, i) + 1]++] = (uint32_t)i;
    return true;
}

static void add_one_line(struct ouro_buf *out, const void *text, size_t size)
{
    OURO_GUARD(ouro_buf_fini) struct ouro_buf line = {0};
    const unsigned char *at = text;
    for (size_t i = 0; i < size; i++)
        ouro_buf_add_text(&line, at[i] == '\n' ? ", " : ""), at[i] == '\n' ? (void)0 : ouro_buf_add_byte(&line, at[i]);
    ouro_text_add_buf(out, &line);
}

/* One object: how it is referred to, type, value, address, `tail`. */
static void write_object(struct ouro_out *out, const struct ouro_heap_model *model,
                         const struct ouro_neighbourhood *neighbourhood, const struct place *place, bool back,
                         const char *tail, size_t width)
{
    const struct ouro_picture_options options = {.full_names = true, .refcounts = true, .extra = OURO_PICTURE_ADDRESS};
    ouro_node node = neighbourhood->nodes.items[place->node].node;
    OURO_GUARD(ouro_buf_fini) struct ouro_buf line = {0}, label = {0};
    for (uint32_t i = 0; i < place->depth && i < INDENTS_MAX; i++)
        ouro_buf_add_text(&line, "  ");
    if (place->edge != UINT32_MAX) {
        const struct ouro_neighbourhood_edge *edge = &neighbourhood->edges.items[place->edge];
        add_one_line(&line, neighbourhood->labels.data + edge->label, edge->label_size);
        ouro_buf_add_text(&line, back ? " of " : ": ");
    }
    ouro_picture_label(&label, model, node, &options);
    for (size_t i = 0; i < label.size; i++) /* type and value on one line */
        label.data[i] = label.data[i] == '\n' ? ' ' : label.data[i];
    ouro_text_add_buf(&line, &label);
    char addr[32];
    int addr_size = snprintf(addr, sizeof addr, " 0x%" PRIx64, model->heap.addr[node]);
    line.size -= (size_t)addr_size < line.size ? (size_t)addr_size : 0; /* it stays when the rest is cut */
    size_t room = strlen(addr) + strlen(tail);
    if (width && ouro_text_width(line.data, line.size) + room > width && width > room + 8) {
        line.size = ouro_text_fit(line.data, line.size, width - room - 3);
        ouro_buf_add_text(&line, "...");
    }
    ouro_buf_addf(&line, "%s%s\n", addr, tail);
    ouro_out_buf(out, &line);
}

static void write_place(struct ouro_out *out, struct listing *listing, const struct place *place, size_t width)
{
    const struct ouro_neighbourhood_node *drawn = &listing->neighbourhood->nodes.items[place->node];
    bool again = listing->shown[place->node];
    write_object(out, listing->model, listing->neighbourhood, place, listing->back,
                 again ? " (above)" : drawn->module && listing->back ? " (a module)" : "", width);
    if (again || !drawn->more_count)
        return;
    for (uint32_t i = 0; i <= place->depth && i < INDENTS_MAX; i++)
        ouro_out_text(out, "  ");
    ouro_out_addf(out, "... %" PRIu64 " more %sreference%s\n", drawn->more_count, listing->back ? "back" : "",
                  drawn->more_count == 1 ? "" : "s");
}

enum ouro_status ouro_page_neighbourhood_text(struct ouro_out *out, const struct ouro_heap_model *model,
                                              const struct ouro_neighbourhood *neighbourhood,
                                              enum ouro_neighbourhood_direction direction, size_t width,
                                              struct ouro_err *err)
{
    OURO_GUARD(listing_fini) struct listing listing = {
        .model = model, .neighbourhood = neighbourhood, .back = direction == OURO_NEIGHBOURHOOD_REFERRERS};
    if (!listing_init(&listing))
        return ouro_err_set(err, OURO_NOMEM, "no memory for a list of references");
    for (uint32_t start = 0; start < neighbourhood->nodes.count && neighbourhood->nodes.items[start].start; start++) {
        listing.stack[listing.stack_count++] = (struct place){start, 0, UINT32_MAX};
        while (listing.stack_count) {
            struct place place = listing.stack[--listing.stack_count];
            write_place(out, &listing, &place, width);
            if (listing.shown[place.node])
                continue;
            listing.shown[place.node] = true;
            for (uint32_t i = listing.begin[place.node + 1]; i-- > listing.begin[place.node];) {
                const struct ouro_neighbourhood_edge *edge = &neighbourhood->edges.items[listing.order[i]];
                listing.stack[listing.stack_count++] =
                    (struct place){listing.back ? edge->from : edge->to, place.depth + 1, listing.order[i]};
            }
        }
    }
    return OURO_OK;
}

void ouro_page_neighbourhood_json(struct ouro_out *out, const struct ouro_heap_model *model,
                                  const struct ouro_neighbourhood *neighbourhood,
                                  enum ouro_neighbourhood_direction direction)
{
    struct ouro_json json;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", direction == OURO_NEIGHBOURHOOD_REFERRERS ? "backrefs" : "refs");
    ouro_json_uint(&json, "version", 1);
    ouro_json_array(&json, "nodes");
    for (size_t i = 0; i < neighbourhood->nodes.count; i++) {
        const struct ouro_neighbourhood_node *node = &neighbourhood->nodes.items[i];
        ouro_json_object(&json, NULL);
        ouro_page_object_fields(&json, model, node->node);
        ouro_json_uint(&json, "depth", node->depth);
        ouro_json_bool(&json, "start", node->start);
        ouro_json_bool(&json, "in_sys_modules", node->module);
        ouro_json_uint(&json, "more", node->more_count);
        ouro_json_end(&json);
    }
    ouro_json_end(&json);
    ouro_json_array(&json, "edges");
    for (size_t i = 0; i < neighbourhood->edges.count; i++) {
        const struct ouro_neighbourhood_edge *edge = &neighbourhood->edges.items[i];
        ouro_json_object(&json, NULL);
        ouro_json_addr(&json, "from", model->heap.addr[neighbourhood->nodes.items[edge->from].node]);
        ouro_json_addr(&json, "to", model->heap.addr[neighbourhood->nodes.items[edge->to].node]);
        ouro_json_text(&json, "label", (const char *)neighbourhood->labels.data + edge->label, edge->label_size);
        ouro_json_end(&json);
    }
    ouro_json_end(&json);
    ouro_json_end(&json);
}

/* --- chain */

static void write_chain(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_chains *chains,
                        const struct ouro_chain *chain, const struct ouro_chain_query *query, size_t width)
{
    const struct ouro_chain_step *steps = &chains->steps.items[chain->begin];
    bool found = query->to ? chain->count > 1 : chains->objects.nodes.items[steps[0].node].module;
    for (size_t i = 0; i < chain->count && !out->sys_errno; i++) {
        const struct place place = {steps[i].node, (uint32_t)i, steps[i].edge};
        write_object(out, model, &chains->objects, &place, false, "", width);
    }
    if (!found)
        ouro_out_addf(out, "  no chain of at most %" PRIu32 " references %s it\n", query->depth_max,
                      query->to ? "leads to such an object from" : "leads from a module in sys.modules to");
}

void ouro_page_chains_text(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_chains *chains,
                           const struct ouro_chain_query *query, size_t width)
{
    for (size_t i = 0; i < chains->count && !out->sys_errno; i++) {
        if (i)
            ouro_out_text(out, "\n");
        write_chain(out, model, chains, &chains->items[i], query, width);
    }
}

void ouro_page_chains_json(struct ouro_out *out, const struct ouro_heap_model *model, const struct ouro_chains *chains,
                           const struct ouro_chain_query *query)
{
    const struct ouro_neighbourhood *objects = &chains->objects;
    struct ouro_json json;
    ouro_json_init(&json, out);
    ouro_json_object(&json, NULL);
    ouro_json_string(&json, "ouro", "chain");
    ouro_json_uint(&json, "version", 1);
    ouro_json_array(&json, "chains");
    for (size_t i = 0; i < chains->count && !out->sys_errno; i++) {
        const struct ouro_chain *chain = &chains->items[i];
        const struct ouro_chain_step *steps = &chains->steps.items[chain->begin];
        ouro_json_object(&json, NULL);
        ouro_json_addr(&json, "addr", model->heap.addr[chain->node]);
        ouro_json_bool(&json, "found", query->to ? chain->count > 1 : objects->nodes.items[steps[0].node].module);
        ouro_json_array(&json, "objects");
        for (size_t j = 0; j < chain->count; j++) {
            ouro_json_object(&json, NULL);
            ouro_page_object_fields(&json, model, objects->nodes.items[steps[j].node].node);
            if (steps[j].edge == UINT32_MAX) {
                ouro_json_null(&json, "label");
            } else {
                const struct ouro_neighbourhood_edge *edge = &objects->edges.items[steps[j].edge];
                ouro_json_text(&json, "label", (const char *)objects->labels.data + edge->label, edge->label_size);
            }
            ouro_json_end(&json);
        }
        ouro_json_end(&json);
        ouro_json_end(&json);
    }
    ouro_json_end(&json);
    ouro_json_end(&json);
}
