#include "object.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

bool ouro_object_parse(const char *command, const char *text, ouro_addr *addr)
{
    bool hex = !strncmp(text, "0x", 2) || !strncmp(text, "0X", 2);
    const char *digits = hex ? text + 2 : text;
    if (!*digits || strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits)) {
        ouro_command_complain("%s: \"%s\" is neither an address (0x7f..) nor a decimal id(); path expressions are "
                              "not supported by this version",
                              command, text);
        return false;
    }
    errno = 0;
    *addr = strtoull(digits, NULL, hex ? 16 : 10);
    if (errno) {
        ouro_command_complain("%s: \"%s\" is no address", command, text);
        return false;
    }
    return true;
}
