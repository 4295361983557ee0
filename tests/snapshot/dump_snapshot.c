/* Makes up a snapshot (dump_snapshot write FILE SEED CODEC) and prints what the C reader finds in one
 * (dump_snapshot print FILE), in the words of reader.py. */
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static void print_node(const char *before, ouro_node node)
{
    if (node == OURO_NODE_NONE)
        printf("%s-", before);
    else
        printf("%s%u", before, node);
}

static void print_hex(const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        printf("%02x", ((const unsigned char *)bytes)[i]);
}

static void print_tables(const struct ouro_snapshot *snapshot)
{
    const char *key, *value;
    size_t size;
    uint32_t count;
    for (size_t i = 0; ouro_snapshot_meta_each(snapshot, i, &key, &value, &size); i++) {
        printf("meta ");
        print_hex(key, strlen(key));
        printf(" ");
        print_hex(value, size);
        printf("\n");
    }
    for (uint32_t i = 0; i < ouro_snapshot_string_count(snapshot); i++) {
        const char *string = ouro_snapshot_string(snapshot, i, &size);
        printf("string ");
        print_hex(string, size);
        printf("\n");
    }
    const struct ouro_type_record *types = ouro_snapshot_types(snapshot, &count);
    for (uint32_t i = 0; i < count; i++) {
        printf("type %llu %u %u %u %u %llu %llu", (unsigned long long)types[i].addr, types[i].name, types[i].module,
               types[i].flags, types[i].value_kind, (unsigned long long)types[i].basicsize,
               (unsigned long long)types[i].itemsize);
        print_node(" ", types[i].base);
        print_node(" ", types[i].node);
        printf("\n");
    }
    const struct ouro_shape *shapes = ouro_snapshot_shapes(snapshot, &count);
    for (uint32_t i = 0; i < count; i++) {
        printf("shape %u ", shapes[i].type);
        for (uint32_t j = 0; j < shapes[i].part_count; j++)
            printf("%s%u:%u:%u", j ? " " : "", shapes[i].parts[j].kind, shapes[i].parts[j].edge_class,
                   shapes[i].parts[j].name);
        printf("\n");
    }
}

static void print_records(const struct ouro_snapshot *snapshot)
{
    size_t count;
    const struct ouro_interpreter_record *interpreters = ouro_snapshot_interpreters(snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        const struct ouro_interpreter_record *r = &interpreters[i];
        printf("interpreter %llu %u %u %u", (unsigned long long)r->id, r->gc_enabled, r->gc_debug, r->gc_collecting);
        for (unsigned j = 0; j < OURO_GENERATION_COUNT; j++)
            printf(" %llu %lld %llu %llu %llu %llu", (unsigned long long)r->threshold[j], (long long)r->count[j],
                   (unsigned long long)r->collections[j], (unsigned long long)r->collected[j],
                   (unsigned long long)r->uncollectable[j], (unsigned long long)r->tracked[j]);
        printf(" %llu %lld %lld", (unsigned long long)r->frozen, (long long)r->long_lived_total,
               (long long)r->long_lived_pending);
        print_node(" ", r->garbage);
        print_node(" ", r->callbacks);
        printf("\n");
    }
    const struct ouro_thread_record *threads = ouro_snapshot_threads(snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        const struct ouro_thread_record *r = &threads[i];
        printf("thread %llu %llu %llu %u %u %u %lld %u", (unsigned long long)r->interpreter,
               (unsigned long long)r->ident, (unsigned long long)r->native_id, r->name, r->comm,
               (unsigned char)r->state, (long long)r->syscall, r->holds_gil);
        print_node(" ", r->root);
        printf("\n");
    }
}

static void print_slots(const struct ouro_heap *heap, ouro_node node)
{
    uint32_t count;
    const struct ouro_shape *shape = &ouro_snapshot_shapes(heap->snapshot, &count)[heap->shape[node]];
    uint64_t counts[MODEL_PARTS_MAX];
    const ouro_node *slot = heap->slots + heap->slot_begin[node];
    ouro_heap_part_counts(heap, node, counts, MODEL_PARTS_MAX);
    for (uint32_t i = 0, repeated = 0; i < shape->part_count; i++) {
        const struct ouro_part *part = &shape->parts[i];
        unsigned width = ouro_part_width(part->kind);
        uint64_t slots = ouro_part_repeats(part->kind) ? counts[repeated++] * width : 1;
        for (uint64_t j = 0; j < slots; j++) {
            enum ouro_edge_class edge_class =
                ouro_part_slot_class(part->kind, (enum ouro_edge_class)part->edge_class, (unsigned)(j % width));
            printf("slot %u %u %u %llu", part->kind, edge_class, part->name, (unsigned long long)j);
            print_node(" ", *slot++);
            printf("\n");
        }
    }
}

static void print_heap(const struct ouro_heap *heap)
{
    for (ouro_node node = 0; node < heap->count; node++) {
        printf("object %u %llx %u %llu %llu %u %llu %u ", node, (unsigned long long)heap->addr[node], heap->shape[node],
               (unsigned long long)heap->size[node], (unsigned long long)heap->refcount[node], heap->flags[node],
               (unsigned long long)(heap->native ? heap->native[node] : 0), heap->interp ? heap->interp[node] : 0);
        printf(heap->flags[node] & OURO_OBJECT_VALUE ? "=" : "-");
        print_hex(heap->values + heap->value_begin[node], heap->value_begin[node + 1] - heap->value_begin[node]);
        printf("\n");
        print_slots(heap, node);
    }
    size_t count;
    const struct ouro_line_record *lines = ouro_snapshot_lines(heap->snapshot, &count);
    for (size_t i = 0; i < count; i++)
        printf("line %u %u %u\n", lines[i].node, lines[i].line, lines[i].state);
    const struct ouro_lock_record *locks = ouro_snapshot_locks(heap->snapshot, &count);
    for (size_t i = 0; i < count; i++)
        printf("lock %u %llu %llu\n", locks[i].node, (unsigned long long)locks[i].owner,
               (unsigned long long)locks[i].count);
    const struct ouro_wait_record *waits = ouro_snapshot_waits(heap->snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        printf("wait %u %u", waits[i].thread, waits[i].kind);
        print_node(" ", waits[i].node);
        printf("\n");
    }
    for (size_t i = 0; i < heap->gc_list_count; i++) {
        printf("gc %llu %u ", (unsigned long long)heap->gc_lists[i].interpreter, heap->gc_lists[i].generation);
        for (size_t j = 0; j < heap->gc_lists[i].count; j++)
            printf("%s%u", j ? " " : "", heap->gc_lists[i].nodes[j]);
        printf("\n");
    }
    for (size_t i = 0; i < heap->borrowed_count; i++)
        printf("borrowed %u %u\n", heap->borrowed[i].node, heap->borrowed[i].slot);
}

int main(int argc, char **argv)
{
    struct ouro_err err = {0};
    enum ouro_status status;
    if (argc == 5 && !strcmp(argv[1], "write")) {
        struct model model;
        struct model_options options = {
            .objects = 900, .chunk_objects = 200, .giant_slots = 300000, .interpreters = 3, .values = true};
        model_init(&model, strtoull(argv[3], NULL, 10), &options);
        status = model_write(&model, argv[2], true, (enum ouro_codec)atoi(argv[4]), &err);
        model_fini(&model);
    } else if (argc == 3 && !strcmp(argv[1], "print")) {
        struct ouro_snapshot *snapshot = NULL;
        struct ouro_heap heap;
        status = ouro_snapshot_open(&snapshot, argv[2], 0, &err);
        if (!status)
            status = ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 0, &err);
        if (!status) {
            print_tables(snapshot);
            print_records(snapshot);
            print_heap(&heap);
            ouro_heap_fini(&heap);
        }
        ouro_snapshot_close(snapshot);
    } else {
        fprintf(stderr, "usage: dump_snapshot write FILE SEED CODEC | print FILE\n");
        return 2;
    }
    if (status)
        fprintf(stderr, "dump_snapshot: %s: %s\n", ouro_status_name(status), err.msg);
    return status ? 1 : 0;
}
