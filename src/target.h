/* What the commands share that look at a process: options, the progress of a capture, and words about the sandbox. */
#ifndef OURO_SRC_TARGET_H
#define OURO_SRC_TARGET_H

#include "capture/emit.h"
#include "capture/session.h"

struct ouro_target_options {
    struct ouro_session_options session;
    uint64_t timeout_s, threads; /* as given */
    int mode;                    /* enum ouro_session_mode; of commands that take --mode */
    bool timeout_given, memory_given, mode_given, max_pause_given;
};
#define OURO_TARGET_OPTIONS_INIT {.timeout_s = 10}

/* What a command that writes snapshots takes besides. */
#define OURO_TARGET_COST_OPTIONS(target)                                                                               \
    {0, "memory", OURO_OPTION_SIZE, &(target)->session.memory_bytes, &(target)->memory_given, "LIMIT",                 \
     "how much memory ouro takes at most, such as 256M, beside 1/64 of what is copied; what is more than that is read bit by bit " \
     "(default: three quarters of what is available)",                                                                 \
     NULL},                                                                                                            \
    {                                                                                                                  \
        0, "background", OURO_OPTION_FLAG, &(target)->session.background, NULL, NULL,                                  \
            "with the lowest priority for processor and disk, once the process goes on", NULL                          \
    }

extern const char *const ouro_target_mode_names[]; /* enum ouro_session_mode, and NULL */

#define OURO_TARGET_OPTIONS(target)                                                                                    \
    {0, "core", OURO_OPTION_TEXT, &(target)->session.core, NULL, "FILE",                                               \
     "of a core file instead of a process", NULL},                                                                     \
    {0, "exe", OURO_OPTION_TEXT, &(target)->session.core_options.executable, NULL, "FILE",                             \
     "with --core: the program, where it is now; libraries are looked for beside it too", NULL},                       \
    {0, "sysroot", OURO_OPTION_TEXT, &(target)->session.core_options.sysroot, NULL, "DIR",                             \
     "with --core: the folder below which the files of the process lie", NULL},                                        \
    {0, "self-check", OURO_OPTION_FLAG, &(target)->session.self_check, NULL, NULL,                                     \
     "compare the references of every object with what its type's own code says (otherwise: of two of each type)",     \
     NULL},                                                                                                            \
    {0, "no-sandbox", OURO_OPTION_FLAG, &(target)->session.no_sandbox, NULL, NULL,                                     \
     "run no type's code in the sandbox: what only that tells is approximate", NULL},                                  \
    {0, "timeout", OURO_OPTION_COUNT, &(target)->timeout_s, &(target)->timeout_given, "SECONDS",                                           \
     "how long to try to stop it between two garbage collections (default 10)", NULL},                                 \
    {                                                                                                                  \
        0, "threads", OURO_OPTION_COUNT, &(target)->threads, NULL, "N",                                                \
            "threads at work (default: one a processor, at most 4)", NULL                                              \
    }

/* A bar that is drawn again in place; only on a terminal. */
struct ouro_target_bar {
    bool shown;
    int drawn; /* percent last drawn, so that it is drawn 100 times and not a million */
};

/* Completes the session's options from what was given and the argument (NULL: none); false after having said what is wrong. */
bool ouro_target_options_finish(struct ouro_target_options *options, const char *command, const char *pid,
                                struct ouro_target_bar *bar);
void ouro_target_bar_clear(const struct ouro_target_bar *bar);

/* What a core lacks (ouro_core_add_lacks), a line each. */
void ouro_target_add_lacks(struct ouro_buf *out, const struct ouro_buf *lacks);
/* "; this ouro was built without ...": why nothing was run, to be put behind what is approximate; nothing where it was. */
void ouro_target_add_no_sandbox(struct ouro_buf *out, enum ouro_session_sandbox sandbox, const char *reason);
/* "budget-instructions (500), no-code (12)" from counts by enum ouro_machine_end; their sum. */
uint64_t ouro_target_add_reasons(struct ouro_buf *out, const uint64_t failed[OURO_MACHINE_END_COUNT]);

#endif
