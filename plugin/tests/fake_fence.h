/*
 * An exit fence that the tests say all about, in place of the kernel's.
 */
#ifndef IMDS_GUARD_TESTS_FAKE_FENCE_H
#define IMDS_GUARD_TESTS_FAKE_FENCE_H

#include "kernel/fence/fence.h"

#include <stdlib.h>
#include <string.h>

/* If nothing is said, all is well, and nowhere in sight. */
static struct {
    bool impossible;
    bool missing;   /* on eth0 */
    size_t changes; /* that a sync makes */
    unsigned synced, removed;
    size_t plan_count; /* of the last sync */
} fence;

int __wrap_fence_list(const struct known_links *known, const struct terms *terms,
                      const struct plan *plans, size_t plan_count, struct fence_listing *out,
                      struct error *err);
int __wrap_fence_sync(const struct terms *terms, const struct plan *plans, size_t plan_count,
                      size_t *changes, struct error *err);
int __wrap_fence_probe(struct error *why);
bool __wrap_fence_is_right(const struct fence_listing *listing, const struct terms *terms,
                           const struct plan *plans, size_t plan_count);
int __wrap_fence_remove(size_t *removed, struct error *err);

int __wrap_fence_probe(struct error *why)
{
    return fence.impossible ? error_set(why, ERROR_KERNEL, "the kernel has no tcx") : 0;
}

int __wrap_fence_list(const struct known_links *known, const struct terms *terms,
                      const struct plan *plans, size_t plan_count, struct fence_listing *out,
                      struct error *err)
{
    (void)known, (void)terms, (void)plans, (void)plan_count;
    *out = (struct fence_listing){.stands = !fence.impossible && !fence.missing};
    if (!fence.missing)
        return 0;
    out->uplinks = calloc(1, sizeof(*out->uplinks));
    if (!out->uplinks)
        return error_no_memory(err);
    out->uplinks[out->uplink_count++] = (struct fence_uplink){.name = "eth0", .wanted = true};
    return 0;
}

bool __wrap_fence_is_right(const struct fence_listing *listing, const struct terms *terms,
                           const struct plan *plans, size_t plan_count)
{
    (void)terms, (void)plans, (void)plan_count;
    return listing->stands && fence.changes == 0;
}

int __wrap_fence_sync(const struct terms *terms, const struct plan *plans, size_t plan_count,
                      size_t *changes, struct error *err)
{
    (void)terms, (void)plans;
    fence.synced++;
    fence.plan_count = plan_count;
    *changes = fence.changes;
    return __wrap_fence_probe(err);
}

int __wrap_fence_remove(size_t *removed, struct error *err)
{
    (void)err;
    fence.removed++;
    *removed = 0;
    return 0;
}

#endif
