#include "kernel/iptables/rule.h"

void iptables_snapshot_free(struct snapshot *snapshot)
{
    free(snapshot->hook.rules);
    free(snapshot->own.rules);
    free(snapshot->old.rules);
    free(snapshot->old_hook.rules);
    *snapshot = (struct snapshot){0};
}
