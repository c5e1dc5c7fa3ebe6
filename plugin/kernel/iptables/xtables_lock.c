#include "kernel/iptables/xtables_lock.h"

#include "kernel/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>

const char *xtables_lock_path(void)
{
    const char *path = secure_getenv("XTABLES_LOCKFILE");

    return path && *path ? path : XTABLES_LOCK_DEFAULT;
}

static int open_error(const char *path, struct error *err)
{
    if (errno == EISDIR)
        return error_set(err, ERROR_IO,
                         "%s is a directory; a container's hostPath volume of a type other than "
                         "FileOrCreate makes it one: remove it",
                         path);
    return error_set(err, ERROR_IO, "cannot open the xtables lock %s: %m", path);
}

/*
 * A symbolic link is followed, as iptables does: what matters is that both lock the same file, and
 * whoever can write to /run needs no trick with a link.
 */
static int open_lock(const char *path, int *out, struct error *err)
{
    *out = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    return *out < 0 ? open_error(path, err) : 0;
}

/*
 * The process that holds a flock on the file: "1: FLOCK  ADVISORY  WRITE 708 00:18:1234 0 EOF" in
 * /proc/locks (proc(5)). 0 if there is none to be seen, as with one outside our PID namespace.
 */
static int holder(int fd)
{
    cleanup(close_file) FILE *file = fopen("/proc/locks", "re");
    struct stat status;
    char line[256];

    if (!file || fstat(fd, &status) < 0)
        return 0;
    while (fgets(line, sizeof(line), file)) {
        unsigned major_number;
        unsigned minor_number;
        uintmax_t inode;
        int pid;

        if (sscanf(line, "%*u: FLOCK %*s %*s %d %x:%x:%ju", &pid, &major_number, &minor_number,
                   &inode) == 4 &&
            pid > 0 && inode == status.st_ino && major_number == major(status.st_dev) &&
            minor_number == minor(status.st_dev))
            return pid;
    }
    return 0;
}

static void process_name(int pid, char *out, size_t size)
{
    cleanup(close_file) FILE *file = NULL;
    char path[64];

    out[0] = '\0';
    snprintf(path, sizeof(path), "/proc/%d/comm", pid);
    file = fopen(path, "re");
    if (file && fgets(out, (int)size, file))
        out[strcspn(out, "\n")] = '\0';
}

static int held_error(const char *path, int fd, unsigned timeout_ms, struct error *err)
{
    char name[32];
    int pid = holder(fd);

    if (pid == 0)
        return error_set(err, ERROR_TRY_AGAIN,
                         "another process held the xtables lock %s for %g s; who that is, "
                         "lslocks(8) on the node tells",
                         path, timeout_ms / 1000.0);
    process_name(pid, name, sizeof(name));
    return error_set(err, ERROR_TRY_AGAIN, "process %d (%s) held the xtables lock %s for %g s", pid,
                     name, path, timeout_ms / 1000.0);
}

/* --- waiting ---------------------------------------------------------------------------------- */

/*
 * flock(2) has no time limit; what ends it is a signal. To poll instead would leave the lock unused
 * while those who want it sleep, and whoever sleeps longest may never have it: the kernel hands it
 * on at once, to whoever has waited longest.
 */
struct alarm {
    struct sigaction action; /* as they were before */
    sigset_t mask;
};

/* Every so often from the moment on: one signal that came just before flock(2) would be wasted. */
#define ALARM_AGAIN_US 10000

static void wake_up(int signal)
{
    (void)signal;
}

static int alarm_set(unsigned after_ms, struct alarm *out, struct error *err)
{
    const struct itimerval timer = {
        .it_value = {.tv_sec = after_ms / 1000, .tv_usec = (long)(after_ms % 1000) * 1000},
        .it_interval.tv_usec = ALARM_AGAIN_US,
    };
    const struct sigaction action = {.sa_handler = wake_up}; /* no SA_RESTART */
    sigset_t alone;

    sigemptyset(&alone);
    sigaddset(&alone, SIGALRM);
    /* Whoever started us may have left it blocked or ignored (execve(2)). */
    if (sigaction(SIGALRM, &action, &out->action) < 0 ||
        sigprocmask(SIG_UNBLOCK, &alone, &out->mask) < 0 ||
        setitimer(ITIMER_REAL, &timer, NULL) < 0)
        return error_set(err, ERROR_IO, "cannot set a time limit for the xtables lock: %m");
    return 0;
}

static void alarm_unset(const struct alarm *alarm)
{
    const struct itimerval never = {0};

    setitimer(ITIMER_REAL, &never, NULL);
    sigprocmask(SIG_SETMASK, &alarm->mask, NULL);
    sigaction(SIGALRM, &alarm->action, NULL);
}

/* *had: whether it was had in time. */
static int wait_for(int fd, const char *path, unsigned timeout_ms, bool *had, struct error *err)
{
    const int64_t deadline = clock_deadline(timeout_ms);
    struct alarm alarm;
    int problem = 0;

    if (alarm_set(timeout_ms, &alarm, err) < 0)
        return -1;
    *had = false;
    while (!*had && problem == 0 && clock_left(deadline) > 0) {
        *had = flock(fd, LOCK_EX) == 0;
        if (!*had && errno != EINTR)
            problem = errno;
    }
    alarm_unset(&alarm);
    errno = problem;
    return problem == 0 ? 0 : error_set(err, ERROR_IO, "cannot lock %s: %m", path);
}

int xtables_lock(unsigned timeout_ms, int *out, struct error *err)
{
    const char *path = xtables_lock_path();
    cleanup(close_fd) int fd = -1;
    bool had;

    if (open_lock(path, &fd, err) < 0)
        return -1;
    had = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!had && errno != EWOULDBLOCK && errno != EINTR)
        return error_set(err, ERROR_IO, "cannot lock %s: %m", path);
    if (!had && timeout_ms > 0 && wait_for(fd, path, timeout_ms, &had, err) < 0)
        return -1;
    if (!had)
        return held_error(path, fd, timeout_ms, err);
    *out = steal_fd(&fd);
    return 0;
}

int xtables_lock_usable(struct error *err)
{
    const char *path = xtables_lock_path();
    cleanup(free_text) char *directory = NULL;
    cleanup(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *slash;

    if (fd >= 0) {
        struct stat status;

        if (fstat(fd, &status) < 0 || !S_ISDIR(status.st_mode))
            return 0;
        errno = EISDIR;
    }
    if (errno != ENOENT)
        return open_error(path, err);
    directory = strdup(path);
    if (!directory)
        return error_no_memory(err);
    slash = strrchr(directory, '/');
    if (slash)
        slash[slash == directory ? 1 : 0] = '\0';
    if (access(slash ? directory : ".", W_OK) < 0)
        return error_set(err, ERROR_IO, "cannot create the xtables lock %s: %m", path);
    return 0;
}
