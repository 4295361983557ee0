/* What of a heap remains when parts of its file are damaged. Internal to lib/snapshot.
 *
 * Loading works on spans. A span that can't be loaded is lost as a whole: its objects keep their numbers, so that
 * nobody else's change, but have no shape, no slots and no size. */
#ifndef OURO_SNAPSHOT_SALVAGE_H
#define OURO_SNAPSHOT_SALVAGE_H

#include "snapshot/snapshot.h"

/* Consecutive objects: a chunk, or (salvaged) a gap where one was. */
struct ouro_span {
    uint32_t first, count; /* count > 0 */
    const struct ouro_snapshot_chunk *chunk; /* NULL: a gap */
    bool lost, addr_lost;
    uint64_t slot_base, slot_count;   /* in heap->slots */
    uint64_t value_base, value_count; /* in heap->values */
};

/* Fills the columns that are loaded, but for addresses, slots and values. Threads may lose spans side by side. */
void ouro_span_lose(struct ouro_span *span, struct ouro_heap *heap);
/* Between the phases, all spans in order: loses those whose addresses aren't behind those before, and gives lost
 * addresses numbers that are odd, so that nobody finds them, and in order, so that everybody else is found. */
void ouro_spans_settle_addresses(struct ouro_span *spans, size_t count, struct ouro_heap *heap);
/* After the second phase: counts what is lost and closes the gaps that it left among slots and values. */
void ouro_spans_settle(const struct ouro_span *spans, size_t count, struct ouro_heap *heap);

#endif
