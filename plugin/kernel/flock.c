#include "kernel/flock.h"

#include "kernel/clock.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>

/*
 * flock(2) has no time limit; what ends it is a signal. To poll instead would leave the lock unused
 * while those who want it sleep, and whoever sleeps longest may never have it: the kernel hands it
 * on at once, to whoever has waited longest.
 */
/* Every so often from the moment on: one signal that came just before flock(2) would be wasted. */
#define ALARM_AGAIN_US 10000

static void wake_up(int signal)
{
    (void)signal;
}

int flock_within(int fd, unsigned timeout_ms)
{
    const struct itimerval never = {0},
                           timer = {
                               .it_value = {.tv_sec = timeout_ms / 1000,
                                            .tv_usec = (long)(timeout_ms % 1000) * 1000},
                               .it_interval.tv_usec = ALARM_AGAIN_US,
                           };
    const struct sigaction action = {.sa_handler = wake_up}; /* no SA_RESTART */
    const int64_t deadline = clock_deadline(timeout_ms);
    struct sigaction former_action;
    sigset_t alone, former_mask;
    int problem;

    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    sigemptyset(&alone);
    sigaddset(&alone, SIGALRM);
    /* Whoever started us may have left it blocked or ignored (execve(2)). */
    if (timeout_ms == 0 || (errno != EWOULDBLOCK && errno != EINTR) ||
        sigaction(SIGALRM, &action, &former_action) < 0 ||
        sigprocmask(SIG_UNBLOCK, &alone, &former_mask) < 0 ||
        setitimer(ITIMER_REAL, &timer, NULL) < 0)
        return -1;
    do
        problem = flock(fd, LOCK_EX) == 0 ? 0 : errno;
    while (problem == EINTR && clock_left(deadline) > 0);
    setitimer(ITIMER_REAL, &never, NULL);
    sigprocmask(SIG_SETMASK, &former_mask, NULL);
    sigaction(SIGALRM, &former_action, NULL);
    errno = problem == EINTR ? EWOULDBLOCK : problem;
    return problem == 0 ? 0 : -1;
}
