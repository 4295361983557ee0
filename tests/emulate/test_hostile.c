/* The fuzzer's rounds, a fixed number of them from a seed. */
#include "world.h"
#if CAN_EMULATE
#include <check.h>
#include <stdlib.h>

#include "hostile.h"

#ifdef __SANITIZE_ADDRESS__
#define ROUNDS 200
#else
#define ROUNDS 1000
#endif

START_TEST(hostile_code_ends_within_its_budgets_and_changes_nothing)
{
    uint64_t state = random_seed();
    uint8_t bytes[1024];
    for (int i = 0; i < ROUNDS; i++) {
        size_t size = hostile_make(bytes, sizeof bytes, &state);
        hostile_round(bytes, size);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("emulate: hostile");
    TCase *tcase = tcase_create("rounds");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, hostile_code_ends_within_its_budgets_and_changes_nothing);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
#else
int main(void)
{
    return skip_emulation();
}
#endif
