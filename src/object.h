/* OBJECT arguments, as every command takes them. */
#ifndef OURO_SRC_OBJECT_H
#define OURO_SRC_OBJECT_H

#include <stdbool.h>

#include "base/types.h"

/* An address (0x7f..) or a decimal id(). False, after having complained, when it is neither. */
bool ouro_object_parse(const char *command, const char *text, ouro_addr *addr);

#endif
