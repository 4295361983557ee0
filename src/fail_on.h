/* --fail-on and --suppress, as the commands that have them share them. */
#ifndef OURO_SRC_FAIL_ON_H
#define OURO_SRC_FAIL_ON_H

#include "analysis/condition.h"
#include "options.h"
#include "render/json.h"

struct ouro_fail_on {
    const char *command; /* borrowed: for messages */
    struct ouro_texts conditions, files; /* as the options give them */
    struct {
        struct ouro_fail_on_item {
            struct ouro_condition condition;
            double before, after;
            bool evaluated, holds;
        } * items; /* owned */
        size_t count, capacity;
    } parsed;
    struct ouro_suppressions suppressions;
};

/* examples: of conditions that the command's scope allows. */
#define OURO_FAIL_ON_OPTIONS(fail_on, examples)                           \
    {0,                                                                   \
     "fail-on",                                                           \
     OURO_OPTION_LIST,                                                    \
     &(fail_on)->conditions,                                              \
     NULL,                                                                \
     "CONDITION",                                                         \
     "exit with status 1 when it holds; may be repeated:\n" examples,     \
     NULL},                                                               \
    {                                                                     \
        0, "suppress", OURO_OPTION_LIST, &(fail_on)->files, NULL, "FILE", \
            "leave out what this file names, one type=PATTERN\n"          \
            "or path=PATTERN a line",                                     \
            NULL                                                          \
    }

/* What conditions of ouro diff may say. */
extern const struct ouro_condition_scope ouro_fail_on_diff_scope;
/* Parses what the options gave. 0, or the exit status after having said what is wrong and where. */
int ouro_fail_on_init(struct ouro_fail_on *fail_on, const struct ouro_condition_scope *scope);
void ouro_fail_on_fini(struct ouro_fail_on *fail_on);
/* Tells the i-th what is: before and after (0 and what is, where there is one snapshot). */
void ouro_fail_on_set(struct ouro_fail_on *fail_on, size_t i, double before, double after);
/* Says on standard error which hold. OURO_EXIT_FAIL_ON when any does, else OURO_EXIT_DONE. */
int ouro_fail_on_finish(const struct ouro_fail_on *fail_on);
/* "fail_on": what was asked and how it is, into an open JSON object; nothing where nothing was asked. */
void ouro_fail_on_json(const void *fail_on, struct ouro_json *json);

#endif
