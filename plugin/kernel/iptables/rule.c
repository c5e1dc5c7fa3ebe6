#include "kernel/iptables/rule.h"

void iptables_snapshot_free(struct snapshot *snapshot)
{
    for (enum direction direction = DIRECTION_IN; direction <= DIRECTION_OUT; direction++) {
        free(snapshot->hook[direction].rules);
        free(snapshot->own[direction].rules);
    }
    *snapshot = (struct snapshot){0};
}
