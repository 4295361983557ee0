/* ouro export: all objects, for other programs. */
#include "base/guard.h"
#include "command.h"
#include "options.h"
#include "output.h"
#include "render/ndjson.h"
#include "snapshots.h"

int ouro_cmd_export(int argc, char **argv)
{
    static const char *const formats[] = {"ndjson", NULL};
    bool json = false, salvage = false, with_retained = false;
    const char *path = NULL;
    int format = 0;
    const struct ouro_option options[] = {
        {'F', "format", OURO_OPTION_CHOICE, &format, NULL, "FORMAT", "ndjson (default): a JSON object a line", formats},
        {'o', "output", OURO_OPTION_TEXT, &path, NULL, "FILE", "instead of standard output", NULL},
        {'r', "retained", OURO_OPTION_FLAG, &with_retained, NULL, NULL,
         "immediate dominators and retained sizes too", NULL},
        OURO_SNAPSHOT_OPTIONS(&salvage, &json),
        {0},
    };
    const struct ouro_usage usage = {
        .command = "export",
        .arguments = "SNAPSHOT",
        .purpose = "Writes all objects with their references, labels, sizes and values. ndjson is\n"
                   "JSON already: --json changes nothing.",
        .least = 1,
        .most = 1,
        .options = options,
    };
    int first, status;
    struct ouro_err err;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    OURO_GUARD(ouro_heap_model_close) struct ouro_heap_model model;
    if ((status = ouro_snapshots_open(&model, argv[first], salvage)))
        return status;
    OURO_GUARD(ouro_depth_fini) struct ouro_depth depth;
    if ((status = ouro_depth_init(&depth, &model, with_retained ? OURO_DEPTH_RETAINED : OURO_DEPTH_ROOTS,
                                  OURO_NDJSON_COLUMNS, argv[first])))
        return status;
    struct ouro_dest output;
    if ((status = ouro_dest_open(&output, path)))
        return status;
    enum ouro_status written =
        ouro_ndjson_write(&output.out, &model, &depth.roots, ouro_depth_retained(&depth), &ouro_interrupted, &err);
    if (written != OURO_OK)
        status = ouro_command_fail_snapshot(written, argv[first], &err);
    return ouro_dest_close(&output, status);
}
