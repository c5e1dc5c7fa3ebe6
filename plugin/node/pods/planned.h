/*
 * The guards of all plans of a survey, for looking up: there may be thousands. Pure.
 */
#ifndef IMDS_GUARD_PODS_PLANNED_H
#define IMDS_GUARD_PODS_PLANNED_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "node/pods/survey.h"

#include <stdbool.h>
#include <stddef.h>

struct planned {
    struct guard *guards; /* sorted (guard_compare); what two plans have is there twice */
    size_t count;
};

/* As the plans are now. The result is for planned_free. */
must_use int planned_make(const struct survey *survey, struct planned *out, struct error *err);
void planned_free(struct planned *planned);

/* Whether a plan has a guard at this place. */
bool planned_have(const struct planned *planned, const struct guard *place);

static inline void cleanup_planned(struct planned *planned)
{
    planned_free(planned);
}

#endif
