#include "base/map.h"

#include <stdlib.h>
#include <string.h>

static size_t slot_of(uint64_t key, size_t capacity)
{
    return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (capacity - 1);
}

void ouro_map_fini(struct ouro_map *map)
{
    free(map->entries);
    memset(map, 0, sizeof *map);
}

uint64_t *ouro_map_find(const struct ouro_map *map, uint64_t key)
{
    if (!map->capacity)
        return NULL;
    for (size_t i = slot_of(key, map->capacity);; i = (i + 1) & (map->capacity - 1)) {
        if (map->entries[i].key == key)
            return &map->entries[i].value;
        if (map->entries[i].key == UINT64_MAX)
            return NULL;
    }
}

static struct ouro_map_entry *place(struct ouro_map_entry *entries, size_t capacity, uint64_t key)
{
    size_t i = slot_of(key, capacity);
    while (entries[i].key != UINT64_MAX && entries[i].key != key)
        i = (i + 1) & (capacity - 1);
    return &entries[i];
}

static bool grow(struct ouro_map *map)
{
    size_t capacity = map->capacity ? map->capacity * 2 : 16;
    if (capacity > SIZE_MAX / sizeof *map->entries / 2)
        return false;
    struct ouro_map_entry *entries = malloc(capacity * sizeof *entries);
    if (!entries)
        return false;
    memset(entries, 0xff, capacity * sizeof *entries);
    for (size_t i = 0; i < map->capacity; i++)
        if (map->entries[i].key != UINT64_MAX)
            *place(entries, capacity, map->entries[i].key) = map->entries[i];
    free(map->entries);
    map->entries = entries;
    map->capacity = capacity;
    return true;
}

uint64_t *ouro_map_put(struct ouro_map *map, uint64_t key, bool *added)
{
    if (added)
        *added = false;
    if (key == UINT64_MAX)
        return NULL;
    if (map->count >= map->capacity / 2) {
        uint64_t *there = ouro_map_find(map, key);
        if (there)
            return there;
        if (!grow(map))
            return NULL;
    }
    struct ouro_map_entry *entry = place(map->entries, map->capacity, key);
    if (entry->key == UINT64_MAX) {
        entry->key = key;
        entry->value = 0;
        map->count++;
        if (added)
            *added = true;
    }
    return &entry->value;
}
