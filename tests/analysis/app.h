/* A tiny snapshot of a program: sys.modules with a module `app`, its classes, a cache, a list, a thread with a frame.
 */
#ifndef OURO_TESTS_APP_H
#define OURO_TESTS_APP_H

#include "tiny.h"

/* Nodes that tests ask for. */
struct app {
    ouro_node user_class, module, names, cache, list, user, other_user, eleven, two, number, text, frame, local, slot;
};

/* Commits nothing: tiny_open or tiny_commit does. */
void app_begin(struct tiny *tiny, struct app *app);

#endif
