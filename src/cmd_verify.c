/* ouro verify: checks a file block by block. */
#include <inttypes.h>

#include "command.h"
#include "options.h"
#include "output.h"
#include "render/json.h"
#include "snapshot/reader.h"

struct report {
    struct ouro_out *out;
    struct ouro_json *json; /* NULL: text */
    bool all;
};

static void report_block(void *context, const struct ouro_verify_report *block)
{
    struct report *report = context;
    if (!block->damage && !report->all)
        return;
    if (!report->json) {
        ouro_out_addf(report->out, "%12" PRIu64 "  %-14s %9u %9u  %9" PRIu64 " %9" PRIu64 "  %-6s  %s\n", block->offset,
                      block->section ? block->section : "?", block->first, block->count, block->stored_bytes,
                      block->raw_bytes, block->codec ? block->codec : "?", block->damage ? block->damage : "good");
        return;
    }
    struct ouro_json *json = report->json;
    ouro_json_object(json, NULL);
    ouro_json_uint(json, "offset", block->offset);
    ouro_json_string(json, "section", block->section ? block->section : "?");
    ouro_json_uint(json, "first", block->first);
    ouro_json_uint(json, "count", block->count);
    ouro_json_uint(json, "stored_bytes", block->stored_bytes);
    ouro_json_uint(json, "raw_bytes", block->raw_bytes);
    ouro_json_string(json, "codec", block->codec ? block->codec : "?");
    if (block->damage)
        ouro_json_string(json, "damage", block->damage);
    else
        ouro_json_null(json, "damage");
    ouro_json_end(json);
}

static int verify(const char *path, bool all, bool json)
{
    struct ouro_dest output;
    struct ouro_json writer;
    struct ouro_err err = {0};
    uint64_t good = 0, bad = 0;
    int status = ouro_dest_open(&output, NULL);
    if (status)
        return status;
    struct report report = {&output.out, json ? &writer : NULL, all};
    if (json) {
        ouro_json_init(&writer, &output.out);
        ouro_json_object(&writer, NULL);
        ouro_json_string(&writer, "ouro", "verify");
        ouro_json_uint(&writer, "version", 1);
        ouro_json_array(&writer, "blocks");
    } else if (all) {
        ouro_out_text(&output.out, "      offset  section            first     count     stored       raw  codec\n");
    }
    enum ouro_status verified = ouro_snapshot_verify(path, report_block, &report, &good, &bad, &err);
    if (json) {
        ouro_json_end(&writer);
        ouro_json_bool(&writer, "whole", verified == OURO_OK);
        ouro_json_uint(&writer, "good", good);
        ouro_json_uint(&writer, "bad", bad);
        ouro_json_end(&writer);
    } else if (verified == OURO_OK) {
        ouro_out_addf(&output.out, "whole: %" PRIu64 " blocks\n", good);
    } else if (bad) {
        ouro_out_addf(&output.out, "damaged: %" PRIu64 " of %" PRIu64 " blocks\n", bad, good + bad);
    }
    int written = ouro_dest_close(&output, OURO_EXIT_DONE);
    if (verified != OURO_OK)
        return ouro_command_fail_snapshot(verified, path, &err);
    return written;
}

int ouro_cmd_verify(int argc, char **argv)
{
    bool json = false, all = false;
    const struct ouro_option options[] = {
        {'a', "all", OURO_OPTION_FLAG, &all, NULL, NULL, "list every block, not only the damaged ones", NULL},
        {0, "json", OURO_OPTION_FLAG, &json, NULL, NULL, "JSON instead of text", NULL},
        {0},
    };
    const struct ouro_usage usage = {
        .command = "verify",
        .arguments = "SNAPSHOT",
        .purpose = "Checks a file block by block: sizes, checksums, decompression, contents. Exit\n"
                   "status 0 when it is whole, 4 when it is not.",
        .least = 1,
        .most = 1,
        .options = options,
    };
    int first, status;
    if (!ouro_options_parse(&usage, argc, argv, &first, &status))
        return status;
    return verify(argv[first], all, json);
}
