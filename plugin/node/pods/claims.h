/*
 * Which attachment an interface belongs to, where the cache, the kernel's rules and the links do
 * not agree. Pure.
 *
 * It matters because whoever holds a guard lifts it with its DEL. A pod of a StatefulSet that is
 * created anew gets the host interface name it had before, and the old sandbox's DEL may come after
 * the new one's ADD: were sync to hand the guard back to the old sandbox, that DEL would leave the
 * new pod open. An ADD that is under way holds a guard and is not in the cache yet; and a recycled
 * /proc/<pid>/ns/net makes one pod look like another.
 */
#ifndef IMDS_GUARD_PODS_CLAIMS_H
#define IMDS_GUARD_PODS_CLAIMS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "node/pods/survey.h"

/*
 * Takes out of each plan the guards on interfaces that another attachment has the better claim to;
 * a plan that is left with none makes the attachment ATTACHMENT_REPLACED. Adds to each plan what
 * its owner holds already on an interface that exists and no plan has: only a DEL lifts that. The
 * tags' numbers of guards follow. Reads cache, plans, facts, links and holdings of the survey.
 */
must_use int claims_settle(struct survey *survey, struct error *err);

#endif
