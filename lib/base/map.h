/* A hash map from uint64 keys to uint64 values: open addressing, linear probing, load at most 1/2.
 * Key UINT64_MAX is reserved. 16 bytes a slot. Zero-initialised is empty and valid. */
#ifndef OURO_BASE_MAP_H
#define OURO_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ouro_map_entry {
    uint64_t key, value;
};

struct ouro_map {
    struct ouro_map_entry *entries; /* owned */
    size_t count, capacity;         /* capacity: a power of two, or 0 */
};

void ouro_map_fini(struct ouro_map *map);
/* The value's place, or NULL when the key is absent. Borrowed until the next put. */
uint64_t *ouro_map_find(const struct ouro_map *map, uint64_t key);
/* The value's place, new ones zeroed; NULL when memory runs out. *added (may be NULL) tells whether it is new. */
uint64_t *ouro_map_put(struct ouro_map *map, uint64_t key, bool *added);

#endif
