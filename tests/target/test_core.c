/* Cores: of a child that we know, written by Linux; and made by hand, with whatever damage. */
#include <check.h>
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "child.h"
#include "target/core.h"
#include "target/module.h"

#define SEGMENTS_MAX 16

unsigned long core_test_word = 77;

/* --- Made by hand. */

struct part {
    ouro_addr addr;
    uint64_t offset, filled, size; /* filled: bytes that the file has */
    uint32_t flags;
};

struct made {
    struct ouro_buf bytes;
    struct part parts[SEGMENTS_MAX];
    size_t count, notes_offset, notes_bytes;
};

/* No two pages alike, and no zeroes. */
static unsigned char pattern(ouro_addr addr)
{
    return (unsigned char)((addr / PAGE * 31 + addr % PAGE * 7) % 255 + 1);
}

static void add_note(struct ouro_buf *notes, unsigned type, const void *bytes, size_t size)
{
    Elf64_Nhdr note = {.n_namesz = 5, .n_descsz = (Elf64_Word)size, .n_type = type};
    ouro_buf_add(notes, &note, sizeof note);
    ouro_buf_add(notes, "CORE\0\0\0", 8);
    ouro_buf_add(notes, bytes, size);
    while (notes->size % 4)
        ouro_buf_add_byte(notes, 0);
}

static void add_notes(struct ouro_buf *notes, const struct made *made)
{
    struct elf_prstatus thread = {.pr_pid = 4711};
    struct elf_prpsinfo process = {.pr_pid = 4711};
    const uint64_t vector[] = {AT_PAGESZ, PAGE, AT_ENTRY, made->parts[0].addr + 8, AT_NULL, 0};
    struct ouro_buf files = {0};
    thread.pr_reg[15] = 34; /* orig_rax: pause */
    thread.pr_reg[10] = (unsigned long long)-514; /* rax: to be begun again, ERESTARTNOHAND */
    thread.pr_reg[14] = 0x1234; /* rdi */
    thread.pr_reg[21] = 0x7777000; /* fs_base */
    strcpy(process.pr_fname, "sixteen letters");
    strcpy(process.pr_psargs, "one two ");
    add_note(notes, NT_PRSTATUS, &thread, sizeof thread);
    add_note(notes, NT_PRPSINFO, &process, sizeof process);
    thread.pr_pid = 4712;
    thread.pr_reg[10] = 0; /* it has ended */
    add_note(notes, NT_PRSTATUS, &thread, sizeof thread);
    add_note(notes, NT_AUXV, vector, sizeof vector);
    const uint64_t words[] = {2, PAGE, made->parts[0].addr, made->parts[0].addr + PAGE, 0, 0x7000000, 0x7003000, 5};
    ouro_buf_add(&files, words, sizeof words);
    ouro_buf_add(&files, "/no/such/program\0/no/such/library", 34);
    add_note(notes, NT_FILE, files.data, files.size);
    ouro_buf_fini(&files);
}

/* The parts' bytes follow each other from `skew` bytes behind a page on, with `gaps` bytes between them. */
static void make(struct made *made, size_t skew, size_t gaps)
{
    struct ouro_buf notes = {0}, *out = &made->bytes;
    Elf64_Ehdr header = {.e_type = ET_CORE,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof header,
                         .e_ehsize = sizeof header,
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = (Elf64_Half)(made->count + 1)};
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    add_notes(&notes, made);
    made->notes_offset = sizeof header + (made->count + 1) * sizeof(Elf64_Phdr);
    made->notes_bytes = notes.size;
    uint64_t offset = ((made->notes_offset + notes.size) / PAGE + 1) * PAGE + skew;
    ouro_buf_add(out, &header, sizeof header);
    ouro_buf_add(out,
                 &(Elf64_Phdr){.p_type = PT_NOTE, .p_offset = made->notes_offset, .p_filesz = notes.size, .p_align = 4},
                 sizeof(Elf64_Phdr));
    for (size_t i = 0; i < made->count; i++) {
        struct part *part = &made->parts[i];
        part->offset = offset;
        offset += part->filled + gaps;
        const Elf64_Phdr segment = {.p_type = PT_LOAD,
                                    .p_flags = part->flags,
                                    .p_offset = part->offset,
                                    .p_vaddr = part->addr,
                                    .p_filesz = part->filled,
                                    .p_memsz = part->size,
                                    .p_align = 1};
        ouro_buf_add(out, &segment, sizeof segment);
    }
    ouro_buf_add(out, notes.data, notes.size);
    ouro_buf_fini(&notes);
    for (size_t i = 0; i < made->count; i++) {
        while (out->size < made->parts[i].offset)
            ouro_buf_add_byte(out, 0);
        for (uint64_t at = 0; at < made->parts[i].filled; at++)
            ouro_buf_add_byte(out, pattern(made->parts[i].addr + at));
    }
    ck_assert(!out->failed);
}

static struct made made_default(size_t skew, size_t gaps)
{
    struct made made = {
        .parts = {{0x400000, 0, PAGE, PAGE, PF_R},
                  {0x401000, 0, 3 * PAGE, 3 * PAGE, PF_R | PF_W},
                  {0x404000, 0, 2 * PAGE, 2 * PAGE, PF_R | PF_W}, /* right behind it */
                  {0x600000, 0, 0, 4 * PAGE, PF_R | PF_W}, /* left out */
                  {0x700000, 0, PAGE, 2 * PAGE, PF_R | PF_W}, /* half of it */
                  {0x7fff00000000, 0, 2 * PAGE, 2 * PAGE, PF_R | PF_W},
                  {0xffffffffff600000, 0, PAGE, PAGE, PF_R | PF_X}},
        .count = 7
    };
    make(&made, skew, gaps);
    return made;
}

/* --- Opened. */

struct opened {
    struct ouro_core *core;
    struct ouro_image image;
    struct ouro_maps maps;
    struct ouro_modules modules;
};

static void close_all(struct opened *opened)
{
    ouro_modules_fini(&opened->modules);
    ouro_maps_fini(&opened->maps);
    ouro_image_fini(&opened->image);
    ouro_core_close(opened->core);
}

static enum ouro_status open_all(struct opened *opened, const char *path, struct ouro_err *err)
{
    memset(opened, 0, sizeof *opened);
    OURO_TRY(ouro_core_open(&opened->core, path, NULL, err));
    OURO_TRY(ouro_image_of_core(&opened->image, opened->core, err));
    OURO_TRY(ouro_core_maps(opened->core, &opened->maps, err));
    return ouro_modules_read_core(&opened->modules, opened->core, &opened->maps, err);
}

static int file_of(const void *bytes, size_t size, char path[64])
{
    int fd = memfd_create("core", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void open_made(const struct made *made, struct opened *opened)
{
    struct ouro_err err = {0};
    char path[64];
    int fd = file_of(made->bytes.data, made->bytes.size, path);
    ASSERT_OK(open_all(opened, path, &err));
    close(fd);
}

/* What must hold of any core that was opened: everything is in order, and all that is promised can be read. */
static unsigned long check_all(struct opened *opened)
{
    const struct ouro_image *image = &opened->image;
    unsigned long sum = 0;
    char text[64];
    for (uint32_t i = 0; i < image->page_count; i++) {
        ck_assert(!i || image->page_addr[i - 1] < image->page_addr[i]);
        ck_assert_uint_eq(ouro_image_page(image, image->page_addr[i]), i);
        for (size_t at = 0; at < PAGE; at += 64)
            sum += image->bytes[(size_t)i * PAGE + at];
        sum += image->bytes[(size_t)i * PAGE + PAGE - 1];
    }
    for (size_t i = 0; i < opened->maps.count; i++) {
        const struct ouro_mapping *mapping = &opened->maps.items[i];
        ck_assert_uint_lt(mapping->start, mapping->end);
        ck_assert(!i || opened->maps.items[i - 1].end <= mapping->start);
        ck_assert_uint_le(mapping->end, UINT64_C(1) << 47);
        ck_assert_ptr_nonnull(mapping->path);
        sum += ouro_space_read_text(&image->space, mapping->start, text, sizeof text) == OURO_OK;
        sum += ouro_space_read(&image->space, mapping->end - 8, text, 16) == OURO_OK;
        ck_assert_int_eq(ouro_core_file(opened->core, mapping), -1);
    }
    struct ouro_buf words = {0};
    ouro_core_add_lacks(opened->core, &words);
    sum += words.size;
    words.size = 0;
    sum += ouro_core_holds(opened->core, image, 0x401000, 0x10000, &words);
    ouro_buf_fini(&words);
    ck_assert_uint_eq(opened->modules.count, 0);
    return sum;
}

static void check_page(const struct ouro_image *image, ouro_addr addr)
{
    const unsigned char *page = ouro_image_at(image, addr, PAGE);
    ck_assert_msg(page != NULL, "no page at %#llx", (unsigned long long)addr);
    for (size_t i = 0; i < PAGE; i++)
        ck_assert_msg(page[i] == pattern(addr + i), "byte %zu of the page at %#llx", i, (unsigned long long)addr);
}

static void check_made(const struct made *made)
{
    struct opened opened;
    const struct ouro_image *image = &opened.image;
    struct ouro_err err = {0};
    unsigned char bytes[2 * PAGE];
    open_made(made, &opened);
    check_all(&opened);
    for (size_t i = 0; i + 1 < made->count; i++)
        for (uint64_t at = 0; at < made->parts[i].filled; at += PAGE)
            check_page(image, made->parts[i].addr + at);
    ck_assert_uint_eq(image->page_count, 9);
    ck_assert_ptr_nonnull(ouro_image_at(image, 0x403ff0, 32)); /* over the seam of two segments */
    ck_assert_mem_eq(ouro_image_at(image, 0x403ff0, 32) + 16, ouro_image_at(image, 0x404000, 16), 16);
    ck_assert_ptr_null(ouro_image_at(image, 0x405ff0, 32));
    ck_assert_int_eq(ouro_space_read(&image->space, 0x600000, bytes, 8), OURO_FAULT); /* and no zeroes */
    ck_assert_int_eq(ouro_space_read(&image->space, 0x701000, bytes, 8), OURO_FAULT);
    ck_assert_int_eq(ouro_space_read(&image->space, 0x700ff0, bytes, 32), OURO_FAULT);
    ASSERT_OK(ouro_space_read(&opened.core->space, 0x403800, bytes, PAGE));
    for (size_t i = 0; i < PAGE; i++)
        ck_assert_uint_eq(bytes[i], pattern(0x403800 + i));
    close_all(&opened);
}

START_TEST(segments_are_mapped_wherever_they_begin_in_the_file)
{
    static const size_t skews[] = {0, 1, 8, 0x7e8, PAGE - 1};
    static const size_t gaps[] = {0, PAGE, 3 * PAGE, 40, 1};
    for (size_t i = 0; i < sizeof skews / sizeof *skews; i++)
        for (size_t k = 0; k < sizeof gaps / sizeof *gaps; k++) {
            struct made made = made_default(skews[i], gaps[k]);
            check_made(&made);
            ouro_buf_fini(&made.bytes);
        }
}
END_TEST

START_TEST(notes_tell_of_the_process)
{
    struct made made = made_default(0, 0);
    struct opened opened;
    open_made(&made, &opened);
    const struct ouro_core *core = opened.core;
    ck_assert_int_eq(core->pid, 4711);
    ck_assert_str_eq(core->name, "sixteen letters");
    ck_assert_str_eq(core->command, "one two"); /* there is no stack */
    ck_assert_uint_eq(core->threads.count, 2);
    ck_assert_int_eq(core->threads.items[0].tid, 4711);
    ck_assert_str_eq(core->threads.items[0].comm, "sixteen letters");
    ck_assert_int_eq(core->threads.items[0].syscall, 34);
    ck_assert_int_eq(core->threads.items[0].state, 'S');
    ck_assert_uint_eq(core->threads.items[0].arguments[0], 0x1234);
    ck_assert_uint_eq(core->threads.items[0].base, 0x7777000);
    ck_assert_int_eq(core->threads.items[1].tid, 4712);
    ck_assert_str_eq(core->threads.items[1].comm, "");
    ck_assert_int_eq(core->threads.items[1].syscall, -1);
    ck_assert_int_eq(core->threads.items[1].state, 'R');
    ck_assert_uint_eq(core->entry, 0x400008);
    ck_assert_uint_eq(core->files.count, 2);
    ck_assert_str_eq(core->files.items[0].path, "/no/such/library");
    const struct ouro_mapping *mapping = ouro_maps_find(&opened.maps, 0x7001000);
    ck_assert_ptr_nonnull(mapping);
    ck_assert_str_eq(mapping->path, "/no/such/library");
    ck_assert_uint_eq(mapping->offset, 5 * PAGE);
    ck_assert(!mapping->readable);
    mapping = ouro_maps_find(&opened.maps, 0x400000);
    ck_assert_str_eq(mapping->path, "/no/such/program");
    ck_assert(mapping->readable && !mapping->writable && mapping->end == 0x401000);
    close_all(&opened);
    ouro_buf_fini(&made.bytes);
}
END_TEST

START_TEST(of_segments_that_overlap_the_first_has_the_pages)
{
    struct made made = {
        .parts = {{0x400000, 0, 4 * PAGE, 4 * PAGE, PF_R},
                  {0x402000, 0, 4 * PAGE, 4 * PAGE, PF_R | PF_W},
                  {0x401000, 0, PAGE, PAGE, PF_R}},
        .count = 3
    };
    make(&made, 0, 0);
    made.bytes.data[made.parts[1].offset + 2 * PAGE] = 0; /* of page 0x404000 */
    struct opened opened;
    open_made(&made, &opened);
    check_all(&opened);
    ck_assert_uint_eq(opened.image.page_count, 6);
    for (ouro_addr addr = 0x400000; addr < 0x404000; addr += PAGE)
        check_page(&opened.image, addr);
    check_page(&opened.image, 0x405000);
    ck_assert_uint_eq(*ouro_image_at(&opened.image, 0x404000, 1), 0);
    close_all(&opened);
    ouro_buf_fini(&made.bytes);
}
END_TEST

START_TEST(a_core_cut_anywhere_gives_what_it_holds)
{
    struct made made = made_default(0x7e8, 0);
    struct ouro_err err = {0};
    uint32_t last = 0;
    for (size_t size = 0; size <= made.bytes.size; size += size < 700 ? 1 : 397) {
        struct opened opened;
        char path[64];
        int fd = file_of(made.bytes.data, size, path);
        if (open_all(&opened, path, &err) == OURO_OK) {
            check_all(&opened);
            ck_assert_uint_ge(opened.image.page_count, last);
            last = opened.image.page_count;
            ck_assert(opened.core->cut_bytes + opened.image.copied_bytes == UINT64_C(9) * PAGE);
            for (uint32_t i = 0; i < last; i++)
                check_page(&opened.image, opened.image.page_addr[i]);
        } else {
            ck_assert_uint_gt(strlen(err.msg), 0);
            ck_assert_uint_eq(last, 0);
        }
        close_all(&opened);
        close(fd);
    }
    ck_assert_uint_ge(last, 8);
    ouro_buf_fini(&made.bytes);
}
END_TEST

static void open_damaged(const unsigned char *bytes, size_t size, unsigned counts[2])
{
    struct opened opened;
    struct ouro_err err = {0};
    char path[64];
    int fd = file_of(bytes, size, path);
    enum ouro_status status = open_all(&opened, path, &err);
    if (status == OURO_OK)
        check_all(&opened);
    else
        ck_assert_uint_gt(strlen(err.msg), 0);
    counts[status == OURO_OK]++;
    close_all(&opened);
    close(fd);
}

START_TEST(every_byte_of_headers_and_notes_may_be_wrong)
{
    struct made made = made_default(0, 0);
    unsigned counts[2] = {0};
    for (size_t at = 0; at < made.notes_offset + made.notes_bytes; at++) {
        unsigned char damage = at % 2 ? 0x80 : 0xff;
        made.bytes.data[at] ^= damage;
        open_damaged(made.bytes.data, made.bytes.size, counts);
        made.bytes.data[at] ^= damage;
    }
    ck_assert_uint_gt(counts[0], 20);
    ck_assert_uint_gt(counts[1], 1000);
    ouro_buf_fini(&made.bytes);
}
END_TEST

START_TEST(words_of_headers_and_notes_may_be_anything)
{
    static const uint64_t words[] = {0,
                                     1,
                                     PAGE,
                                     0x7fffffff,
                                     0xffffffff,
                                     UINT64_C(1) << 47,
                                     INT64_MAX,
                                     UINT64_MAX,
                                     UINT64_MAX - PAGE + 1,
                                     UINT64_MAX / 24};
    const char *given = getenv("OURO_TEST_SEED");
    unsigned seed = given ? (unsigned)atoi(given) : (unsigned)now_ns(), counts[2] = {0};
    struct made made = made_default(0x7e8, PAGE);
    size_t end = made.notes_offset + made.notes_bytes;
    struct ouro_buf damaged = {0};
    printf("OURO_TEST_SEED=%u\n", seed);
    srandom(seed);
    for (unsigned round = 0; round < 500; round++) {
        damaged.size = 0;
        ouro_buf_add(&damaged, made.bytes.data, made.bytes.size);
        for (long i = random() % 4; i >= 0; i--) {
            uint64_t word = words[(size_t)random() % (sizeof words / sizeof *words)];
            size_t at = 16 + (size_t)random() % (end - 24) / 4 * 4;
            memcpy(damaged.data + at, &word, random() % 2 ? 8 : 4);
        }
        open_damaged(damaged.data, damaged.size, counts);
    }
    ck_assert_uint_gt(counts[0], 10);
    ck_assert_uint_gt(counts[1], 10);
    ouro_buf_fini(&damaged);
    ouro_buf_fini(&made.bytes);
}
END_TEST

START_TEST(a_hole_of_the_file_is_memory_that_nobody_touched)
{
    const uint64_t size = UINT64_C(8) << 20, end = size - 2 * PAGE;
    struct made made = {
        .parts = {{0x400000, 0, PAGE, PAGE, PF_R}, {0x10000000, 0, PAGE, size, PF_R | PF_W}},
          .count = 2
    };
    struct opened opened;
    struct ouro_err err = {0};
    unsigned char bytes[64], zero[64] = {0};
    char path[64];
    make(&made, 0x123, 0);
    uint64_t told = size;
    memcpy(made.bytes.data + sizeof(Elf64_Ehdr) + 2 * sizeof(Elf64_Phdr) + offsetof(Elf64_Phdr, p_filesz), &told, 8);
    int fd = file_of(made.bytes.data, made.bytes.size, path);
    ck_assert_int_eq(ftruncate(fd, (off_t)(made.parts[1].offset + size)), 0);
    for (uint64_t i = end; i < size; i++) {
        bytes[0] = pattern(0x10000000 + i);
        ck_assert_int_eq(pwrite(fd, bytes, 1, (off_t)(made.parts[1].offset + i)), 1);
    }
    ASSERT_OK(open_all(&opened, path, &err));
    check_all(&opened);
    check_page(&opened.image, 0x10000000);
    check_page(&opened.image, 0x10000000 + end);
    check_page(&opened.image, 0x10000000 + end + PAGE);
    ck_assert_uint_lt(opened.image.page_count, 16);
    ASSERT_OK(ouro_space_read(&opened.image.space, 0x10000000 + size / 2, bytes, sizeof bytes));
    ck_assert_mem_eq(bytes, zero, sizeof zero);
    close_all(&opened);
    close(fd);
    ouro_buf_fini(&made.bytes);
}
END_TEST

/* A file whose program headers, and notes, lie behind its first page: patchelf puts them there. */
static int file_with_late_notes(unsigned char page[PAGE], bool other)
{
    unsigned char bytes[2 * PAGE] = {0};
    const Elf64_Phdr segment = {.p_type = PT_NOTE, .p_offset = PAGE + sizeof segment, .p_filesz = 12 + 4 + 4};
    const Elf64_Nhdr note = {.n_namesz = 4, .n_descsz = 4, .n_type = NT_GNU_BUILD_ID};
    Elf64_Ehdr header = {.e_type = ET_DYN, .e_machine = EM_X86_64, .e_phoff = PAGE, .e_phentsize = sizeof segment, .e_phnum = 1};
    char path[64];
    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + PAGE, &segment, sizeof segment);
    memcpy(bytes + PAGE + sizeof segment, &note, sizeof note);
    memcpy(bytes + PAGE + sizeof segment + sizeof note, "GNU\0abcd", 8);
    memcpy(page, bytes, PAGE);
    bytes[PAGE - 1] = other;
    return file_of(bytes, sizeof bytes, path);
}

START_TEST(a_file_whose_notes_the_core_does_not_hold_is_known_by_its_first_page)
{
    for (int other = 0; other < 2; other++) {
        struct made made = made_default(0, 0);
        struct opened opened;
        unsigned char page[PAGE];
        char path[64];
        int fd = file_with_late_notes(page, other), named = fcntl(fd, F_DUPFD_CLOEXEC, 10);
        ck_assert_int_eq(snprintf(path, sizeof path, "/proc/self/fd/%d", named), (int)strlen("/no/such/program"));
        memcpy(made.bytes.data + made.parts[0].offset, page, PAGE);
        unsigned char *words = memmem(made.bytes.data, made.bytes.size, "/no/such/program", strlen(path));
        ck_assert_ptr_nonnull(words);
        memcpy(words, path, strlen(path));
        open_made(&made, &opened);
        const struct ouro_core_file *file = NULL;
        for (size_t i = 0; i < opened.core->files.count; i++)
            if (strcmp(opened.core->files.items[i].path, path) == 0)
                file = &opened.core->files.items[i];
        ck_assert_ptr_nonnull(file);
        ck_assert_int_eq(file->use, other ? OURO_CORE_DIFFERS : OURO_CORE_USED);
        close_all(&opened);
        close(fd);
        close(named);
        ouro_buf_fini(&made.bytes);
    }
}
END_TEST

START_TEST(what_is_no_core_is_refused)
{
    struct made made = made_default(0, 0);
    struct ouro_core *core;
    struct ouro_err err = {0};
    char path[64];
    ck_assert_int_eq(ouro_core_open(&core, "/no/such/core", NULL, &err), OURO_GONE);
    ck_assert_int_eq(ouro_core_open(&core, "/", NULL, &err), OURO_INVAL);
    ck_assert_int_eq(ouro_core_open(&core, "/dev/null", NULL, &err), OURO_INVAL);
    ck_assert_int_eq(ouro_core_open(&core, "/proc/self/exe", NULL, &err), OURO_BADDATA);
    made.bytes.data[offsetof(Elf64_Ehdr, e_machine)] = EM_AARCH64;
    int fd = file_of(made.bytes.data, made.bytes.size, path);
    ck_assert_int_eq(ouro_core_open(&core, path, NULL, &err), OURO_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.msg, "aarch64"));
    close(fd);
    made.bytes.data[offsetof(Elf64_Ehdr, e_machine)] = EM_X86_64;
    made.bytes.data[offsetof(Elf64_Ehdr, e_type)] = ET_REL;
    fd = file_of(made.bytes.data, made.bytes.size, path);
    ck_assert_int_eq(ouro_core_open(&core, path, NULL, &err), OURO_BADDATA);
    ck_assert_ptr_null(core);
    close(fd);
    ouro_core_close(NULL);
    ouro_buf_fini(&made.bytes);
}
END_TEST

/* --- Of a child. */

static bool linux_writes_cores(void)
{
    char pattern_text[128] = "";
    FILE *file = fopen("/proc/sys/kernel/core_pattern", "re");
    const struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
    if (file && !fgets(pattern_text, sizeof pattern_text, file))
        pattern_text[0] = 0;
    if (file)
        fclose(file);
    return pattern_text[0] && !strpbrk(pattern_text, "|/%") && setrlimit(RLIMIT_CORE, &any) == 0;
}

static void crashing(struct shared *shared)
{
    unsigned char *start = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    core_test_word = 78;
    for (size_t i = 0; i < 5 * PAGE; i++)
        start[i] = pattern((ouro_addr)(uintptr_t)start + i);
    start[63 * PAGE] = 1;
    shared->addr[0] = (uintptr_t)start;
    if (chdir((const char *)shared->results)) /* a short path */
        _exit(97);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGABRT, SIG_DFL);
    child_rest(shared);
}

START_TEST(a_core_of_a_child_reads_as_the_child_did)
{
    char folder[] = "/tmp/ouro-core-XXXXXX", path[128];
    struct opened opened;
    struct ouro_err err = {0};
    ouro_addr addr, value = 0;
    if (!linux_writes_cores())
        return (void)skip("kernel.core_pattern does not let cores land in the current folder");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    struct child child = {.shared = shared_new()};
    strcpy((char *)child.shared->results, folder);
    child.pid = fork();
    if (child.pid == 0) {
        crashing(child.shared);
        _exit(0);
    }
    AWAIT(child.shared->ready);
    int status;
    kill(child.pid, SIGABRT);
    waitpid(child.pid, &status, 0);
    ck_assert(WIFSIGNALED(status) && WCOREDUMP(status));
    snprintf(path, sizeof path, "%s/core", folder);
    if (access(path, R_OK))
        snprintf(path, sizeof path, "%s/core.%d", folder, (int)child.pid);
    ASSERT_OK(open_all(&opened, path, &err));
    ouro_addr start = child.shared->addr[0], word = (ouro_addr)(uintptr_t)&core_test_word;
    for (size_t i = 0; i < 5; i++)
        check_page(&opened.image, start + i * PAGE);
    ASSERT_OK(ouro_space_read(&opened.image.space, start + 20 * PAGE, &value, sizeof value)); /* never touched */
    ck_assert_uint_eq(value, 0);
    ASSERT_OK(ouro_space_read(&opened.image.space, word, &value, sizeof value));
    ck_assert_uint_eq(value, 78);
    struct ouro_module *module = ouro_modules_find(&opened.modules, word);
    ck_assert_ptr_nonnull(module);
    ASSERT_OK(ouro_module_symbol(module, "core_test_word", &addr, NULL));
    ck_assert_uint_eq(addr, word);
    ck_assert_int_eq(opened.core->pid, child.pid);
    /* Code, which is in the file only. */
    ouro_addr code = (ouro_addr)(uintptr_t)&crashing;
    unsigned char bytes[64];
    ASSERT_OK(ouro_space_read(&opened.image.space, code, bytes, sizeof bytes));
    ck_assert_mem_eq(bytes, (const void *)(uintptr_t)code, sizeof bytes);
    const struct ouro_mapping *mapping = ouro_maps_find(&opened.maps, code);
    ck_assert(mapping && mapping->executable && !mapping->writable);
    close_all(&opened);
    unlink(path);
    rmdir(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: core");
    TCase *tests = tcase_create("core");
    tcase_add_test(tests, segments_are_mapped_wherever_they_begin_in_the_file);
    tcase_add_test(tests, notes_tell_of_the_process);
    tcase_add_test(tests, of_segments_that_overlap_the_first_has_the_pages);
    tcase_add_test(tests, a_core_cut_anywhere_gives_what_it_holds);
    tcase_add_test(tests, every_byte_of_headers_and_notes_may_be_wrong);
    tcase_add_test(tests, words_of_headers_and_notes_may_be_anything);
    tcase_add_test(tests, a_hole_of_the_file_is_memory_that_nobody_touched);
    tcase_add_test(tests, a_file_whose_notes_the_core_does_not_hold_is_known_by_its_first_page);
    tcase_add_test(tests, what_is_no_core_is_refused);
    tcase_add_test(tests, a_core_of_a_child_reads_as_the_child_did);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
