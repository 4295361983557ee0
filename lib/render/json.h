/* A streaming JSON writer: commas and nesting are its business, values the caller's. Keys are NULL inside arrays. */
#ifndef OURO_RENDER_JSON_H
#define OURO_RENDER_JSON_H

#include "base/types.h"
#include "render/out.h"

#define OURO_JSON_DEPTH_MAX 256

struct ouro_json {
    struct ouro_out *out; /* borrowed */
    unsigned depth;
    bool filled[OURO_JSON_DEPTH_MAX]; /* whether a value stands before the next one */
    bool is_array[OURO_JSON_DEPTH_MAX];
};

void ouro_json_init(struct ouro_json *json, struct ouro_out *out);
void ouro_json_object(struct ouro_json *json, const char *key);
void ouro_json_array(struct ouro_json *json, const char *key);
/* Closes the innermost object or array; a newline behind the last. */
void ouro_json_end(struct ouro_json *json);

void ouro_json_text(struct ouro_json *json, const char *key, const void *bytes, size_t size);
/* What was gathered in a buffer; that memory ran out for it is told by the output. */
void ouro_json_buf(struct ouro_json *json, const char *key, const struct ouro_buf *text);
void ouro_json_string(struct ouro_json *json, const char *key, const char *text);
void ouro_json_uint(struct ouro_json *json, const char *key, uint64_t value);
void ouro_json_int(struct ouro_json *json, const char *key, int64_t value);
void ouro_json_bool(struct ouro_json *json, const char *key, bool value);
void ouro_json_null(struct ouro_json *json, const char *key);
void ouro_json_addr(struct ouro_json *json, const char *key, ouro_addr addr); /* "0x7f.." */

/* The inside of a JSON string. Lone surrogates as \u and four digits; bytes that are no UTF-8 as those that Python's
 * surrogateescape makes of them; controls, bidi marks and whatever else does not print escaped too, as the output may be
 * a terminal. */
void ouro_json_escape(struct ouro_buf *out, const void *bytes, size_t size);

#endif
