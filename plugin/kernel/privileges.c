#include "kernel/privileges.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

/* capget(2): version 3 has 64 capabilities, in two sets of 32; process 0 is this thread. */
static int read_own(struct __user_cap_header_struct *header,
                    struct __user_cap_data_struct out[static _LINUX_CAPABILITY_U32S_3],
                    struct error *err)
{
    *header = (struct __user_cap_header_struct){.version = _LINUX_CAPABILITY_VERSION_3};
    return syscall(SYS_capget, header, out) < 0
               ? error_set(err, ERROR_KERNEL, "cannot read the capabilities of this process: %m")
               : 0;
}

int privileges_keep(uint64_t kept, struct error *err)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set(err, ERROR_KERNEL, "cannot set no_new_privs: %m");
    if (read_own(&header, data, err) < 0)
        return -1;
    for (unsigned i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        data[i].permitted &= (uint32_t)(kept >> (32 * i));
        data[i].effective &= data[i].permitted;
        data[i].inheritable = 0;
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return error_set(err, ERROR_KERNEL, "cannot drop capabilities: %m");
    return 0;
}

int capability_check(int capability, const char *name, struct error *err)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    if (read_own(&header, data, err) < 0)
        return -1;
    if (!(data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)))
        return error_set(err, ERROR_KERNEL,
                         "this process lacks %s; run it as root, or give its container that "
                         "capability",
                         name);
    return 0;
}
