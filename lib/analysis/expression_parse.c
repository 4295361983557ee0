#include <stdlib.h>
#include <string.h>

#include "analysis/expression.h"

void ouro_expression_fini(struct ouro_expression *expression)
{
    free(expression->items);
    ouro_constants_fini(&expression->literals);
    memset(expression, 0, sizeof *expression);
}

void ouro_expression_fault_fini(struct ouro_expression_fault *fault)
{
    ouro_buf_fini(&fault->words);
    memset(fault, 0, sizeof *fault);
}

bool ouro_expression_is_address(const struct ouro_expression *expression, ouro_addr *addr)
{
    if (expression->count != 1 || expression->items[0].kind != OURO_STEP_ADDR)
        return false;
    *addr = expression->items[0].number;
    return true;
}

/* What has been opened and waits for its end. */
enum form {
    IN_PARENTHESES,
    IN_VARS,
    IN_TYPE,
    IN_UNPACK,
    IN_OWN,
    IN_GETITEM,
    IN_ITER,
    IN_KEYS,
    IN_VALUES,
    IN_GET,
    IN_LOOKUP
};

struct parser {
    struct ouro_expression *expression;
    struct ouro_expression_fault *fault;
    const char *text;
    size_t size, at;
    size_t begin; /* of the value that is being made */
    struct {
        enum form form;
        size_t begin, at; /* of the value around it; of the form */
        size_t base, base_size; /* of list.__getitem__( and its like: the class's name */
    } opens[OURO_EXPRESSION_DEPTH_MAX];
    size_t depth;
    bool failed_memory;
};

static bool fail_at(struct parser *parser, size_t at, const char *words)
{
    parser->fault->syntax = true;
    parser->fault->at = at;
    parser->fault->words.size = 0;
    ouro_buf_add_text(&parser->fault->words, words);
    return false;
}

static bool fail(struct parser *parser, const char *words)
{
    return fail_at(parser, parser->at, words);
}

static int peek(const struct parser *parser, size_t ahead)
{
    return ahead < parser->size - parser->at ? (unsigned char)parser->text[parser->at + ahead] : -1;
}

static void skip_spaces(struct parser *parser)
{
    while (peek(parser, 0) == ' ' || peek(parser, 0) == '\t' || peek(parser, 0) == '\n')
        parser->at++;
}

static bool take(struct parser *parser, const char *word)
{
    size_t length = strlen(word);
    if (length > parser->size - parser->at || memcmp(parser->text + parser->at, word, length) != 0)
        return false;
    parser->at += length;
    return true;
}

static bool is_letter(int c)
{
    return c >= 0x80 || c == '_' || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static size_t identifier_size(const struct parser *parser)
{
    size_t size = 0;
    while (is_letter(peek(parser, size)) || (size && is_digit(peek(parser, size))))
        size++;
    return size;
}

/* A step from `at` up to here. */
static struct ouro_step *add(struct parser *parser, enum ouro_step_kind kind, size_t at)
{
    struct ouro_step *step = OURO_VEC_ADD(parser->expression);
    if (!step) {
        parser->failed_memory = true;
        fail(parser, "out of memory");
        return NULL;
    }
    step->kind = kind;
    step->at = at;
    step->end = parser->at;
    step->begin = parser->begin;
    return step;
}

static bool open_form(struct parser *parser, enum form form, size_t at)
{
    if (parser->depth == OURO_EXPRESSION_DEPTH_MAX)
        return fail(parser, "brackets are nested too deep");
    parser->opens[parser->depth].form = form;
    parser->opens[parser->depth].begin = parser->begin;
    parser->opens[parser->depth].base_size = 0;
    parser->opens[parser->depth++].at = at;
    return true;
}

/* Digits, "0x" before hexadecimal ones. */
static bool read_number(struct parser *parser, uint64_t *number)
{
    size_t start = parser->at;
    bool hex = peek(parser, 0) == '0' && (peek(parser, 1) | 0x20) == 'x';
    parser->at += hex ? 2 : 0;
    size_t digits = 0;
    *number = 0;
    for (;; parser->at++, digits++) {
        int c = peek(parser, 0);
        unsigned digit = is_digit(c)                                     ? (unsigned)c - '0'
                         : hex && (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (unsigned)(c | 0x20) - 'a' + 10
                                                                         : 16;
        if (digit == 16)
            break;
        if (*number > (UINT64_MAX - digit) / (hex ? 16 : 10))
            return fail_at(parser, start, "a number that is too large to be an address");
        *number = *number * (hex ? 16 : 10) + digit;
    }
    if (!digits || is_letter(peek(parser, 0)))
        return fail(parser, "digits were expected");
    return true;
}

/* <Thread 'name' 27523>, <Thread 27523>, <Thread 'name'> */
static bool read_thread(struct parser *parser, size_t at)
{
    uint32_t name = 0;
    uint64_t number = 0;
    bool has_name = false, has_number = false;
    const char *why;
    skip_spaces(parser);
    if (peek(parser, 0) == '\'' || peek(parser, 0) == '"') {
        has_name = true;
        if (!ouro_constant_parse(&parser->expression->literals, parser->text, parser->size, &parser->at, &name, &why))
            return fail(parser, why);
        skip_spaces(parser);
    }
    if (is_digit(peek(parser, 0))) {
        has_number = true;
        if (!read_number(parser, &number))
            return false;
        skip_spaces(parser);
    }
    if ((!has_name && !has_number) || peek(parser, 0) != '>')
        return fail(parser, "a thread is written <Thread 'name'>, <Thread 'name' 27523> or <Thread 27523>");
    parser->at++;
    struct ouro_step *step = add(parser, OURO_STEP_THREAD, at);
    if (!step)
        return false;
    step->literal = name;
    step->number = number;
    step->has_name = has_name;
    step->has_number = has_number;
    return true;
}

static bool read_root(struct parser *parser)
{
    size_t at = parser->at++;
    if (take(parser, "Thread "))
        return read_thread(parser, at);
    size_t name = parser->at;
    while (peek(parser, 0) >= 0 && peek(parser, 0) != '>')
        parser->at++;
    if (peek(parser, 0) < 0)
        return fail_at(parser, at, "a root in angle brackets that doesn't end");
    size_t size = parser->at++ - name;
    struct ouro_step *step = add(parser, OURO_STEP_ROOT, at);
    if (!step)
        return false;
    step->name = name;
    step->name_size = size;
    return true;
}

/* list.__getitem__(, dict.keys(, sys.modules['collections'].OrderedDict.__iter__(: a method of a container in C. False:
 * a plain name. */
static bool read_method(struct parser *parser, enum form *form, size_t *base, size_t *base_size)
{
    static const char *const bases[] = {"list", "tuple", "dict", "set", "frozenset", "deque", "OrderedDict"};
    static const struct {
        const char *text;
        enum form form;
    } methods[] = {
        {".__getitem__(", IN_GETITEM},
        {".__iter__(",    IN_ITER   },
        {".keys(",        IN_KEYS   },
        {".values(",      IN_VALUES }
    };
    size_t start = parser->at, size;
    if (take(parser, "sys.modules['"))
        while (!take(parser, "'].") && parser->at < parser->size)
            parser->at++;
    while ((size = identifier_size(parser))) {
        *base = parser->at;
        *base_size = size;
        parser->at += size;
        for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
            if (!take(parser, methods[i].text))
                continue;
            *form = methods[i].form;
            for (size_t b = 0; b < sizeof bases / sizeof *bases && peek(parser, 0) != ')'; b++)
                if (size == strlen(bases[b]) && !memcmp(parser->text + *base, bases[b], size))
                    return true;
            return parser->at = start, false;
        }
        if (!take(parser, "."))
            break;
    }
    parser->at = start;
    return false;
}

/* vars(, type(, object.__getattribute__(: *form tells which. False: something else. */
static bool read_form(struct parser *parser, enum form *form)
{
    if (take(parser, "vars(")) {
        *form = IN_VARS;
        return true;
    }
    if (take(parser, "type(")) {
        *form = IN_TYPE;
        return true;
    }
    if (take(parser, "object.__getattribute__(") || take(parser, "type.__getattribute__(")) {
        *form = IN_OWN;
        return true;
    }
    return false;
}

/* A value's beginning. *more: what has been opened needs one itself. */
static bool read_primary(struct parser *parser, bool *more)
{
    enum form form;
    skip_spaces(parser);
    size_t at = parser->at, size, base = at, base_size = 0;
    *more = true;
    parser->begin = at;
    if (take(parser, "[*"))
        return open_form(parser, IN_UNPACK, at);
    if (take(parser, "("))
        return open_form(parser, IN_PARENTHESES, at);
    if (read_form(parser, &form) || read_method(parser, &form, &base, &base_size)) {
        if (!open_form(parser, form, at))
            return false;
        parser->opens[parser->depth - 1].base = base;
        parser->opens[parser->depth - 1].base_size = base_size;
        return true;
    }
    *more = false;
    if (peek(parser, 0) == '<')
        return read_root(parser);
    if (is_digit(peek(parser, 0))) {
        uint64_t number;
        if (!read_number(parser, &number))
            return false;
        struct ouro_step *step = add(parser, OURO_STEP_ADDR, at);
        if (step)
            step->number = number;
        return step != NULL;
    }
    if (take(parser, "sys._current_frames()"))
        return add(parser, OURO_STEP_CURRENT_FRAMES, at) != NULL;
    if (!(size = identifier_size(parser)))
        return fail(parser, parser->at == parser->size ? "an expression was expected"
                                                       : "a name, an address or a root in angle brackets was expected");
    parser->at += size;
    struct ouro_step *step = add(parser, OURO_STEP_NAME, at);
    if (!step)
        return false;
    step->name = at;
    step->name_size = size;
    return true;
}

static bool read_stack(struct parser *parser, size_t at)
{
    uint64_t number;
    if (!read_number(parser, &number))
        return false;
    if (!take(parser, "]>"))
        return fail(parser, "a slot of a frame's value stack is written <stack[1]>");
    struct ouro_step *step = add(parser, OURO_STEP_STACK, at);
    if (step)
        step->number = number;
    return step != NULL;
}

static bool read_attribute(struct parser *parser, bool *opened)
{
    size_t at = parser->at++, size;
    skip_spaces(parser);
    if (take(parser, "<stack["))
        return read_stack(parser, at);
    if (take(parser, "values()"))
        return add(parser, OURO_STEP_VALUES, at) != NULL;
    if (take(parser, "keys()"))
        return add(parser, OURO_STEP_KEYS, at) != NULL;
    if (take(parser, "__get__(")) {
        *opened = true;
        return open_form(parser, IN_GET, at);
    }
    if (!(size = identifier_size(parser)))
        return fail(parser, "a name was expected behind the point");
    size_t name = parser->at;
    parser->at += size;
    struct ouro_step *step = add(parser, OURO_STEP_ATTRIBUTE, at);
    if (!step)
        return false;
    step->name = name;
    step->name_size = size;
    return true;
}

/* [2:function]: the function's name goes up to the bracket. True when it was one. */
static bool is_frame(struct parser *parser, uint64_t *number, size_t *name, size_t *name_size)
{
    size_t i = 0;
    *number = 0;
    while (is_digit(peek(parser, i)) && *number < UINT32_MAX)
        *number = *number * 10 + (uint64_t)(peek(parser, i++) - '0');
    if (!i || peek(parser, i) != ':' || (!is_letter(peek(parser, i + 1)) && peek(parser, i + 1) != '<'))
        return false;
    *name = parser->at + ++i;
    while (peek(parser, i) >= 0 && peek(parser, i) != ']')
        i++;
    if (peek(parser, i) != ']')
        return false;
    *name_size = parser->at + i - *name;
    parser->at += i + 1;
    return true;
}

static bool read_subscript(struct parser *parser, bool *opened)
{
    size_t at = parser->at++, name, name_size;
    uint64_t number;
    uint32_t literal;
    const char *why;
    if (is_frame(parser, &number, &name, &name_size)) {
        struct ouro_step *step = add(parser, OURO_STEP_FRAME, at);
        if (!step)
            return false;
        step->number = number;
        step->has_name = true;
        step->name = name;
        step->name_size = name_size;
        return true;
    }
    skip_spaces(parser);
    if (!ouro_constant_begins(parser->text + parser->at, parser->size - parser->at)) {
        if (peek(parser, 0) == ']')
            return fail(parser, "a key or an index was expected in the brackets");
        *opened = true;
        return open_form(parser, IN_LOOKUP, at);
    }
    name = parser->at;
    if (!ouro_constant_parse(&parser->expression->literals, parser->text, parser->size, &parser->at, &literal, &why))
        return fail(parser, why);
    name_size = parser->at - name;
    skip_spaces(parser);
    if (peek(parser, 0) == ',')
        return fail(parser, "a tuple as key is written in parentheses: [(1, 2)]");
    if (peek(parser, 0) == ':')
        return fail(parser, "slices make new objects; one index was expected");
    if (peek(parser, 0) != ']')
        return fail(parser, peek(parser, 0) < 0 ? "a bracket that isn't closed" : "a closing bracket was expected");
    parser->at++;
    struct ouro_step *step = add(parser, OURO_STEP_ITEM, at);
    if (!step)
        return false;
    step->literal = literal;
    step->name = name;
    step->name_size = name_size;
    return true;
}

/* ` -> words`: a label in angle brackets, or everything up to the next arrow. */
static bool read_arrow(struct parser *parser, size_t at)
{
    skip_spaces(parser);
    size_t name = parser->at, end;
    if (peek(parser, 0) == '<') {
        unsigned depth = 0;
        do {
            int c = peek(parser, 0);
            if (c < 0)
                return fail_at(parser, name, "words in angle brackets that don't end");
            depth += c == '<';
            depth -= c == '>';
            parser->at++;
        } while (depth);
        end = parser->at;
    } else {
        while (peek(parser, 0) >= 0 && !(peek(parser, 0) == ' ' && peek(parser, 1) == '-' && peek(parser, 2) == '>'))
            parser->at++;
        end = parser->at;
        while (end > name && parser->text[end - 1] == ' ')
            end--;
    }
    if (end == name)
        return fail(parser, "a label or a type was expected behind the arrow");
    struct ouro_step *step = add(parser, OURO_STEP_ARROW, at);
    if (!step)
        return false;
    step->name = name;
    step->name_size = end - name;
    return true;
}

/* The second argument of object.__getattribute__ and list.__getitem__, and the parenthesis behind it. */
static bool read_argument(struct parser *parser, struct ouro_step *step)
{
    const char *why;
    uint32_t literal;
    if (peek(parser, 0) != ',')
        return fail(parser, "a comma and a literal were expected");
    parser->at++;
    skip_spaces(parser);
    step->name = parser->at;
    if (!ouro_constant_parse(&parser->expression->literals, parser->text, parser->size, &parser->at, &literal, &why))
        return fail(parser, why);
    step->name_size = parser->at - step->name;
    step->literal = literal;
    skip_spaces(parser);
    if (!take(parser, ")"))
        return fail(parser, "a closing parenthesis was expected");
    return true;
}

/* The end of the innermost form. */
static bool close_form(struct parser *parser)
{
    static const enum ouro_step_kind kinds[] = {
        [IN_VARS] = OURO_STEP_VARS,    [IN_TYPE] = OURO_STEP_TYPE,       [IN_UNPACK] = OURO_STEP_UNPACK,
        [IN_OWN] = OURO_STEP_OWN,      [IN_GETITEM] = OURO_STEP_GETITEM, [IN_ITER] = OURO_STEP_ITER,
        [IN_KEYS] = OURO_STEP_KEYS,    [IN_VALUES] = OURO_STEP_VALUES,   [IN_GET] = OURO_STEP_GET,
        [IN_LOOKUP] = OURO_STEP_LOOKUP};
    enum form form = parser->opens[parser->depth - 1].form;
    size_t begin = parser->opens[parser->depth - 1].begin, at = parser->opens[parser->depth - 1].at;
    size_t base = parser->opens[parser->depth - 1].base, base_size = parser->opens[parser->depth - 1].base_size;
    struct ouro_step step = {0};
    if (form == IN_OWN || form == IN_GETITEM) {
        if (!read_argument(parser, &step))
            return false;
        if (form == IN_OWN && parser->expression->literals.items[step.literal].kind != OURO_CONSTANT_STR)
            return fail_at(parser, step.name, "an attribute's name was expected");
    } else {
        int end = form == IN_UNPACK || form == IN_LOOKUP ? ']' : ')';
        if (peek(parser, 0) != end)
            return fail(parser, peek(parser, 0) < 0
                                    ? end == ']' ? "a bracket that isn't closed" : "a parenthesis that isn't closed"
                                : end == ']' ? "a closing bracket was expected"
                                             : "a closing parenthesis was expected");
        parser->at++;
    }
    parser->depth--;
    /* The value that a wrapping form makes begins with it; others go on with what stands before them. */
    parser->begin = form == IN_GET || form == IN_LOOKUP ? begin : at;
    if (form == IN_PARENTHESES)
        return true;
    struct ouro_step *added = add(parser, kinds[form], at);
    if (!added)
        return false;
    added->literal = step.literal;
    added->name = step.name;
    added->name_size = step.name_size;
    added->base = base;
    added->base_size = base_size;
    return true;
}

/* What may follow a value. *opened: a value has to begin again. *end: nothing does. */
static bool read_suffix(struct parser *parser, bool *opened, bool *end)
{
    *opened = *end = false;
    skip_spaces(parser);
    size_t at = parser->at;
    switch (peek(parser, 0)) {
    case '.':
        return read_attribute(parser, opened);
    case '[':
        return read_subscript(parser, opened);
    case '(':
        if (take(parser, "()"))
            return add(parser, OURO_STEP_CALL, at) != NULL;
        return fail(parser, "nothing is called: that would run code");
    case '<':
        if (take(parser, "<stack["))
            return read_stack(parser, at);
        break;
    case '-':
        if (take(parser, "->"))
            return read_arrow(parser, at);
        break;
    case -1:
        if (!parser->depth) {
            *end = true;
            return true;
        }
        break;
    default:
        break;
    }
    if (parser->depth)
        return close_form(parser);
    return fail(parser, "a step (.name, ['key'], [0]) was expected");
}

enum ouro_status ouro_expression_parse(struct ouro_expression *expression, const char *text, size_t size,
                                       struct ouro_expression_fault *fault)
{
    memset(expression, 0, sizeof *expression);
    expression->text = text;
    expression->size = size;
    struct parser parser = {.expression = expression, .fault = fault, .text = text, .size = size};
    bool good = true, primary = true, end = false;
    if (size > OURO_EXPRESSION_BYTES_MAX)
        good = fail(&parser, "an expression of more than 131072 bytes");
    while (good && !end) {
        if (primary)
            good = read_primary(&parser, &primary);
        else
            good = read_suffix(&parser, &primary, &end);
    }
    if (good)
        return OURO_OK;
    bool no_memory = parser.failed_memory || expression->literals.bytes.failed;
    ouro_expression_fini(expression);
    return no_memory ? OURO_NOMEM : OURO_INVAL;
}
