/* Heaps that no interpreter would make, through everything that is ever asked about a snapshot: answers, or words, and
 * never a fault. Run it under --enable-sanitize. OURO_ROUNDS and OURO_SEED choose other rounds than the usual,
 * OURO_PARTS what is asked (whole.h). */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "whole.h"
#include "wild.h"

#define DEFAULT_ROUNDS 200u

static struct tiny tiny, other;

static unsigned long number(const char *name, unsigned long otherwise)
{
    const char *text = getenv(name);
    return text ? strtoul(text, NULL, 0) : otherwise;
}

START_TEST(whatever_the_heap_every_question_is_answered)
{
    unsigned long rounds = number("OURO_ROUNDS", DEFAULT_ROUNDS), seed = number("OURO_SEED", 1), answered = 0;
    for (unsigned long i = seed; i < seed + rounds; i++) {
        struct ouro_err err = {0};
        wild_write(&tiny, i, i % 3 ? 40 : 400, OURO_CODEC_STORED);
        wild_write(&other, i + 1000 + i / 2 % 2, i % 3 ? 40 : 400, OURO_CODEC_STORED);
        whole_other = i % 5 ? other.path : NULL;
        if (getenv("OURO_SEED"))
            fprintf(stderr, "seed %lu: %s\n", i, tiny.path);
        enum ouro_status status = whole_analysis(tiny.path, 0, (unsigned)number("OURO_PARTS", WHOLE_ALL), &err);
        if (status != OURO_OK && status != OURO_BADDATA && status != OURO_LIMIT)
            ck_abort_msg("seed %lu: %s: %s", i, ouro_status_name(status), err.msg);
        if (status != OURO_OK && getenv("OURO_SEED"))
            fprintf(stderr, "refused: %s\n", err.msg);
        answered += status == OURO_OK;
        tiny_end(&tiny);
        tiny_end(&other);
    }
    ck_assert_msg(answered * 10 >= rounds * 9, "of %lu heaps %lu were refused: that tests nothing", rounds,
                  rounds - answered);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile heaps");
    TCase *tests = tcase_create("hostile heaps");
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, whatever_the_heap_every_question_is_answered);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
