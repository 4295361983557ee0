/* A program that is bound lazily. It loads libraries beside itself as its first argument says ("local"; "global": base
 * is visible to all; "promoted": it becomes so later), prints each slot of each module with its value, and the
 * addresses that dlsym and dlvsym give; then does all calls and prints the slots again when a line comes; then waits
 * for its input to end. */
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ouro_interposed(void);
int ouro_chosen(void);
int ouro_one_calls(void);
int ouro_two_calls(void);
int ouro_versioned(void);
int ouro_versioned_of_old(void);
__asm__(".symver ouro_versioned_of_old, ouro_versioned@OURO_1");

static int (*late_calls)(int);
static int (*base_calls)(void);
static int (*plugin_calls)(void);

static const char *directory;

static void *load(const char *part, int flags)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/libresolve_%s.so", directory, part);
    void *library = dlopen(path, RTLD_LAZY | flags);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        exit(1);
    }
    return library;
}

static void print_table(const struct dl_phdr_info *info, const char *table, size_t size, const Elf64_Sym *symbols,
                        const char *names)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    for (size_t i = 0; table && i < size / sizeof(Elf64_Rela); i++) {
        Elf64_Rela entry;
        uintptr_t value;
        memcpy(&entry, table + i * sizeof entry, sizeof entry);
        unsigned type = (unsigned)ELF64_R_TYPE(entry.r_info);
        if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
            continue;
        memcpy(&value, (const char *)(info->dlpi_addr + entry.r_offset), sizeof value);
        printf("slot %lx %lx %u %s %s\n", (unsigned long)(info->dlpi_addr + entry.r_offset), (unsigned long)value, type,
               names + symbols[ELF64_R_SYM(entry.r_info)].st_name,
               slash              ? slash + 1
               : *info->dlpi_name ? info->dlpi_name
                                  : "program");
    }
}

static int print_slots(struct dl_phdr_info *info, size_t info_size, void *unused)
{
    const char *base = (const char *)info->dlpi_addr, *tags[DT_NUM] = {0};
    uint64_t values[DT_NUM] = {0};
    (void)info_size;
    (void)unused;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type != PT_DYNAMIC)
            continue;
        for (const Elf64_Dyn *entry = (const void *)(base + info->dlpi_phdr[i].p_vaddr); entry->d_tag; entry++) {
            if (entry->d_tag < 0 || entry->d_tag >= DT_NUM)
                continue;
            values[entry->d_tag] = entry->d_un.d_val; /* relocated by the linker, but not the vdso's */
            tags[entry->d_tag] = (const char *)entry->d_un.d_ptr;
            if (entry->d_un.d_ptr < info->dlpi_addr)
                tags[entry->d_tag] += info->dlpi_addr;
        }
    }
    const void *symbols = tags[DT_SYMTAB];
    print_table(info, values[DT_JMPREL] ? tags[DT_JMPREL] : NULL, values[DT_PLTRELSZ], symbols, tags[DT_STRTAB]);
    print_table(info, values[DT_RELA] ? tags[DT_RELA] : NULL, values[DT_RELASZ], symbols, tags[DT_STRTAB]);
    return 0;
}

static void say(void)
{
    dl_iterate_phdr(print_slots, NULL);
    printf("end\n");
    fflush(stdout);
}

static void print_truth(void *plugin, void *base)
{
    printf("truth chooser %lx\n", (unsigned long)dlsym(RTLD_DEFAULT, "ouro_chooser"));
    printf("truth interposed %lx\n", (unsigned long)dlsym(RTLD_DEFAULT, "ouro_interposed"));
    printf("truth first %lx\n", (unsigned long)dlvsym(RTLD_DEFAULT, "ouro_versioned", "OURO_1"));
    printf("truth second %lx\n", (unsigned long)dlvsym(RTLD_DEFAULT, "ouro_versioned", "OURO_2"));
    printf("truth base %lx\n", (unsigned long)dlsym(base, "ouro_base_function"));
    printf("truth plugin %lx\n", (unsigned long)dlsym(plugin, "ouro_plugin_function"));
}

/* Who answers, by the numbers in resolve_library.c: else this program's own idea of the truth is wrong. A preloaded
 * one interposes itself. */
static int calls_go_where_they_should(int is_global, int interposed, char *text)
{
    strcpy(text, "text"); /* of libc, and chosen by a resolver */
    return ouro_interposed() == interposed && ouro_chosen() == 11 && ouro_versioned() == 22 &&
           ouro_versioned_of_old() == 21 && ouro_one_calls() == interposed + 1 && ouro_two_calls() == interposed + 12 &&
           base_calls() == interposed + 41 && plugin_calls() >= interposed + 54 &&
           late_calls(is_global ? 2 : 0) == interposed + (is_global ? 52 : 21);
}

int main(int argc, char **argv)
{
    char line[64], text[64];
    if (argc < 3)
        return 2;
    int is_global = strcmp(argv[1], "local") != 0;
    directory = argv[2];
    void *base = strcmp(argv[1], "global") == 0 ? load("base", RTLD_GLOBAL) : NULL;
    void *plugin = load("plugin", RTLD_LOCAL);
    base = base ? base : load("base", is_global ? RTLD_GLOBAL : RTLD_LOCAL);
    *(void **)&late_calls = dlsym(load("late", RTLD_LOCAL), "ouro_late_calls");
    *(void **)&base_calls = dlsym(base, "ouro_base_calls");
    *(void **)&plugin_calls = dlsym(plugin, "ouro_plugin_calls");
    print_truth(plugin, base);
    say();
    while (fgets(line, sizeof line, stdin)) {
        memcpy(text, line, strlen(line) + 1); /* called, since -fno-builtin-memcpy */
        if (!calls_go_where_they_should(is_global, atoi(line), text))
            return 3;
        printf("did %s\n", text);
        say();
    }
    return 0;
}
