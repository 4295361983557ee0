/* Literals of Python: what stands in brackets behind a dict, read from text and compared with keys of a snapshot.
 *
 * Equality is Python's: 1 == 1.0 == True, a str is never a bytes object, tuples item by item. Where the file doesn't
 * hold enough of a key to say (a long text of which a part is stored, values that were left out, a class with an __eq__
 * of its own) the answer is that it can't be told. */
#ifndef OURO_ANALYSIS_CONSTANT_H
#define OURO_ANALYSIS_CONSTANT_H

#include "analysis/heap_model.h"
#include "base/buf.h"

enum ouro_constant_kind {
    OURO_CONSTANT_STR,
    OURO_CONSTANT_BYTES,
    OURO_CONSTANT_INT,   /* bool too */
    OURO_CONSTANT_FLOAT, /* complex too */
    OURO_CONSTANT_NONE,
    OURO_CONSTANT_ELLIPSIS,
    OURO_CONSTANT_TUPLE,
};

/* Literals in preorder: a tuple's items follow it. */
struct ouro_constants {
    struct ouro_constant {
        enum ouro_constant_kind kind;
        size_t offset, size;    /* in `bytes`: of str (WTF-8), bytes, and int (little-endian two's complement) */
        double real, imaginary; /* of floats */
        uint32_t count;         /* of a tuple's items */
        uint32_t end;           /* the item behind it and its own */
    } * items;                  /* owned */
    size_t count, capacity;
    struct ouro_buf bytes;
};

void ouro_constants_fini(struct ouro_constants *literals);
/* The bytes of a str, bytes or int; never NULL. */
static inline const unsigned char *ouro_constant_bytes(const struct ouro_constants *literals,
                                                       const struct ouro_constant *literal)
{
    return literal->size ? literals->bytes.data + literal->offset : (const unsigned char *)"";
}

/* Whether a literal begins here (it may be a bad one). */
bool ouro_constant_begins(const char *text, size_t size);
/* Reads the literal that begins at *at of the text, and moves *at behind it. Its number in *index. False when it is
 * none: *at is then the place, and *why (a constant) says what is wrong there. No recursion: tuples may be nested
 * OURO_CONSTANT_DEPTH_MAX deep. */
#define OURO_CONSTANT_DEPTH_MAX 32
bool ouro_constant_parse(struct ouro_constants *literals, const char *text, size_t size, size_t *at, uint32_t *index,
                         const char **why);
/* A small int, for indexes; false when it is none or too large. */
bool ouro_constant_index(const struct ouro_constants *literals, uint32_t index, int64_t *value);

enum ouro_constant_match { OURO_CONSTANT_DIFFERS, OURO_CONSTANT_EQUALS, OURO_CONSTANT_UNTOLD };

/* Compares with an object. Needs SLOTS, VALUES, FLAGS. */
struct ouro_constant_matcher {
    const struct ouro_heap_model *model;   /* borrowed */
    const struct ouro_constants *literals; /* borrowed */
    uint32_t type_known;                   /* the class that was looked at last + 1 */
    bool type_plain;                       /* it compares as its builtin base does */
};
enum ouro_constant_match ouro_constant_compare(struct ouro_constant_matcher *matcher, uint32_t index, ouro_node key);

/* The text that a literal, or a key, would be looked for by: a str or bytes without quotes, else as it is shown. */
void ouro_constant_plain(struct ouro_buf *out, const struct ouro_constants *literals, uint32_t index);

#endif
