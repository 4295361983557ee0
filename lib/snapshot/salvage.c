#include "snapshot/salvage.h"

void ouro_span_lose(struct ouro_span *span, struct ouro_heap *heap)
{
    span->lost = true;
    span->slot_count = span->value_count = 0;
    uint32_t first = span->first, count = span->count;
    if (heap->shape)
        memset(heap->shape + first, 0xff, count * sizeof *heap->shape);
    if (heap->size)
        memset(heap->size + first, 0, count * sizeof *heap->size);
    if (heap->refcount)
        memset(heap->refcount + first, 0, count * sizeof *heap->refcount);
    if (heap->flags)
        memset(heap->flags + first, 0, count * sizeof *heap->flags);
    if (heap->native)
        memset(heap->native + first, 0, count * sizeof *heap->native);
    if (heap->interp)
        memset(heap->interp + first, 0, count * sizeof *heap->interp);
}

void ouro_spans_settle_addresses(struct ouro_span *spans, size_t count, struct ouro_heap *heap)
{
    ouro_addr *addr = heap->addr, last = 0;
    for (size_t i = 0; i < count; i++) {
        struct ouro_span *span = &spans[i];
        if (!span->addr_lost && span->first && addr[span->first] <= last) {
            span->addr_lost = true;
            if (!span->lost)
                ouro_span_lose(span, heap);
        }
        for (uint32_t j = 0; span->addr_lost && j < span->count; j++)
            addr[span->first + j] = last | 1;
        last = addr[span->first + span->count - 1];
    }
}

void ouro_spans_settle(const struct ouro_span *spans, size_t count, struct ouro_heap *heap)
{
    uint64_t slots = 0, values = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ouro_span *span = &spans[i];
        if (span->lost)
            heap->lost_count += span->count;
        if (heap->slot_begin && span->slot_base != slots && span->slot_count)
            memmove(heap->slots + slots, heap->slots + span->slot_base, span->slot_count * sizeof *heap->slots);
        if (heap->value_begin && span->value_base != values && span->value_count)
            memmove(heap->values + values, heap->values + span->value_base, span->value_count);
        for (ouro_node node = span->first; node - span->first < span->count; node++) {
            if (heap->slot_begin)
                heap->slot_begin[node + 1] = span->lost ? slots : heap->slot_begin[node + 1] - span->slot_base + slots;
            if (heap->value_begin)
                heap->value_begin[node + 1] =
                    span->lost ? values : heap->value_begin[node + 1] - span->value_base + values;
        }
        slots += span->slot_count;
        values += span->value_count;
    }
}
