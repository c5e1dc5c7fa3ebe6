#include "kernel/ipvs.h"

#include <unistd.h>

#define SERVICES "/proc/self/net/ip_vs"

bool ipvs_is_loaded(void)
{
    return access(SERVICES, F_OK) == 0;
}
