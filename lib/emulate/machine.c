#include "emulate/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

#define EVENTS_MAX 4096 /* NULL tests on the way of an exploration */

const struct ouro_machine_budget ouro_machine_default_budget = {
    .instructions = 2000000, .instructions_per_visit = 64, .depth = 512, .pages = 256, .visits = UINT64_C(1) << 24};

const char *ouro_machine_end_name(enum ouro_machine_end end)
{
    static const char *const names[OURO_MACHINE_END_COUNT] = {
        [OURO_MACHINE_RETURNED] = "returned",
        [OURO_MACHINE_STOPPED] = "stopped",
        [OURO_MACHINE_INSTRUCTION] = "instruction",
        [OURO_MACHINE_NO_CODE] = "no-code",
        [OURO_MACHINE_READ_FAULT] = "read-fault",
        [OURO_MACHINE_WRITE_FAULT] = "write-fault",
        [OURO_MACHINE_SHARED_WRITE] = "shared-write",
        [OURO_MACHINE_UNRESOLVED] = "unresolved",
        [OURO_MACHINE_DIVIDE] = "divide",
        [OURO_MACHINE_INSTRUCTIONS] = "budget-instructions",
        [OURO_MACHINE_DEPTH] = "budget-depth",
        [OURO_MACHINE_PAGES] = "budget-pages",
        [OURO_MACHINE_VISITS] = "budget-visits",
        [OURO_MACHINE_MEMORY] = "memory",
    };
    return (unsigned)end < OURO_MACHINE_END_COUNT ? names[end] : "?";
}

enum ouro_status ouro_machine_new(struct ouro_machine **out, const struct ouro_image *image, struct ouro_modules *modules,
                                  struct ouro_err *err)
{
    *out = NULL;
    if (!ouro_insn_can_decode())
        return ouro_err_set(err, OURO_UNSUPPORTED, "built without the decoder for machine code (Zydis)");
    struct ouro_machine *machine = calloc(1, sizeof *machine);
    if (!machine)
        return ouro_err_set(err, OURO_NOMEM, "no memory for the sandbox");
    *out = machine;
    machine->image = image;
    machine->modules = modules;
    machine->stack_low = OURO_MACHINE_STACK + OURO_MACHINE_STACK_BYTES;
    machine->trap_return = (struct ouro_insn){.op = OURO_INSN_TRAP_RETURN, .at = OURO_MACHINE_RETURN};
    machine->trap_visit = (struct ouro_insn){.op = OURO_INSN_TRAP_VISIT, .at = OURO_MACHINE_VISIT};
    if (ouro_memory_init(&machine->memory, image) != OURO_OK) {
        ouro_machine_free(machine);
        *out = NULL;
        return ouro_err_set(err, OURO_NOMEM, "no memory for the sandbox");
    }
    return OURO_OK;
}

void ouro_machine_free(struct ouro_machine *machine)
{
    if (!machine)
        return;
    ouro_machine_forget_code(machine);
    ouro_memory_fini(&machine->memory);
    ouro_map_fini(&machine->stops);
    ouro_map_fini(&machine->libraries);
    free(machine->chunks.items);
    free(machine->visits.items);
    free(machine);
}

void ouro_machine_set_fs(struct ouro_machine *machine, ouro_addr fs)
{
    machine->fs = fs;
}

bool ouro_machine_poke(struct ouro_machine *machine, ouro_addr addr, const void *bytes, size_t size)
{
    const struct ouro_maps *maps = &machine->image->maps;
    const struct ouro_mapping *first = ouro_maps_find(maps, addr), *last = ouro_maps_find(maps, addr + size - 1);
    if (!maps->count || (first && first->executable) || (last && last->executable))
        ouro_machine_forget_code(machine);
    return ouro_memory_poke(&machine->memory, addr, bytes, size);
}

bool ouro_machine_stop_at(struct ouro_machine *machine, ouro_addr addr)
{
    uint64_t *place = addr != UINT64_MAX ? ouro_map_put(&machine->stops, addr, NULL) : NULL;
    if (!place)
        return false;
    *place = 1;
    ouro_machine_forget_code(machine); /* some block may lead through it */
    return true;
}

unsigned char *ouro_machine_scratch(struct ouro_machine *machine)
{
    return machine->memory.scratch;
}

bool ouro_machine_read(struct ouro_machine *machine, ouro_addr addr, void *out, size_t size)
{
    return ouro_memory_read(&machine->memory, addr, out, size);
}

static void clean_stack(struct ouro_machine *machine)
{
    size_t low = (size_t)(machine->stack_low - OURO_MACHINE_STACK) & ~(size_t)7;
    memset(machine->memory.stack + low, 0, OURO_MACHINE_STACK_BYTES - low);
    memset(&machine->stack_origin[low / 8], 0, (OURO_MACHINE_STACK_BYTES - low) / 8 * sizeof *machine->stack_origin);
    machine->stack_low = OURO_MACHINE_STACK + OURO_MACHINE_STACK_BYTES;
}

void ouro_machine_begin(struct ouro_machine *machine, const struct ouro_machine_call *call)
{
    static const unsigned char registers[6] = {7, 6, 2, 1, 8, 9};
    struct ouro_cpu *cpu = &machine->cpu;
    if (ouro_machine_code_is_large(machine))
        ouro_machine_forget_code(machine);
    ouro_memory_reset(&machine->memory);
    clean_stack(machine);
    memset(cpu, 0, sizeof *cpu);
    machine->budget = call->budget ? *call->budget : ouro_machine_default_budget;
    machine->memory.page_limit = machine->budget.pages;
    machine->subject = call->subject;
    machine->constant_offset = call->constant_offset;
    machine->instructions = 0;
    machine->instruction_limit = machine->budget.instructions;
    machine->visits.count = 0;
    machine->varied = machine->stored = machine->exploring = machine->stepping = machine->visited_null = false;
    machine->load_count = machine->written_count = 0;
    machine->end = OURO_MACHINE_RETURNED;
    for (size_t i = 0; i < 6; i++) {
        cpu->r[registers[i]] = call->arguments[i];
        if (call->subject && call->arguments[i] == call->subject)
            cpu->o[registers[i]] = ouro_origin(OURO_ORIGIN_SUBJECT, 0);
    }
    cpu->r[OURO_RSP] = OURO_MACHINE_STACK + OURO_MACHINE_STACK_BYTES - 64; /* a multiple of 16 before the call */
    cpu->flags_from = OURO_FLAGS_BITS;
    cpu->r[OURO_RSP] -= 8;
    ouro_machine_store(machine, cpu->r[OURO_RSP], OURO_CONSTANT, 8, OURO_MACHINE_RETURN, OURO_CONSTANT);
    cpu->next = ouro_machine_find(machine, call->function);
}

static enum ouro_machine_end go_on(struct ouro_machine *machine)
{
    machine->end = machine->cpu.next ? ouro_machine_run(machine) : machine->end;
    return machine->end;
}

enum ouro_machine_end ouro_machine_call(struct ouro_machine *machine, const struct ouro_machine_call *call)
{
    ouro_machine_begin(machine, call);
    return go_on(machine);
}

bool ouro_machine_step(struct ouro_machine *machine, enum ouro_machine_end *end)
{
    machine->stepping = true;
    if (machine->instructions >= machine->budget.instructions) {
        *end = OURO_MACHINE_INSTRUCTIONS;
        return false;
    }
    machine->instruction_limit = machine->instructions + 1;
    enum ouro_machine_end how = go_on(machine);
    *end = how;
    return how == OURO_MACHINE_ONWARD;
}

bool ouro_machine_nested(struct ouro_machine *machine, ouro_addr function, uint64_t *result)
{
    struct ouro_cpu *cpu = &machine->cpu, before = *cpu;
    bool exploring = machine->exploring, stepping = machine->stepping;
    uint64_t limit = machine->instruction_limit, instructions = machine->instructions;
    ouro_addr at = machine->at;
    if (cpu->depth + 1 >= machine->budget.depth)
        return false;
    memset(cpu, 0, sizeof *cpu);
    cpu->depth = before.depth + 1;
    cpu->r[OURO_RSP] = ((before.r[OURO_RSP] - 256) & ~(uint64_t)15) - 8; /* beyond the red zone */
    machine->exploring = machine->stepping = false;
    machine->instruction_limit = instructions + 10000;
    bool returned = ouro_machine_store(machine, cpu->r[OURO_RSP], OURO_CONSTANT, 8, OURO_MACHINE_RETURN,
                                       OURO_CONSTANT) &&
                    (cpu->next = ouro_machine_find(machine, function)) &&
                    ouro_machine_run(machine) == OURO_MACHINE_RETURNED;
    *result = cpu->r[OURO_RAX];
    *cpu = before;
    machine->exploring = exploring;
    machine->stepping = stepping;
    machine->instruction_limit = limit;
    machine->instructions = instructions;
    machine->at = at;
    return returned;
}

enum ouro_machine_end ouro_machine_resume(struct ouro_machine *machine, uint64_t result)
{
    if (machine->end != OURO_MACHINE_STOPPED)
        return machine->end;
    machine->cpu.r[OURO_RAX] = result;
    machine->cpu.o[OURO_RAX] = OURO_CONSTANT;
    if (!ouro_machine_leave(machine))
        return machine->end;
    return go_on(machine);
}

bool ouro_machine_visited_null(const struct ouro_machine *machine)
{
    return machine->visited_null;
}

const struct ouro_machine_visit *ouro_machine_visits(const struct ouro_machine *machine, size_t *count)
{
    *count = machine->visits.count;
    return machine->visits.items;
}

uint64_t ouro_machine_result(const struct ouro_machine *machine, struct ouro_origin *origin)
{
    unsigned number = machine->end == OURO_MACHINE_STOPPED ? OURO_RDI : OURO_RAX;
    if (origin)
        *origin = machine->cpu.o[number];
    return machine->cpu.r[number];
}

ouro_addr ouro_machine_at(const struct ouro_machine *machine)
{
    return machine->at;
}

bool ouro_machine_varied(const struct ouro_machine *machine)
{
    return machine->varied;
}

void ouro_machine_trace(struct ouro_machine *machine, bool on)
{
    machine->tracing = on;
}

ouro_addr ouro_machine_result_source(const struct ouro_machine *machine)
{
    size_t slots = sizeof machine->loads / sizeof *machine->loads;
    uint64_t result = ouro_machine_result(machine, NULL);
    for (size_t i = 0; i < slots && i < machine->load_count; i++) {
        size_t slot = (machine->load_count - 1 - i) % slots;
        if (machine->loads[slot].value == result)
            return machine->loads[slot].addr;
    }
    return 0;
}

uint64_t ouro_machine_instructions(const struct ouro_machine *machine)
{
    return machine->instructions;
}

void ouro_machine_registers(const struct ouro_machine *machine, uint64_t registers[OURO_MACHINE_REGISTERS])
{
    memcpy(registers, machine->cpu.r, 16 * sizeof *registers);
    registers[16] = machine->cpu.next ? machine->cpu.next->at : machine->at;
    registers[17] = ouro_cpu_flags(&machine->cpu);
}

void ouro_machine_set_register(struct ouro_machine *machine, unsigned number, uint64_t value)
{
    if (number < 16)
        machine->cpu.r[number] = value;
    else if (number == 16)
        machine->cpu.next = ouro_machine_find(machine, value);
    else if (number == 17)
        ouro_cpu_set_flag_bits(&machine->cpu, (uint32_t)value & (OURO_CF | OURO_PF | OURO_ZF | OURO_SF | OURO_OF),
                               OURO_CONSTANT);
}

void ouro_machine_vector(const struct ouro_machine *machine, unsigned number, uint64_t vector[2])
{
    memcpy(vector, machine->cpu.x[number & 15], sizeof machine->cpu.x[0]);
}

void ouro_machine_set_vector(struct ouro_machine *machine, unsigned number, const uint64_t vector[2])
{
    memcpy(machine->cpu.x[number & 15], vector, sizeof machine->cpu.x[0]);
}

/* ---- Exploration ---- */

/* A state at a NULL test or at the end: the processor and the stack from its pointer up. */
struct moment {
    struct ouro_cpu cpu;
    enum ouro_machine_end end;
    ouro_addr low;
    uint64_t instructions;
    unsigned char *stack;        /* owned, as long as the whole stack */
    struct ouro_origin *origins; /* owned, the same */
    struct { struct ouro_machine_visit *items; size_t count, capacity; } visits; /* owned: those since the fork */
};

static bool moment_init(struct moment *moment)
{
    memset(moment, 0, sizeof *moment);
    moment->stack = malloc(OURO_MACHINE_STACK_BYTES);
    moment->origins = malloc(OURO_MACHINE_STACK_BYTES / 8 * sizeof *moment->origins);
    return moment->stack && moment->origins;
}

static void moment_fini(struct moment *moment)
{
    free(moment->stack);
    free(moment->origins);
    free(moment->visits.items);
}

static size_t used_from(const struct ouro_machine *machine, const struct ouro_cpu *cpu)
{
    ouro_addr low = machine->stack_low < cpu->r[OURO_RSP] ? machine->stack_low : cpu->r[OURO_RSP];
    return low - OURO_MACHINE_STACK < OURO_MACHINE_STACK_BYTES ? (size_t)(low - OURO_MACHINE_STACK) & ~(size_t)7 : 0;
}

static bool keep(const struct ouro_machine *machine, enum ouro_machine_end end, size_t first_visit, struct moment *moment)
{
    size_t low = used_from(machine, &machine->cpu);
    moment->cpu = machine->cpu;
    moment->end = end;
    moment->low = machine->stack_low;
    memcpy(moment->stack + low, machine->memory.stack + low, OURO_MACHINE_STACK_BYTES - low);
    memcpy(moment->origins + low / 8, machine->stack_origin + low / 8,
           (OURO_MACHINE_STACK_BYTES - low) / 8 * sizeof *moment->origins);
    moment->visits.count = 0;
    for (size_t i = first_visit; i < machine->visits.count; i++) {
        struct ouro_machine_visit *visit = OURO_VEC_ADD(&moment->visits);
        if (!visit)
            return false;
        *visit = machine->visits.items[i];
    }
    return true;
}

static void go_back(struct ouro_machine *machine, const struct moment *moment, size_t visit_count)
{
    size_t low = used_from(machine, &machine->cpu), then = (size_t)(moment->low - OURO_MACHINE_STACK) & ~(size_t)7;
    machine->cpu = moment->cpu;
    low = low < then ? low : then;
    memcpy(machine->memory.stack + low, moment->stack + low, OURO_MACHINE_STACK_BYTES - low);
    memcpy(machine->stack_origin + low / 8, moment->origins + low / 8,
           (OURO_MACHINE_STACK_BYTES - low) / 8 * sizeof *moment->origins);
    machine->visits.count = visit_count;
}

/* Goes on from the NULL test at which the machine stands as if the word were NULL, or not. */
static enum ouro_machine_end take(struct ouro_machine *machine, bool null)
{
    struct ouro_cpu *cpu = &machine->cpu;
    struct ouro_insn *branch = cpu->next;
    bool taken = null == (branch->condition == 4);
    /* The flags stand for the other outcome from here on, for whoever asks them again. */
    ouro_cpu_set_flag_bits(cpu, null ? OURO_ZF | OURO_PF : 0, OURO_OTHER);
    cpu->next = taken ? ouro_machine_find(machine, (ouro_addr)branch->imm) : branch + 1;
    return go_on(machine);
}

static bool same_visit(const struct ouro_machine_visit *a, const struct ouro_machine_visit *b)
{
    return a->addr == b->addr && a->origin.kind == b->origin.kind && a->origin.offset == b->origin.offset;
}

/* Whether the way of a word that isn't NULL visits what the other one does, and this word once more (or not at all). */
static bool adds_only(const struct moment *null, const struct moment *other, int32_t offset)
{
    size_t more = other->visits.count - null->visits.count, i = 0;
    if (other->visits.count < null->visits.count || more > 1)
        return false;
    while (i < null->visits.count && same_visit(&null->visits.items[i], &other->visits.items[i]))
        i++;
    if (!more)
        return i == null->visits.count;
    const struct ouro_machine_visit *added = &other->visits.items[i];
    if (added->origin.kind != OURO_ORIGIN_FIELD || added->origin.offset != offset)
        return false;
    for (; i < null->visits.count; i++)
        if (!same_visit(&null->visits.items[i], &other->visits.items[i + 1]))
            return false;
    return true;
}

static void meet(uint64_t *value, struct ouro_origin *origin, uint64_t other, struct ouro_origin other_origin)
{
    if (*value != other || origin->kind != other_origin.kind || origin->offset != other_origin.offset)
        *origin = OURO_OTHER;
}

/* The machine stands where `null` does as well: from here on, what differs between the two is known of neither. */
static bool merge(struct ouro_machine *machine, const struct moment *null)
{
    struct ouro_cpu *cpu = &machine->cpu;
    const struct ouro_cpu *other = &null->cpu;
    if (cpu->r[OURO_RSP] != other->r[OURO_RSP] || cpu->depth != other->depth)
        return false;
    for (unsigned i = 0; i < 16; i++)
        meet(&cpu->r[i], &cpu->o[i], other->r[i], other->o[i]);
    for (unsigned i = 0; i < 32; i++)
        meet(&cpu->x[i / 2][i % 2], &cpu->xo[i / 2][i % 2], other->x[i / 2][i % 2], other->xo[i / 2][i % 2]);
    if (cpu->o[OURO_RSP].kind != OURO_ORIGIN_CONSTANT)
        return false;
    if (cpu->flag_origin.kind != other->flag_origin.kind || cpu->flag_origin.offset != other->flag_origin.offset ||
        (cpu->flag_origin.kind == OURO_ORIGIN_CONSTANT && ouro_cpu_flags(cpu) != ouro_cpu_flags(other)))
        cpu->flag_origin = OURO_OTHER;
    cpu->carry_varies |= other->carry_varies;
    size_t from = used_from(machine, cpu), then = (size_t)(null->low - OURO_MACHINE_STACK) & ~(size_t)7;
    for (size_t at = from < then ? from : then; at < OURO_MACHINE_STACK_BYTES; at += 8) {
        uint64_t a, b = 0;
        struct ouro_origin b_origin = OURO_CONSTANT;
        memcpy(&a, machine->memory.stack + at, 8);
        if (at >= then) {
            memcpy(&b, null->stack + at, 8);
            b_origin = null->origins[at / 8];
        }
        meet(&a, &machine->stack_origin[at / 8], b, b_origin);
    }
    return true;
}

static bool is_at_test(const struct ouro_machine *machine, enum ouro_machine_end end)
{
    return end == OURO_MACHINE_PAUSED || (end == OURO_MACHINE_RETURNED && machine->cpu.next);
}

/* From one NULL test to where both its ways have met again: the next test, or the end. */
static enum ouro_machine_end explore_test(struct ouro_machine *machine, struct moment *start, struct moment *null)
{
    int32_t offset = machine->cpu.flag_origin.offset;
    size_t visits = machine->visits.count;
    if (!keep(machine, OURO_MACHINE_PAUSED, visits, start))
        return OURO_MACHINE_MEMORY;
    enum ouro_machine_end end = take(machine, true);
    if (!is_at_test(machine, end) || !keep(machine, end, visits, null))
        return OURO_MACHINE_INSTRUCTION;
    go_back(machine, start, visits);
    end = take(machine, false);
    struct moment other = {.visits = {machine->visits.items + visits, machine->visits.count - visits, 0}};
    if (end != null->end || (end == OURO_MACHINE_PAUSED && machine->cpu.next->at != null->cpu.next->at) ||
        !adds_only(null, &other, offset) || !merge(machine, null))
        return OURO_MACHINE_INSTRUCTION;
    /* The next test must be of one word along both ways. */
    if (end == OURO_MACHINE_PAUSED && machine->cpu.flag_origin.kind != OURO_ORIGIN_FIELD)
        return OURO_MACHINE_INSTRUCTION;
    return end;
}

static bool all_fixed(const struct ouro_machine *machine)
{
    for (size_t i = 0; i < machine->visits.count; i++) {
        uint32_t kind = machine->visits.items[i].origin.kind;
        if (kind != OURO_ORIGIN_FIELD && kind != OURO_ORIGIN_CONSTANT)
            return false;
    }
    return !machine->varied && !machine->stored;
}

bool ouro_machine_explore(struct ouro_machine *machine, const struct ouro_machine_call *call)
{
    struct moment start, null;
    bool fixed = false, kept = moment_init(&start);
    kept = moment_init(&null) && kept;
    ouro_machine_begin(machine, call);
    machine->exploring = true;
    enum ouro_machine_end end = kept ? go_on(machine) : OURO_MACHINE_MEMORY;
    for (unsigned i = 0; end == OURO_MACHINE_PAUSED && i < EVENTS_MAX; i++)
        end = explore_test(machine, &start, &null);
    fixed = end == OURO_MACHINE_RETURNED && all_fixed(machine);
    moment_fini(&start);
    moment_fini(&null);
    machine->exploring = false;
    return fixed;
}
