#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "child.h"
#include "target/maps.h"

static enum ouro_status parse(struct ouro_maps *maps, const char *text, struct ouro_err *err)
{
    char *copy = strdup(text); /* of its exact size: a byte too far is an error of AddressSanitizer */
    ck_assert_ptr_nonnull(copy);
    return ouro_maps_parse(maps, copy, err);
}

START_TEST(a_line_of_maps_says_everything)
{
    struct ouro_maps maps;
    struct ouro_err err = {0};
    ASSERT_OK(parse(&maps,
                    "00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/db us (deleted)\n"
                    "00651000-00652000 rw-s 00000000 fd:1a 0\n"
                    "7ffc0000-7ffc1000 ---p 00000000 00:00 0                          [stack]\n",
                    &err));
    ck_assert_uint_eq(maps.count, 3);
    const struct ouro_mapping *code = &maps.items[0], *data = &maps.items[1], *guard = &maps.items[2];
    ck_assert_uint_eq(code->start, 0x400000);
    ck_assert_uint_eq(code->end, 0x452000);
    ck_assert_uint_eq(code->offset, 0x1000);
    ck_assert_uint_eq(code->inode, 173521);
    ck_assert_uint_eq(code->dev_major, 8);
    ck_assert_uint_eq(code->dev_minor, 2);
    ck_assert(code->readable && !code->writable && code->executable && !code->shared);
    ck_assert_str_eq(code->path, "/usr/bin/db us (deleted)");
    ck_assert(data->readable && data->writable && !data->executable && data->shared);
    ck_assert_uint_eq(data->dev_major, 0xfd);
    ck_assert_uint_eq(data->dev_minor, 0x1a);
    ck_assert_str_eq(data->path, "");
    ck_assert(!guard->readable && !guard->writable);
    ck_assert_str_eq(guard->path, "[stack]");
    ouro_maps_fini(&maps);
}
END_TEST

START_TEST(the_mapping_of_an_address_is_found_and_gaps_are_not)
{
    struct ouro_maps maps;
    struct ouro_err err = {0};
    ASSERT_OK(parse(&maps, "1000-3000 rw-p 0 0:0 0\n3000-4000 r--p 0 0:0 0\n8000-9000 rw-p 0 0:0 0\n", &err));
    ck_assert_ptr_null(ouro_maps_find(&maps, 0xfff));
    ck_assert_ptr_eq(ouro_maps_find(&maps, 0x1000), &maps.items[0]);
    ck_assert_ptr_eq(ouro_maps_find(&maps, 0x2fff), &maps.items[0]);
    ck_assert_ptr_eq(ouro_maps_find(&maps, 0x3000), &maps.items[1]);
    ck_assert_ptr_null(ouro_maps_find(&maps, 0x4000));
    ck_assert_ptr_eq(ouro_maps_find(&maps, 0x8fff), &maps.items[2]);
    ck_assert_ptr_null(ouro_maps_find(&maps, 0x9000));
    ck_assert_ptr_null(ouro_maps_find(&maps, UINT64_MAX));
    ouro_maps_fini(&maps);
    ASSERT_OK(parse(&maps, "", &err));
    ck_assert_ptr_null(ouro_maps_find(&maps, 0));
    ouro_maps_fini(&maps);
}
END_TEST

START_TEST(flags_of_smaps_tell_userfaultfd_and_device_memory)
{
    static const struct {
        const char *path, *flags;
        bool uffd, device;
    } cases[] = {
        {"",                    "VmFlags: rd wr mr mw me ac sd", false, false},
        {"",                    "VmFlags: rd wr um ac",          true,  false},
        {"",                    "VmFlags: rd wr uw",             true,  false},
        {"",                    "VmFlags: rd ui wr",             true,  false},
        {"",                    "VmFlags: rd io",                false, true },
        {"",                    "VmFlags: pf rd",                false, true },
        {"",                    "VmFlags: rd umx xum io2",       false, false},
        {"",                    "VmFlags:",                      false, false},
        {"/dev/dri/card0",      "VmFlags: rd",                   false, true },
        {"/dev/zero (deleted)", "VmFlags: rd",                   false, false},
        {"/dev/shm/queue",      "VmFlags: rd",                   false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        struct ouro_maps maps;
        struct ouro_err err = {0};
        snprintf(text, sizeof text,
                 "1000-2000 rw-p 0 0:0 0 \nSize: 4 kB\n%s\n5000-6000 rw-p 0 0:0 7   %s\nSize: 4 kB\n%s\n",
                 "VmFlags: rd", cases[i].path, cases[i].flags);
        ASSERT_OK(parse(&maps, text, &err));
        ck_assert_uint_eq(maps.count, 2);
        ck_assert(!maps.items[0].uffd && !maps.items[0].device);
        ck_assert_msg(maps.items[1].uffd == cases[i].uffd && maps.items[1].device == cases[i].device, "%s, %s",
                      cases[i].path, cases[i].flags);
        ouro_maps_fini(&maps);
    }
}
END_TEST

START_TEST(what_is_no_list_of_mappings_is_refused_in_words)
{
    static const char *const hostile[] = {
        "\n",
        " ",
        "x",
        "-",
        "1000",
        "1000-",
        "1000-2000",
        "1000-2000 ",
        "1000-2000 rw",
        "1000-2000 rw-p",
        "1000-2000 rw-p ",
        "1000-2000 rw-p 0",
        "1000-2000 rw-p 0 ",
        "1000-2000 rw-p 0 0",
        "1000-2000 rw-p 0 0:",
        "1000-2000 rw-p 0 0:0",
        "1000-2000 rw-p 0 0:0 ",
        "1000-2000 rw-p 0 0:0 x",
        "1000-2000 rw-px 0 0:0 0",
        "2000-1000 rw-p 0 0:0 0",
        "1000-1000 rw-p 0 0:0 0",
        "1001-2000 rw-p 0 0:0 0",
        "1000-2fff rw-p 0 0:0 0",
        "10000000000000000-20000000000000000 rw-p 0 0:0 0",
        "1000-2000 rw-p 10000000000000000 0:0 0",
        "1000-2000 rw-p 0 0:0 0\n\n",
        "3000-4000 rw-p 0 0:0 0\n1000-2000 rw-p 0 0:0 0\n",
        "1000-2000 rw-p 0 0:0 0\n1000-2000 rw-p 0 0:0 0\n",
        "\xff\xfe\n",
        "1000-2000\trw-p 0 0:0 0",
    };
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct ouro_maps maps;
        struct ouro_err err = {0};
        ck_assert_msg(parse(&maps, hostile[i], &err) == OURO_BADDATA, "\"%s\"", hostile[i]);
        ck_assert_ptr_nonnull(strstr(err.msg, "line "));
        ck_assert_ptr_null(maps.items);
        ck_assert_uint_eq(maps.count, 0);
    }
}
END_TEST

START_TEST(flags_before_any_mapping_are_passed_over)
{
    struct ouro_maps maps;
    struct ouro_err err = {0};
    ASSERT_OK(parse(&maps, "VmFlags: um\nSize: 4 kB\n", &err));
    ck_assert_uint_eq(maps.count, 0);
    ouro_maps_fini(&maps);
}
END_TEST

/* The kernel gives out a few lines at a time; what grew in between comes once more, whole. */
START_TEST(a_mapping_that_grew_while_it_was_read_is_not_there_twice)
{
    struct ouro_maps maps;
    struct ouro_err err = {0};
    ASSERT_OK(
        parse(&maps, "1000-3000 rw-p 5000 0:0 9 /x\n1000-6000 rw-p 5000 0:0 9 /x\n6000-7000 rw-p 0 0:0 0\n", &err));
    ck_assert_uint_eq(maps.count, 3);
    ck_assert_uint_eq(maps.items[1].start, 0x3000);
    ck_assert_uint_eq(maps.items[1].end, 0x6000);
    ck_assert_uint_eq(maps.items[1].offset, 0x7000);
    ouro_maps_fini(&maps);
}
END_TEST

static char *own(const char *path, size_t limit)
{
    char *text = calloc(1, limit + 1);
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    for (ssize_t got; text && fd >= 0 && size < limit && (got = read(fd, text + size, limit - size)) > 0;)
        size += (size_t)got;
    close(fd);
    ck_assert_uint_gt(size, 1000);
    return text;
}

static void check_order(const struct ouro_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        ck_assert_uint_lt(maps->items[i].start, maps->items[i].end);
        ck_assert(i == 0 || maps->items[i - 1].end <= maps->items[i].start);
        ck_assert_ptr_eq(ouro_maps_find(maps, maps->items[i].start), &maps->items[i]);
        ck_assert_ptr_nonnull(maps->items[i].path);
    }
}

START_TEST(every_truncation_of_a_real_list_is_read_or_refused)
{
    static const char *const paths[] = {"/proc/self/maps", "/proc/self/smaps"};
    for (int k = 0; k < 2; k++) {
        char *text = own(paths[k], 6000);
        size_t read = 0, refused = 0;
        for (size_t cut = 0; cut <= strlen(text); cut++) {
            struct ouro_maps maps;
            char *copy = strndup(text, cut);
            enum ouro_status status = ouro_maps_parse(&maps, copy, NULL);
            ck_assert(status == OURO_OK || status == OURO_BADDATA);
            read += status == OURO_OK;
            refused += status != OURO_OK;
            check_order(&maps);
            ouro_maps_fini(&maps);
        }
        ck_assert_uint_gt(read, 0);
        ck_assert_uint_gt(refused, 0);
        free(text);
    }
}
END_TEST

START_TEST(any_byte_changed_is_read_or_refused)
{
    char *text = own("/proc/self/smaps", 3000);
    size_t size = strlen(text);
    unsigned seed = (unsigned)now_ns();
    printf("seed %u\n", seed);
    for (int round = 0; round < 20000; round++) {
        struct ouro_maps maps;
        char *copy = strdup(text);
        for (int k = rand_r(&seed) % 4; k >= 0; k--)
            copy[(size_t)rand_r(&seed) % size] =
                (char)(rand_r(&seed) % 4 ? "0-: \nafx"[rand_r(&seed) % 8] : rand_r(&seed));
        if (ouro_maps_parse(&maps, copy, NULL) == OURO_OK)
            check_order(&maps);
        ouro_maps_fini(&maps);
    }
    free(text);
}
END_TEST

START_TEST(our_own_mappings_are_read_with_and_without_flags)
{
    char *page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int flags = 0; flags < 2; flags++) {
        struct ouro_maps maps;
        struct ouro_err err = {0};
        ASSERT_OK(ouro_maps_read(&maps, getpid(), flags, &err));
        check_order(&maps);
        const struct ouro_mapping *mapping = ouro_maps_find(&maps, (ouro_addr)(uintptr_t)page);
        ck_assert_ptr_nonnull(mapping);
        ck_assert(mapping->readable && !mapping->writable && mapping->shared);
        ouro_maps_fini(&maps);
    }
}
END_TEST

START_TEST(a_process_that_is_not_there_has_no_mappings)
{
    struct ouro_maps maps;
    struct ouro_err err = {0};
    ck_assert_int_eq(ouro_maps_read(&maps, 0x7ffffffe, false, &err), OURO_GONE);
    ck_assert_ptr_nonnull(strstr(err.msg, "maps"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("target: maps");
    TCase *tests = tcase_create("maps");
    tcase_add_test(tests, a_line_of_maps_says_everything);
    tcase_add_test(tests, the_mapping_of_an_address_is_found_and_gaps_are_not);
    tcase_add_test(tests, flags_of_smaps_tell_userfaultfd_and_device_memory);
    tcase_add_test(tests, what_is_no_list_of_mappings_is_refused_in_words);
    tcase_add_test(tests, flags_before_any_mapping_are_passed_over);
    tcase_add_test(tests, a_mapping_that_grew_while_it_was_read_is_not_there_twice);
    tcase_add_test(tests, every_truncation_of_a_real_list_is_read_or_refused);
    tcase_add_test(tests, any_byte_changed_is_read_or_refused);
    tcase_add_test(tests, our_own_mappings_are_read_with_and_without_flags);
    tcase_add_test(tests, a_process_that_is_not_there_has_no_mappings);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
