#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "capture/watch.h"
#include "command.h"

#define OPTIONS_MAX 32
#define HELP_COLUMN 26
#define LEAST_NS UINT64_C(1000000) /* of a duration */

static void add_option_help(struct ouro_buf *text, char letter, const char *name, const char *argument,
                            const char *help)
{
    size_t start = text->size;
    if (letter)
        ouro_buf_addf(text, "  -%c, --%s", letter, name);
    else
        ouro_buf_addf(text, "      --%s", name);
    if (argument)
        ouro_buf_addf(text, " %s", argument);
    size_t width = text->size - start;
    if (width + 2 > HELP_COLUMN) {
        ouro_buf_add_byte(text, '\n');
        width = 0;
    }
    ouro_buf_addf(text, "%*s", (int)(HELP_COLUMN - width), "");
    for (const char *p = help; *p; p++) {
        ouro_buf_add_byte(text, (unsigned char)*p);
        if (*p == '\n')
            ouro_buf_addf(text, "%*s", HELP_COLUMN, "");
    }
    ouro_buf_add_byte(text, '\n');
}

static int print_help(const struct ouro_usage *usage)
{
    struct ouro_buf text = {0};
    ouro_buf_addf(&text, "usage: ouro %s [OPTIONS] %s\n\n%s\n\n", usage->command, usage->arguments, usage->purpose);
    for (const struct ouro_option *o = usage->options; o->name; o++)
        add_option_help(&text, o->letter, o->name, o->argument, o->help);
    add_option_help(&text, 'q', "quiet", NULL, "no notes and no progress on standard error");
    add_option_help(&text, 'h', "help", NULL, "print this");
    return ouro_command_print(&text);
}

static int usage_error(const struct ouro_usage *usage)
{
    ouro_command_complain("usage: ouro %s [OPTIONS] %s (ouro %s -h explains)", usage->command, usage->arguments,
                          usage->command);
    return OURO_EXIT_USAGE;
}

static bool parse_choice(const struct ouro_usage *usage, const struct ouro_option *option, const char *text)
{
    char all[256] = "";
    for (int i = 0; option->choices[i]; i++) {
        if (!strcmp(option->choices[i], text)) {
            *(int *)option->value = i;
            return true;
        }
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", option->choices[i]);
    }
    ouro_command_complain("%s: --%s does not know \"%s\"; it takes: %s", usage->command, option->name, text, all);
    return false;
}

static bool parse_count(const struct ouro_usage *usage, const struct ouro_option *option, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno) {
        ouro_command_complain("%s: --%s takes a number, not \"%s\"", usage->command, option->name, text);
        return false;
    }
    *(uint64_t *)option->value = value;
    return true;
}

static bool parse_duration(const struct ouro_usage *usage, const struct ouro_option *option, const char *text)
{
    struct ouro_err err = {0};
    size_t place;
    if (ouro_watch_duration_parse(text, LEAST_NS, option->value, &place, &err) == OURO_OK)
        return true;
    ouro_command_complain("%s: --%s: %s", usage->command, option->name, err.msg);
    ouro_command_complain("  %s", text);
    ouro_command_complain("  %*s^", (int)place, "");
    return false;
}

static bool add_text(const struct ouro_usage *usage, const struct ouro_option *option, const char *text)
{
    struct ouro_texts *texts = option->value;
    if (texts->count == OURO_TEXTS_MAX) {
        ouro_command_complain("%s: --%s can be given %d times at most", usage->command, option->name, OURO_TEXTS_MAX);
        return false;
    }
    texts->items[texts->count++] = text;
    return true;
}

static bool store(const struct ouro_usage *usage, const struct ouro_option *option, const char *text)
{
    if (option->given)
        *option->given = true;
    switch (option->kind) {
    case OURO_OPTION_FLAG:
        *(bool *)option->value = true;
        return true;
    case OURO_OPTION_TEXT:
        *(const char **)option->value = text;
        return true;
    case OURO_OPTION_COUNT:
        return parse_count(usage, option, text);
    case OURO_OPTION_SIZE:
        if (ouro_pattern_size(text, option->value))
            return true;
        ouro_command_complain("%s: --%s takes a size such as 100, 4K or 1.5M, not \"%s\"", usage->command, option->name,
                              text);
        return false;
    case OURO_OPTION_DURATION:
        return parse_duration(usage, option, text);
    case OURO_OPTION_CHOICE:
        return parse_choice(usage, option, text);
    case OURO_OPTION_LIST:
        return add_text(usage, option, text);
    }
    return false;
}

struct getopt_tables {
    struct option longs[OPTIONS_MAX + 3];
    char shorts[2 * OPTIONS_MAX + 8];
};

/* Options are numbered from 256 on, so that those without a letter have a value too. */
static void fill_tables(struct getopt_tables *tables, const struct ouro_usage *usage)
{
    size_t count = 0, used = 0;
    tables->shorts[used++] = ':';
    for (const struct ouro_option *o = usage->options; o->name && count < OPTIONS_MAX; o++) {
        bool takes = o->kind != OURO_OPTION_FLAG;
        tables->longs[count] =
            (struct option){o->name, takes ? required_argument : no_argument, NULL, 256 + (int)count};
        count++;
        if (o->letter) {
            tables->shorts[used++] = o->letter;
            if (takes)
                tables->shorts[used++] = ':';
        }
    }
    tables->longs[count++] = (struct option){"quiet", no_argument, NULL, 'q'};
    tables->longs[count++] = (struct option){"help", no_argument, NULL, 'h'};
    tables->longs[count] = (struct option){0};
    tables->shorts[used++] = 'q';
    tables->shorts[used++] = 'h';
    tables->shorts[used] = 0;
}

static const struct ouro_option *option_of(const struct ouro_usage *usage, int value)
{
    for (const struct ouro_option *o = usage->options; o->name; o++)
        if ((o->letter && value == o->letter) || value == 256 + (int)(o - usage->options))
            return o;
    return NULL;
}

static void complain_about_option(const struct ouro_usage *usage, int kind, char **argv)
{
    const char *what = kind == ':' ? "needs an argument" : "is not an option";
    if (optopt && optopt < 256)
        ouro_command_complain("%s: -%c %s", usage->command, optopt, what);
    else if (optopt && option_of(usage, optopt))
        ouro_command_complain("%s: --%s %s", usage->command, option_of(usage, optopt)->name,
                      kind == ':' ? what : "takes no argument");
    else
        ouro_command_complain("%s: %s %s", usage->command, argv[optind - 1], what);
}

bool ouro_options_parse(const struct ouro_usage *usage, int argc, char **argv, int *first, int *status)
{
    struct getopt_tables tables;
    int value;
    fill_tables(&tables, usage);
    *status = OURO_EXIT_USAGE;
    optind = 0; /* GNU: begin anew, argv may have been scanned before */
    opterr = 0;
    while ((value = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) >= 0) {
        if (value == 'h') {
            *status = print_help(usage);
            return false;
        }
        if (value == 'q') {
            ouro_quiet = true;
            continue;
        }
        if (value == '?' || value == ':') {
            complain_about_option(usage, value, argv);
            *status = usage_error(usage);
            return false;
        }
        const struct ouro_option *option = option_of(usage, value);
        if (!option || !store(usage, option, optarg))
            return false;
    }
    int count = argc - optind;
    if (count < usage->least || (usage->most >= 0 && count > usage->most)) {
        if (count < usage->least)
            ouro_command_complain("%s: an argument is missing", usage->command);
        else
            ouro_command_complain("%s: \"%s\" is an argument too many", usage->command, argv[optind + usage->most]);
        *status = usage_error(usage);
        return false;
    }
    *first = optind;
    return true;
}
