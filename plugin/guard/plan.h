/*
 * What should hold: from what the runtime asks, the configuration and the kernel's facts to a flat
 * array of guards. Pure, in two steps, because what the plan must know of the kernel depends on
 * what the runtime asked:
 *
 *     attachment ──plan_questions──▶ questions ──(kernel room)──▶ facts ──plan_make──▶ plan
 */
#ifndef IMDS_GUARD_PLAN_H
#define IMDS_GUARD_PLAN_H

#include "guard/cleanup.h"
#include "guard/config.h"
#include "guard/error.h"
#include "guard/names.h"
#include "guard/owner.h"
#include "guard/pod.h"
#include "guard/result.h"
#include "guard/tags.h"

#include <stdbool.h>
#include <stddef.h>

/* What the runtime asks for. Borrowed from the request, or from a file of the results cache. */
struct attachment {
    struct owner owner;
    const char *netns; /* CNI_NETNS */
    struct pod pod;
    struct result result;
};

#define LINK_KIND_SIZE 16

/* One link as rtnetlink tells it (linux/if_link.h). */
struct link {
    char name[INTERFACE_NAME_SIZE];
    int index;                 /* 0: there is no such link, and nothing else here counts */
    int peer_index;            /* IFLA_LINK: counts in the peer's namespace; 0 if none */
    int master_index;          /* IFLA_MASTER; 0 if none */
    bool loopback;             /* IFF_LOOPBACK */
    char kind[LINK_KIND_SIZE]; /* IFLA_INFO_KIND: "veth", "bridge", "macvlan", ...; "" if none */
    bool peer_is_elsewhere; /* host's links only: a veth with its other end in a namespace that is
                             * neither the host's nor the pod's */
};

/* The names to look up; no duplicates, each a legal interface name. */
struct questions {
    char (*host)[INTERFACE_NAME_SIZE]; /* in the plugin's own namespace */
    size_t host_count;
    char (*pod)[INTERFACE_NAME_SIZE]; /* in CNI_NETNS */
    size_t pod_count;
};

struct pod_link {
    struct link link;
    /* The link of the host's namespace that has link.peer_index there, if it is a veth, points back
     * at link.index, and its peer's namespace is the pod's; else index 0. */
    struct link host_peer;
};

/* One answer for each question, in the order asked. */
struct facts {
    bool host_network; /* CNI_NETNS is the plugin's own namespace; then nothing else is filled in */
    struct link *host;
    size_t host_count;
    struct pod_link *pod;
    size_t pod_count;
};

enum direction {
    DIRECTION_IN,  /* what comes into the node through the interface: hook forward */
    DIRECTION_OUT, /* what leaves the node through the interface: hook postrouting */
};

enum verdict {
    VERDICT_DROP,  /* drop and count */
    VERDICT_COUNT, /* let pass and count */
};

struct guard {
    char interface[INTERFACE_NAME_SIZE];
    enum direction direction;
    enum verdict verdict;
};

/* All guards of one owner. The tag carries the owner (owner.h) and stands beside every guard. */
struct plan {
    char tag[TAG_SIZE];
    struct guard *guards; /* by direction, then in the order of discovery; no duplicates */
    size_t guard_count;   /* 0 only if the pod uses host networking */
    /*
     * Which other owners' guards on these interfaces the plan takes over. NULL: all, as ADD does. A
     * plan that was made from what stood at some moment has the tags that stood then (tags_sort):
     * whoever holds the interface now, and held nothing then, has come with an ADD since and is its
     * new owner. Borrowed; a plan of plan_make has NULL.
     */
    const struct tags *rivals;
};

must_use int plan_questions(const struct attachment *attachment, struct questions *out,
                            struct error *err);
void questions_free(struct questions *questions);

/*
 * What gets guarded, as README and SECURITY.md promise it:
 *  1. every prevResult interface with no sandbox that is a veth of the host's namespace; one whose
 *     other end is in a third namespace is another pod's, and taking over its guard a hole;
 *  2. the host's end of every container interface that prevResult names in CNI_NETNS, and of
 *     CNI_IFNAME;
 *  3. `vlan.eth.<id>`, outgoing, for a branch ENI pod (id: the decimal mac of the entry that is no
 *     interface), where that link exists.
 * A link with a master (a bridge, a VRF) never counts: packets would be seen as the master's. A
 * container interface that exists and is not loopback but whose host's end cannot be guarded leaves
 * a hole, so it fails the plan. Errors: ERROR_NOTHING_TO_GUARD, with every interface that was seen
 * and why it would not do.
 */
must_use int plan_make(const struct attachment *attachment, const struct config *config,
                       const struct facts *facts, struct plan *out, struct error *err);

/*
 * The same, but with whatever guards can be made: it fails only if there is none. Not for ADD, but
 * for a pod that runs already and may be root in its own namespace. Neither an interface
 * there that no guard can stand for nor moving its own on into a third namespace must let it keep
 * the guard from the one that leads out. Whose guard that is, where another claims it, is for the
 * caller.
 */
must_use int plan_make_partly(const struct attachment *attachment, const struct config *config,
                              const struct facts *facts, struct plan *out, struct error *err);
void plan_free(struct plan *plan);
void facts_free(struct facts *facts);

/* By direction, then by interface: where a guard stands, whatever its verdict. Order as strcmp(3). */
int guard_compare(const struct guard *a, const struct guard *b);

/* The plan's guard that stands there; NULL if it has none. */
const struct guard *plan_find(const struct plan *plan, const struct guard *place);

const char *direction_name(enum direction direction); /* "in", "out" */
const char *verdict_name(enum verdict verdict);       /* "drop", "count" */

static inline void cleanup_questions(struct questions *questions)
{
    questions_free(questions);
}

static inline void cleanup_facts(struct facts *facts)
{
    facts_free(facts);
}

static inline void cleanup_plan(struct plan *plan)
{
    plan_free(plan);
}

#endif
