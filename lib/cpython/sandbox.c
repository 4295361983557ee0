#include "cpython/sandbox.h"

#include <stdlib.h>

#include "base/buf.h"
#include "cpython/state.h"
#include "cpython/type.h"

#define METH_KEYWORDS 0x2u
#define METH_NOARGS 0x4u
#define METH_FASTCALL 0x80u
#define METH_METHOD 0x200u
#define SIZE_MAX_BYTES (UINT64_C(1) << 47) /* nothing can be larger */

struct ouro_sandbox {
    struct ouro_python *python;
    struct ouro_machine *machine; /* owned */
    size_t interpreter; /* whose thread it runs as; SIZE_MAX: nobody's yet */
    struct ouro_machine_budget budget, small;
    /* The last traverse. */
    ouro_addr function, object;
    enum ouro_machine_end end;
};

/* The constructors of int that __sizeof__ methods end in: the argument is the answer, and nothing has to be allocated. */
static bool stop_at_constructors(struct ouro_sandbox *sandbox)
{
    static const char *const names[] = {"PyLong_FromSsize_t",  "PyLong_FromSize_t",       "PyLong_FromLong",
                                        "PyLong_FromLongLong", "PyLong_FromUnsignedLong", "PyLong_FromUnsignedLongLong"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ouro_addr addr = ouro_python_symbol(sandbox->python, names[i]);
        if (addr && !ouro_machine_stop_at(sandbox->machine, addr))
            return false;
    }
    return true;
}

static struct ouro_sandbox *make(struct ouro_python *python)
{
    struct ouro_sandbox *sandbox = calloc(1, sizeof *sandbox);
    if (!sandbox)
        return NULL;
    sandbox->python = python;
    sandbox->interpreter = SIZE_MAX;
    sandbox->budget = ouro_machine_default_budget;
    /* Nobody can refer to more than there are words; a loop without end must end soon in a small process. */
    uint64_t words = (uint64_t)python->image->page_count * (OURO_PAGE_BYTES / 8);
    if (sandbox->budget.visits > words / 4 + 4096)
        sandbox->budget.visits = words / 4 + 4096;
    sandbox->small = sandbox->budget;
    sandbox->small.instructions = 100000;
    sandbox->small.visits = 20000;
    if (ouro_machine_new(&sandbox->machine, python->image, python->modules, NULL) != OURO_OK ||
        !stop_at_constructors(sandbox)) {
        ouro_machine_free(sandbox->machine);
        free(sandbox);
        return NULL;
    }
    ouro_sandbox_enter(sandbox, 0);
    return sandbox;
}

struct ouro_sandbox *ouro_sandbox_get(struct ouro_python *python, struct ouro_sandbox **place)
{
    if (*place || !python->sandboxed)
        return *place;
    struct ouro_sandbox *sandbox = make(python);
    if (!sandbox)
        return NULL;
    pthread_mutex_lock(&python->sandbox_lock);
    struct ouro_sandbox **kept = OURO_VEC_ADD(&python->sandboxes);
    if (kept)
        *kept = sandbox;
    pthread_mutex_unlock(&python->sandbox_lock);
    if (!kept) {
        ouro_machine_free(sandbox->machine);
        free(sandbox);
        return NULL;
    }
    *place = sandbox;
    return sandbox;
}

void ouro_sandboxes_fini(struct ouro_python *python)
{
    for (size_t i = 0; i < python->sandboxes.count; i++) {
        ouro_machine_free(python->sandboxes.items[i]->machine);
        free(python->sandboxes.items[i]);
    }
    free(python->sandboxes.items);
}

struct ouro_machine *ouro_sandbox_machine(struct ouro_sandbox *sandbox)
{
    sandbox->object = 0; /* whoever uses it directly forgets the last result */
    return sandbox->machine;
}

struct ouro_python *ouro_sandbox_python(const struct ouro_sandbox *sandbox)
{
    return sandbox->python;
}

#define LOOKING_MAX 24 /* instructions within which PyInterpreterState_Get has loaded what it returns */

/* 3.15 keeps the current interpreter in a thread-local variable of its own. PyInterpreterState_Get shows where, but does not return
 * when there is none, as in a thread that waits for the GIL: it is stopped where it has just loaded that. */
static void enter_interpreter(struct ouro_sandbox *sandbox, ouro_addr interpreter)
{
    struct ouro_machine_budget small = sandbox->small;
    struct ouro_machine_call call = {.function = ouro_python_symbol(sandbox->python, "PyInterpreterState_Get"),
                                     .constant_offset = INT32_MIN,
                                     .budget = &small};
    ouro_addr source = 0;
    enum ouro_machine_end end = call.function ? OURO_MACHINE_INSTRUCTIONS : OURO_MACHINE_RETURNED;
    ouro_machine_trace(sandbox->machine, true);
    for (small.instructions = 1; small.instructions <= LOOKING_MAX && end == OURO_MACHINE_INSTRUCTIONS && !source;
         small.instructions++) {
        end = ouro_machine_call(sandbox->machine, &call);
        uint64_t result = ouro_machine_result(sandbox->machine, NULL);
        if (result != interpreter && (!result || end == OURO_MACHINE_RETURNED))
            source = ouro_machine_result_source(sandbox->machine);
    }
    ouro_machine_trace(sandbox->machine, false);
    if (source)
        ouro_machine_poke(sandbox->machine, source, &interpreter, sizeof interpreter);
}

/* Many functions ask for the current thread state: a global up to 3.11, thread-local since. Where it is kept, the function that
 * returns it shows; there we put the thread that we run as. */
void ouro_sandbox_enter(struct ouro_sandbox *sandbox, size_t interpreter)
{
    static const char *const getters[] = {"_PyThreadState_UncheckedGet", "PyThreadState_GetUnchecked"};
    struct ouro_python *python = sandbox->python;
    if (sandbox->interpreter == interpreter || interpreter >= python->interpreter_count)
        return;
    sandbox->interpreter = interpreter;
    sandbox->object = 0;
    ouro_addr ident = 0, thread = ouro_state_any_thread(python, &python->interpreters[interpreter], &ident), getter = 0;
    for (size_t i = 0; i < sizeof getters / sizeof *getters && !getter; i++)
        getter = ouro_python_symbol(python, getters[i]);
    ouro_machine_set_fs(sandbox->machine, ident); /* pthread_self(), which is where fs points */
    if (!thread || !getter)
        return;
    ouro_machine_trace(sandbox->machine, true);
    struct ouro_machine_call call = {.function = getter, .constant_offset = INT32_MIN};
    bool returned = ouro_machine_call(sandbox->machine, &call) == OURO_MACHINE_RETURNED;
    ouro_addr source = returned ? ouro_machine_result_source(sandbox->machine) : 0;
    ouro_machine_trace(sandbox->machine, false);
    if (source && ouro_machine_result(sandbox->machine, NULL) != thread)
        ouro_machine_poke(sandbox->machine, source, &thread, sizeof thread);
    enter_interpreter(sandbox, python->interpreters[interpreter].addr);
}

static enum ouro_machine_end traverse(struct ouro_sandbox *sandbox, ouro_addr function, ouro_addr object,
                                      const struct ouro_machine_budget *budget, const struct ouro_machine_visit **visits,
                                      size_t *count)
{
    if (sandbox->object != object || sandbox->function != function || budget != &sandbox->budget) {
        struct ouro_machine_call call = {
            .function = function,
            .arguments = {object, OURO_MACHINE_VISIT},
            .subject = object,
            .constant_offset = sandbox->python->layout->ob_type,
            .budget = budget,
        };
        sandbox->end = ouro_machine_call(sandbox->machine, &call);
        sandbox->function = function;
        sandbox->object = budget == &sandbox->budget ? object : 0;
    }
    *visits = ouro_machine_visits(sandbox->machine, count);
    return sandbox->end;
}

enum ouro_machine_end ouro_sandbox_traverse(struct ouro_sandbox *sandbox, ouro_addr function, ouro_addr object,
                                            const struct ouro_machine_visit **visits, size_t *count)
{
    return traverse(sandbox, function, object, &sandbox->budget, visits, count);
}

enum ouro_machine_end ouro_sandbox_try(struct ouro_sandbox *sandbox, ouro_addr function, ouro_addr object,
                                       const struct ouro_machine_visit **visits, size_t *count)
{
    return traverse(sandbox, function, object, &sandbox->small, visits, count);
}

#define TOKENS (OURO_MACHINE_SCRATCH + 0x1000) /* ints that the constructors are made to return */
#define TOKEN_BYTES 64u
#define TOKENS_MAX 64u

/* An int in the scratch memory; what a method asks of it, it answers as any other does. */
static ouro_addr make_int(struct ouro_sandbox *sandbox, unsigned number, uint64_t value)
{
    const struct ouro_layout *layout = sandbox->python->layout;
    bool tagged = layout->long_tag >= 0;
    unsigned char *bytes = ouro_machine_scratch(sandbox->machine) + (TOKENS - OURO_MACHINE_SCRATCH) + number * TOKEN_BYTES;
    const uint32_t digits[3] = {value & 0x3fffffff, value >> 30 & 0x3fffffff, (uint32_t)(value >> 60)};
    uint64_t count = digits[2] ? 3 : digits[1] ? 2 : digits[0] ? 1 : 0, references = UINT64_C(1) << 30;
    uint64_t head = !tagged ? count : count ? count << 3 : 1; /* 1: zero */
    memset(bytes, 0, TOKEN_BYTES);
    memcpy(bytes + layout->ob_refcnt, &references, 8);
    memcpy(bytes + layout->ob_type, &sandbox->python->int_type, 8);
    memcpy(bytes + (tagged ? layout->long_tag : layout->ob_size), &head, 8);
    memcpy(bytes + (tagged ? layout->long_tag_digits : layout->long_digits), digits, sizeof digits);
    return TOKENS + (ouro_addr)number * TOKEN_BYTES;
}

/* The value of an int that a function returned: a small one that exists, or a new one in the machine's private memory. */
static bool read_int(struct ouro_sandbox *sandbox, ouro_addr object, uint64_t *value)
{
    const struct ouro_python *python = sandbox->python;
    const struct ouro_layout *layout = python->layout;
    bool tagged = layout->long_tag >= 0;
    uint64_t type, head;
    uint32_t digits[3] = {0};
    if (!ouro_machine_read(sandbox->machine, object + (ouro_addr)layout->ob_type, &type, 8) || type != python->int_type ||
        !ouro_machine_read(sandbox->machine, object + (ouro_addr)(tagged ? layout->long_tag : layout->ob_size), &head, 8))
        return false;
    uint64_t count = tagged ? head >> 3 : head;
    bool negative = tagged && (head & 3) == 2;
    if (count > 3 || negative ||
        !ouro_machine_read(sandbox->machine, object + (ouro_addr)(tagged ? layout->long_tag_digits : layout->long_digits),
                           digits, count * 4))
        return false;
    *value = digits[0] | (uint64_t)digits[1] << 30 | (uint64_t)digits[2] << 60;
    return true;
}

bool ouro_sandbox_visited_null(const struct ouro_sandbox *sandbox)
{
    return ouro_machine_visited_null(sandbox->machine);
}

bool ouro_sandbox_is_gc(struct ouro_sandbox *sandbox, ouro_addr function, ouro_addr object)
{
    struct ouro_machine_call call = {
        .function = function, .arguments = {object}, .constant_offset = INT32_MIN, .budget = &sandbox->small};
    sandbox->object = 0;
    return ouro_machine_call(sandbox->machine, &call) != OURO_MACHINE_RETURNED ||
           (uint32_t)ouro_machine_result(sandbox->machine, NULL) != 0;
}

bool ouro_sandbox_sizeof(struct ouro_sandbox *sandbox, const struct ouro_type *type, ouro_addr object, uint64_t *size)
{
    struct ouro_machine_call call = {
        .function = type->sizeof_function, .arguments = {object}, .constant_offset = INT32_MIN, .budget = &sandbox->budget};
    sandbox->object = 0;
    if (type->sizeof_flags & METH_METHOD)
        call.arguments[1] = type->sizeof_class; /* defining_class, args, nargs, kwnames */
    else if (!(type->sizeof_flags & (METH_NOARGS | METH_FASTCALL)))
        return false; /* wants a tuple of arguments */
    enum ouro_machine_end end = ouro_machine_call(sandbox->machine, &call);
    /* The methods of what it consists of may be asked on the way: their answers become ints that it can read. */
    for (unsigned i = 0; end == OURO_MACHINE_STOPPED && i < TOKENS_MAX; i++)
        end = ouro_machine_resume(sandbox->machine, make_int(sandbox, i, ouro_machine_result(sandbox->machine, NULL)));
    return end == OURO_MACHINE_RETURNED && read_int(sandbox, ouro_machine_result(sandbox->machine, NULL), size) &&
           *size < SIZE_MAX_BYTES;
}
