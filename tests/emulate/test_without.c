/* lib/emulate without the decoder for machine code. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "emulate/machine.h"

START_TEST(there_is_no_machine_and_it_says_why)
{
    static const unsigned char page[OURO_PAGE_BYTES];
    struct ouro_image image;
    struct ouro_machine *machine = (struct ouro_machine *)1;
    struct ouro_err err = {0};
    ck_assert_int_eq(ouro_image_of_bytes(&image, 0x10000, page, sizeof page, &err), OURO_OK);
    ck_assert_int_eq(ouro_machine_new(&machine, &image, NULL, &err), OURO_UNSUPPORTED);
    ck_assert_ptr_null(machine);
    ck_assert_msg(strstr(err.msg, "Zydis"), "%s", err.msg);
    ouro_machine_free(machine);
    ouro_image_fini(&image);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("without");
    TCase *tests = tcase_create("without");
    tcase_add_test(tests, there_is_no_machine_and_it_says_why);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
