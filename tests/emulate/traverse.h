/* Functions shaped like tp_traverse, some that always visit the same fields and some that only seem to. */
#ifndef TESTS_EMULATE_TRAVERSE_H
#define TESTS_EMULATE_TRAVERSE_H

struct thing;
typedef int (*visit_function)(void *what, void *arg);
typedef int (*traverse_function)(struct thing *self, visit_function visit, void *arg);

struct type {
    struct thing *shared; /* the same for all things of the type */
    traverse_function traverse;
    unsigned flags;
};

struct thing {
    long references;
    const struct type *type;
    struct thing *a, *b, *c, *d;
    struct thing *array[4];
    struct thing *next;
    unsigned tag, count;
};

enum wanted { REFUSED, ACCEPTED, EITHER };

struct traverse {
    const char *name; /* 0 ends the list */
    traverse_function function;
    enum wanted wanted;
};

#define THINGS 12

/* What a library made of traverse.c holds. */
struct traverse_library {
    const struct traverse *functions;
    const struct type *type;
    struct thing *things; /* THINGS of them */
    unsigned *calls;      /* what the functions write to */
    struct thing **current;
};

#endif
