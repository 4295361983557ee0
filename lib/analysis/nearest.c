#include "analysis/nearest.h"

#include <string.h>

#include "analysis/value.h"

#define BUDGET UINT64_C(40000000) /* cells: some hundredths of a second */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Optimal string alignment, row by row (E. Ukkonen, "Algorithms for approximate string matching", 1985: rows end
 * early). */
unsigned ouro_nearest_distance(const char *a, size_t a_size, const char *b, size_t b_size, unsigned most)
{
    unsigned rows[3][OURO_NEAREST_BYTES_MAX + 1];
    if (a_size > OURO_NEAREST_BYTES_MAX || b_size > OURO_NEAREST_BYTES_MAX ||
        (a_size > b_size ? a_size - b_size : b_size - a_size) > most)
        return most + 1;
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a_size; i++) {
        unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3], least;
        least = row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_size; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            row[j] = smaller(smaller(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && lower(a[i - 2]) == y)
                row[j] = smaller(row[j], before[j - 2] + 1);
            least = smaller(least, row[j]);
        }
        if (least > most)
            return most + 1;
    }
    return smaller(rows[a_size % 3][b_size], most + 1);
}

void ouro_nearest_begin(struct ouro_nearest *nearest, const char *wanted, size_t size)
{
    memset(nearest, 0, sizeof *nearest);
    nearest->wanted = wanted;
    nearest->wanted_size = size;
    nearest->budget = BUDGET;
}

static bool is_before(const struct ouro_near *a, const struct ouro_near *b)
{
    if (a->distance != b->distance)
        return a->distance < b->distance;
    int order = memcmp(a->text, b->text, a->size < b->size ? a->size : b->size);
    return order ? order < 0 : a->size < b->size;
}

static void keep(struct ouro_nearest *nearest, const struct ouro_near *near)
{
    size_t at = nearest->count;
    for (size_t i = 0; i < nearest->count; i++)
        if (nearest->items[i].size == near->size && !memcmp(nearest->items[i].text, near->text, near->size))
            return;
    while (at && is_before(near, &nearest->items[at - 1]))
        at--;
    if (at == OURO_NEAREST_COUNT)
        return;
    if (nearest->count < OURO_NEAREST_COUNT)
        nearest->count++;
    memmove(&nearest->items[at + 1], &nearest->items[at], (nearest->count - 1 - at) * sizeof *near);
    nearest->items[at] = *near;
}

bool ouro_nearest_offer(struct ouro_nearest *nearest, const char *bytes, size_t size, ouro_node key)
{
    size_t wanted = nearest->wanted_size;
    unsigned most = (unsigned)(1 + wanted / 4);
    struct ouro_near near = {.key = key, .size = size};
    if (most > 6)
        most = 6;
    uint64_t cost = 8 + wanted * (uint64_t)(size <= OURO_NEAREST_BYTES_MAX ? size : 0);
    if (nearest->budget < cost)
        return false;
    if (!wanted || !size || size > OURO_NEAREST_BYTES_MAX || wanted > OURO_NEAREST_BYTES_MAX) {
        nearest->budget -= 8;
        return true;
    }
    near.distance = ouro_nearest_distance(nearest->wanted, wanted, bytes, size, most);
    /* The whole of a name, of which the last part was given. */
    if (near.distance > 1 && size > wanted && bytes[size - wanted - 1] == '.' &&
        !memcmp(bytes + size - wanted, nearest->wanted, wanted))
        near.distance = 1;
    bool close = (size > wanted ? size - wanted : wanted - size) <= most;
    nearest->budget -= close ? cost : 8;
    if (near.distance > most || near.distance >= (wanted < size ? wanted : size))
        return true;
    memcpy(near.text, bytes, size);
    keep(nearest, &near);
    return true;
}

void ouro_nearest_add(struct ouro_buf *out, const struct ouro_nearest *nearest, const struct ouro_heap_model *model)
{
    for (size_t i = 0; i < nearest->count; i++) {
        const struct ouro_near *near = &nearest->items[i];
        ouro_buf_add_text(out, i ? ", " : " (near: ");
        if (near->key != OURO_NODE_NONE)
            ouro_label_key(out, model, near->key);
        else
            ouro_value_str(out, (const unsigned char *)near->text, near->size, SIZE_MAX, false);
    }
    if (nearest->count)
        ouro_buf_add_byte(out, ')');
}
