#include "cpython/layout.h"

#include <string.h>

const char *ouro_layout_supported(void)
{
    return "3.8 to 3.15";
}

/* The opcodes by which handlers are recognised, as dis.opmap of each version has them. */
static void set_handler_opcodes(struct ouro_layout *layout, int extended_arg, int nop, int push_exc_info,
                                int with_except_start, int instrumented_line)
{
    layout->op_extended_arg = extended_arg;
    layout->op_nop = nop;
    layout->op_push_exc_info = push_exc_info;
    layout->op_with_except_start = with_except_start;
    layout->op_instrumented_line = instrumented_line;
    layout->op_setup_finally = layout->op_end_async_for = layout->op_reraise = layout->op_load_const = -1;
    layout->op_store_fast = layout->op_store_name = layout->op_store_global = layout->op_store_deref = -1;
    layout->op_yield_from = layout->op_resume = layout->op_resume_quick = layout->op_instrumented_resume = -1;
}

/* What 3.8, 3.9 and 3.10 have in common: values are plain arrays, PyGC_Head is all that stands in front of an object. */
static void set_old(struct ouro_layout *layout)
{
    layout->values_values = 0;
    layout->gen_cleared = layout->owner_thread = layout->owner_generator = -1;
    layout->owner_frame_object = layout->owner_cstack = -1;
    set_handler_opcodes(layout, 144, 9, -1, -1, -1);
    layout->op_setup_finally = 122;
    layout->op_end_async_for = 54;
    layout->op_load_const = 100;
    layout->op_store_fast = 125;
    layout->op_store_name = 90;
    layout->op_store_global = 97;
    layout->op_store_deref = 137;
    layout->op_yield_from = 72;
}

/* As in 3.8.10's source: subtype_traverse, module_traverse, PyCode_Addr2Line. */
static void set_3_8(struct ouro_layout *layout)
{
    set_old(layout);
    layout->subtype_visits_type = true;
    layout->module_without_state = true;
    layout->op_reraise = 88; /* END_FINALLY */
    layout->line_table = OURO_LINES_DELTAS;
    layout->lasti_bytes = 1;
}

static void set_3_9(struct ouro_layout *layout)
{
    set_old(layout);
    layout->line_table = OURO_LINES_DELTAS;
    layout->lasti_bytes = 1;
    layout->op_reraise = 48;
}

/* PEP 626 */
static void set_3_10(struct ouro_layout *layout)
{
    set_old(layout);
    layout->line_table = OURO_LINES_RANGES;
    layout->lasti_bytes = 2;
    layout->op_reraise = 119;
}

const struct ouro_layout *ouro_layout_of_old(size_t i)
{
    static const struct ouro_layout *const layouts[] = {&ouro_layout_3_8, &ouro_layout_3_9, &ouro_layout_3_10};
    return i < sizeof layouts / sizeof *layouts ? layouts[i] : NULL;
}

/* Behaviour of 3.11, as in 3.11.2's source: _PyObject_VisitInstanceAttributes, _PySys_GetSizeOf, pycore_frame.h. */
static void set_3_11(struct ouro_layout *layout)
{
    layout->zero_has_digit = true;
    layout->values_in_preheader = true;
    layout->static_type_presize = true;
    set_handler_opcodes(layout, 144, 9, 35, 49, -1);
    layout->op_resume = 151;
    layout->op_resume_quick = 150;
    layout->gen_suspended = layout->gen_suspended_last = -1;
    layout->gen_cleared = 4;
    layout->owner_thread = 0;
    layout->owner_generator = 1;
    layout->owner_frame_object = 2;
    layout->owner_cstack = -1;
}

/* Behaviour of 3.12, as in 3.12.3's source: _PyObject_DictOrValuesPointer, _PyType_CheckConsistency, pycore_frame.h. */
static void set_3_12(struct ouro_layout *layout)
{
    layout->zero_has_digit = true;
    layout->immortal = true;
    layout->values_in_preheader = true;
    layout->values_tagged = true;
    layout->preheader_is_flags = true;
    layout->static_type_presize = true;
    layout->static_types_in_interpreter = true;
    set_handler_opcodes(layout, 144, 9, 35, 49, 254);
    layout->op_resume = 151;
    layout->op_instrumented_resume = 240;
    layout->gen_suspended = layout->gen_suspended_last = -1;
    layout->gen_cleared = 4;
    layout->owner_thread = 0;
    layout->owner_generator = 1;
    layout->owner_frame_object = 2;
    layout->owner_cstack = 3;
}

/* Behaviour of 3.13. Since 3.13.13 (gh-130327) a dict visits the values that lie in its object; distributions have that fix in
 * older ones, so python.c looks at the code of those. */
static void set_3_13(struct ouro_layout *layout, uint32_t hexversion)
{
    /* 3.13.0 has a semaphore in its locks, 3.13.3 a PyMutex behind the head, as 3.14 (lockobject of _threadmodule.c). */
    layout->lock_later_sizeof = 24;
    layout->lock_later_mutex = 16;
    layout->zero_has_digit = true;
    layout->immortal = true;
    layout->inline_values = true;
    layout->dict_visits_embedded = hexversion >= 0x030d0d00;
    layout->preheader_is_flags = true;
    layout->static_types_in_interpreter = true;
    set_handler_opcodes(layout, 71, 30, 33, 44, 254);
    layout->gen_suspended = -2; /* FRAME_SUSPENDED, FRAME_SUSPENDED_YIELD_FROM */
    layout->gen_suspended_last = -1;
    layout->gen_cleared = 4;
    layout->owner_thread = 0;
    layout->owner_generator = 1;
    layout->owner_frame_object = 2;
    layout->owner_cstack = 3;
}

/* What 3.14 and 3.15 have in common: pycore_stackref.h, refcount.h, _PyFrame_Traverse, gen_traverse. */
static void set_3_14(struct ouro_layout *layout, uint32_t hexversion)
{
    layout->zero_has_digit = true;
    layout->immortal = true;
    layout->inline_values = true;
    layout->dict_visits_embedded = hexversion >= 0x030e0400; /* as in 3.13: python.c looks at the code */
    layout->preheader_is_flags = true;
    layout->static_types_in_interpreter = true;
    set_handler_opcodes(layout, 69, 27, 32, 43, 254);
    layout->gen_suspended = -2;
    layout->gen_suspended_last = -1;
    layout->gen_cleared = 4;
    layout->gen_keeps_code = true;
    layout->tagged_references = true;
    layout->small_refcnt = true;
    layout->owner_thread = 0;
    layout->owner_generator = 1;
    layout->owner_frame_object = 2;
    layout->owner_cstack = 3; /* FRAME_OWNED_BY_INTERPRETER; _CSTACK is 4 in 3.14 */
}

static void set_3_15(struct ouro_layout *layout, uint32_t hexversion)
{
    set_3_14(layout, hexversion);
    set_handler_opcodes(layout, 67, 25, 30, 41, 253);
    layout->gen_suspended = 1; /* FRAME_SUSPENDED to FRAME_SUSPENDED_YIELD_FROM_LOCKED */
    layout->gen_suspended_last = 3;
    layout->gen_cleared = 5; /* FRAME_CLEARED; FRAME_CREATED is 0 */
}

/* struct _gc_runtime_state of 3.14.4 (pycore_interp_structs.h): young, old[2] and permanent stand where 3.14.5 has generations and
 * permanent; then statistics to callbacks as there, heap_size, work_to_do, visited_space, phase. */
enum { INCREMENTAL_BYTES = 240, INCREMENTAL_VISITED_SPACE = 232 };

bool ouro_layout_adopt_collector(struct ouro_layout *layout, int32_t table_bytes)
{
    if (layout->gc_sizeof == table_bytes)
        return true;
    if (!layout->incremental_known || layout->gc_sizeof != INCREMENTAL_BYTES)
        return false;
    layout->gc_visited_space = INCREMENTAL_VISITED_SPACE;
    layout->gc_generation0 = -1;
    layout->gc_long_lived_total = layout->gc_long_lived_pending = -1;
    return true;
}

enum ouro_status ouro_layout_find(struct ouro_layout *layout, uint32_t hexversion, struct ouro_err *err)
{
    unsigned level = hexversion >> 4 & 15;
    switch (hexversion >> 16) {
    case 0x0308:
        *layout = ouro_layout_3_8;
        set_3_8(layout);
        break;
    case 0x0309:
        *layout = ouro_layout_3_9;
        set_3_9(layout);
        break;
    case 0x030a:
        *layout = ouro_layout_3_10;
        set_3_10(layout);
        break;
    case 0x030b:
        *layout = ouro_layout_3_11;
        set_3_11(layout);
        break;
    case 0x030c:
        *layout = ouro_layout_3_12;
        set_3_12(layout);
        break;
    case 0x030d:
        *layout = ouro_layout_3_13;
        set_3_13(layout, hexversion);
        break;
    case 0x030e:
        *layout = ouro_layout_3_14;
        set_3_14(layout, hexversion);
        layout->incremental_known = true;
        break;
    case 0x030f:
        *layout = ouro_layout_3_15;
        set_3_15(layout, hexversion);
        break;
    default:
        return ouro_err_set(err, OURO_UNSUPPORTED, "CPython %u.%u.%u is not supported; this version of ouro reads %s",
                            hexversion >> 24, hexversion >> 16 & 255, hexversion >> 8 & 255, ouro_layout_supported());
    }
    layout->gc_visited_space = -1;
    if (level != 0xf)
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "CPython %u.%u is a pre-release (%#x); its layouts may differ; this version of ouro reads releases of %s",
                            hexversion >> 24, hexversion >> 16 & 255, hexversion, ouro_layout_supported());
    return OURO_OK;
}

enum ouro_status ouro_layout_adopt_debug(struct ouro_layout *layout, struct ouro_err *err)
{
    static const struct ouro_layout_change *const changes[] = {
        [8] = ouro_layout_3_8d,   [9] = ouro_layout_3_9d,   [10] = ouro_layout_3_10d, [11] = ouro_layout_3_11d,
        [12] = ouro_layout_3_12d, [13] = ouro_layout_3_13d, [14] = ouro_layout_3_14d, [15] = ouro_layout_3_15d,
    };
    const struct ouro_layout_change *change =
        (size_t)layout->minor < sizeof changes / sizeof *changes ? changes[layout->minor] : NULL;
    if (!change)
        return ouro_err_set(err, OURO_UNSUPPORTED,
                            "this CPython 3.%d is a debug build (--with-pydebug), which this version of ouro does not read",
                            layout->minor);
    for (; change->field != SIZE_MAX; change++)
        memcpy((char *)layout + change->field, &change->value, sizeof change->value);
    return OURO_OK;
}
