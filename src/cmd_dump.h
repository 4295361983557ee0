/* What `ouro dump` of one process and of a tree of processes share. */
#ifndef OURO_SRC_CMD_DUMP_H
#define OURO_SRC_CMD_DUMP_H

#include "capture/dump.h"
#include "render/json.h"
#include "target.h"

/* The name of a snapshot when none was given: NAME-PID-YYYYMMDDTHHMMSS.ouro, or without the PID for a core (core: its path, or
 * NULL), with what a file name should not hold replaced. */
void ouro_cmd_dump_name(pid_t pid, const char *core, char *out, size_t capacity);
/* Lines about what is not exact, and what was compared; nothing when there is nothing to say. */
void ouro_cmd_dump_add_inexact(struct ouro_buf *line, const struct ouro_dump_options *options,
                               const struct ouro_dump_result *result);
/* "; the process stood still for 2.1 ms (pause: why)", or that it did not and what follows from that; ends the line. */
void ouro_cmd_dump_add_stop(struct ouro_buf *line, const struct ouro_dump_result *result);
/* The figures of a dump into the object that is open. */
void ouro_cmd_dump_put_figures(struct ouro_json *json, const struct ouro_dump_options *options,
                               const struct ouro_dump_result *result);

/* Says why a dump failed. The exit status. */
int ouro_cmd_dump_fail(const struct ouro_dump_options *options, const struct ouro_dump_result *result,
                       enum ouro_status status, const struct ouro_err *err);

/* --children: the process of the options' session and all below it. output: as given by -o, or NULL. The exit status. */
int ouro_cmd_dump_children(const struct ouro_dump_options *options, const char *output, struct ouro_target_bar *bar,
                           bool json);

#endif
