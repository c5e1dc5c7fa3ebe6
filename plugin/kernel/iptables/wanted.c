#include "kernel/iptables/wanted.h"

#include <string.h>

static bool ends_in_plus(const char *name)
{
    size_t length = strlen(name);

    return length > 0 && name[length - 1] == '+';
}

static int check_guard(const struct guard *guard, struct error *err)
{
    if (ends_in_plus(guard->interface))
        return error_set(err, ERROR_KERNEL,
                         "interface '%s' cannot be guarded with iptables, which takes a name that "
                         "ends in '+' for a pattern; rename it, or set \"backend\": \"nftables\"",
                         guard->interface);
    return 0;
}

int iptables_wanted_check(const struct plan *plan, struct error *err)
{
    for (size_t i = 0; i < plan->guard_count; i++) {
        if (check_guard(&plan->guards[i], err) < 0)
            return -1;
    }
    return wanted_check(plan, err);
}

int iptables_wanted_make(const struct plan *plans, size_t plan_count, struct wanted *out,
                         struct error *err)
{
    for (size_t i = 0; i < plan_count; i++) {
        if (iptables_wanted_check(&plans[i], err) < 0)
            return -1;
    }
    return wanted_make(plans, plan_count, out, err);
}
