#include "capture/collection.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define LINK_FLAGS UINT64_C(3)
#define HEAD_BYTES 16u /* PyGC_Head, in front of the object */

struct finding {
    struct ouro_python *python;
    struct ouro_type_cache types;
    const uint64_t *listed;
    const struct ouro_thread_state *states;
    size_t state_count;
    struct ouro_collection_heads *heads;
    bool by_ident; /* search where a thread's stack should be, not where its stack pointer is */
    uint64_t first_thread; /* the least native id: the main thread's */
    bool out_of_memory;
};

static ouro_addr load_link(const unsigned char *at)
{
    return ouro_load_u64(at) & ~LINK_FLAGS;
}

/* Whether what stands behind a collector's head is an object that can have one. */
static bool is_collected(struct finding *finding, ouro_addr link)
{
    struct ouro_python *python = finding->python;
    const unsigned char *object = link & 7 ? NULL : ouro_image_at(python->image, link + HEAD_BYTES, 16);
    const struct ouro_type *type =
        object ? ouro_type_cached(python, &finding->types, ouro_load_u64(object + python->layout->ob_type)) : NULL;
    return type && type->gc;
}

static bool is_listed(const struct finding *finding, ouro_addr object)
{
    uint64_t offset = ouro_image_offset(finding->python->image, object);
    return offset == UINT64_MAX || ouro_walk_is_set(finding->listed, ouro_walk_cell(ouro_walk_bit(offset)));
}

/* Both neighbours have it as theirs (a single object, which both are, has it twice), and no other list led to them. */
static bool is_head(struct finding *finding, ouro_addr addr, const unsigned char *bytes)
{
    ouro_addr next = load_link(bytes), previous = load_link(bytes + 8);
    if (next < OURO_PAGE_BYTES || previous < OURO_PAGE_BYTES || next == addr)
        return false;
    const unsigned char *first = ouro_image_at(finding->python->image, next, HEAD_BYTES);
    const unsigned char *last = first ? ouro_image_at(finding->python->image, previous, HEAD_BYTES) : NULL;
    return last && load_link(first + 8) == addr && load_link(last) == addr && is_collected(finding, next) &&
           is_collected(finding, previous) && !is_listed(finding, next + HEAD_BYTES);
}

static void add_head(struct finding *finding, ouro_addr addr, uint64_t thread)
{
    for (size_t i = 0; i < finding->heads->count; i++)
        if (finding->heads->items[i].addr == addr)
            return; /* two stacks in one mapping */
    struct ouro_collection_head *head = OURO_VEC_ADD(finding->heads);
    if (head)
        *head = (struct ouro_collection_head){addr, thread};
    else
        finding->out_of_memory = true;
}

static void search(struct finding *finding, ouro_addr start, ouro_addr end, uint64_t thread)
{
    start = (start + 7) & ~UINT64_C(7);
    for (ouro_addr at = start; at < end && end - at >= HEAD_BYTES;) {
        ouro_addr page_end = (at & ~(ouro_addr)(OURO_PAGE_BYTES - 1)) + OURO_PAGE_BYTES;
        if (ouro_image_page(finding->python->image, at) == UINT32_MAX) {
            at = page_end;
            continue;
        }
        for (; at < page_end && end - at >= HEAD_BYTES; at += 8) {
            const unsigned char *bytes = ouro_image_at(finding->python->image, at, HEAD_BYTES);
            if (bytes && is_head(finding, at, bytes))
                add_head(finding, at, thread);
        }
    }
}

static ouro_addr stack_pointer(const struct finding *finding, uint64_t thread)
{
    for (size_t i = 0; thread && i < finding->state_count; i++)
        if ((uint64_t)finding->states[i].tid == thread)
            return finding->states[i].stack;
    return 0;
}

static ouro_addr at_most(ouro_addr start, ouro_addr end)
{
    return end - start > OURO_COLLECTION_STACK_BYTES ? end - OURO_COLLECTION_STACK_BYTES : start;
}

/* From the stack pointer on. Where it isn't known (a thread that ran, another pid namespace) the whole stack: glibc and musl put a
 * thread's own structure, whose address is its ident, at the top of its stack; the main thread's is what the kernel calls so. */
static void search_thread(void *context, uint64_t ident, uint64_t thread)
{
    struct finding *finding = context;
    const struct ouro_maps *maps = &finding->python->image->maps;
    ouro_addr pointer = finding->by_ident ? 0 : stack_pointer(finding, thread);
    if (!finding->by_ident) {
        const struct ouro_mapping *mapping = pointer ? ouro_maps_find(maps, pointer) : NULL;
        ouro_addr end = !mapping ? pointer : ident > pointer && ident < mapping->end ? ident : mapping->end;
        if (end - pointer > OURO_COLLECTION_STACK_BYTES)
            end = pointer + OURO_COLLECTION_STACK_BYTES;
        search(finding, pointer, end, thread);
        return;
    }
    const struct ouro_mapping *mapping = ouro_maps_find(maps, ident);
    if (mapping && mapping->writable && !mapping->inode)
        search(finding, at_most(mapping->start, ident), ident, thread);
    for (size_t i = 0; thread == finding->first_thread && i < maps->count; i++)
        if (strcmp(maps->items[i].path, "[stack]") == 0)
            search(finding, at_most(maps->items[i].start, maps->items[i].end), maps->items[i].end, thread);
}

static void note_first(void *context, uint64_t ident, uint64_t thread)
{
    struct finding *finding = context;
    (void)ident;
    if (thread < finding->first_thread)
        finding->first_thread = thread;
}

static void each_thread(struct finding *finding, const struct ouro_interpreter *interpreter,
                        void (*visit)(void *context, uint64_t ident, uint64_t thread))
{
    const struct ouro_python *python = finding->python;
    if (!python->shared_collector)
        ouro_state_each_thread(python, interpreter, visit, finding);
    for (size_t i = 0; python->shared_collector && i < python->interpreter_count; i++)
        ouro_state_each_thread(python, &python->interpreters[i], visit, finding);
}

enum ouro_status ouro_collection_find_heads(struct ouro_python *python, const struct ouro_interpreter *interpreter,
                                            const uint64_t *listed, const struct ouro_thread_state *states,
                                            size_t state_count, struct ouro_collection_heads *heads)
{
    struct finding *finding = calloc(1, sizeof *finding);
    if (!finding)
        return OURO_NOMEM;
    finding->python = python;
    finding->listed = listed;
    finding->states = states;
    finding->state_count = state_count;
    finding->heads = heads;
    finding->first_thread = UINT64_MAX;
    each_thread(finding, interpreter, search_thread);
    if (!heads->count) {
        finding->by_ident = true;
        each_thread(finding, interpreter, note_first);
        each_thread(finding, interpreter, search_thread);
    }
    enum ouro_status status = finding->out_of_memory ? OURO_NOMEM : OURO_OK;
    free(finding);
    return status;
}

/* Its links lead to neighbours that have it as theirs; one of them may be a head of which there is no copy. */
static bool is_linked(const struct ouro_image *image, ouro_addr addr, const unsigned char *bytes)
{
    ouro_addr next = load_link(bytes), previous = load_link(bytes + 8);
    if (next < OURO_PAGE_BYTES || previous < OURO_PAGE_BYTES || next == addr || (next | previous) & 7)
        return false;
    const unsigned char *behind = ouro_image_at(image, next, HEAD_BYTES);
    const unsigned char *before = ouro_image_at(image, previous, HEAD_BYTES);
    return (behind || before) && (!behind || load_link(behind + 8) == addr) && (!before || load_link(before) == addr);
}

enum ouro_status ouro_collection_scan(struct ouro_python *python, const uint64_t *listed,
                                      bool (*visit)(void *context, ouro_addr object), void *context)
{
    const struct ouro_image *image = python->image;
    struct finding *finding = calloc(1, sizeof *finding);
    if (!finding)
        return OURO_NOMEM;
    finding->python = python;
    finding->listed = listed;
    uint64_t size = (uint64_t)image->page_count << OURO_PAGE_BITS;
    for (uint64_t offset = 0; size - offset > HEAD_BYTES; offset += 8) {
        const unsigned char *bytes = image->bytes + offset;
        ouro_addr next = load_link(bytes);
        /* Most words are no address at all. */
        if (next < OURO_PAGE_BYTES || next & 7 || next >> 47)
            continue;
        ouro_addr addr = ouro_image_addr(image, offset);
        if (!(bytes = ouro_image_at(image, addr, HEAD_BYTES)) || !is_linked(image, addr, bytes))
            continue;
        if (!is_listed(finding, addr + HEAD_BYTES) && is_collected(finding, addr) && !visit(context, addr + HEAD_BYTES))
            break;
    }
    free(finding);
    return OURO_OK;
}
