/* Feeds bytes to the parser of /proc/PID/maps and smaps. Needs --enable-fuzz (libFuzzer). */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "target/maps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ouro_maps maps;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = 0;
    if (ouro_maps_parse(&maps, text, NULL) == OURO_OK)
        for (size_t i = 0; i < maps.count; i++) {
            const struct ouro_mapping *mapping = &maps.items[i];
            if (mapping->start >= mapping->end || (i && maps.items[i - 1].end > mapping->start) ||
                ouro_maps_find(&maps, mapping->start) != mapping || strlen(mapping->path) > size)
                abort();
        }
    ouro_maps_fini(&maps);
    return 0;
}
