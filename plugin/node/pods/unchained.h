/*
 * Pods that were started without us, as far as libcni's cache tells: it keeps the chain that each was
 * started by, but no drop-ins.
 */
#ifndef IMDS_GUARD_PODS_UNCHAINED_H
#define IMDS_GUARD_PODS_UNCHAINED_H

#include "node/chain/settings.h"
#include "node/pods/cache.h"

#include <stdbool.h>

/* Whether its ADD is known not to have come to us: it ran before the node was in force. */
bool started_unchained(const struct settings *settings, const struct cached_attachment *cached);

/*
 * The pod that started last, if that was after our entry was dropped in, by a runtime that reads no
 * drop-ins: none that starts is guarded by its ADD. Else NULL.
 */
const struct cached_attachment *drop_in_unread(const struct settings *settings,
                                               const struct cache *cache);

#define DROP_IN_UNREAD                                                                             \
    "is not read: a runtime whose libcni is older than 1.3 (containerd before 2.1) has started a " \
    "pod without it (run imds-guard install without --drop-in)"

/* That it is so, if it is. */
void note_drop_in_unread(const struct settings *settings, const struct cache *cache,
                         struct notes *notes);

#endif
