#include "kernel/privileges.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

int privileges_keep(uint64_t kept, struct error *err)
{
    /* capset(2): version 3 has 64 capabilities, in two sets of 32; process 0 is this thread. */
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(err, ERROR_KERNEL, "cannot set no_new_privs: %m");
    if (syscall(SYS_capget, &header, data) < 0)
        return error_set(err, ERROR_KERNEL, "cannot read the capabilities of this process: %m");
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].permitted &= (uint32_t)(kept >> (32 * i));
        data[i].effective &= data[i].permitted;
        data[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return error_set(err, ERROR_KERNEL, "cannot drop capabilities: %m");
    return 0;
}
