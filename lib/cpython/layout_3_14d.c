/* Made by maint/layouts.py from the debug information of a debug build of CPython 3.14; do not edit. */
#include "cpython/layout.h"

const struct ouro_layout_change ouro_layout_3_14d[] = {
    {offsetof(struct ouro_layout, interp_dict), 8504},
    {offsetof(struct ouro_layout, interp_builtins_copy), 8520},
    {offsetof(struct ouro_layout, interp_sysdict_copy), 8512},
    {offsetof(struct ouro_layout, interp_before_forkers), 10704},
    {offsetof(struct ouro_layout, interp_after_forkers_parent), 10712},
    {offsetof(struct ouro_layout, interp_after_forkers_child), 10720},
    {offsetof(struct ouro_layout, interp_warnings_filters), 10728},
    {offsetof(struct ouro_layout, interp_warnings_once), 10736},
    {offsetof(struct ouro_layout, interp_warnings_default), 10744},
    {offsetof(struct ouro_layout, interp_audit_hooks), 10920},
    {offsetof(struct ouro_layout, interp_errnomap), 79904},
    {offsetof(struct ouro_layout, interp_exception_group), 79928},
    {offsetof(struct ouro_layout, interp_objreduce), 224648},
    {offsetof(struct ouro_layout, interp_slots_pname), 224656},
    {offsetof(struct ouro_layout, interp_interned), 224640},
    {offsetof(struct ouro_layout, interp_static_types), 180256},
    {offsetof(struct ouro_layout, interp_static_extension_types), 189872},
    {offsetof(struct ouro_layout, interp_atexit_callbacks), 10800},
    {SIZE_MAX, 0},
};
