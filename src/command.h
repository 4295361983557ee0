/* What the subcommands share: exit statuses, messages, and how a result reaches its end.
 *
 * One file per subcommand; each is a thin face on calls of the library. argv[0] is the command's name; the result is
 * the exit status. */
#ifndef OURO_SRC_COMMAND_H
#define OURO_SRC_COMMAND_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "render/out.h"

int ouro_cmd_dump(int argc, char **argv);
int ouro_cmd_doctor(int argc, char **argv);
int ouro_cmd_info(int argc, char **argv);
int ouro_cmd_types(int argc, char **argv);
int ouro_cmd_objects(int argc, char **argv);
int ouro_cmd_cycles(int argc, char **argv);
int ouro_cmd_path(int argc, char **argv);
int ouro_cmd_refs(int argc, char **argv);
int ouro_cmd_backrefs(int argc, char **argv);
int ouro_cmd_chain(int argc, char **argv);
int ouro_cmd_show(int argc, char **argv);
int ouro_cmd_stack(int argc, char **argv);
int ouro_cmd_dominators(int argc, char **argv);
int ouro_cmd_diff(int argc, char **argv);
int ouro_cmd_export(int argc, char **argv);
int ouro_cmd_leaks(int argc, char **argv);
int ouro_cmd_garbage(int argc, char **argv);
int ouro_cmd_verify(int argc, char **argv);
int ouro_cmd_watch(int argc, char **argv);

enum ouro_exit {
    OURO_EXIT_DONE = 0,
    OURO_EXIT_FAIL_ON = 1,  /* done, and a --fail-on condition holds */
    OURO_EXIT_USAGE = 2,
    OURO_EXIT_TARGET = 3,   /* the target can't be read */
    OURO_EXIT_SNAPSHOT = 4, /* the snapshot can't be read */
    OURO_EXIT_OTHER = 5,    /* anything else */
};

/* Set by SIGINT, SIGTERM and SIGHUP, for commands that leave nothing half done (dump, export). The others just end. */
extern volatile sig_atomic_t ouro_interrupted;
/* Whether -q was given, before or behind the command. */
extern bool ouro_quiet;

/* "ouro: ", the words (escaped for a terminal) and a newline, to standard error. */
void ouro_command_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same unless -q. */
void ouro_command_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Complain about what reading a target or a snapshot met; the exit status for it. */
int ouro_command_fail_target(enum ouro_status status, const struct ouro_err *err);
int ouro_command_fail_snapshot(enum ouro_status status, const char *path, const struct ouro_err *err);

/* Writes the rest of what goes to standard output and frees it; complains. The exit status. */
int ouro_command_finish_out(struct ouro_out *out);
/* The whole of a text to standard output; the text is freed. The exit status. */
int ouro_command_print(struct ouro_buf *text);

/* Columns of standard output: COLUMNS, else the terminal's; 0 where it is none. */
size_t ouro_command_columns(void);

#endif
