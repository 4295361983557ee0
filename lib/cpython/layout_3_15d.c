/* Made by maint/layouts.py from the debug information of a debug build of CPython 3.15; do not edit. */
#include "cpython/layout.h"

const struct ouro_layout_change ouro_layout_3_15d[] = {
    {offsetof(struct ouro_layout, interp_dict), 8456},
    {offsetof(struct ouro_layout, interp_builtins_copy), 8472},
    {offsetof(struct ouro_layout, interp_sysdict_copy), 8464},
    {offsetof(struct ouro_layout, interp_before_forkers), 10680},
    {offsetof(struct ouro_layout, interp_after_forkers_parent), 10688},
    {offsetof(struct ouro_layout, interp_after_forkers_child), 10696},
    {offsetof(struct ouro_layout, interp_warnings_filters), 10704},
    {offsetof(struct ouro_layout, interp_warnings_once), 10712},
    {offsetof(struct ouro_layout, interp_warnings_default), 10720},
    {offsetof(struct ouro_layout, interp_audit_hooks), 10896},
    {offsetof(struct ouro_layout, interp_errnomap), 79912},
    {offsetof(struct ouro_layout, interp_exception_group), 79936},
    {offsetof(struct ouro_layout, interp_objreduce), 224920},
    {offsetof(struct ouro_layout, interp_interned), 224912},
    {offsetof(struct ouro_layout, interp_static_types), 180280},
    {offsetof(struct ouro_layout, interp_static_extension_types), 190040},
    {offsetof(struct ouro_layout, interp_atexit_callbacks), 10776},
    {SIZE_MAX, 0},
};
