/* A snapshot appears under its name when it is whole, and otherwise nothing does. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"

/* Not every file system has nameless files: all tests run a second time as if this one had none. Linked with --wrap. */
static bool nameless_files = true;

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, ...);

int __wrap_openat(int dir, const char *name, int flags, ...)
{
    if (!nameless_files && (flags & O_TMPFILE) == O_TMPFILE) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return __real_openat(dir, name, flags, 0600); /* the only mode that is ever asked for */
}

static struct model model;

static char folder[256];

/* A folder of the test's own within the test folder. */
static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void setup(void)
{
    strcpy(folder, "/tmp/ouro-test-writer-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    model_init(&model, 4,
               &(struct model_options){.objects = 3000, .chunk_objects = 500, .interpreters = 1, .values = true});
}

static void setup_named(void)
{
    nameless_files = false;
    setup();
}

static unsigned files(void)
{
    unsigned count = 0;
    DIR *dir = opendir(folder);
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

static void teardown(void)
{
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir));)
        unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
    rmdir(folder);
    model_fini(&model);
}

static enum ouro_status write_to(const char *path, bool overwrite, struct ouro_err *err)
{
    return model_write(&model, path, overwrite, OURO_CODEC_STORED, err);
}

START_TEST(the_file_is_private_and_alone)
{
    struct ouro_err err;
    struct stat st;
    umask(0);
    ck_assert_int_eq(write_to(in_folder("a.ouro"), false, &err), OURO_OK);
    ck_assert_int_eq(stat(in_folder("a.ouro"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    umask(0777);
    ck_assert_int_eq(write_to(in_folder("a.ouro"), true, &err), OURO_OK);
    ck_assert_int_eq(stat(in_folder("a.ouro"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert_uint_eq(files(), 1);
    umask(022);
}
END_TEST

START_TEST(a_name_without_a_folder_is_in_the_current_one)
{
    struct ouro_err err;
    ck_assert_int_eq(chdir(folder), 0);
    ck_assert_int_eq(write_to("a.ouro", false, &err), OURO_OK);
    ck_assert_int_eq(write_to("./b.ouro", true, &err), OURO_OK);
    ck_assert_uint_eq(files(), 2);
}
END_TEST

START_TEST(an_existing_file_is_replaced_only_when_asked)
{
    struct ouro_err err = {0};
    size_t size;
    test_write_file(in_folder("a.ouro"), "precious", 8);
    ck_assert_int_eq(write_to(in_folder("a.ouro"), false, &err), OURO_INVAL);
    ck_assert_ptr_nonnull(strstr(err.msg, "exists already"));
    free(test_read_file(in_folder("a.ouro"), &size));
    ck_assert_uint_eq(size, 8);
    ck_assert_int_eq(write_to(in_folder("a.ouro"), true, &err), OURO_OK);
    model_check(&model, in_folder("a.ouro"), 1);
    ck_assert_uint_eq(files(), 1);
}
END_TEST

START_TEST(a_name_taken_meanwhile_stays_with_who_took_it)
{
    struct ouro_snapshot_writer *writer;
    struct ouro_err err = {0};
    size_t size;
    ck_assert_int_eq(ouro_snapshot_writer_open(&writer, in_folder("a.ouro"), false, OURO_CODEC_ZLIB, &err), OURO_OK);
    test_write_file(in_folder("a.ouro"), "precious", 8);
    ck_assert_int_eq(ouro_snapshot_writer_commit(writer, NULL, &err), OURO_INVAL);
    ck_assert_ptr_nonnull(strstr(err.msg, "exists already"));
    ouro_snapshot_writer_close(writer);
    free(test_read_file(in_folder("a.ouro"), &size));
    ck_assert_uint_eq(size, 8);
    ck_assert_uint_eq(files(), 1);
}
END_TEST

START_TEST(the_old_file_stays_when_the_new_one_is_given_up)
{
    struct ouro_snapshot_writer *writer;
    struct ouro_err err = {0};
    size_t size;
    test_write_file(in_folder("a.ouro"), "precious", 8);
    ck_assert_int_eq(ouro_snapshot_writer_open(&writer, in_folder("a.ouro"), true, OURO_CODEC_ZLIB, &err), OURO_OK);
    ouro_snapshot_writer_close(writer);
    free(test_read_file(in_folder("a.ouro"), &size));
    ck_assert_uint_eq(size, 8);
    ck_assert_uint_eq(files(), 1);
}
END_TEST

START_TEST(a_missing_folder_is_named)
{
    struct ouro_err err = {0};
    ck_assert_int_eq(write_to(in_folder("absent/a.ouro"), false, &err), OURO_GONE);
    ck_assert_ptr_nonnull(strstr(err.msg, "/absent does not exist"));
    test_write_file(in_folder("file"), "", 0);
    ck_assert_int_eq(write_to(in_folder("file/a.ouro"), false, &err), OURO_GONE);
    ck_assert_ptr_nonnull(strstr(err.msg, "not a folder"));
}
END_TEST

START_TEST(a_folder_or_device_is_no_place_for_a_snapshot)
{
    struct ouro_err err = {0};
    ck_assert_int_eq(write_to(folder, true, &err), OURO_INVAL);
    ck_assert_ptr_nonnull(strstr(err.msg, "is a folder"));
    ck_assert_int_eq(write_to(in_folder(""), true, &err), OURO_INVAL);
    ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
    ck_assert_int_eq(write_to(in_folder("fifo"), true, &err), OURO_INVAL);
    ck_assert_ptr_nonnull(strstr(err.msg, "not a regular file"));
}
END_TEST

START_TEST(a_link_stays_a_link)
{
    struct ouro_err err = {0};
    struct stat st;
    test_write_file(in_folder("real"), "old", 3);
    ck_assert_int_eq(symlink("real", in_folder("link")), 0);
    ck_assert_int_eq(write_to(in_folder("link"), false, &err), OURO_INVAL);
    ck_assert_int_eq(write_to(in_folder("link"), true, &err), OURO_OK);
    ck_assert_int_eq(lstat(in_folder("link"), &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
    model_check(&model, in_folder("real"), 1);
}
END_TEST

/* The limit on a file's size stands in for a full disk: the same path, and it needs no disk. */
START_TEST(no_space_leaves_nothing_behind)
{
    struct ouro_err err = {0};
    size_t size;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(write_to(in_folder("whole"), false, &err), OURO_OK);
    free(test_read_file(in_folder("whole"), &size));
    ck_assert_int_eq(unlink(in_folder("whole")), 0);
    for (rlim_t limit = 0; limit < size; limit += size / 37) {
        struct rlimit set = {.rlim_cur = limit, .rlim_max = RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &set), 0);
        enum ouro_status status = write_to(in_folder("a.ouro"), false, &err);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
        ck_assert_int_eq(status, OURO_SYS);
        ck_assert_int_eq(err.sys_errno, EFBIG);
        ck_assert_ptr_nonnull(strstr(err.msg, "no space for"));
        ck_assert_uint_eq(files(), 0);
    }
}
END_TEST

START_TEST(a_folder_that_may_not_be_written_is_named)
{
    struct ouro_err err = {0};
    ck_assert_int_eq(chmod(folder, 0555), 0);
    if (geteuid() == 0)
        ck_assert_int_eq(seteuid(65534), 0); /* nobody; each test has a process of its own */
    enum ouro_status status = write_to(in_folder("a.ouro"), false, &err);
    if (geteuid() == 65534)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(folder, 0700), 0);
    ck_assert_int_eq(status, OURO_DENIED);
    ck_assert_ptr_nonnull(strstr(err.msg, "a.ouro"));
    ck_assert_uint_eq(files(), 0);
}
END_TEST

START_TEST(memory_gets_the_bytes_that_a_file_gets)
{
    struct ouro_err err = {0};
    struct ouro_snapshot *snapshot = NULL;
    size_t size;
    ck_assert_int_eq(write_to(in_folder("a.ouro"), false, &err), OURO_OK);
    unsigned char *of_file = test_read_file(in_folder("a.ouro"), &size), *of_memory = malloc(size + 1);
    int fd = model_write_memory(&model, OURO_CODEC_STORED, &err);
    ck_assert_int_ge(fd, 0);
    ck_assert_ptr_nonnull(of_memory);
    ck_assert_int_eq(pread(fd, of_memory, size + 1, 0), (ssize_t)size);
    ck_assert_int_eq(memcmp(of_file, of_memory, size), 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_uint_eq(files(), 1);
    ck_assert_int_eq(ouro_snapshot_open_fd(&snapshot, fd, 0, &err), OURO_OK);
    ck_assert_uint_eq(ouro_snapshot_object_count(snapshot), 3000);
    ouro_snapshot_close(snapshot);
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1); /* the snapshot's, and closed with it */
    free(of_file);
    free(of_memory);
}
END_TEST

static TCase *make_tcase(const char *name, void (*begin)(void))
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, begin, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, the_file_is_private_and_alone);
    tcase_add_test(tcase, a_name_without_a_folder_is_in_the_current_one);
    tcase_add_test(tcase, an_existing_file_is_replaced_only_when_asked);
    tcase_add_test(tcase, a_name_taken_meanwhile_stays_with_who_took_it);
    tcase_add_test(tcase, the_old_file_stays_when_the_new_one_is_given_up);
    tcase_add_test(tcase, a_missing_folder_is_named);
    tcase_add_test(tcase, a_folder_or_device_is_no_place_for_a_snapshot);
    tcase_add_test(tcase, a_link_stays_a_link);
    tcase_add_test(tcase, no_space_leaves_nothing_behind);
    tcase_add_test(tcase, a_folder_that_may_not_be_written_is_named);
    tcase_add_test(tcase, memory_gets_the_bytes_that_a_file_gets);
    return tcase;
}

int main(void)
{
    Suite *suite = suite_create("snapshot writer");
    suite_add_tcase(suite, make_tcase("nameless", setup));
    suite_add_tcase(suite, make_tcase("named", setup_named));
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
