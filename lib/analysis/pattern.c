#include "analysis/pattern.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/guard.h"

bool ouro_pattern_type(const struct ouro_heap_model *model, uint32_t type, const char *pattern)
{
    if (!pattern)
        return true;
    const char *name = ouro_heap_model_type_name(model, type, NULL);
    const char *module = ouro_heap_model_type_module(model, type, NULL);
    const char *last = strrchr(name, '.');
    if (!fnmatch(pattern, name, 0) || (last && !fnmatch(pattern, last + 1, 0)))
        return true;
    char usual[1024]; /* longer ones need memory; without it they don't match */
    size_t module_size = strlen(module), name_size = strlen(name);
    if (module_size + name_size + 2 <= sizeof usual) {
        memcpy(usual, module, module_size);
        usual[module_size] = '.';
        memcpy(usual + module_size + 1, name, name_size + 1);
        return *module && !fnmatch(pattern, usual, 0);
    }
    OURO_GUARD(ouro_buf_fini) struct ouro_buf qualified = {0};
    ouro_buf_add_text(&qualified, module);
    ouro_buf_add_byte(&qualified, '.');
    ouro_buf_add_text(&qualified, name);
    return *module && !fnmatch(pattern, ouro_buf_text(&qualified), 0);
}

bool ouro_pattern_module(const struct ouro_heap_model *model, uint32_t type, const char *pattern)
{
    if (!pattern)
        return true;
    const char *module = ouro_heap_model_type_module(model, type, NULL);
    size_t size = strlen(pattern);
    return !fnmatch(pattern, module, 0) || (!strncmp(module, pattern, size) && module[size] == '.');
}

bool ouro_pattern_size(const char *text, uint64_t *bytes)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    double value = strtod(text, &end);
    static const char units[] = "KMGT";
    const char *unit = *end ? strchr(units, toupper((unsigned char)*end)) : NULL;
    if (unit && *unit) {
        for (const char *u = units; u <= unit; u++)
            value *= 1024;
        end++;
        if (*end == 'i')
            end++;
    }
    if (*end == 'B' || *end == 'b')
        end++;
    if (*end || value < 0 || value >= 9e18)
        return false;
    *bytes = (uint64_t)value;
    return true;
}

bool ouro_pattern_percent(const char *text, double *percent)
{
    size_t size = strspn(text, "0123456789.");
    char *end;
    if (!isdigit((unsigned char)*text) || (text[size] && strcmp(text + size, "%") != 0))
        return false;
    *percent = strtod(text, &end);
    return end == text + size && *percent <= 100;
}
