#include "cpython/learn.h"

#include "cpython/dict.h"

#define SUBJECT (OURO_MACHINE_SCRATCH + 0x10000)
#define SUBJECT_BYTES_MAX (UINT64_C(512) << 10)
#define PREHEADER_BYTES 64
#define OTHERS (OURO_MACHINE_SCRATCH + 0x200000) /* what its words point to */
#define OTHER_BYTES 256
#define OTHER_COUNT 4096
#define SMALL_BUDGET 20000

static void put_word(unsigned char *scratch, ouro_addr addr, uint64_t value)
{
    memcpy(scratch + (addr - OURO_MACHINE_SCRATCH), &value, sizeof value);
}

/* An object of the type, each word of which leads to a piece of memory of its own that begins with a reference count of 1. */
static bool make_subject(struct ouro_sandbox *sandbox, const struct ouro_python *python, const struct ouro_type *type)
{
    const struct ouro_layout *layout = python->layout;
    unsigned char *scratch = ouro_machine_scratch(ouro_sandbox_machine(sandbox));
    uint64_t size = (type->basicsize + 7 + 64) & ~(uint64_t)7;
    if (size > SUBJECT_BYTES_MAX)
        return false;
    uint64_t words = (size + PREHEADER_BYTES) / 8, others = words < OTHER_COUNT ? words : OTHER_COUNT;
    memset(scratch + (OTHERS - OURO_MACHINE_SCRATCH), 0, others * OTHER_BYTES);
    for (uint64_t i = 0; i < others; i++)
        put_word(scratch, OTHERS + i * OTHER_BYTES + (ouro_addr)layout->ob_refcnt, 1);
    for (uint64_t i = 0; i < words; i++)
        put_word(scratch, SUBJECT - PREHEADER_BYTES + 8 * i, OTHERS + i % OTHER_COUNT * OTHER_BYTES);
    put_word(scratch, SUBJECT + (ouro_addr)layout->ob_refcnt, 1);
    put_word(scratch, SUBJECT + (ouro_addr)layout->ob_type, type->addr);
    return true;
}

static const struct ouro_machine_budget budget = {
    .instructions = SMALL_BUDGET, .instructions_per_visit = 64, .depth = 64, .pages = 64, .visits = 4096};

size_t ouro_learn_fields(struct ouro_sandbox *sandbox, const struct ouro_type *type, ouro_addr traverse,
                         struct ouro_machine_visit *visits, size_t capacity)
{
    const struct ouro_python *python = ouro_sandbox_python(sandbox);
    if (!make_subject(sandbox, python, type))
        return SIZE_MAX;
    struct ouro_machine *machine = ouro_sandbox_machine(sandbox);
    const struct ouro_machine_call call = {.function = traverse,
                                           .arguments = {SUBJECT, OURO_MACHINE_VISIT},
                                           .subject = SUBJECT,
                                           .constant_offset = python->layout->ob_type,
                                           .budget = &budget};
    size_t count;
    if (!ouro_machine_explore(machine, &call))
        return SIZE_MAX;
    const struct ouro_machine_visit *found = ouro_machine_visits(machine, &count);
    if (count > capacity)
        return SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        struct ouro_origin origin = found[i].origin;
        bool field = origin.kind == OURO_ORIGIN_FIELD && origin.offset >= 0 && !(origin.offset & 7) &&
                     (uint64_t)origin.offset + 8 <= type->basicsize;
        if (!field && !(origin.kind == OURO_ORIGIN_CONSTANT && found[i].addr == type->addr))
            return SIZE_MAX;
        visits[i] = found[i];
    }
    return count;
}

/* A getter that only returns a field is short; what goes on longer or deeper isn't one, and is not worth its decoding. */
static const struct ouro_machine_budget getter_budget = {.instructions = 100, .depth = 3, .pages = 16, .visits = 16};

int32_t ouro_learn_getter(struct ouro_sandbox *sandbox, const struct ouro_type *type, ouro_addr getter, ouro_addr closure)
{
    const struct ouro_python *python = ouro_sandbox_python(sandbox);
    if (!make_subject(sandbox, python, type))
        return 0;
    struct ouro_machine *machine = ouro_sandbox_machine(sandbox);
    const struct ouro_machine_call call = {.function = getter,
                                           .arguments = {SUBJECT, closure},
                                           .subject = SUBJECT,
                                           .constant_offset = python->layout->ob_type,
                                           .budget = &getter_budget};
    struct ouro_origin origin;
    if (ouro_machine_call(machine, &call) != OURO_MACHINE_RETURNED)
        return 0;
    ouro_machine_result(machine, &origin);
    return origin.kind == OURO_ORIGIN_FIELD ? origin.offset : 0;
}

/* A dict whose one value lies in "its object": is it visited? */
bool ouro_learn_dict_visits_embedded(struct ouro_sandbox *sandbox, bool *known)
{
    const struct ouro_python *python = ouro_sandbox_python(sandbox);
    const struct ouro_layout *layout = python->layout;
    struct ouro_machine *machine = ouro_sandbox_machine(sandbox);
    unsigned char *scratch = ouro_machine_scratch(machine);
    const ouro_addr dict = SUBJECT, keys = SUBJECT + 0x400, values = SUBJECT + 0x800, value = SUBJECT + 0xc00;
    const ouro_addr entries = keys + (ouro_addr)layout->keys_indices + 8;
    memset(scratch + (SUBJECT - OURO_MACHINE_SCRATCH), 0, 0x1000);
    put_word(scratch, dict + (ouro_addr)layout->ob_refcnt, 1);
    put_word(scratch, dict + (ouro_addr)layout->ob_type, python->dict_type);
    put_word(scratch, dict + (ouro_addr)layout->dict_used, 1);
    put_word(scratch, dict + (ouro_addr)layout->dict_keys, keys);
    put_word(scratch, dict + (ouro_addr)layout->dict_values, values);
    put_word(scratch, keys + (ouro_addr)layout->keys_refcnt, 1);
    scratch[keys - OURO_MACHINE_SCRATCH + (ouro_addr)layout->keys_log2_size] = 3;
    scratch[keys - OURO_MACHINE_SCRATCH + (ouro_addr)layout->keys_log2_index_bytes] = 3;
    scratch[keys - OURO_MACHINE_SCRATCH + (ouro_addr)layout->keys_kind] = 2; /* DICT_KEYS_SPLIT */
    put_word(scratch, keys + (ouro_addr)layout->keys_nentries, 1);
    put_word(scratch, entries, value); /* some key */
    scratch[values - OURO_MACHINE_SCRATCH + (ouro_addr)layout->values_capacity] = 1;
    scratch[values - OURO_MACHINE_SCRATCH + (ouro_addr)layout->values_embedded] = 1;
    scratch[values - OURO_MACHINE_SCRATCH + (ouro_addr)layout->values_valid] = 1;
    put_word(scratch, values + (ouro_addr)layout->values_values, value);
    put_word(scratch, value, 1);
    const struct ouro_machine_call call = {
        .function = ouro_python_word(python, python->dict_type + (ouro_addr)layout->tp_traverse),
        .arguments = {dict, OURO_MACHINE_VISIT},
        .constant_offset = INT32_MIN,
        .budget = &budget};
    *known = ouro_machine_call(machine, &call) == OURO_MACHINE_RETURNED;
    size_t count;
    const struct ouro_machine_visit *visits = ouro_machine_visits(machine, &count);
    for (size_t i = 0; i < count; i++)
        if (visits[i].addr == value)
            return true;
    return false;
}
