#include "analysis/condition.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/pattern.h"
#include "base/buf.h"

static const char *const metric_names[OURO_METRIC_COUNT_] = {
    [OURO_METRIC_COUNT] = "count",
    [OURO_METRIC_BYTES] = "bytes",
    [OURO_METRIC_GARBAGE] = "garbage",
    [OURO_METRIC_GARBAGE_BYTES] = "garbage_bytes",
    [OURO_METRIC_UNCOLLECTABLE] = "uncollectable",
    [OURO_METRIC_SUSPECTS] = "suspects",
    [OURO_METRIC_RETAINED] = "retained",
};

const char *ouro_metric_name(enum ouro_metric metric)
{
    return metric_names[metric];
}

static bool is_bytes(enum ouro_metric metric)
{
    return metric == OURO_METRIC_BYTES || metric == OURO_METRIC_GARBAGE_BYTES || metric == OURO_METRIC_RETAINED;
}

/* --- Texts */

struct parsing {
    const char *text, *at, *end;
    struct ouro_err *err;
    bool comments; /* a # where a selector could begin ends the text */
};

static enum ouro_status wrong(struct parsing *p, const char *words)
{
    return ouro_err_set(p->err, OURO_INVAL, "%s", words);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct parsing *p)
{
    while (p->at < p->end && is_blank(*p->at))
        p->at++;
}

static size_t word_size(const struct parsing *p)
{
    const char *end = p->at;
    while (end < p->end && (isalnum((unsigned char)*end) || *end == '_'))
        end++;
    return (size_t)(end - p->at);
}

static bool is_word(const struct parsing *p, size_t size, const char *word)
{
    return size == strlen(word) && !memcmp(p->at, word, size);
}

/* Quoted as a whole, with \' or \" for the quote itself, or up to the next blank; quotes inside of it are its own:
 * sys.modules['app']. */
static enum ouro_status parse_pattern(struct parsing *p, char *pattern)
{
    const char *begin = p->at, *at = begin;
    char quote = at < p->end && (*at == '\'' || *at == '"') ? *at++ : 0;
    size_t size = 0;
    bool good = true;
    for (; at < p->end && (quote ? *at != quote : !is_blank(*at)); at++) {
        at += quote && *at == '\\' && at + 1 < p->end && at[1] == quote;
        good = good && *at && size < OURO_SELECTOR_BYTES - 1;
        if (good)
            pattern[size++] = *at;
    }
    pattern[size] = 0;
    if (quote && at == p->end)
        return wrong(p, "the quote is not closed");
    if (!good || !size) {
        p->at += quote != 0;
        return wrong(p, good ? "expected a pattern" : "a pattern that no type or path can have");
    }
    p->at = at + (quote != 0);
    if (quote && p->at < p->end && !is_blank(*p->at))
        return wrong(p, "expected a blank behind the quote");
    return OURO_OK;
}

/* As many selectors as there are. */
static enum ouro_status parse_selectors(struct parsing *p, struct ouro_selector *selector)
{
    for (;;) {
        skip_blanks(p);
        if (p->comments && p->at < p->end && *p->at == '#')
            p->at = p->end;
        size_t size = word_size(p);
        bool assigned = p->at + size < p->end && p->at[size] == '=' &&
                        !(p->at + size + 1 < p->end && p->at[size + 1] == '=');
        if (!assigned)
            return OURO_OK;
        char *pattern = is_word(p, size, "type") ? selector->type : is_word(p, size, "path") ? selector->path : NULL;
        if (!pattern)
            return wrong(p, "expected type=PATTERN or path=PATTERN (equality of numbers is ==)");
        if (pattern[0])
            return wrong(p, "the same selector twice");
        p->at += size + 1;
        OURO_TRY(parse_pattern(p, pattern));
    }
}

/* --- Conditions */

static enum ouro_status parse_metric(struct parsing *p, struct ouro_condition *condition, unsigned known)
{
    size_t size = word_size(p);
    char words[200] = "expected ";
    bool first = true;
    for (unsigned i = 0; i < OURO_METRIC_COUNT_; i++) {
        if (!(known & 1u << i))
            continue;
        if (is_word(p, size, metric_names[i])) {
            condition->metric = i;
            p->at += size;
            return OURO_OK;
        }
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", first ? "" : ", ", metric_names[i]);
        first = false;
    }
    return wrong(p, words);
}

static enum ouro_status parse_operator(struct parsing *p, struct ouro_condition *condition)
{
    static const struct {
        const char *text;
        enum ouro_condition_operator operator;
    } operators[] = {{">=", OURO_CONDITION_AT_LEAST}, {"<=", OURO_CONDITION_AT_MOST}, {"==", OURO_CONDITION_EQUAL},
                     {"!=", OURO_CONDITION_NOT_EQUAL}, {">", OURO_CONDITION_GREATER}, {"<", OURO_CONDITION_LESS}};
    skip_blanks(p);
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        size_t size = strlen(operators[i].text);
        if ((size_t)(p->end - p->at) >= size && !memcmp(p->at, operators[i].text, size)) {
            condition->operator= operators[i].operator;
            p->at += size;
            return OURO_OK;
        }
    }
    return wrong(p, "expected >, >=, <, <=, == or !=");
}

static void parse_unit(struct parsing *p, struct ouro_condition *condition)
{
    static const char units[] = "KMGT";
    const char *unit = p->at < p->end ? strchr(units, toupper((unsigned char)*p->at)) : NULL;
    if (!is_bytes(condition->metric))
        return;
    if (unit && *unit) {
        for (const char *u = units; u <= unit; u++)
            condition->number *= 1024;
        p->at++;
        if (p->at < p->end && *p->at == 'i')
            p->at++;
    }
    if (p->at < p->end && (*p->at == 'B' || *p->at == 'b'))
        p->at++;
}

/* Digits by hand: strtod would take inf, nan, hexadecimal and the locale's point. */
static enum ouro_status parse_number(struct parsing *p, struct ouro_condition *condition)
{
    skip_blanks(p);
    const char *begin = p->at;
    bool negative = p->at < p->end && *p->at == '-';
    double scale = 1;
    size_t digits = 0;
    condition->change = negative || (p->at < p->end && *p->at == '+');
    p->at += condition->change;
    for (bool fraction = false; p->at < p->end && (isdigit((unsigned char)*p->at) || (*p->at == '.' && !fraction)); p->at++) {
        if (*p->at == '.') {
            fraction = true;
            continue;
        }
        condition->number = condition->number * 10 + (*p->at - '0');
        scale *= fraction ? 10 : 1;
        digits++;
    }
    if (!digits || digits > 18)
        return wrong(p, digits ? "a number with too many digits" : "expected a number such as 100, +100 or +10%");
    condition->number /= scale;
    parse_unit(p, condition);
    condition->number = negative ? -condition->number : condition->number;
    if (p->at < p->end && *p->at == '%') {
        condition->percent = true;
        if (!condition->change) {
            p->at = begin;
            return wrong(p, "a percentage is one of a change: +10% or -10%");
        }
        p->at++;
    }
    return OURO_OK;
}

static enum ouro_status check_scope(struct parsing *p, const struct ouro_condition *condition,
                                    const struct ouro_condition_scope *scope, const char *metric, const char *number)
{
    unsigned bit = 1u << condition->metric;
    p->at = p->text;
    if (condition->selector.type[0] && !(scope->with_type & bit))
        return wrong(p, "type= does not go with this metric here");
    if (condition->selector.path[0] && !(scope->with_path & bit))
        return wrong(p, "path= does not go with this metric here");
    p->at = metric;
    if (condition->selector.type[0] && condition->selector.path[0])
        return wrong(p, "type= and path= don't go together in a condition");
    p->at = number;
    if (condition->change && !scope->changes)
        return wrong(p, "a change (+ or -) takes two snapshots: ouro diff");
    if (!condition->change && condition->selector.path[0] && scope->changes)
        return wrong(p, "of a path only changes are known: put a + or - before the number");
    if (condition->percent && condition->selector.path[0])
        return wrong(p, "of a path it is not known what it held before: no percentages");
    p->at = p->end;
    return OURO_OK;
}

static enum ouro_status parse(struct parsing *p, struct ouro_condition *condition, const struct ouro_condition_scope *scope)
{
    OURO_TRY(parse_selectors(p, &condition->selector));
    const char *metric = p->at;
    OURO_TRY(parse_metric(p, condition, scope->metrics));
    OURO_TRY(parse_operator(p, condition));
    skip_blanks(p);
    const char *number = p->at;
    OURO_TRY(parse_number(p, condition));
    skip_blanks(p);
    if (p->at < p->end)
        return wrong(p, "expected nothing more");
    return check_scope(p, condition, scope, metric, number);
}

enum ouro_status ouro_condition_parse(struct ouro_condition *condition, const char *text,
                                      const struct ouro_condition_scope *scope, size_t *place, struct ouro_err *err)
{
    struct parsing p = {text, text, text + strlen(text), err, false};
    memset(condition, 0, sizeof *condition);
    condition->text = text;
    enum ouro_status status = parse(&p, condition, scope);
    *place = (size_t)(p.at - text);
    return status;
}

bool ouro_condition_holds(const struct ouro_condition *condition, double before, double after)
{
    double value = condition->change ? after - before : after;
    if (condition->percent)
        value = before > 0 ? 100 * value / before : value > 0 ? INFINITY : value < 0 ? -INFINITY : 0;
    switch (condition->operator) {
    case OURO_CONDITION_GREATER:
        return value > condition->number;
    case OURO_CONDITION_AT_LEAST:
        return value >= condition->number;
    case OURO_CONDITION_LESS:
        return value < condition->number;
    case OURO_CONDITION_AT_MOST:
        return value <= condition->number;
    case OURO_CONDITION_EQUAL:
        return value == condition->number;
    case OURO_CONDITION_NOT_EQUAL:
        return value != condition->number;
    }
    return false;
}

/* --- Selectors */

bool ouro_selector_glob(const char *pattern, const char *text)
{
    const char *star = NULL, *retry = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

bool ouro_selector_matches(const struct ouro_selector *selector, const struct ouro_heap_model *model, uint32_t type,
                           const char *path)
{
    if (selector->type[0] && (type == OURO_TYPE_NONE || !ouro_pattern_type(model, type, selector->type)))
        return false;
    return !selector->path[0] || (path && ouro_selector_glob(selector->path, path));
}

/* --- Suppression files */

enum ouro_status ouro_suppressions_parse(struct ouro_suppressions *suppressions, const char *bytes, size_t size,
                                         size_t *line, size_t *place, struct ouro_err *err)
{
    const char *at = bytes, *end = bytes + size;
    for (*line = 1; at < end; (*line)++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline ? newline : end;
        struct parsing p = {at, at, stop, err, true};
        struct ouro_selector selector = {.type = ""};
        enum ouro_status status = parse_selectors(&p, &selector);
        if (status == OURO_OK && p.at < p.end)
            status = wrong(&p, "expected type=PATTERN or path=PATTERN");
        *place = (size_t)(p.at - at);
        OURO_TRY(status);
        if (selector.type[0] || selector.path[0]) {
            struct ouro_suppression *fresh = OURO_VEC_ADD(suppressions);
            if (!fresh)
                return ouro_err_set(err, OURO_NOMEM, "out of memory for %zu suppressions", suppressions->count);
            fresh->selector = selector;
            fresh->line = *line;
        }
        at = newline ? newline + 1 : end;
    }
    return OURO_OK;
}

void ouro_suppressions_fini(struct ouro_suppressions *suppressions)
{
    free(suppressions->items);
    memset(suppressions, 0, sizeof *suppressions);
}

bool ouro_suppressions_match(struct ouro_suppressions *suppressions, const struct ouro_heap_model *model, uint32_t type,
                             const char *path)
{
    for (size_t i = 0; suppressions && i < suppressions->count; i++)
        if (ouro_selector_matches(&suppressions->items[i].selector, model, type, path)) {
            suppressions->items[i].used++;
            return true;
        }
    return false;
}
