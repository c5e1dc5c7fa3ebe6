#include "kernel/ipvs.h"

#include <unistd.h>

/* Of the thread: /proc/net leads to the process's network namespace. */
#define SERVICES "/proc/thread-self/net/ip_vs"

bool ipvs_is_loaded(void)
{
    return access(SERVICES, F_OK) == 0;
}
