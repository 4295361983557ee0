#include "cpython/interned.h"

#include "cpython/deliver.h"
#include "cpython/type.h"

#define SAMPLE       64u   /* entries that tell whether it can be the table */
#define HOLES        64u   /* deleted entries for one that is there: no more are looked at */
#define WHOLE_MAX    16u   /* dicts that are looked at as a whole */
#define ENTRIES_LEAST 256u /* no interpreter begins with fewer */

enum { NOT_INTERNED = 0, INTERNED_MORTAL = 1 }; /* SSTATE_*: 2 and 3 are for ever */

/* SSTATE_* of a str; NOT_INTERNED where it is none. */
static unsigned state_of(const struct ouro_python *python, ouro_addr string)
{
    const struct ouro_layout *layout = python->layout;
    const unsigned char *bytes = string & 7 ? NULL : ouro_image_at(python->image, string, (uint64_t)layout->ascii_state + 4);
    uint64_t flags = bytes ? ouro_python_word(python, ouro_load_u64(bytes + layout->ob_type) + (ouro_addr)layout->tp_flags) : 0;
    return flags & OURO_FLAG_UNICODE ? ouro_load_u32(bytes + layout->ascii_state) & 3 : NOT_INTERNED;
}

unsigned ouro_interned_owned(const struct ouro_python *python, ouro_addr string)
{
    const struct ouro_layout *layout = python->layout;
    unsigned state = state_of(python, string);
    const unsigned char *count = ouro_image_at(python->image, string + (ouro_addr)layout->ob_refcnt, 4);
    if (state == NOT_INTERNED || (layout->immortal && count && (int32_t)ouro_load_u32(count) < 0))
        return 2;
    return state == INTERNED_MORTAL ? 0 : 1;
}

bool ouro_interned_is_tracked(const struct ouro_python *python, ouro_addr table)
{
    return ouro_python_word(python, table - 16) != 0; /* PyGC_Head._gc_next */
}

static bool is_table(const struct ouro_python *python, ouro_addr dict, uint64_t entries_max)
{
    const struct ouro_layout *layout = python->layout;
    struct ouro_keys keys;
    const unsigned char *bytes = dict & 7 ? NULL : ouro_image_at(python->image, dict, (uint64_t)layout->dict_values + 8);
    if (!bytes || ouro_load_u64(bytes + layout->ob_type) != python->dict_type || ouro_load_u64(bytes + layout->dict_values) ||
        ouro_load_u64(bytes + layout->dict_used) < ENTRIES_LEAST ||
        !ouro_keys_read(python, ouro_load_u64(bytes + layout->dict_keys), &keys) || keys.general)
        return false;
    uint64_t seen = 0, end = entries_max < keys.entry_count / HOLES ? entries_max * HOLES : keys.entry_count;
    for (uint64_t i = 0; i < end && seen < entries_max; i++) {
        ouro_addr value = ouro_keys_value(&keys, i);
        if (!value)
            continue;
        if (value != ouro_keys_key(&keys, i) || state_of(python, value) == NOT_INTERNED)
            return false;
        seen++;
    }
    return seen >= SAMPLE;
}

/* The only pointer to such a dict among the module's variables; 0: none, or no sections are known. */
static ouro_addr search(const struct ouro_python *python)
{
    ouro_addr at, found = 0;
    uint64_t size;
    unsigned looks = 0;
    if (ouro_module_section(python->runtime.module, ".bss", &at, &size) != OURO_OK)
        return 0;
    for (ouro_addr end = at + size; at + 8 <= end;) {
        ouro_addr next = (at & ~(ouro_addr)(OURO_PAGE_BYTES - 1)) + OURO_PAGE_BYTES;
        if (ouro_image_page(python->image, at) != UINT32_MAX)
            for (next = next < end ? next : end; at + 8 <= next; at += 8) {
                ouro_addr dict = ouro_python_word(python, at);
                if (!dict || dict == found || !is_table(python, dict, SAMPLE) || looks++ >= WHOLE_MAX ||
                    !is_table(python, dict, UINT64_MAX))
                    continue;
                if (found)
                    return 0;
                found = dict;
            }
        at = next;
    }
    return found;
}

enum ouro_status ouro_interned_find(struct ouro_python *python, struct ouro_err *err)
{
    const struct ouro_layout *layout = python->layout;
    for (size_t i = 0; i < python->interpreter_count; i++) {
        struct ouro_interpreter *interpreter = &python->interpreters[i];
        ouro_addr table = 0;
        if (layout->interp_interned >= 0) {
            table = ouro_python_word(python, interpreter->addr + (ouro_addr)layout->interp_interned);
        } else if (i == 0) {
            ouro_addr variable = ouro_python_symbol(python, "interned");
            table = variable ? ouro_python_word(python, variable) : 0;
            table = table && is_table(python, table, SAMPLE) ? table : search(python);
        }
        if (!table || !is_table(python, table, SAMPLE))
            continue;
        interpreter->interned = table;
        if (!ouro_map_put(&python->interned, table, NULL))
            return ouro_err_set(err, OURO_NOMEM, "no memory for the table of interned strings");
    }
    return OURO_OK;
}

/* An entry's value and key; of them the table of interned strings may own one or none. */
static void put_interned(struct ouro_visitor *visitor, ouro_addr string, unsigned owned)
{
    put(visitor, string);
    if (!owned)
        borrow(visitor);
    put(visitor, string);
    if (owned < 2)
        borrow(visitor);
    if (visitor->key)
        visitor->key(visitor->context, string, false);
}

void ouro_interned_visit(struct ouro_visitor *visitor, ouro_addr addr, const struct ouro_keys *keys)
{
    bool tracked = ouro_interned_is_tracked(visitor->python, addr);
    uint64_t count = 0, weak = 0;
    part(visitor, OURO_SLOTS_ENTRIES_STR, OURO_CLASS_TRAVERSED, "");
    for (uint64_t i = 0; i < keys->entry_count; i++) {
        ouro_addr string = ouro_keys_value(keys, i);
        unsigned owned = string ? ouro_interned_owned(visitor->python, string) : 0;
        if (!string || (!owned && !tracked))
            continue;
        put_interned(visitor, string, owned);
        count++;
    }
    run_end(visitor, count);
    if (tracked)
        return;
    part(visitor, OURO_SLOTS_ELEMENTS, OURO_CLASS_WEAK, "");
    for (uint64_t i = 0; i < keys->entry_count; i++) {
        ouro_addr string = ouro_keys_value(keys, i);
        if (!string || ouro_interned_owned(visitor->python, string))
            continue;
        put(visitor, string);
        weak++;
    }
    run_end(visitor, weak);
}
