#include "node/pods/turn.h"

#include "guard/cleanup.h"
#include "kernel/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>

#define PATIENCE_MS 5000
#define PAUSE_NS    1000000L

int turn_take(const char *results_dir)
{
    const struct timespec pause = {.tv_nsec = PAUSE_NS};
    const int64_t deadline = clock_deadline(PATIENCE_MS);
    cleanup(close_fd) int fd = open(results_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return -1;
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || clock_left(deadline) == 0)
            return -1;
        nanosleep(&pause, NULL);
    }
    return steal_fd(&fd);
}
