#include "node/chain/replace.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#define LOCK_TRIES    500
#define LOCK_PAUSE_NS (20 * 1000 * 1000)

int replace_lock(const char *path, int *out, struct error *err)
{
    cleanup(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

    if (fd < 0) {
        int number = errno;

        error_set(err, ERROR_IO, "cannot open the directory %s: %s", path, strerror(number));
        errno = number;
        return -1;
    }
    for (int tries = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_set(err, ERROR_IO, "cannot lock %s: %s", path, strerror(errno));
        if (tries == LOCK_TRIES) {
            errno = EWOULDBLOCK;
            return error_set(
                err, ERROR_TRY_AGAIN,
                "%s: another imds-guard has had the lock for 10 seconds; fuser(1) says "
                "which",
                path);
        }
        nanosleep(&pause, NULL);
    }
    /* What cannot be removed is reported where it matters: when the name is needed. */
    unlinkat(fd, REPLACE_TEMPORARY, 0);
    *out = steal_fd(&fd);
    return 0;
}

int replacement_begin(int directory, const struct stat *like, struct replacement *out,
                      struct error *err)
{
    cleanup(replacement) struct replacement made = {directory, -1};

    made.fd = openat(directory, REPLACE_TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (made.fd < 0)
        return error_set(err, ERROR_IO, "cannot create %s: %s", REPLACE_TEMPORARY, strerror(errno));
    /* Owner first: a change of owner takes mode bits away. To say it where it is so already is
     * refused to all but root. */
    if (((like->st_uid != geteuid() || like->st_gid != getegid()) &&
         fchown(made.fd, like->st_uid, like->st_gid) < 0) ||
        fchmod(made.fd, like->st_mode & 07777) < 0)
        return error_set(err, ERROR_IO, "cannot set mode and owner of %s: %s", REPLACE_TEMPORARY,
                         strerror(errno));
    *out = made;
    made.fd = -1;
    return 0;
}

int replacement_write(struct replacement *replacement, struct span text, struct error *err)
{
    while (text.length > 0) {
        ssize_t done = write(replacement->fd, text.start, text.length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return error_set(err, ERROR_IO, "cannot write %s: %s", REPLACE_TEMPORARY,
                             strerror(errno));
        text.start += done;
        text.length -= (size_t)done;
    }
    return 0;
}

/* The content must be on disk before the name points at it. */
static int flush(const struct replacement *replacement, struct error *err)
{
    if (fsync(replacement->fd) < 0)
        return error_set(err, ERROR_IO, "cannot write %s to disk: %s", REPLACE_TEMPORARY,
                         strerror(errno));
    return 0;
}

/* Nothing has the temporary name any more. */
static int finish(struct replacement *replacement, int directory, struct error *err)
{
    close(replacement->fd);
    replacement->fd = -1;
    if (fsync(directory) < 0)
        return error_set(err, ERROR_IO, "cannot write the directory to disk: %s", strerror(errno));
    return 0;
}

int replacement_commit(struct replacement *replacement, int directory, const char *name,
                       struct error *err)
{
    if (flush(replacement, err) < 0)
        return -1;
    if (renameat(replacement->directory, REPLACE_TEMPORARY, directory, name) < 0)
        return error_set(err, ERROR_IO, "cannot rename %s to %s: %s", REPLACE_TEMPORARY, name,
                         strerror(errno));
    return finish(replacement, directory, err);
}

/* Not st_ctim: renaming changes it. */
static bool is_same_file(int directory, const char *name, const struct stat *old)
{
    struct stat now;

    return fstatat(directory, name, &now, AT_SYMLINK_NOFOLLOW) == 0 && now.st_dev == old->st_dev &&
           now.st_ino == old->st_ino && now.st_size == old->st_size &&
           now.st_mode == old->st_mode && now.st_uid == old->st_uid && now.st_gid == old->st_gid &&
           now.st_mtim.tv_sec == old->st_mtim.tv_sec && now.st_mtim.tv_nsec == old->st_mtim.tv_nsec;
}

static int exchange(int directory, const char *name)
{
    return renameat2(directory, REPLACE_TEMPORARY, directory, name, RENAME_EXCHANGE);
}

/* On a file system that cannot exchange (NFS), a window of one system call is left. */
static int rename_over(struct replacement *replacement, const char *name, const struct stat *old,
                       bool *done, struct error *err)
{
    if (!is_same_file(replacement->directory, name, old)) {
        *done = false;
        return 0;
    }
    if (replacement_commit(replacement, replacement->directory, name, err) < 0)
        return -1;
    *done = true;
    return 0;
}

/* The temporary name is the other program's file now, and not ours to remove. */
static int keep_newer(struct replacement *replacement, const char *name, struct error *err)
{
    error_set(err, ERROR_IO,
              "cannot put the newer %s back: %s; it is in " REPLACE_TEMPORARY ": rename it", name,
              strerror(errno));
    cleanup_close_fd(&replacement->fd);
    replacement->fd = -1;
    return -1;
}

int replacement_commit_over(struct replacement *replacement, const char *name,
                            const struct stat *old, bool *done, struct error *err)
{
    int directory = replacement->directory;

    if (flush(replacement, err) < 0)
        return -1;
    if (exchange(directory, name) < 0) {
        if (errno == EINVAL || errno == ENOSYS)
            return rename_over(replacement, name, old, done, err);
        if (errno != ENOENT)
            return error_set(err, ERROR_IO, "cannot rename %s to %s: %s", REPLACE_TEMPORARY, name,
                             strerror(errno));
        *done = false;
        return 0;
    }
    if (!is_same_file(directory, REPLACE_TEMPORARY, old)) {
        if (exchange(directory, name) < 0)
            return keep_newer(replacement, name, err);
        *done = false;
        return 0;
    }
    if (unlinkat(directory, REPLACE_TEMPORARY, 0) < 0)
        return error_set(err, ERROR_IO, "cannot remove %s: %s", REPLACE_TEMPORARY, strerror(errno));
    if (finish(replacement, directory, err) < 0)
        return -1;
    *done = true;
    return 0;
}

void replacement_drop(struct replacement *replacement)
{
    if (replacement->fd < 0)
        return;
    close(replacement->fd);
    replacement->fd = -1;
    unlinkat(replacement->directory, REPLACE_TEMPORARY, 0);
}
