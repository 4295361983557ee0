/* The N-th allocation fails, for all N: an error, no crash, nothing left behind. Linked with --wrap for each allocator.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

static long countdown = -1; /* allocations until one fails; negative: none does */
static bool failed_once;

static bool fails(void)
{
    if (countdown < 0 || countdown-- > 0)
        return false;
    failed_once = true;
    return true;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

static struct model model;

static const enum ouro_codec codecs[] = {OURO_CODEC_STORED, OURO_CODEC_ZLIB, OURO_CODEC_ZSTD};

static void make_model(void)
{
    model_init(&model, 8,
               &(struct model_options){.objects = 40, .chunk_objects = 15, .interpreters = 2, .values = true});
}

START_TEST(the_writer_survives_each_failed_allocation)
{
    make_model();
    long n = 0;
    do {
        struct ouro_err err = {0};
        failed_once = false;
        remove(test_path("a.ouro"));
        countdown = n++;
        enum ouro_status status = model_write(&model, test_path("a.ouro"), false, codecs[_i], &err);
        countdown = -1;
        if (failed_once && status != OURO_NOMEM)
            ck_abort_msg("allocation %ld: %s", n - 1, ouro_status_name(status));
        if (status)
            ck_assert(fopen(test_path("a.ouro"), "rb") == NULL);
    } while (failed_once);
    ck_assert_int_gt(n, 30);
    model_check(&model, test_path("a.ouro"), 1);
    model_fini(&model);
}
END_TEST

static enum ouro_status read_all(const char *path, unsigned flags, struct ouro_err *err)
{
    struct ouro_snapshot *snapshot = NULL;
    struct ouro_heap heap;
    OURO_TRY(ouro_snapshot_open(&snapshot, path, flags, err));
    enum ouro_status status = ouro_heap_load(&heap, snapshot, OURO_HEAP_ALL, 1, err);
    if (!status)
        ouro_heap_fini(&heap);
    ouro_snapshot_close(snapshot);
    return status;
}

START_TEST(the_reader_survives_each_failed_allocation)
{
    struct ouro_err err;
    size_t size;
    make_model();
    ck_assert_int_eq(model_write(&model, test_path("a.ouro"), true, codecs[_i], &err), OURO_OK);
    unsigned char *bytes = test_read_file(test_path("a.ouro"), &size);
    test_write_file(test_path("cut.ouro"), bytes, size - 1);
    free(bytes);
    for (unsigned flags = 0; flags < 2; flags++) {
        long n = 0;
        do {
            failed_once = false;
            countdown = n++;
            enum ouro_status status = read_all(test_path(flags ? "cut.ouro" : "a.ouro"), flags, &err);
            countdown = -1;
            if (status != (failed_once ? OURO_NOMEM : OURO_OK))
                ck_abort_msg("allocation %ld: %s: %s", n - 1, ouro_status_name(status), err.msg);
        } while (failed_once);
        ck_assert_int_gt(n, 30);
    }
    model_fini(&model);
}
END_TEST

START_TEST(the_verifier_survives_each_failed_allocation)
{
    struct ouro_err err;
    make_model();
    ck_assert_int_eq(model_write(&model, test_path("a.ouro"), true, codecs[_i], &err), OURO_OK);
    long n = 0;
    do {
        uint64_t good, bad;
        failed_once = false;
        countdown = n++;
        enum ouro_status status = ouro_snapshot_verify(test_path("a.ouro"), NULL, NULL, &good, &bad, &err);
        countdown = -1;
        if (status != (failed_once ? OURO_NOMEM : OURO_OK))
            ck_abort_msg("allocation %ld: %s: %s", n - 1, ouro_status_name(status), err.msg);
    } while (failed_once);
    model_fini(&model);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("snapshot without memory");
    TCase *tcase = tcase_create("nomem");
    int codec_count = sizeof codecs / sizeof *codecs;
    if (ouro_codec_default() != OURO_CODEC_ZSTD)
        codec_count--;
    tcase_set_timeout(tcase, 120);
    suite_add_tcase(suite, tcase);
    test_path("");
    tcase_add_loop_test(tcase, the_writer_survives_each_failed_allocation, 0, codec_count);
    tcase_add_loop_test(tcase, the_reader_survives_each_failed_allocation, 0, codec_count);
    tcase_add_loop_test(tcase, the_verifier_survives_each_failed_allocation, 0, codec_count);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
