/* The two scalars that every layer speaks. */
#ifndef OURO_BASE_TYPES_H
#define OURO_BASE_TYPES_H

#include <stdint.h>

typedef uint64_t ouro_addr; /* an address in the target; never dereferenced here */
typedef uint32_t ouro_node; /* an object's number in a snapshot: dense, from 0, in address order */

#define OURO_NODE_NONE UINT32_MAX

#endif
