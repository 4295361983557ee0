/* Compiled by every compiler at hand at every level of optimisation into a library of its own (test_explore.c). */
#include "traverse.h"

#include <stdint.h>

#define VISIT(what)                        \
    do {                                   \
        if (what) {                        \
            int result = visit(what, arg); \
            if (result)                    \
                return result;             \
        }                                  \
    } while (0)
#define FUNCTION(name) static int name(struct thing *self, visit_function visit, void *arg)
#define UNUSED         (void)self, (void)visit, (void)arg

static unsigned calls;
static volatile unsigned noise;
static struct thing global;
static struct thing *current = &global;
static struct thing things[THINGS];

/* ---- The same fields always ---- */

FUNCTION(nothing)
{
    UNUSED;
    return 0;
}

FUNCTION(three_fields)
{
    VISIT(self->a);
    VISIT(self->b);
    VISIT(self->c);
    return 0;
}

FUNCTION(backwards)
{
    VISIT(self->d);
    VISIT(self->c);
    VISIT(self->b);
    VISIT(self->a);
    return 0;
}

FUNCTION(tail_call)
{
    VISIT(self->a);
    if (self->b)
        return visit(self->b, arg);
    return 0;
}

FUNCTION(twice)
{
    VISIT(self->a);
    VISIT(self->b);
    VISIT(self->a);
    return 0;
}

FUNCTION(type_too)
{
    VISIT((void *)self->type);
    VISIT(self->c);
    VISIT(self->type->shared);
    return 0;
}

FUNCTION(global_too)
{
    VISIT(self->c);
    VISIT(current);
    VISIT(self->d);
    return 0;
}

FUNCTION(constant_loop)
{
    for (int i = 0; i < 4; i++)
        VISIT(self->array[i]);
    VISIT(self->a);
    return 0;
}

FUNCTION(constant_loop_of_pointers)
{
    for (struct thing **at = self->array; at < self->array + 4; at++)
        VISIT(*at);
    return 0;
}

FUNCTION(constant_loop_down)
{
    for (int i = 4; --i >= 0;)
        VISIT(self->array[i]);
    return 0;
}

static __attribute__((noinline)) int visit_two(struct thing **first, visit_function visit, void *arg)
{
    VISIT(first[0]);
    VISIT(first[1]);
    return 0;
}

FUNCTION(in_a_callee)
{
    int result = visit_two(&self->c, visit, arg);
    if (result)
        return result;
    VISIT(self->a);
    return visit_two(&self->array[1], visit, arg);
}

FUNCTION(of_the_type)
{
    VISIT(self->next);
    return self->type->traverse(self, visit, arg);
}

FUNCTION(by_flag_of_the_type)
{
    if (self->type->flags & 4)
        VISIT(self->a);
    if (self->type->flags & 2)
        VISIT(self->b);
    VISIT(self->c);
    return 0;
}

FUNCTION(sum_of_results)
{
    int result = 0;
    if (self->a)
        result = visit(self->a, arg);
    if (!result && self->b)
        result = visit(self->b, arg);
    if (!result && self->c)
        result = visit(self->c, arg);
    return result;
}

FUNCTION(read_before)
{
    struct thing *a = self->a, *b = self->b, *c = self->c, *d = self->d;
    VISIT(a);
    VISIT(b);
    VISIT(c);
    VISIT(d);
    return 0;
}

FUNCTION(reads_on_the_way)
{
    VISIT(self->a);
    noise += 0; /* a write that depends on nothing */
    VISIT(self->b);
    return 0;
}

/* ---- Not NULL, says the function, so that is what it says ---- */

FUNCTION(unconditional)
{
    int result = visit(self->a, arg);
    if (result)
        return result;
    VISIT(self->b);
    return 0;
}

/* ---- They only seem to ---- */

FUNCTION(tagged_union)
{
    if (self->tag == 1)
        VISIT(self->a);
    else
        VISIT(self->b);
    return 0;
}

FUNCTION(tagged_switch)
{
    switch (self->tag) {
    case 0: VISIT(self->a); break;
    case 1: VISIT(self->b); break;
    case 2: VISIT(self->c); break;
    case 3: VISIT(self->d); break;
    default: VISIT(self->next);
    }
    return 0;
}

FUNCTION(tagged_tail)
{
    VISIT(self->a);
    if (self->tag & 2)
        VISIT(self->b);
    return 0;
}

FUNCTION(tagged_pointer)
{
    if ((uintptr_t)self->next & 1)
        return 0;
    VISIT(self->next);
    return 0;
}

FUNCTION(one_guards_another)
{
    if (self->a)
        VISIT(self->b);
    return 0;
}

FUNCTION(absence_guards)
{
    if (!self->a)
        VISIT(self->b);
    return 0;
}

FUNCTION(early_out)
{
    if (!self->a)
        return 0;
    VISIT(self->a);
    VISIT(self->b);
    return 0;
}

FUNCTION(both_or_none)
{
    if (self->a && self->b) {
        VISIT(self->a);
        VISIT(self->b);
    }
    return 0;
}

FUNCTION(nested)
{
    if (self->a) {
        VISIT(self->a);
        VISIT(self->b);
    }
    return 0;
}

FUNCTION(counts_what_is_there)
{
    int n = (self->a != 0) + (self->b != 0);
    VISIT(self->a);
    VISIT(self->b);
    if (n == 2)
        VISIT(self->c);
    return 0;
}

FUNCTION(counts_in_memory)
{
    volatile int n = 0;
    if (self->a)
        n++;
    if (self->b)
        n++;
    if (n == 2)
        VISIT(self->c);
    return 0;
}

FUNCTION(counts_in_a_global)
{
    unsigned before = calls;
    if (self->a)
        calls++;
    VISIT(self->b);
    if (calls == before)
        VISIT(self->c);
    calls = before;
    return 0;
}

FUNCTION(mask)
{
    unsigned seen = 0;
    seen |= self->a ? 1 : 0;
    seen |= self->b ? 2 : 0;
    seen |= self->c ? 4 : 0;
    if (seen == 5 || seen == 3)
        return 0;
    VISIT(self->d);
    return 0;
}

FUNCTION(any)
{
    if ((uintptr_t)self->a | (uintptr_t)self->b)
        VISIT(self->c);
    return 0;
}

FUNCTION(the_first_there)
{
    struct thing *first = self->a ? self->a : self->b;
    VISIT(first);
    return 0;
}

FUNCTION(last_there)
{
    struct thing *last = 0;
    for (int i = 0; i < 4; i++)
        if (self->array[i])
            last = self->array[i];
    VISIT(last);
    return 0;
}

FUNCTION(until_null)
{
    for (int i = 0; i < 4 && self->array[i]; i++)
        VISIT(self->array[i]);
    return 0;
}

FUNCTION(unlike)
{
    VISIT(self->a);
    if (self->b != self->a)
        VISIT(self->b);
    return 0;
}

FUNCTION(ordered)
{
    struct thing *low = self->a < self->b ? self->a : self->b, *high = self->a < self->b ? self->b : self->a;
    VISIT(low);
    VISIT(high);
    return 0;
}

FUNCTION(counted_array)
{
    for (unsigned i = 0; i < self->count; i++)
        VISIT(self->array[i]);
    return 0;
}

FUNCTION(indexed)
{
    VISIT(self->array[self->tag & 3]);
    return 0;
}

FUNCTION(through_a_field)
{
    if (self->a)
        VISIT(self->a->b);
    return 0;
}

FUNCTION(linked_list)
{
    for (const struct thing *at = self; at; at = at->next)
        VISIT(at->a);
    return 0;
}

FUNCTION(computed)
{
    if (self->a)
        VISIT((void *)((uintptr_t)self->a + sizeof *self->a));
    return 0;
}

FUNCTION(itself)
{
    VISIT(self->a);
    return visit(self, arg);
}

FUNCTION(writes_to_the_subject)
{
    VISIT(self->a);
    self->tag ^= 1;
    return 0;
}

FUNCTION(moves_a_field)
{
    struct thing *kept = self->b;
    self->b = self->a;
    VISIT(self->b);
    self->b = kept;
    return 0;
}

FUNCTION(every_second_call)
{
    VISIT(self->a);
    if (calls++ & 1)
        VISIT(self->b);
    return 0;
}

FUNCTION(through_the_type_by_tag)
{
    if (self->type->flags & self->tag)
        VISIT(self->b);
    return 0;
}

FUNCTION(by_its_address)
{
    if ((uintptr_t)self & sizeof *self)
        VISIT(self->b);
    VISIT(self->a);
    return 0;
}

/* ---- Equal to a plain one, but hard to see; as are `twice` and `read_before` where a compiler lets the ways of a NULL test go on
 * apart, and `reads_on_the_way` since it writes ---- */

FUNCTION(either_way_round)
{
    if (self->a) {
        VISIT(self->a);
        VISIT(self->b);
    } else {
        VISIT(self->b);
    }
    return 0;
}

FUNCTION(pair)
{
    if (self->a || self->b) {
        VISIT(self->a);
        VISIT(self->b);
    }
    return 0;
}

FUNCTION(counts_for_nothing)
{
    unsigned n = 0;
    n += self->a != 0;
    VISIT(self->a);
    n += self->b != 0;
    VISIT(self->b);
    noise = n;
    return 0;
}

#define ENTRY(name, wanted) {#name, name, wanted}

static const struct traverse functions[] = {
    ENTRY(nothing, ACCEPTED), ENTRY(three_fields, ACCEPTED), ENTRY(backwards, ACCEPTED), ENTRY(tail_call, ACCEPTED),
    ENTRY(twice, EITHER), ENTRY(type_too, ACCEPTED), ENTRY(global_too, ACCEPTED), ENTRY(constant_loop, ACCEPTED),
    ENTRY(constant_loop_of_pointers, ACCEPTED), ENTRY(constant_loop_down, ACCEPTED), ENTRY(in_a_callee, ACCEPTED),
    ENTRY(of_the_type, ACCEPTED), ENTRY(by_flag_of_the_type, ACCEPTED), ENTRY(sum_of_results, ACCEPTED),
    ENTRY(read_before, EITHER), ENTRY(reads_on_the_way, EITHER), ENTRY(unconditional, ACCEPTED),
    ENTRY(tagged_union, REFUSED), ENTRY(tagged_switch, REFUSED), ENTRY(tagged_tail, REFUSED),
    ENTRY(tagged_pointer, REFUSED), ENTRY(one_guards_another, REFUSED), ENTRY(absence_guards, REFUSED),
    ENTRY(early_out, REFUSED), ENTRY(both_or_none, REFUSED), ENTRY(nested, REFUSED),
    ENTRY(counts_what_is_there, REFUSED), ENTRY(counts_in_memory, REFUSED), ENTRY(counts_in_a_global, REFUSED),
    ENTRY(mask, REFUSED), ENTRY(any, REFUSED), ENTRY(the_first_there, REFUSED), ENTRY(last_there, REFUSED),
    ENTRY(until_null, REFUSED), ENTRY(unlike, REFUSED), ENTRY(ordered, REFUSED), ENTRY(counted_array, REFUSED),
    ENTRY(indexed, REFUSED), ENTRY(through_a_field, REFUSED), ENTRY(linked_list, REFUSED), ENTRY(computed, REFUSED),
    ENTRY(itself, REFUSED), ENTRY(writes_to_the_subject, REFUSED), ENTRY(moves_a_field, REFUSED),
    ENTRY(every_second_call, REFUSED), ENTRY(through_the_type_by_tag, REFUSED), ENTRY(by_its_address, REFUSED),
    ENTRY(either_way_round, EITHER), ENTRY(pair, EITHER), ENTRY(counts_for_nothing, EITHER), {0, 0, REFUSED}};

static const struct type type = {&global, three_fields, 2};

__attribute__((visibility("default"))) const struct traverse_library traverse_library = {functions, &type, things,
                                                                                     &calls, &current};
