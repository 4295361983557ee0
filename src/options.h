/* Options of all subcommands, declared as tables: one parser, one way to say what is wrong, one shape of -h. */
#ifndef OURO_SRC_OPTIONS_H
#define OURO_SRC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ouro_option_kind {
    OURO_OPTION_FLAG,   /* bool: set */
    OURO_OPTION_TEXT,   /* const char *: borrowed from argv */
    OURO_OPTION_COUNT,  /* uint64_t: decimal */
    OURO_OPTION_SIZE,   /* uint64_t: bytes, with K, M, G */
    OURO_OPTION_DURATION, /* uint64_t: nanoseconds, with ms, s, m, h, d; not 0 */
    OURO_OPTION_CHOICE, /* int: index into choices */
    OURO_OPTION_LIST,   /* struct ouro_texts: may be given several times */
};

#define OURO_TEXTS_MAX 64
struct ouro_texts {
    const char *items[OURO_TEXTS_MAX]; /* borrowed from argv */
    size_t count;
};

struct ouro_option {
    char letter;          /* 0: none */
    const char *name;     /* NULL ends the table */
    enum ouro_option_kind kind;
    void *value;          /* by kind */
    bool *given;          /* may be NULL */
    const char *argument; /* how help names it ("FILE"); NULL for flags */
    const char *help;
    const char *const *choices; /* NULL-terminated */
};

struct ouro_usage {
    const char *command;   /* "types" */
    const char *arguments; /* "SNAPSHOT [TYPE]" */
    const char *purpose;   /* a few lines */
    int least, most;       /* positional arguments; most -1: any */
    const struct ouro_option *options; /* -h and -q come by themselves */
};

/* Parses argv[1..); positional arguments are moved to its end and *first is the index of their first. True: go on.
 * False: leave with *status (help was printed, or what is wrong was said). */
bool ouro_options_parse(const struct ouro_usage *usage, int argc, char **argv, int *first, int *status);

#endif
