#include "kernel/capabilities.h"

#include <linux/capability.h>
#include <sys/syscall.h>

int capability_check(int capability, const char *name, struct error *err)
{
    /* capget(2): version 3 has 64 capabilities, in two sets of 32; process 0 is this one. */
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    if (syscall(SYS_capget, &header, data) < 0)
        return error_set(err, ERROR_KERNEL, "cannot read the capabilities of this process: %m");
    if (!(data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)))
        return error_set(err, ERROR_KERNEL,
                         "this process lacks %s; run it as root, or give its container that "
                         "capability",
                         name);
    return 0;
}
