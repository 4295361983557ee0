#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "target/elf_file.h"
#include "target/links.h"
#include "target/memory_elf.h"
#include "target/module.h"

/* The same process twice: its files read, and its files not to be found (their inode numbers changed). */
struct target {
    struct ouro_process *process;
    struct ouro_maps maps;
    struct ouro_modules modules;
};

static struct ouro_err err;

static void target_open(struct target *target, pid_t pid, bool without_files)
{
    memset(target, 0, sizeof *target);
    target->process = must_open(pid);
    ASSERT_OK(ouro_maps_read(&target->maps, pid, false, &err));
    for (size_t i = 0; without_files && i < target->maps.count; i++)
        if (target->maps.items[i].inode)
            target->maps.items[i].inode += UINT64_C(1) << 40;
    ASSERT_OK(ouro_modules_read(&target->modules, target->process, &target->maps, &err));
}

static void target_close(struct target *target)
{
    ouro_modules_fini(&target->modules);
    ouro_maps_fini(&target->maps);
    ouro_process_close(target->process);
}

START_TEST(what_is_read_from_memory_is_what_the_file_says)
{
    struct child child = child_start(child_rest);
    struct target files, memory;
    static const char *const names[] = {"malloc", "printf", "environ", "stdout", "_dl_find_object", "pthread_create",
                                        "elf_begin", "no_such_symbol"};
    target_open(&files, child.pid, false);
    target_open(&memory, child.pid, true);
    ck_assert_uint_ge(files.modules.count, 4); /* program, loader, libc, libelf */
    ck_assert_uint_eq(files.modules.count, memory.modules.count);
    size_t found = 0, ids = 0;
    for (size_t i = 0; i < files.modules.count; i++) {
        struct ouro_module *file = &files.modules.items[i], *made = &memory.modules.items[i];
        ouro_addr true_addr = 0, addr = 0;
        uint64_t true_size = 0, size = 0;
        ck_assert_str_eq(file->path, made->path);
        ck_assert_uint_eq(file->bias, made->bias);
        ck_assert_uint_eq(file->start, made->start);
        ck_assert_uint_eq(file->end, made->end);
        ck_assert(file->dynamic == made->dynamic);
        for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
            enum ouro_status status = ouro_module_symbol(file, names[k], &true_addr, &true_size);
            ck_assert_int_eq(ouro_module_symbol(made, names[k], &addr, &size), status);
            if (status == OURO_OK) {
                ck_assert_uint_eq(addr, true_addr);
                ck_assert_uint_eq(size, true_size);
                found++;
            }
        }
        if (ouro_module_section(file, ".note.gnu.build-id", &true_addr, &true_size) == OURO_OK) {
            ASSERT_OK(ouro_module_section(made, ".note.gnu.build-id", &addr, &size));
            ck_assert_uint_eq(addr, true_addr);
            ck_assert_uint_eq(size, true_size);
            ids++;
        }
        const struct ouro_links *true_links = ouro_links_get(file->elf), *links = ouro_links_get(made->elf);
        ck_assert_uint_eq(links->needed.count, true_links->needed.count);
        for (size_t k = 0; k < links->needed.count; k++)
            ck_assert_str_eq(links->needed.items[k], true_links->needed.items[k]);
        ck_assert(!links->soname == !true_links->soname);
        ck_assert(!links->soname || strcmp(links->soname, true_links->soname) == 0);
        ck_assert_uint_eq(links->debug, true_links->debug);
    }
    ck_assert_uint_ge(found, 5);
    ck_assert_uint_ge(ids, 2);
    target_close(&files);
    target_close(&memory);
    child_end(&child);
}
END_TEST

struct found {
    size_t slots, versions, definitions;
};

/* Each slot is asked for in both: the same name, version and definitions. */
static void compare_slot(struct target *files, struct target *memory, size_t i, ouro_addr slot, struct found *found)
{
    struct ouro_module *file = &files->modules.items[i], *made = &memory->modules.items[i];
    struct ouro_reference expected, got;
    struct ouro_definition true_definition, definition;
    enum ouro_status status = ouro_links_reference(file->elf, slot - file->bias, &expected);
    ck_assert_int_eq(ouro_links_reference(made->elf, slot - file->bias, &got), status);
    if (status != OURO_OK)
        return;
    found->slots++;
    ck_assert_str_eq(got.name, expected.name);
    ck_assert_msg(!got.version == !expected.version, "%s: %s", file->path, got.name);
    found->versions += got.version && strcmp(got.version, expected.version) == 0;
    ck_assert(!got.version || strcmp(got.version, expected.version) == 0);
    ck_assert(got.jump == expected.jump && got.weak == expected.weak && got.own == expected.own);
    for (size_t k = 0; k < files->modules.count; k++) {
        status = ouro_links_definition(files->modules.items[k].elf, &expected, &true_definition);
        ck_assert_int_eq(ouro_links_definition(memory->modules.items[k].elf, &got, &definition), status);
        if (status != OURO_OK)
            continue;
        ck_assert_uint_eq(definition.value, true_definition.value);
        found->definitions++;
    }
}

START_TEST(relocations_and_versions_are_those_of_the_file)
{
    struct child child = child_start(child_rest);
    struct target files, memory;
    struct found found = {0};
    target_open(&files, child.pid, false);
    target_open(&memory, child.pid, true);
    for (size_t i = 0; i < files.modules.count; i++)
        for (size_t k = 0; k < files.maps.count; k++) {
            const struct ouro_mapping *mapping = &files.maps.items[k];
            if (mapping->executable || !mapping->inode || ouro_modules_find(&files.modules, mapping->start) !=
                                                              &files.modules.items[i])
                continue;
            for (ouro_addr slot = mapping->start; slot < mapping->end; slot += 8)
                compare_slot(&files, &memory, i, slot, &found);
        }
    ck_assert_uint_ge(found.slots, 20);
    ck_assert_uint_ge(found.versions, 10);
    ck_assert_uint_ge(found.definitions, 20);
    target_close(&files);
    target_close(&memory);
    child_end(&child);
}
END_TEST

/* A mapped file in a buffer, at another address. */
struct copy {
    unsigned char *bytes;
    ouro_addr start;
    size_t size;
};

static enum ouro_status read_copy(const struct ouro_space *space, ouro_addr addr, void *out, size_t size)
{
    const struct copy *copy = space->context;
    if (addr < copy->start || addr - copy->start > copy->size || size > copy->size - (addr - copy->start))
        return OURO_FAULT;
    memcpy(out, copy->bytes + (addr - copy->start), size);
    return OURO_OK;
}

static struct copy copy_libelf(void)
{
    struct copy copy = {0};
    struct ouro_maps maps;
    Dl_info info;
    ck_assert(dladdr((void *)elf_begin, &info));
    ASSERT_OK(ouro_maps_read(&maps, getpid(), false, &err));
    copy.start = (ouro_addr)(uintptr_t)info.dli_fbase;
    for (size_t i = 0; i < maps.count; i++) {
        const struct ouro_mapping *mapping = &maps.items[i];
        if (strcmp(mapping->path, maps.items[0].path) == 0 || mapping->start < copy.start || !mapping->readable ||
            strcmp(mapping->path, ouro_maps_find(&maps, copy.start)->path) != 0)
            continue;
        copy.size = mapping->end - copy.start;
        copy.bytes = realloc(copy.bytes, copy.size);
        ck_assert_ptr_nonnull(copy.bytes);
        memcpy(copy.bytes + (mapping->start - copy.start), (void *)(uintptr_t)mapping->start,
               mapping->end - mapping->start);
    }
    ouro_maps_fini(&maps);
    return copy;
}

/* Bytes of the tables that lead to the others: headers, the dynamic segment, the hash table. */
START_TEST(hostile_memory_gives_a_file_or_none)
{
    struct copy copy = copy_libelf();
    struct ouro_space space = {read_copy, &copy};
    struct ouro_mapping mapping = {
        .start = copy.start, .end = copy.start + copy.size, .inode = 1, .readable = true, .path = "x"};
    unsigned seed = (unsigned)now_ns();
    int fd = ouro_memory_elf_open(&space, &mapping), made = 0;
    ck_assert_int_ge(fd, 0);
    close(fd);
    printf("seed %u\n", seed);
    srand(seed);
    Elf64_Ehdr header;
    memcpy(&header, copy.bytes, sizeof header);
    uint64_t dynamic = 0;
    for (size_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr segment;
        memcpy(&segment, copy.bytes + header.e_phoff + i * sizeof segment, sizeof segment);
        if (segment.p_type == PT_DYNAMIC)
            dynamic = segment.p_vaddr;
    }
    for (int i = 0; i < 4000; i++) {
        size_t at = i % 3 == 0   ? (size_t)rand() % 0x400
                    : i % 3 == 1 ? dynamic + (size_t)rand() % 0x200
                                 : (size_t)rand() % copy.size;
        unsigned char old = copy.bytes[at];
        copy.bytes[at] = i & 1 ? (unsigned char)rand() : 0xff;
        fd = ouro_memory_elf_open(&space, &mapping);
        if (fd >= 0) {
            made++;
            close(fd);
        }
        copy.bytes[at] = old;
    }
    ck_assert_int_gt(made, 100);
    ck_assert_int_lt(made, 4000);
    for (size_t size = copy.size, i = 0; i < 200; i++) { /* cut short */
        copy.size = i < 100 ? i * 64 : (size_t)rand() % size;
        fd = ouro_memory_elf_open(&space, &mapping);
        if (fd >= 0)
            close(fd);
        if (i == 199)
            copy.size = size;
    }
    free(copy.bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: ELF files from memory");
    TCase *tests = tcase_create("memory_elf");
    tcase_add_test(tests, what_is_read_from_memory_is_what_the_file_says);
    tcase_add_test(tests, relocations_and_versions_are_those_of_the_file);
    tcase_add_test(tests, hostile_memory_gives_a_file_or_none);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
