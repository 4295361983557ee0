#include "world.h"

#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/guard.h"

/* Not libcheck's: the fuzzer makes worlds too. */
#define MUST(what)                                                    \
    do {                                                              \
        if (!(what)) {                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what); \
            abort();                                                  \
        }                                                             \
    } while (0)

static void make_machine(struct world *world)
{
    struct ouro_err err = {0};
    MUST(ouro_machine_new(&world->machine, &world->image, NULL, &err) == OURO_OK);
}

void world_of_code(struct world *world, const void *code, size_t code_size, const void *data, size_t data_size)
{
    struct ouro_err err = {0};
    OURO_FREE unsigned char *bytes = calloc(1, WORLD_BYTES);
    char *text = NULL;
    memset(world, 0, sizeof *world);
    MUST(bytes && code_size <= WORLD_CODE_BYTES && data_size <= WORLD_DATA_BYTES);
    memcpy(bytes, code, code_size);
    if (data)
        memcpy(bytes + (WORLD_DATA - WORLD_CODE), data, data_size);
    memset(bytes + (WORLD_CONST - WORLD_CODE), 0xc5, WORLD_CONST_BYTES);
    MUST(ouro_image_of_bytes(&world->image, WORLD_CODE, bytes, WORLD_BYTES, &err) == OURO_OK);
    MUST(asprintf(&text,
                              "%" PRIx64 "-%" PRIx64 " r-xp 00000000 00:00 0\n%" PRIx64 "-%" PRIx64
                              " rw-p 00000000 00:00 0\n%" PRIx64 "-%" PRIx64 " r--p 00000000 00:00 0\n%" PRIx64
                              "-%" PRIx64 " rw-s 00000000 00:01 7 /dev/zero (deleted)\n",
                              WORLD_CODE, WORLD_DATA, WORLD_DATA, WORLD_CONST, WORLD_CONST, WORLD_SHARED, WORLD_SHARED,
                              WORLD_END) > 0);
    MUST(ouro_maps_parse(&world->image.maps, text, &err) == OURO_OK);
    make_machine(world);
}

struct search {
    uintptr_t address, start, end;
};

static int find_object(struct dl_phdr_info *info, size_t size, void *context)
{
    struct search *search = context;
    (void)size;
    uintptr_t start = UINTPTR_MAX, end = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD)
            continue;
        uintptr_t from = info->dlpi_addr + header->p_vaddr, to = from + header->p_memsz;
        start = from < start ? from : start;
        end = to > end ? to : end;
    }
    if (search->address < start || search->address >= end)
        return 0;
    search->start = start & ~(uintptr_t)(OURO_PAGE_BYTES - 1);
    search->end = (end + OURO_PAGE_BYTES - 1) & ~(uintptr_t)(OURO_PAGE_BYTES - 1);
    return 1;
}

void world_of_object(struct world *world, const void *address)
{
    struct ouro_err err = {0};
    struct search search = {.address = (uintptr_t)address};
    memset(world, 0, sizeof *world);
    MUST(dl_iterate_phdr(find_object, &search) == 1);
    OURO_FREE unsigned char *bytes = calloc(1, search.end - search.start);
    MUST(bytes);
    struct ouro_maps maps = {0};
    MUST(ouro_maps_read(&maps, getpid(), false, &err) == OURO_OK);
    size_t kept = 0;
    for (size_t i = 0; i < maps.count; i++) {
        const struct ouro_mapping *mapping = &maps.items[i];
        if (mapping->start < search.start || mapping->end > search.end)
            continue;
        if (mapping->readable)
            memcpy(bytes + (mapping->start - search.start), (const void *)(uintptr_t)mapping->start,
                   mapping->end - mapping->start);
        maps.items[kept++] = *mapping;
    }
    maps.count = kept;
    MUST(ouro_image_of_bytes(&world->image, search.start, bytes, search.end - search.start, &err) == OURO_OK);
    world->image.maps = maps;
    make_machine(world);
}

void world_fini(struct world *world)
{
    ouro_machine_free(world->machine);
    ouro_image_fini(&world->image);
}

bool visit_is(const struct ouro_machine_visit *visit, uint32_t kind, int32_t offset, ouro_addr addr)
{
    if (visit->addr != addr || visit->origin.kind != kind)
        return false;
    return kind == OURO_ORIGIN_CONSTANT || kind == OURO_ORIGIN_WITHIN || kind == OURO_ORIGIN_OTHER ||
           visit->origin.offset == offset;
}

uint64_t random_next(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

uint64_t random_seed(void)
{
    const char *text = getenv("OURO_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 0) : 20240611;
    printf("seed %" PRIu64 " (OURO_TEST_SEED)\n", seed);
    return seed;
}

int skip_emulation(void)
{
    puts("skipped: no machine: this build has no Zydis, or runs elsewhere than on x86-64");
    return 77;
}
