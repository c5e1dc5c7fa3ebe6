/*
 * The endpoints are the node's, and the attachments on it may be configured differently. Each must
 * find at least its own endpoints there, so apply adds to what stands; what stands beyond the terms
 * at hand is surplus to them, and another's terms may have it. Pure.
 */
#ifndef IMDS_GUARD_SURPLUS_H
#define IMDS_GUARD_SURPLUS_H

#include "kernel/backend.h"

#include <stdbool.h>

/*
 * Adds an endpoint that stands to listing->surplus, unless the terms have it, or it is there
 * already. False if out of memory.
 */
must_use bool surplus_add(struct listing *listing, const struct terms *terms,
                          const struct endpoint *standing);

/*
 * Whether the surplus may go: everybody whose guard the listing holds has agreed to the terms
 * (terms->agreed).
 */
bool surplus_may_go(const struct listing *listing, const struct terms *terms);

/*
 * The terms with the surplus. *room is what they borrow, the caller's to free once they are out of
 * use.
 */
must_use int surplus_unite(const struct listing *listing, const struct terms *terms,
                           struct endpoint **room, struct terms *out, struct error *err);

#endif
