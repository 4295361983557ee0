/* ouro doctor: what is recognised in a process, and how each type's objects are read. */
#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "page_doctor.h"
#include "target.h"

int ouro_cmd_doctor(int argc, char **argv)
{
    struct ouro_target_options target = OURO_TARGET_OPTIONS_INIT;
    struct ouro_target_bar bar;
    bool json = false, all = false;
    uint64_t limit = 20;
    const struct ouro_option options[] = {
        {'n', "limit", OURO_OPTION_COUNT, &limit, NULL, "N", "so many types, threads, problems (default 20)", NULL},
        {'a', "all", OURO_OPTION_FLAG, &all, NULL, NULL, "all of them", NULL},
        OURO_TARGET_OPTIONS(&target),
        {0, "json", OURO_OPTION_FLAG, &json, NULL, NULL, "JSON instead of text, with all types", NULL},
        {0},
    };
    const struct ouro_usage usage = {
        .command = "doctor",
        .arguments = "PID | --core FILE",
        .purpose = "Tells what ouro recognises in a process: the build, interpreters, threads, and for\n"
                   "each type how its references and its size are found, and what of it would be\n"
                   "approximate. It stops, copies and walks the process as dump does (the pause is the\n"
                   "same), but writes no file. A core is only read.",
        .least = 0,
        .most = 1,
        .options = options,
    };
    int first, status;
    struct ouro_err err = {0};
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    if (!ouro_target_options_finish(&target, usage.command, first < argc ? argv[first] : NULL, &bar))
        return OURO_EXIT_USAGE;
    OURO_GUARD(ouro_doctor_fini) struct ouro_doctor doctor;
    enum ouro_status examined = ouro_doctor_init(&doctor, &target.session, &err);
    ouro_target_bar_clear(&bar);
    struct ouro_dest output;
    status = OURO_EXIT_DONE;
    if (examined != OURO_CANCELLED && doctor.stage != OURO_DOCTOR_NOTHING) {
        if ((status = ouro_dest_open(&output, NULL)))
            return status;
        if (json)
            ouro_page_doctor_json(&output.out, &doctor, examined == OURO_OK ? NULL : err.msg);
        else
            ouro_page_doctor_text(&output.out, &doctor, all ? 0 : limit, ouro_command_columns());
        status = ouro_dest_close(&output, OURO_EXIT_DONE);
    }
    return examined == OURO_OK ? status : ouro_command_fail_target(examined, &err);
}
