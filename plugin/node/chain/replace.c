#include "node/chain/replace.h"

#include "kernel/flock.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define MODE_BITS  07777
#define UNFINISHED S_ISVTX /* see the header */

/* The reason is in errno. */
static int failed(const char *what, struct error *err)
{
    return error_set(err, ERROR_IO, "cannot %s " REPLACE_TEMPORARY ": %m", what);
}

static int exchange(int directory, const char *name)
{
    return renameat2(directory, REPLACE_TEMPORARY, directory, name, RENAME_EXCHANGE);
}

static bool is_unfinished(int directory, const char *name)
{
    struct stat status;

    return fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode) &&
           (status.st_mode & UNFINISHED);
}

/* What came out goes back to where our file stands that was not finished, if it still does. What cannot be
 * removed is reported where it matters: when the name is needed. */
static void clear(int fd, const char *path)
{
    cleanup(close_directory) DIR *directory = NULL;
    const struct dirent *entry;
    struct stat status;

    if (fstatat(fd, REPLACE_TEMPORARY, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    if (!(status.st_mode & UNFINISHED))
        directory = opendir(path);
    while (directory && (entry = readdir(directory)))
        if (strcmp(entry->d_name, REPLACE_TEMPORARY) != 0 && is_unfinished(fd, entry->d_name) &&
            exchange(fd, entry->d_name) == 0)
            break;
    unlinkat(fd, REPLACE_TEMPORARY, 0);
}

int replace_lock(const char *path, unsigned patience_ms, int *out, struct error *err)
{
    cleanup(close_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot open the directory %s: %m", path);
    if (flock_within(fd, patience_ms) < 0)
        return errno == EWOULDBLOCK
                   ? error_set(err, ERROR_TRY_AGAIN,
                               "%s: somebody else has the lock, another imds-guard perhaps; "
                               "fuser(1) says who",
                               path)
                   : error_set(err, ERROR_IO, "cannot lock %s: %m", path);
    clear(fd, path);
    *out = steal_fd(&fd);
    return 0;
}

int replacement_begin(int directory, const struct stat *like, struct replacement *out,
                      struct error *err)
{
    cleanup(replacement) struct replacement made = {.directory = directory};

    made.fd = openat(directory, REPLACE_TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                     0600 | UNFINISHED);
    if (made.fd < 0)
        return failed("create", err);
    made.made = true;
    /* Owner first: a change of owner takes mode bits away. To say it where it is so already is
     * refused to all but root. */
    if (((like->st_uid != geteuid() || like->st_gid != getegid()) &&
         fchown(made.fd, like->st_uid, like->st_gid) < 0) ||
        fchmod(made.fd, (like->st_mode & MODE_BITS) | UNFINISHED) < 0)
        return failed("set mode and owner of", err);
    *out = made;
    made = (struct replacement){.fd = -1};
    return 0;
}

int replacement_write(struct replacement *replacement, struct span text, struct error *err)
{
    while (text.length > 0) {
        ssize_t done = write(replacement->fd, text.start, text.length);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed("write", err);
        text.start += done;
        text.length -= (size_t)done;
    }
    return 0;
}

/* The content must be on disk before the name points at it. */
static int flush(const struct replacement *replacement, struct error *err)
{
    return fsync(replacement->fd) < 0 ? failed("write to disk", err) : 0;
}

static int drop_mark(const struct replacement *replacement, struct error *err)
{
    struct stat status;

    if (fstat(replacement->fd, &status) < 0 ||
        fchmod(replacement->fd, status.st_mode & MODE_BITS & ~(mode_t)UNFINISHED) < 0)
        return failed("set the mode of", err);
    return 0;
}

static void close_replacement(struct replacement *replacement)
{
    cleanup_close_fd(&replacement->fd);
    replacement->fd = -1;
}

static int flush_directory(int directory, struct error *err)
{
    return fsync(directory) < 0 ? error_set(err, ERROR_IO, "cannot write the directory to disk: %m")
                                : 0;
}

int replacement_commit(struct replacement *replacement, int directory, const char *name,
                       struct error *err)
{
    if (drop_mark(replacement, err) < 0 || flush(replacement, err) < 0)
        return -1;
    close_replacement(replacement);
    if (renameat(replacement->directory, REPLACE_TEMPORARY, directory, name) < 0)
        return error_set(err, ERROR_IO, "cannot rename %s to %s: %m", REPLACE_TEMPORARY, name);
    replacement->made = false;
    return flush_directory(directory, err);
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

/* From the exchange on the temporary name is not ours to remove, until it is known whose it is. */
static int settle(struct replacement *replacement, const char *name, const struct stat *old,
                  bool *done, struct error *err)
{
    int directory = replacement->directory;
    bool is_old = is_same_file(directory, REPLACE_TEMPORARY, old);

    replacement->made = false;
    if (!is_old && exchange(directory, name) < 0)
        return error_set(err, ERROR_IO,
                         "cannot put the newer %s back: %s; it is in " REPLACE_TEMPORARY
                         ", and the next run puts it back",
                         name, strerror(errno));
    if (is_old && drop_mark(replacement, err) < 0)
        return -1;
    replacement->made = true;
    *done = is_old;
    return 0;
}

int replacement_commit_over(struct replacement *replacement, const char *name,
                            const struct stat *old, bool *done, struct error *err)
{
    int directory = replacement->directory;
    bool settled = false;

    if (flush(replacement, err) < 0)
        return -1;
    if (exchange(directory, name) < 0) {
        if (errno == EINVAL || errno == ENOSYS) {
            settled = is_same_file(directory, name, old);
            if (settled && replacement_commit(replacement, directory, name, err) < 0)
                return -1;
            *done = settled;
            return 0;
        }
        if (errno != ENOENT)
            return error_set(err, ERROR_IO, "cannot rename %s to %s: %m", REPLACE_TEMPORARY, name);
        *done = false;
        return 0;
    }
    if (settle(replacement, name, old, &settled, err) < 0)
        return -1;
    if (settled) {
        if (unlinkat(directory, REPLACE_TEMPORARY, 0) < 0)
            return failed("remove", err);
        replacement->made = false;
        if (flush_directory(directory, err) < 0)
            return -1;
    }
    *done = settled;
    return 0;
}

void replacement_drop(struct replacement *replacement)
{
    close_replacement(replacement);
    if (replacement->made)
        unlinkat(replacement->directory, REPLACE_TEMPORARY, 0);
    replacement->made = false;
}
