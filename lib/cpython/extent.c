#include "cpython/extent.h"

#include "cpython/frame_object.h"

/* Behind the last of some words, those that this version does not have (-1) left out. */
static uint64_t behind(const int32_t *fields, size_t count)
{
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++)
        if (fields[i] >= 0 && (uint64_t)fields[i] + 8 > end)
            end = (uint64_t)fields[i] + 8;
    return end;
}

#define BEHIND(...) behind((const int32_t[]){__VA_ARGS__}, sizeof((const int32_t[]){__VA_ARGS__}) / sizeof(int32_t))

static uint64_t of_op(const struct ouro_layout *layout, const struct ouro_type *type, const struct ouro_op *op)
{
    switch ((enum ouro_op_kind)op->kind) {
    case OURO_OP_FIELD: /* that of another place is no field of the type (type.c) */
        return op->flags & OURO_OP_AFTER_ITEMS ? BEHIND(layout->ob_size) : 0;
    case OURO_OP_SCAN:
        return BEHIND(op->offset);
    case OURO_OP_DICT_POINTER:
        return type->dictoffset < 0 ? BEHIND(layout->ob_size, layout->long_tag) : 0;
    case OURO_OP_LIST:
        return BEHIND(layout->ob_size, layout->list_items);
    case OURO_OP_TUPLE:
    case OURO_OP_STRUCTSEQ:
    case OURO_OP_SCAN_ITEMS:
        return BEHIND(layout->ob_size);
    case OURO_OP_DICT:
        return BEHIND(layout->dict_keys, layout->dict_values);
    case OURO_OP_SET:
        return BEHIND(layout->set_mask, layout->set_table);
    case OURO_OP_DEQUE:
        return BEHIND(layout->ob_size, layout->deque_leftindex, layout->deque_leftblock);
    case OURO_OP_ODICT_NODES:
        return BEHIND(layout->dict_used, layout->odict_first);
    case OURO_OP_LRU_LINKS:
        return BEHIND(layout->lru_root_next);
    case OURO_OP_GENERATOR:
        return BEHIND(layout->gen_frame_state - 7, layout->gen_iframe + layout->iframe_code); /* a byte, and a word */
    case OURO_OP_FRAME:
        return ouro_frame_is_object(layout) ? BEHIND(layout->iframe_code, layout->frame_stackdepth,
                                                     layout->frame_valuestack, layout->frame_stacktop)
                                            : BEHIND(layout->frame_frame);
    case OURO_OP_METHOD_CLASS:
        return BEHIND(layout->cfunction_ml);
    case OURO_OP_TEE_VALUES:
        return BEHIND(layout->tee_numread);
    case OURO_OP_MODULE_STATE:
        return BEHIND(layout->module_state, layout->module_state_traverse, layout->module_state_size,
                      layout->module_def);
    case OURO_OP_CAPSULE:
        return BEHIND(layout->capsule_traverse);
    case OURO_OP_TYPE_OBJECT:
        return (uint64_t)layout->type_sizeof;
    case OURO_OP_TYPE:
    case OURO_OP_MANAGED_DICT:
    case OURO_OP_RUN:
        break;
    }
    return 0;
}

static uint64_t of_ops(const struct ouro_layout *layout, const struct ouro_type *type, const struct ouro_op *ops,
                       uint32_t count)
{
    uint64_t extent = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t need = of_op(layout, type, &ops[i]);
        extent = need > extent ? need : extent;
    }
    return extent;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* For ouro_type_is_asked. */
static uint64_t of_asking(const struct ouro_layout *layout, const struct ouro_type *type)
{
    return type->flags & OURO_FLAG_TYPE ? BEHIND(layout->tp_flags) : 0;
}

uint64_t ouro_extent_to_visit(const struct ouro_layout *layout, const struct ouro_type *type)
{
    uint64_t own = of_ops(layout, type, type->ops, type->op_count);
    uint64_t fallback = of_ops(layout, type, type->fallback, type->fallback_count);
    return larger(larger(own, fallback), of_asking(layout, type));
}

static uint64_t of_rule(const struct ouro_layout *layout, const struct ouro_type *type)
{
    switch ((enum ouro_sizeof)type->size_rule) {
    case OURO_SIZEOF_TYPE:
        return (uint64_t)layout->type_sizeof;
    case OURO_SIZEOF_LIST:
        return BEHIND(layout->list_allocated);
    case OURO_SIZEOF_STR:
        return (uint64_t)layout->ascii_sizeof;
    case OURO_SIZEOF_INT:
        return BEHIND(layout->long_tag, layout->ob_size);
    case OURO_SIZEOF_BYTEARRAY:
        return BEHIND(layout->bytearray_alloc);
    case OURO_SIZEOF_DICT:
        return BEHIND(layout->dict_keys, layout->dict_values);
    case OURO_SIZEOF_ODICT:
        return BEHIND(layout->dict_keys, layout->dict_values, layout->dict_used, layout->odict_fast_nodes_size);
    case OURO_SIZEOF_SET:
        return BEHIND(layout->set_mask, layout->set_table);
    case OURO_SIZEOF_DEQUE:
        return BEHIND(layout->ob_size, layout->deque_leftindex);
    case OURO_SIZEOF_GENERATOR:
        return BEHIND(layout->gen_code);
    case OURO_SIZEOF_FRAME:
        return ouro_frame_is_object(layout) ? BEHIND(layout->iframe_code) : BEHIND(layout->frame_frame);
    case OURO_SIZEOF_PRODUCT:
        return BEHIND(layout->product_pools);
    case OURO_SIZEOF_COMBINATIONS:
        return BEHIND(layout->combinations_r);
    case OURO_SIZEOF_CWR:
        return BEHIND(layout->cwr_r);
    case OURO_SIZEOF_PERMUTATIONS:
        return BEHIND(layout->permutations_pool, layout->permutations_r);
    case OURO_SIZEOF_CODE:
        return BEHIND(layout->ob_size, layout->code_extra, layout->code_cell2arg, layout->code_cellvars,
                      layout->code_opcache, layout->code_code, layout->code_opcache_size - 7);
    case OURO_SIZEOF_OBJECT:
    case OURO_SIZEOF_RUN:
    case OURO_SIZEOF_UNKNOWN:
        break;
    }
    return type->itemsize ? BEHIND(layout->ob_size) : 0;
}

uint64_t ouro_extent_to_measure(const struct ouro_layout *layout, const struct ouro_type *type)
{
    return larger(of_rule(layout, type), of_asking(layout, type));
}
