#include "emulate/state.h"

#include "target/resolve.h"

bool ouro_machine_settle(struct ouro_machine *machine, ouro_addr slot, uint64_t *target)
{
    ouro_addr function;
    bool ifunc;
    if (!machine->modules || !ouro_modules_slot_is_unresolved(machine->modules, slot, *target))
        return true;
    if (ouro_modules_resolve_slot(machine->modules, slot, &function, &ifunc) != OURO_OK) {
        machine->end = OURO_MACHINE_UNRESOLVED;
        return false;
    }
    *target = function;
    if (!ifunc)
        return true;
    /* The address is that of a function which chooses among several. */
    if (ouro_machine_nested(machine, function, target))
        return true;
    machine->end = OURO_MACHINE_UNRESOLVED;
    return false;
}
