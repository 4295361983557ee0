/* Made by maint/layouts.py from the debug information of a debug build of CPython 3.13; do not edit. */
#include "cpython/layout.h"

const struct ouro_layout_change ouro_layout_3_13d[] = {
    {offsetof(struct ouro_layout, lock_semaphore), -1},
    {offsetof(struct ouro_layout, lock_locked), -1},
    {offsetof(struct ouro_layout, lock_mutex), 16},
    {offsetof(struct ouro_layout, interp_dict), 8456},
    {offsetof(struct ouro_layout, interp_builtins_copy), 8472},
    {offsetof(struct ouro_layout, interp_sysdict_copy), 8464},
    {offsetof(struct ouro_layout, interp_before_forkers), 10640},
    {offsetof(struct ouro_layout, interp_after_forkers_parent), 10648},
    {offsetof(struct ouro_layout, interp_after_forkers_child), 10656},
    {offsetof(struct ouro_layout, interp_warnings_filters), 10664},
    {offsetof(struct ouro_layout, interp_warnings_once), 10672},
    {offsetof(struct ouro_layout, interp_warnings_default), 10680},
    {offsetof(struct ouro_layout, interp_audit_hooks), 10816},
    {offsetof(struct ouro_layout, interp_errnomap), 82656},
    {offsetof(struct ouro_layout, interp_exception_group), 82680},
    {offsetof(struct ouro_layout, interp_objreduce), 194360},
    {offsetof(struct ouro_layout, interp_slots_pname), 194368},
    {offsetof(struct ouro_layout, interp_str_replace_inf), -1},
    {offsetof(struct ouro_layout, interp_interned), 194344},
    {offsetof(struct ouro_layout, interp_static_types), 182984},
    {offsetof(struct ouro_layout, interp_static_extension_types), 192600},
    {offsetof(struct ouro_layout, interp_atexit_callbacks), 10720},
    {offsetof(struct ouro_layout, interp_atexit_count), 10728},
    {SIZE_MAX, 0},
};
