/* Everything that is ever asked about a snapshot, one after the other: for tests and fuzzers that have no opinion on the
 * answers, only that there are some. */
#ifndef OURO_TESTS_WHOLE_H
#define OURO_TESTS_WHOLE_H

#include "analysis/retained.h"
#include "render/out.h"

/* What is asked, as bits. */
enum whole_part {
    WHOLE_INFO = 1,
    WHOLE_COLLECTOR = 2, /* of each generation, and the order of what it finds */
    WHOLE_GARBAGE = 4,   /* of each generation, and its pages */
    WHOLE_RETAINED = 8,
    WHOLE_TYPES = 16, /* by type and by module, exact */
    WHOLE_DOMINATORS = 32,
    WHOLE_CYCLES = 64, /* all of them, described, with advice */
    WHOLE_OBJECTS = 128, /* a list of all, and the pages of some */
    WHOLE_EXPORT = 256,
    WHOLE_STACK = 512, /* threads, frames, locals, waits, and short values of all objects */
    WHOLE_PATHS = 1024,
    WHOLE_PICTURES = 2048,
    WHOLE_WRITTEN = 4096, /* pictures, as DOT and back */
    WHOLE_DIFF = 8192, /* against another snapshot, or itself */
    WHOLE_LEAKS = 16384, /* from one object on */
    WHOLE_ALL = 32767,
};

/* What WHOLE_DIFF compares with; NULL: with itself. Borrowed. */
extern const char *whole_other;

/* The first status that is not OURO_OK; OURO_NOMEM too where a page ran out of memory. */
enum ouro_status whole_analysis(const char *path, unsigned open_flags, unsigned parts, struct ouro_err *err);

/* Of a whole model: a part of the above. written: OURO_INVAL where what is written does not read back. */
enum ouro_status whole_pictures(struct ouro_heap_model *model, const struct ouro_collector *collector,
                                const struct ouro_roots *roots, struct ouro_retained *retained, struct ouro_out *out,
                                bool written, struct ouro_err *err);

#endif
