/* Made by maint/layouts.py from the debug information of a debug build of CPython 3.10; do not edit. */
#include "cpython/layout.h"

const struct ouro_layout_change ouro_layout_3_10d[] = {
    {SIZE_MAX, 0},
};
