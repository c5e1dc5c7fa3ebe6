#include "node/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int file_error(struct error *err, const char *path, int number)
{
    /* A link that is not followed, a socket, a device. */
    bool other = number == ELOOP || number == ENXIO || number == ENODEV;

    error_set(err, other ? ERROR_INVALID_CONFIG : ERROR_IO, "%s cannot be read: %s", path,
              strerror(number));
    errno = number;
    return -1;
}

static int open_regular(int directory, const char *path, enum file_link link, int *out,
                        struct error *err)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (link == FILE_LINK_REFUSE ? O_NOFOLLOW : 0);
    cleanup(close_fd) int fd = openat(directory, path, flags);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return file_error(err, path, errno);
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return error_set(err, ERROR_INVALID_CONFIG, "%s is not a regular file", path);
    }
    *out = steal_fd(&fd);
    return 0;
}

int file_read(int directory, const char *path, enum file_link link, char **out, size_t *length,
              struct error *err)
{
    cleanup(close_fd) int fd = -1;
    cleanup(free_text) char *text = NULL;
    size_t size = 0, used = 0;

    if (open_regular(directory, path, link, &fd, err) < 0)
        return -1;
    for (;;) {
        ssize_t got;

        if (used == size) {
            size = size == 0 ? 8192 : size * 2;
            char *larger = realloc(text, size + 1);
            if (!larger)
                return error_no_memory(err);
            text = larger;
        }
        got = read(fd, text + used, size - used);
        if (got < 0 && errno != EINTR)
            return file_error(err, path, errno);
        if (got == 0)
            break;
        used += got > 0 ? (size_t)got : 0;
        if (used > FILE_BYTES_MAX) {
            errno = EFBIG;
            return error_set(err, ERROR_IO, "%s has more than %d bytes", path, FILE_BYTES_MAX);
        }
    }
    text[used] = '\0';
    *length = used;
    *out = steal(&text);
    return 0;
}
