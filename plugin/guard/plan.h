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
#include "guard/verdict.h"

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
    bool peer_is_beside;       /* the peer is in the namespace that this one is in */
    bool
        peer_is_elsewhere; /* of the host's veths: in one that is neither the host's nor the pod's */
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

/* The verdict for what comes into the node through an interface. */
struct guard {
    char interface[INTERFACE_NAME_SIZE];
    enum verdict verdict;
    bool proven; /* of a plan: the kernel says that the other end is the pod's */
    int index;   /* of a plan: the interface's */
};

/* All guards of one owner. The tag carries the owner (owner.h) and stands beside every guard. */
struct plan {
    char tag[TAG_SIZE];
    struct guard *guards;      /* in the order of discovery; no duplicates */
    size_t guard_count;        /* 0 only if the pod uses host networking */
    struct address *addresses; /* the pod's, whichever of its interfaces has them */
    size_t address_count;
};

must_use int plan_questions(const struct attachment *attachment, struct questions *out,
                            struct error *err);
void questions_free(struct questions *questions);

/*
 * What gets guarded, as README and SECURITY.md promise it:
 *  1. every prevResult interface with no sandbox that is a veth of the host's namespace. One whose
 *     other end is in a third namespace is no way to pass (it is another pod's); and if it has the
 *     name of an interface of the pod, it is that one, listed without its sandbox, and the node's
 *     link of this name is not the pod's at all;
 *  2. the host's end of every container interface that prevResult names in CNI_NETNS, and of
 *     CNI_IFNAME.
 * A link with a master (a bridge, a VRF) never counts: packets would be seen as the master's. A
 * container interface that exists, can send past the node's forwarding, and has no host's end that
 * could be guarded leaves a hole, so it fails the plan. Errors: ERROR_NOTHING_TO_GUARD, with every
 * interface that was seen and why it would not do.
 *
 * `partly`: whatever guards can be made will do, and it fails only if there is none. Not for ADD, but for
 * a pod that runs already and may be root in its own namespace: an interface there that no guard can
 * stand for must not keep the guard from the one that leads out.
 */
must_use int plan_make(const struct attachment *attachment, const struct config *config,
                       const struct facts *facts, bool partly, struct plan *out, struct error *err);
void plan_free(struct plan *plan);

/* What stops the packets of a pod's link that no guard can stand for. */
enum way {
    WAY_FORWARDED, /* the verdict for others, or a guard: the node forwards them */
    WAY_UPLINK,    /* the exit fence alone: they leave through a link of the node's */
    WAY_PAST,      /* nothing on the node: the pod has a device of the machine's to itself */
};

/* Of the pod's links that were asked for, the worst. */
enum way facts_way(const struct facts *facts);
void facts_free(struct facts *facts);

CLEANUP_FREE(questions);

CLEANUP_FREE(facts);

CLEANUP_FREE(plan);

#endif
