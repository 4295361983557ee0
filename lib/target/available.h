/* How much memory is to be had: of the machine, and of the control groups that this process is in. */
#ifndef OURO_TARGET_AVAILABLE_H
#define OURO_TARGET_AVAILABLE_H

#include <stdint.h>

/* The least of MemAvailable and, for each control group above this process with a limit (version 2, or the memory controller of version
 * 1), what is left below it, pages counted as left that are only kept of files. UINT64_MAX: nothing is known. */
uint64_t ouro_available_bytes(void);
/* What this process has in memory now (VmRSS); 0: not known. */
uint64_t ouro_resident_bytes(void);

#endif
