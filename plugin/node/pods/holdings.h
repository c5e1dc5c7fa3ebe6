/*
 * What the kernel holds of ours, in all backends together, and how a guard that should be there
 * stands.
 */
#ifndef IMDS_GUARD_PODS_HOLDINGS_H
#define IMDS_GUARD_PODS_HOLDINGS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/plan.h"
#include "kernel/backend.h"

#include <stdbool.h>
#include <stddef.h>

struct holding {
    const struct backend *backend;
    struct listing listing;
};

struct holdings {
    struct holding *items; /* one for each backend */
    size_t count;
    struct tags tags; /* all that are held, sorted; texts borrowed from the listings */
};

/* From worst to best. */
enum standing {
    STANDING_MISSING,     /* no backend holds it */
    STANDING_FAULTY,      /* held, but the skeleton around it does not work */
    STANDING_PARTIAL,     /* held, but not in every family */
    STANDING_TOO_LAX,     /* lets packets pass where it should drop them */
    STANDING_OTHER_OWNER, /* in force, but the DEL of another attachment would lift it */
    STANDING_TOO_STRICT,  /* drops packets where it should let them pass */
    STANDING_RIGHT,
};

/* Errors: what a backend's list says, with its name. The result is for holdings_free. */
must_use int holdings_gather(const struct terms *terms, struct holdings *out, struct error *err);
void holdings_free(struct holdings *holdings);

/* How the guard of the owner of `tag` stands, in the backend where it stands best. */
enum standing holdings_standing(const struct holdings *holdings, const char *tag,
                                const struct guard *guard);

/* What a person is told; NULL for STANDING_RIGHT. */
const char *standing_text(enum standing standing);

/*
 * Whether the plan stands exactly so in `chosen`, tag included, and no other backend holds any of
 * it: then there is nothing to write.
 */
bool holdings_have(const struct holdings *holdings, const struct backend *chosen,
                   const struct plan *plan);

/* Whether a guard of another owner stands where the plan wants one. */
bool holdings_dispute(const struct holdings *holdings, const struct plan *plan);

static inline void cleanup_holdings(struct holdings *holdings)
{
    holdings_free(holdings);
}

#endif
