/* TYPE arguments as users write them: a name (User), a qualified name (app.models.User), or a glob of either. */
#ifndef OURO_ANALYSIS_PATTERN_H
#define OURO_ANALYSIS_PATTERN_H

#include "analysis/heap_model.h"

/* Whether the type matches. NULL matches all. `type` patterns are held against the qualified name without the module
 * ("Outer.Inner"), its last part ("Inner"), and with the module; `module` patterns against the module and, so that
 * "app" finds "app.models" too, its packages. */
bool ouro_pattern_type(const struct ouro_heap_model *model, uint32_t type, const char *pattern);
bool ouro_pattern_module(const struct ouro_heap_model *model, uint32_t type, const char *pattern);

/* A size as users write it: "100", "4k", "1.5M", "2GiB" (powers of 1024). False when it is none. */
bool ouro_pattern_size(const char *text, uint64_t *bytes);

/* A percentage: "5", "0.25", "50%"; 0 to 100. False when it is none. */
bool ouro_pattern_percent(const char *text, double *percent);

#endif
