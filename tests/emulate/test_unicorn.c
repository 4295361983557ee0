/* The traverse functions of live interpreters, run instruction by instruction in the machine and in Unicorn. */
#include "world.h"
#include <stdio.h>
#if CAN_EMULATE && defined HAVE_UNICORN
#include <check.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unicorn/unicorn.h>
#include <unistd.h>

#include "base/guard.h"
#include "generate.h"

/* Of PyTypeObject and PyObject, on 64 bits: CPython 3.8 to 3.13, Include/cpython/object.h. */
#define OB_TYPE      8
#define TP_FLAGS     0xa8
#define TP_TRAVERSE  0xb8
#define TYPE_SUBCLASS (UINT64_C(1) << 31)
#define GC_HEAD      16

#define TRAVERSES_MAX 1024
#define OBJECTS_EACH  3
#define STEPS_MAX     2000
#define VISITS_MAX    2048
#define SHOWN         20

struct interpreter {
    pid_t pid;
    int to, from;
    struct ouro_process *process;
    struct ouro_maps maps;
    struct ouro_modules modules;
    struct ouro_image image;
    struct ouro_machine *machine;
    ouro_addr type_type, fs;
};

struct traverse_found {
    ouro_addr function, objects[OBJECTS_EACH];
    unsigned count;
};

struct second {
    uc_engine *engine;
    struct interpreter *interpreter;
    ouro_addr visits[VISITS_MAX];
    size_t visit_count;
};

static struct {
    uint64_t steps, calls, settled, whole, lacked, disagreed;
} total;

/* ---- The interpreter ---- */

static void start(struct interpreter *interpreter, const char *python)
{
    int in[2], out[2];
    char script[1024], line[64] = "";
    const char *top = getenv("top_srcdir");
    snprintf(script, sizeof script, "%s/fixtures/zoo.py", top ? top : ".");
    ck_assert(!pipe(in) && !pipe(out));
    interpreter->pid = fork();
    if (!interpreter->pid) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl(python, python, script, "--count", "500", "--threads", "1", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    interpreter->to = in[1];
    interpreter->from = out[0];
    for (size_t i = 0; i < sizeof line - 1 && read(out[0], line + i, 1) == 1 && line[i] != '\n';)
        i++;
    ck_assert_msg(strncmp(line, "READY ", 6) == 0, "%s said '%s'", python, line);
}

/* The base of the main thread's local memory, which never changes. */
static ouro_addr thread_base(pid_t pid)
{
    struct user_regs_struct registers = {0};
    int status;
    ck_assert_int_eq(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
    ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
    ck_assert_int_eq(ptrace(PTRACE_GETREGS, pid, 0, &registers), 0);
    ck_assert_int_eq(ptrace(PTRACE_DETACH, pid, 0, 0), 0);
    return registers.fs_base;
}

static void capture(struct interpreter *interpreter)
{
    struct ouro_err err = {0};
#define MUST(expr) ck_assert_msg((expr) == OURO_OK, "%s: %s", #expr, err.msg)
    MUST(ouro_process_open(&interpreter->process, interpreter->pid, &err));
    MUST(ouro_maps_read(&interpreter->maps, interpreter->pid, false, &err));
    MUST(ouro_modules_read(&interpreter->modules, interpreter->process, &interpreter->maps, &err));
    MUST(ouro_image_plan(&interpreter->image, interpreter->process, NULL, &err));
    MUST(ouro_process_stop(interpreter->process, UINT64_C(20000000000), &err));
    MUST(ouro_image_copy(&interpreter->image, interpreter->process, NULL, &err));
    ouro_process_resume(interpreter->process);
    MUST(ouro_image_finish(&interpreter->image, interpreter->process, &err));
    MUST(ouro_machine_new(&interpreter->machine, &interpreter->image, &interpreter->modules, &err));
    interpreter->fs = thread_base(interpreter->pid);
    ouro_machine_set_fs(interpreter->machine, interpreter->fs);
    for (size_t i = 0; i < interpreter->modules.count && !interpreter->type_type; i++)
        if (ouro_module_symbol(&interpreter->modules.items[i], "PyType_Type", &interpreter->type_type, NULL) != OURO_OK)
            interpreter->type_type = 0;
    ck_assert_msg(interpreter->type_type != 0, "no PyType_Type");
}

static void end(struct interpreter *interpreter)
{
    ouro_machine_free(interpreter->machine);
    ouro_image_fini(&interpreter->image);
    ouro_modules_fini(&interpreter->modules);
    ouro_maps_fini(&interpreter->maps);
    ouro_process_close(interpreter->process);
    close(interpreter->to);
    close(interpreter->from);
    kill(interpreter->pid, SIGKILL);
    waitpid(interpreter->pid, NULL, 0);
}

static uint64_t word_at(const struct interpreter *interpreter, ouro_addr addr)
{
    uint64_t word = 0;
    if (addr & 7 || ouro_space_read(&interpreter->image.space, addr, &word, sizeof word) != OURO_OK)
        return 0;
    return word;
}

static bool is_type(const struct interpreter *interpreter, ouro_addr addr)
{
    ouro_addr meta = word_at(interpreter, addr + OB_TYPE);
    return meta && (meta == interpreter->type_type || (word_at(interpreter, meta + OB_TYPE) == interpreter->type_type &&
                                                       word_at(interpreter, meta + TP_FLAGS) & TYPE_SUBCLASS));
}

/* Tracked objects are found by their links: the next one's link back points to them. */
static size_t find_objects(const struct interpreter *interpreter, struct traverse_found *found)
{
    const struct ouro_image *image = &interpreter->image;
    size_t count = 0;
    for (uint64_t at = 0; at < (uint64_t)image->page_count << OURO_PAGE_BITS; at += 16) {
        ouro_addr head = ouro_image_addr(image, at), next;
        memcpy(&next, image->bytes + at, sizeof next);
        if (!next || next & 7 || (word_at(interpreter, next + 8) & ~UINT64_C(3)) != head)
            continue;
        ouro_addr type = word_at(interpreter, head + GC_HEAD + OB_TYPE);
        ouro_addr function = type && is_type(interpreter, type) ? word_at(interpreter, type + TP_TRAVERSE) : 0;
        size_t i = 0;
        while (i < count && found[i].function != function)
            i++;
        if (!function || i == TRAVERSES_MAX)
            continue;
        if (i == count)
            found[count++] = (struct traverse_found){.function = function};
        if (found[i].count < OBJECTS_EACH)
            found[i].objects[found[i].count++] = head + GC_HEAD;
    }
    return count;
}

/* ---- The second opinion ---- */

static bool on_unmapped(uc_engine *engine, uc_mem_type type, uint64_t addr, int size, int64_t value, void *context)
{
    const struct second *second = context;
    unsigned char page[OURO_PAGE_BYTES];
    (void)type;
    (void)value;
    bool mapped = false;
    for (uint64_t at = addr & ~(uint64_t)(OURO_PAGE_BYTES - 1); at < addr + (unsigned)size; at += OURO_PAGE_BYTES)
        if (ouro_machine_read(second->interpreter->machine, at, page, sizeof page) &&
            uc_mem_map(engine, at, OURO_PAGE_BYTES, UC_PROT_ALL) == UC_ERR_OK &&
            uc_mem_write(engine, at, page, sizeof page) == UC_ERR_OK)
            mapped = true;
    return mapped;
}

static const int uc_registers[] = {UC_X86_REG_RAX, UC_X86_REG_RCX, UC_X86_REG_RDX, UC_X86_REG_RBX, UC_X86_REG_RSP,
                                   UC_X86_REG_RBP, UC_X86_REG_RSI, UC_X86_REG_RDI, UC_X86_REG_R8,  UC_X86_REG_R9,
                                   UC_X86_REG_R10, UC_X86_REG_R11, UC_X86_REG_R12, UC_X86_REG_R13, UC_X86_REG_R14,
                                   UC_X86_REG_R15, UC_X86_REG_RIP, UC_X86_REG_EFLAGS};

static void second_get(const struct second *second, struct cpu *cpu)
{
    for (unsigned i = 0; i < OURO_MACHINE_REGISTERS; i++) {
        cpu->registers[i] = 0;
        uc_reg_read(second->engine, uc_registers[i], &cpu->registers[i]);
    }
    cpu->registers[RFLAGS] &= FLAGS;
    for (unsigned i = 0; i < 16; i++)
        uc_reg_read(second->engine, UC_X86_REG_XMM0 + (int)i, cpu->vectors[i]);
}

static void second_set(const struct second *second, const struct cpu *cpu)
{
    for (unsigned i = 0; i < OURO_MACHINE_REGISTERS; i++)
        uc_reg_write(second->engine, uc_registers[i], &cpu->registers[i]);
    for (unsigned i = 0; i < 16; i++)
        uc_reg_write(second->engine, UC_X86_REG_XMM0 + (int)i, cpu->vectors[i]);
}

static void machine_get(const struct interpreter *interpreter, struct cpu *cpu)
{
    ouro_machine_registers(interpreter->machine, cpu->registers);
    for (unsigned i = 0; i < 16; i++)
        ouro_machine_vector(interpreter->machine, i, cpu->vectors[i]);
}

static bool decode_at(const struct interpreter *interpreter, ouro_addr at, struct sample *sample)
{
    ZydisDecoder decoder;
    size_t size = ZYDIS_MAX_INSTRUCTION_LENGTH;
    memset(sample, 0, sizeof *sample);
    while (size && !ouro_machine_read(interpreter->machine, at, sample->bytes, size))
        size--;
    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return size && ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, sample->bytes, size, &sample->instruction, sample->operands));
}

static void differ(const struct sample *sample, ouro_addr at, const char *what, uint64_t ours, uint64_t theirs)
{
    if (total.disagreed++ < SHOWN)
        fprintf(stderr, "DISAGREE %s at %#" PRIx64 ": %s %#" PRIx64 ", Unicorn %#" PRIx64 "\n",
                ZydisMnemonicGetString(sample->instruction.mnemonic), at, what, ours, theirs);
}

static void compare(const struct sample *sample, const struct cpu *before, const struct cpu *ours, const struct cpu *theirs)
{
    char what[32];
    bool destination;
    uint64_t undefined = generate_undefined(sample, before, ours, &destination);
    for (unsigned i = 0; i <= RIP && !destination; i++) {
        snprintf(what, sizeof what, "register %u", i);
        if (ours->registers[i] != theirs->registers[i])
            differ(sample, before->registers[RIP], what, ours->registers[i], theirs->registers[i]);
    }
    if ((ours->registers[RFLAGS] ^ theirs->registers[RFLAGS]) & ~undefined & FLAGS)
        differ(sample, before->registers[RIP], "flags", ours->registers[RFLAGS], theirs->registers[RFLAGS]);
    for (unsigned i = 0; i < 16; i++)
        if (memcmp(ours->vectors[i], theirs->vectors[i], 16) != 0)
            differ(sample, before->registers[RIP], "vector", ours->vectors[i][0], theirs->vectors[i][0]);
}

/* A function that the machine did as a whole: what its caller may look at must be the same. */
static void compare_whole(const struct second *second, const struct sample *sample, const struct cpu *before,
                          const struct cpu *ours)
{
    static const unsigned kept[] = {0, 3, 4, 5, 12, 13, 14, 15};
    struct cpu theirs;
    uint64_t rip = 0;
    uc_reg_read(second->engine, UC_X86_REG_RIP, &rip);
    if (uc_emu_start(second->engine, rip, ours->registers[RIP], 0, 1000000) != UC_ERR_OK) {
        total.lacked++;
        return;
    }
    second_get(second, &theirs);
    total.whole++;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        if (ours->registers[kept[i]] != theirs.registers[kept[i]])
            differ(sample, before->registers[RIP], "after a whole function", ours->registers[kept[i]],
                   theirs.registers[kept[i]]);
}

static bool step(struct second *second, enum ouro_machine_end *how)
{
    struct interpreter *interpreter = second->interpreter;
    struct cpu before, ours, theirs;
    struct sample sample;
    machine_get(interpreter, &before);
    if (before.registers[RIP] == OURO_MACHINE_VISIT) {
        if (second->visit_count < VISITS_MAX)
            uc_reg_read(second->engine, UC_X86_REG_RDI, &second->visits[second->visit_count++]);
        bool more = ouro_machine_step(interpreter->machine, how);
        machine_get(interpreter, &ours);
        second_set(second, &ours);
        return more;
    }
    bool decoded = decode_at(interpreter, before.registers[RIP], &sample);
    uc_err error = uc_emu_start(second->engine, before.registers[RIP], UINT64_MAX, 0, 1);
    bool more = ouro_machine_step(interpreter->machine, how);
    if (!more)
        return false;
    machine_get(interpreter, &ours);
    second_get(second, &theirs);
    total.steps++;
    if (!decoded || error == UC_ERR_INSN_INVALID) {
        total.lacked++;
    } else if (theirs.registers[RIP] != ours.registers[RIP] && ours.registers[4] == before.registers[4] + 8 &&
               sample.instruction.meta.category != ZYDIS_CATEGORY_RET) {
        compare_whole(second, &sample, &before, &ours);
    } else {
        /* A slot that the dynamic linker has not filled in yet: there the machine knows better. */
        if (theirs.registers[RIP] != ours.registers[RIP] && sample.instruction.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE &&
            sample.operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY) {
            theirs.registers[RIP] = ours.registers[RIP];
            total.settled++;
        }
        compare(&sample, &before, &ours, &theirs);
    }
    second_set(second, &ours); /* what is undefined shall not spread */
    return true;
}

static bool compare_call(struct interpreter *interpreter, ouro_addr function, ouro_addr object)
{
    struct second second = {.interpreter = interpreter};
    struct ouro_machine_budget budget = ouro_machine_default_budget;
    struct cpu begin;
    uc_hook hook;
    enum ouro_machine_end how = OURO_MACHINE_RETURNED;
    budget.instructions = STEPS_MAX;
    struct ouro_machine_call call = {.function = function,
                                     .arguments = {object, OURO_MACHINE_VISIT, 0},
                                     .subject = object,
                                     .constant_offset = OB_TYPE,
                                     .budget = &budget};
    ck_assert_int_eq(uc_open(UC_ARCH_X86, UC_MODE_64, &second.engine), UC_ERR_OK);
    ck_assert_int_eq(uc_hook_add(second.engine, &hook, UC_HOOK_MEM_UNMAPPED, (void *)(uintptr_t)on_unmapped, &second, 1, 0),
                     UC_ERR_OK);
    uc_reg_write(second.engine, UC_X86_REG_FS_BASE, &interpreter->fs);
    ouro_machine_begin(interpreter->machine, &call);
    machine_get(interpreter, &begin);
    second_set(&second, &begin);
    uint64_t disagreed = total.disagreed;
    for (int i = 0; i < STEPS_MAX && total.disagreed == disagreed && step(&second, &how); i++)
        ;
    uc_close(second.engine);
    total.calls++;
    size_t count = 0, made = 0;
    const struct ouro_machine_visit *visits = ouro_machine_visits(interpreter->machine, &count);
    for (size_t i = 0; i < count && made < second.visit_count; i++)
        if (visits[i].addr) {
            ck_assert_uint_eq(visits[i].addr, second.visits[made]);
            made++;
        }
    if (how != OURO_MACHINE_RETURNED && how < OURO_MACHINE_END_COUNT && how != OURO_MACHINE_INSTRUCTIONS)
        printf("traverse at %#" PRIx64 " ended with %s at %#" PRIx64 "\n", function, ouro_machine_end_name(how),
               ouro_machine_at(interpreter->machine));
    return how == OURO_MACHINE_RETURNED || how == OURO_MACHINE_INSTRUCTIONS || how >= OURO_MACHINE_END_COUNT;
}

START_TEST(traverse_functions_of_interpreters_run_as_in_unicorn)
{
    OURO_FREE char *list = strdup(getenv("OURO_TEST_PYTHONS"));
    for (char *python = strtok(list, ":"); python; python = strtok(NULL, ":")) {
        struct interpreter interpreter = {0};
        OURO_FREE struct traverse_found *found = calloc(TRAVERSES_MAX, sizeof *found);
        memset(&total, 0, sizeof total);
        start(&interpreter, python);
        capture(&interpreter);
        size_t count = find_objects(&interpreter, found), unfinished = 0;
        for (size_t i = 0; i < count; i++)
            for (unsigned j = 0; j < found[i].count; j++)
                unfinished += !compare_call(&interpreter, found[i].function, found[i].objects[j]);
        printf("%s: %zu traverse functions, %" PRIu64 " calls, %" PRIu64 " instructions, %" PRIu64 " slots settled, %" PRIu64
               " functions as a whole, %" PRIu64 " instructions that Unicorn lacks, %zu calls unfinished\n",
               python, count, total.calls, total.steps, total.settled, total.whole, total.lacked, unfinished);
        end(&interpreter);
        ck_assert_uint_ge(count, 40);
        ck_assert_uint_eq(total.disagreed, 0);
        /* The main thread stands without the interpreter's lock, so what asks for its state (3.10's structseq_traverse) faults in
         * both. */
        ck_assert_uint_le(unfinished * 50, total.calls);
    }
}
END_TEST

int main(void)
{
    const char *pythons = getenv("OURO_TEST_PYTHONS");
    if (!pythons || !*pythons) {
        puts("skipped: no interpreter in OURO_TEST_PYTHONS");
        return 77;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* a failed check ends its process at once */
    Suite *suite = suite_create("emulate: unicorn");
    TCase *tcase = tcase_create("interpreters");
    tcase_set_timeout(tcase, 600);
    tcase_add_test(tcase, traverse_functions_of_interpreters_run_as_in_unicorn);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
#elif CAN_EMULATE
int main(void)
{
    puts("skipped: this build has no Unicorn (libunicorn-dev)");
    return 77;
}
#else
int main(void)
{
    return skip_emulation();
}
#endif
