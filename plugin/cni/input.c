#include "cni/input.h"

#include "kernel/clock.h"

#include <errno.h>
#include <poll.h>

#define FIRST_SIZE ((size_t)4 * 1024) /* an ordinary request fits */

/* Waits until reading would not block. */
static int await(int fd, int64_t deadline, unsigned timeout, struct error *err)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};

    for (;;) {
        int left = clock_left(deadline);
        int ready = left > 0 ? poll(&wanted, 1, left) : 0;

        if (ready > 0)
            return 0; /* what POLLERR and POLLNVAL mean, read(2) says better */
        if (ready == 0)
            return error_set(err, ERROR_IO,
                             "standard input has not ended within %u s: the caller must write "
                             "the network configuration and close it",
                             timeout);
        if (errno != EINTR)
            return error_set(err, ERROR_IO, "poll standard input: %m");
    }
}

int input_read(int fd, size_t limit, unsigned timeout, char **out, size_t *length,
               struct error *err)
{
    int64_t deadline = clock_deadline((int64_t)timeout * 1000);
    cleanup(free_text) char *text = NULL;
    size_t size = 0;
    size_t used = 0;

    for (;;) {
        ssize_t got;

        if (used == size) {
            size = size ? size * 2 : FIRST_SIZE;
            char *larger = realloc(text, size);
            if (!larger)
                return error_no_memory(err);
            text = larger;
        }
        if (await(fd, deadline, timeout, err) != 0)
            return -1;
        got = read(fd, text + used, size - used);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return error_set(err, ERROR_IO, "read standard input: %m");
        if (got == 0)
            break;
        if (got > 0)
            used += (size_t)got;
        if (used > limit)
            return error_set(err, ERROR_DECODING,
                             "the network configuration on standard input is longer than %zu bytes",
                             limit);
    }
    *out = steal(&text);
    *length = used;
    return 0;
}
