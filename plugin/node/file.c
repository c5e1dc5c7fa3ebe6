#include "node/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_ROOM 8192

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
                        int64_t *written, struct error *err)
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
    *written = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    *out = steal_fd(&fd);
    return 0;
}

/* Room for a byte more, and the NUL behind it. */
static bool make_room(struct file_text *text)
{
    const size_t room = text->room == 0 ? FIRST_ROOM : text->room * 2;
    char *larger = NULL;

    if (text->length + 1 < text->room)
        return true;
    larger = realloc(text->bytes, room);
    if (larger == NULL)
        return false;
    text->bytes = larger;
    text->room = room;
    return true;
}

int file_read_into(int directory, const char *path, enum file_link link, struct file_text *text,
                   struct error *err)
{
    cleanup(close_fd) int fd = -1;

    if (open_regular(directory, path, link, &fd, &text->written, err) < 0)
        return -1;
    for (text->length = 0;;) {
        ssize_t got;

        if (!make_room(text))
            return error_no_memory(err);
        got = read(fd, text->bytes + text->length, text->room - 1 - text->length);
        if (got < 0 && errno != EINTR)
            return file_error(err, path, errno);
        if (got == 0)
            break;
        text->length += got > 0 ? (size_t)got : 0;
        if (text->length > FILE_BYTES_MAX) {
            errno = EFBIG;
            return error_set(err, ERROR_IO, "%s has more than %d bytes", path, FILE_BYTES_MAX);
        }
    }
    text->bytes[text->length] = '\0';
    return 0;
}

int file_read(int directory, const char *path, enum file_link link, char **out, size_t *length,
              struct error *err)
{
    cleanup(file_text) struct file_text text = {0};

    if (file_read_into(directory, path, link, &text, err) < 0)
        return -1;
    *length = text.length;
    *out = steal(&text.bytes);
    return 0;
}
