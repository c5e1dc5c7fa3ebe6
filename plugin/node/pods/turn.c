#include "node/pods/turn.h"

#include "kernel/flock.h"

#include <fcntl.h>

#define PATIENCE_MS 5000

int turn_take(const char *results_dir)
{
    cleanup(close_fd) int fd = open(results_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && flock_within(fd, PATIENCE_MS) == 0 ? steal_fd(&fd) : -1;
}
