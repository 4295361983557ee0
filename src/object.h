/* OBJECT arguments, as every command takes them: an address (0x7f..), a decimal id(), or an expression
 * (analysis/expression.h). */
#ifndef OURO_SRC_OBJECT_H
#define OURO_SRC_OBJECT_H

#include "analysis/expression.h"
#include "analysis/roots.h"

/* One argument. Zero-initialised is empty. */
struct ouro_object {
    const char *command, *text; /* borrowed */
    struct ouro_expression expression;
};

/* False, after having complained and shown where, when it is no expression: leave with OURO_EXIT_USAGE. */
bool ouro_object_parse(const char *command, const char *text, struct ouro_object *object);
void ouro_object_fini(struct ouro_object *object);

/* The columns that finding needs. */
#define OURO_OBJECT_COLUMNS OURO_EXPRESSION_COLUMNS
/* Which object of the model it is; with roots (may be NULL) addresses of virtual roots are found too. 0, or the exit
 * status after having complained: OURO_EXIT_USAGE when there is none. */
int ouro_object_find(const struct ouro_object *object, const struct ouro_heap_model *model,
                     const struct ouro_roots *roots, const char *path, ouro_node *node);

/* An argument that is a TYPE or an OBJECT: what it is. */
enum ouro_object_choice {
    OURO_OBJECT_NEITHER,
    OURO_OBJECT_IS_TYPE,   /* a name or glob of types that the snapshot has, and no expression of an object in it */
    OURO_OBJECT_IS_OBJECT, /* the other way round */
    OURO_OBJECT_IS_BOTH,   /* app.models.User: the class, or the type of many */
};
/* Complains about nothing. The model needs OURO_OBJECT_COLUMNS. *node: the object, where it is one. */
enum ouro_object_choice ouro_object_choose(const char *text, const struct ouro_heap_model *model, ouro_node *node);

#endif
