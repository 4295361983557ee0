/* What the parts of the search for leak suspects share; not for others. */
#ifndef OURO_ANALYSIS_LEAK_SEARCH_H
#define OURO_ANALYSIS_LEAK_SEARCH_H

#include "analysis/leaks.h"

struct ouro_leak_search {
    struct ouro_leaks *leaks;
    struct ouro_heap_model *model;
    const struct ouro_roots *roots;
    const struct ouro_retained *retained;
    const struct ouro_leaks_query *query;
    uint8_t *told; /* owned; a bit for each object that a suspect is about already */
    struct ouro_err *err;
};

static inline uint64_t ouro_leak_many(const struct ouro_leak_search *search, uint64_t usual)
{
    return search->query->many ? search->query->many : usual;
}

/* A new suspect; NULL: no memory. */
struct ouro_leak *ouro_leak_add(struct ouro_leak_search *search, enum ouro_leak_kind kind, ouro_node node, uint64_t count,
                                uint64_t bytes);
bool ouro_leak_is_told(const struct ouro_leak_search *search, ouro_node node);
void ouro_leak_tell(struct ouro_leak_search *search, ouro_node node);
/* "module.Type", builtins without their module. */
void ouro_leak_add_type(struct ouro_buf *out, const struct ouro_heap_model *model, uint32_t type);
/* 12,345 and 1.2 MiB. */
void ouro_leak_add_count(struct ouro_buf *out, uint64_t count);
void ouro_leak_add_bytes(struct ouro_buf *out, uint64_t bytes);
/* The same as a word of a command. */
void ouro_leak_add_type_word(struct ouro_buf *out, const struct ouro_heap_model *model, uint32_t type);
/* The filled items of a list, tuple, dict, set, deque or what derives from one; false: it is none. */
bool ouro_leak_items(const struct ouro_heap_model *model, ouro_node node, uint64_t *count);
/* What the objects with a bit set retain together, at least: nothing is counted twice. O(objects). */
uint64_t ouro_leak_retained_together(const struct ouro_leak_search *search, const uint8_t *bits);

/* Who holds the objects with a bit set: one container most of them, or what each is wrapped in (a tuple, an exception). It becomes the
 * suspect's place and is told in its text; nobody is, when it is not one. Uses up bits. O(objects + references). */
enum ouro_status ouro_leak_add_holder(struct ouro_leak_search *search, struct ouro_leak *leak, uint8_t *bits);

/* The parts. Each adds its suspects; what says more comes first, as what was told is not told again. */
enum ouro_status ouro_leak_find_caches(struct ouro_leak_search *search);
enum ouro_status ouro_leak_find_large(struct ouro_leak_search *search);
enum ouro_status ouro_leak_find_outliers(struct ouro_leak_search *search);
enum ouro_status ouro_leak_find_globals(struct ouro_leak_search *search);
enum ouro_status ouro_leak_find_ended(struct ouro_leak_search *search);
enum ouro_status ouro_leak_find_waste(struct ouro_leak_search *search);

#endif
