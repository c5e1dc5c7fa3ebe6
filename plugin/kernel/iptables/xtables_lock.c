#include "kernel/iptables/xtables_lock.h"

#include "kernel/flock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

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

int xtables_lock(unsigned timeout_ms, int *out, struct error *err)
{
    const char *path = xtables_lock_path();
    cleanup(close_fd) int fd = -1;

    if (open_lock(path, &fd, err) < 0)
        return -1;
    if (flock_within(fd, timeout_ms) < 0)
        return errno == EWOULDBLOCK ? held_error(path, fd, timeout_ms, err)
                                    : error_set(err, ERROR_IO, "cannot lock %s: %m", path);
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
