#include "capture/doctor.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"
#include "cpython/check.h"

#define REGION_WORDS 4096u /* of the bitmap that a thread takes at a time */
#define NOTE_GNU_BUILD_ID 3u

const char *ouro_doctor_size_name(enum ouro_doctor_size size)
{
    static const char *const names[] = {"rule", "run", "estimated"};
    return names[size];
}

bool ouro_doctor_type_is_problem(const struct ouro_doctor_type *type)
{
    const struct ouro_doctor_counts *counts = &type->counts;
    return type->type->disagreed || counts->differing_count || counts->approximate_count || counts->estimated_count ||
           counts->torn_count;
}

/* --- What the build is. */

static bool has_symbol(struct ouro_module *module, const char *name)
{
    ouro_addr addr;
    return ouro_module_symbol(module, name, &addr, NULL) == OURO_OK;
}

/* Any of several with | between; those with a dot are no symbols. */
static bool has_one_symbol(struct ouro_module *module, const char *names)
{
    bool found = false;
    for (const char *name = names; *name && !found;) {
        char text[64];
        size_t size = strcspn(name, "|");
        snprintf(text, sizeof text, "%.*s", (int)size, name);
        found = !memchr(name, '.', size) && has_symbol(module, text);
        name += size + (name[size] == '|');
    }
    return found;
}

/* Those that runtime.c, python.c and sandbox.c ask for, but for the types, which are counted as visitors. */
static enum ouro_status find_symbols(struct ouro_doctor *doctor, struct ouro_err *err)
{
    static const struct ouro_doctor_symbol wanted[] = {
        {"_PyRuntime", false, true},
        {"Py_Version", false, true},
        {"PyType_Type", false, true},
        {"PyDict_Type", false, true},
        {"_Py_NoneStruct", false, true},
        {"PyBaseObject_Type", false, false},
        {"PyLong_Type", false, false},
        {"PyMethodDescr_Type", false, false},
        {"_Py_TrueStruct", false, false},
        {"_Py_FalseStruct", false, false},
        {"_Py_HashSecret", false, false},
        {"_PyThreadState_UncheckedGet|PyThreadState_GetUnchecked", false, false}, /* up to 3.12, from 3.13 on */
        {"PyLong_FromSsize_t", false, false},
        {"PyLong_FromSize_t", false, false},
        {"PyLong_FromUnsignedLong", false, false},
    };
    struct ouro_doctor_symbol *symbols = malloc(sizeof wanted);
    if (!symbols)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the list of symbols");
    doctor->symbols = symbols;
    const struct ouro_runtime *runtime = &doctor->session.runtime;
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (strcmp(wanted[i].name, "Py_Version") == 0 && runtime->hexversion && !runtime->exports_version)
            continue; /* its version has none, and was told without it */
        symbols[doctor->symbol_count] = wanted[i];
        symbols[doctor->symbol_count++].found = has_one_symbol(runtime->module, wanted[i].name);
    }
    return OURO_OK;
}

static void find_build_id(struct ouro_doctor *doctor)
{
    unsigned char note[12 + 4 + 32];
    ouro_addr addr;
    uint64_t size = 0;
    if (ouro_module_section(doctor->session.runtime.module, ".note.gnu.build-id", &addr, &size) != OURO_OK || size < 16)
        return;
    if (size > sizeof note)
        size = sizeof note;
    if (ouro_space_read(ouro_session_space(&doctor->session), addr, note, size) != OURO_OK)
        return;
    uint64_t id_bytes = ouro_load_u32(note + 4);
    if (ouro_load_u32(note) != 4 || ouro_load_u32(note + 8) != NOTE_GNU_BUILD_ID || memcmp(note + 12, "GNU", 4) != 0 ||
        id_bytes > size - 16)
        return;
    for (uint64_t i = 0; i < id_bytes; i++)
        snprintf(doctor->build_id + 2 * i, 3, "%02x", note[16 + i]);
}

static void find_build(struct ouro_doctor *doctor)
{
    const struct ouro_session *session = &doctor->session;
    struct ouro_module *module = session->runtime.module;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/%d/exe", (int)session->options.pid);
    ssize_t size = session->core ? 0 : readlink(link, path, sizeof path - 1);
    if (session->core) { /* what the kernel started: a program, or the loader that was told to */
        doctor->in_executable = module->start <= session->core->entry && session->core->entry < module->end;
    } else if (size > 0) {
        path[size] = 0;
        doctor->in_executable = strcmp(path, module->path) == 0;
    }
    find_build_id(doctor);
}

static void count_visitors(struct ouro_doctor *doctor)
{
    const struct ouro_layout *layout = &doctor->session.runtime.layout;
    doctor->visitor_count = layout->simple_count;
    for (size_t i = 0; i < layout->simple_count; i++)
        doctor->exported_visitor_count += has_one_symbol(doctor->session.runtime.module, layout->simple[i].name);
}

/* --- What each type's objects are like. */

struct census {
    struct ouro_doctor *doctor;
    size_t type_count;
    uint64_t *checks; /* owned: objects of each type that were asked for; atomic */
    size_t next_word; /* atomic */
};

struct counter {
    struct census *census;
    struct ouro_visitor visitor;
    struct ouro_type_cache types;
    struct ouro_doctor_counts *counts; /* owned: by type */
    bool lost;    /* a target of the current object is no object */
    bool reports; /* the progress: one of them */
};

static void on_slots(void *context, const ouro_addr *targets, size_t count)
{
    struct counter *counter = context;
    const struct ouro_walk *walk = &counter->census->doctor->session.walk;
    for (size_t i = 0; i < count; i++)
        if (targets[i] && ouro_walk_node(walk, targets[i]) == OURO_NODE_NONE)
            counter->lost = true;
}

static bool is_namespace(void *context, ouro_addr dict)
{
    const struct counter *counter = context;
    return ouro_walk_noted(&counter->census->doctor->session.walk, dict);
}

/* As many of each type as the walk compared, but counted by type. */
static void compare(struct counter *counter, struct ouro_doctor_counts *counts, const struct ouro_type *type,
                    ouro_addr object)
{
    struct census *census = counter->census;
    if ((type->how != OURO_HOW_NATIVE && type->how != OURO_HOW_LEARNED) || !type->gc ||
        __atomic_fetch_add(&census->checks[type->index], 1, __ATOMIC_RELAXED) >=
            census->doctor->session.walk.checks_per_type)
        return;
    enum ouro_check result = ouro_check_object(&counter->visitor, type, object);
    counts->checked_count++;
    counts->impossible_count += result == OURO_CHECK_IMPOSSIBLE;
    counts->differing_count += result == OURO_CHECK_DIFFERS;
}

static void count_object(struct counter *counter, uint64_t bit)
{
    struct ouro_session *session = &counter->census->doctor->session;
    struct ouro_python *python = &session->python;
    struct ouro_visitor *visitor = &counter->visitor;
    ouro_addr addr = ouro_image_addr(&session->image, bit << 3);
    struct ouro_type *type =
        ouro_type_cached(python, &counter->types, ouro_python_word(python, addr + (ouro_addr)python->layout->ob_type));
    if (!type || type->index >= counter->census->type_count)
        return;
    struct ouro_doctor_counts *counts = &counter->counts[type->index];
    if (session->walk.added_count)
        visitor->interpreter = ouro_walk_interpreter(&session->walk, bit);
    counter->lost = visitor->torn = visitor->approximate = false;
    visitor->end = 0;
    if (type->op_count) {
        compare(counter, counts, type, addr);
        ouro_visit(visitor, type, addr);
    }
    uint64_t native;
    bool estimated;
    ouro_type_sizeof(python, &visitor->sandbox, type, addr, &native, &estimated);
    counts->count++;
    bool doubtful = counter->lost && ouro_type_is_taken_at_its_word(type); /* as emit.c flags them */
    counts->approximate_count += type->approximate || visitor->approximate || doubtful;
    counts->estimated_count += estimated;
    counts->torn_count += counter->lost || visitor->torn;
    if (session->sandbox == OURO_SESSION_SANDBOX_YES && visitor->end)
        counts->failed[visitor->end]++;
}

static void *count_objects(void *argument)
{
    struct counter *counter = argument;
    struct census *census = counter->census;
    const struct ouro_session *session = &census->doctor->session;
    const struct ouro_walk *walk = &session->walk;
    while (ouro_session_check_cancel(session, NULL) == OURO_OK) {
        size_t first = __atomic_fetch_add(&census->next_word, REGION_WORDS, __ATOMIC_RELAXED);
        if (first >= walk->word_count)
            break;
        size_t end = first + REGION_WORDS < walk->word_count ? first + REGION_WORDS : walk->word_count;
        if (counter->reports)
            ouro_session_progress(session, OURO_SESSION_WRITE, (double)first / (double)walk->word_count);
        for (size_t i = first; i < end; i++)
            for (uint64_t word = ouro_walk_marks(walk, i); word; word &= word - 1)
                count_object(counter, (uint64_t)i << 6 | (unsigned)__builtin_ctzll(word));
    }
    return NULL;
}

static bool counter_init(struct counter *counter, struct census *census)
{
    counter->census = census;
    counter->visitor.python = &census->doctor->session.python;
    counter->visitor.context = counter;
    counter->visitor.slots = on_slots;
    counter->visitor.is_namespace = is_namespace;
    counter->counts = calloc(census->type_count + 1, sizeof *counter->counts);
    return counter->counts != NULL;
}

static void run_counters(struct counter *counters, unsigned count)
{
    pthread_t threads[64];
    unsigned started = 0;
    for (unsigned i = 1; i < count; i++) {
        if (pthread_create(&threads[started], NULL, count_objects, &counters[i]) != 0)
            break; /* fewer hands do the same work */
        started++;
    }
    counters[0].reports = true;
    count_objects(&counters[0]);
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

static void add_counts(struct ouro_doctor_counts *to, const struct ouro_doctor_counts *from)
{
    to->count += from->count;
    to->approximate_count += from->approximate_count;
    to->estimated_count += from->estimated_count;
    to->torn_count += from->torn_count;
    to->checked_count += from->checked_count;
    to->impossible_count += from->impossible_count;
    to->differing_count += from->differing_count;
    for (int i = 0; i < OURO_MACHINE_END_COUNT; i++)
        to->failed[i] += from->failed[i];
}

static enum ouro_doctor_size size_of(const struct ouro_type *type)
{
    return type->size_rule == OURO_SIZEOF_RUN       ? OURO_DOCTOR_SIZE_RUN
           : type->size_rule == OURO_SIZEOF_UNKNOWN ? OURO_DOCTOR_SIZE_ESTIMATED
                                                    : OURO_DOCTOR_SIZE_RULE;
}

/* A visitor that was found wrong is no longer noted with the type. */
static const char *visitor_of(const struct ouro_python *python, const struct ouro_type *type)
{
    if (!type->disagreed || type->visitor)
        return type->visitor;
    if (type->traverse == python->subtype_traverse)
        return "subtype_traverse";
    const uint64_t *known = ouro_map_find(&python->traverse_visitors, type->traverse);
    return known ? python->layout->simple[*known].name : NULL;
}

static int by_weight(const void *a, const void *b)
{
    const struct ouro_doctor_type *left = a, *right = b;
    bool left_is_problem = ouro_doctor_type_is_problem(left), right_is_problem = ouro_doctor_type_is_problem(right);
    if (left_is_problem != right_is_problem)
        return left_is_problem ? -1 : 1;
    if (left->counts.count != right->counts.count)
        return left->counts.count > right->counts.count ? -1 : 1;
    int names = strcmp(left->type->name ? left->type->name : "", right->type->name ? right->type->name : "");
    return names ? names : left->type->addr < right->type->addr ? -1 : left->type->addr > right->type->addr;
}

static enum ouro_status sum_up(struct ouro_doctor *doctor, struct counter *counters, unsigned count, size_t type_count)
{
    const struct ouro_python *python = &doctor->session.python;
    doctor->types = calloc(type_count + 1, sizeof *doctor->types);
    if (!doctor->types)
        return OURO_NOMEM;
    for (size_t t = 0; t < type_count; t++) {
        struct ouro_doctor_type *type = &doctor->types[doctor->type_count];
        memset(type, 0, sizeof *type);
        type->type = python->type_list.items[t];
        type->visitor = visitor_of(python, type->type);
        type->size = size_of(type->type);
        for (unsigned i = 0; i < count; i++)
            add_counts(&type->counts, &counters[i].counts[t]);
        doctor->type_count += type->counts.count > 0;
        add_counts(&doctor->totals, &type->counts);
    }
    qsort(doctor->types, doctor->type_count, sizeof *doctor->types, by_weight);
    return OURO_OK;
}

static enum ouro_status take_census(struct ouro_doctor *doctor, struct ouro_err *err)
{
    unsigned count = doctor->session.walk.thread_count, ready = 0;
    struct census census = {.doctor = doctor, .type_count = doctor->session.python.type_list.count};
    struct counter *counters = calloc(count, sizeof *counters);
    census.checks = calloc(census.type_count + 1, sizeof *census.checks);
    enum ouro_status status = counters && census.checks ? OURO_OK : OURO_NOMEM;
    while (status == OURO_OK && ready < count && counter_init(&counters[ready], &census))
        ready++;
    if (!ready)
        status = OURO_NOMEM;
    if (status == OURO_OK)
        run_counters(counters, ready);
    if (status == OURO_OK)
        status = sum_up(doctor, counters, ready, census.type_count);
    for (unsigned i = 0; i < ready; i++)
        free(counters[i].counts);
    free(counters);
    free(census.checks);
    if (status != OURO_OK)
        return ouro_err_set(err, status, "no memory for the counts of %zu types", census.type_count);
    OURO_TRY(ouro_session_release(&doctor->session, err));
    return ouro_session_check_cancel(&doctor->session, err);
}

/* How far opening came, whatever it came to. */
static enum ouro_status recognise(struct ouro_doctor *doctor, enum ouro_status opened, struct ouro_err *err)
{
    const struct ouro_session *session = &doctor->session;
    if (!session->process && !session->core)
        return opened;
    doctor->stage = OURO_DOCTOR_PROCESS;
    if (!session->runtime.module)
        return opened;
    doctor->stage = session->runtime.hexversion ? OURO_DOCTOR_VERSION : OURO_DOCTOR_RUNTIME;
    find_build(doctor);
    enum ouro_status status = find_symbols(doctor, opened == OURO_OK ? err : NULL);
    if (opened != OURO_OK || status != OURO_OK)
        return opened != OURO_OK ? opened : status;
    doctor->stage = OURO_DOCTOR_LAYOUT;
    count_visitors(doctor);
    return OURO_OK;
}

enum ouro_status ouro_doctor_init(struct ouro_doctor *doctor, const struct ouro_session_options *options,
                                  struct ouro_err *err)
{
    struct ouro_session *session = &doctor->session;
    memset(doctor, 0, sizeof *doctor);
    OURO_TRY(recognise(doctor, ouro_session_open(session, options, err), err));
    OURO_TRY(ouro_session_copy(session, err));
    doctor->stage = OURO_DOCTOR_COPIED;
    OURO_TRY(ouro_session_walk(session, err));
    OURO_TRY(take_census(doctor, err));
    doctor->stage = OURO_DOCTOR_WALKED;
    return OURO_OK;
}

void ouro_doctor_fini(struct ouro_doctor *doctor)
{
    ouro_session_close(&doctor->session);
    free((void *)doctor->symbols);
    free(doctor->types);
    memset(doctor, 0, sizeof *doctor);
}
