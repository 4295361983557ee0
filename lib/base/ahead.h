/* Memory that is asked for before its turn: arrays by node are larger than caches, and what waits for them one after the other
 * does nothing else. */
#ifndef OURO_BASE_AHEAD_H
#define OURO_BASE_AHEAD_H

/* Of any address, valid or not. Use this, never the builtin alone: GCC takes a function that does nothing but prefetch for one
 * without effect, and leaves out its calls. */
static inline void ouro_ahead(const void *address)
{
    __builtin_prefetch(address);
    __asm__ volatile("");
}

#endif
