/* Made by maint/layouts.py from the debug information of a debug build of CPython 3.12; do not edit. */
#include "cpython/layout.h"

const struct ouro_layout_change ouro_layout_3_12d[] = {
    {offsetof(struct ouro_layout, interp_errnomap), 273416},
    {offsetof(struct ouro_layout, interp_exception_group), 273440},
    {offsetof(struct ouro_layout, interp_objreduce), 382968},
    {offsetof(struct ouro_layout, interp_slots_pname), 382976},
    {offsetof(struct ouro_layout, interp_str_replace_inf), 382960},
    {offsetof(struct ouro_layout, interp_interned), 382952},
    {offsetof(struct ouro_layout, interp_static_types), 373720},
    {SIZE_MAX, 0},
};
