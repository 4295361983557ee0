#include "faults.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "target/window.h"

static struct sigaction former;

static void on_fault(int number, siginfo_t *info, void *context)
{
    int saved = errno;
    bool there = info->si_code > 0 && ouro_window_bring(info->si_addr); /* else somebody sent it */
    errno = saved;
    if (there)
        return;
    if (former.sa_flags & SA_SIGINFO)
        former.sa_sigaction(number, info, context);
    else if (former.sa_handler != SIG_DFL && former.sa_handler != SIG_IGN)
        former.sa_handler(number);
    else
        signal(number, SIG_DFL); /* it comes again, and then it is as if we had not been here */
}

void ouro_faults_catch(void)
{
    const struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    if (!ouro_window_is_possible() && sigaction(SIGSEGV, &action, &former) == 0)
        ouro_window_allow();
}
