#include "node/watch/signals.h"

#include <unistd.h>

/*
 * Nothing to clean up, and nothing that could wait: whatever was half done is a transaction that
 * the kernel has not seen, or a file under a temporary name. As PID 1 of a container a process has
 * no default action for signals, hence a handler; and whoever started us may have left them blocked
 * (execve(2)).
 */
static void end(int number)
{
    (void)number;
    _exit(0);
}

static sigset_t ending_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

int signals_catch(struct error *err)
{
    struct sigaction action = {.sa_handler = end};
    const sigset_t ours = ending_signals();

    sigemptyset(&action.sa_mask);
    if (sigaction(SIGTERM, &action, NULL) < 0 || sigaction(SIGINT, &action, NULL) < 0 ||
        sigprocmask(SIG_UNBLOCK, &ours, NULL) < 0)
        return error_set(err, ERROR_IO, "catch signals: %m");
    return 0;
}

void signals_hold(sigset_t *before)
{
    const sigset_t ours = ending_signals();

    sigprocmask(SIG_BLOCK, &ours, before);
}

void signals_let_go(const sigset_t *before)
{
    sigprocmask(SIG_SETMASK, before, NULL);
}
