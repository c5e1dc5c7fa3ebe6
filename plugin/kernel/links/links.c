#include "kernel/links/links.h"

#include <string.h>

/* What both namespaces say, before it is put together. */
struct view {
    struct link_reply *pod;   /* pod_count */
    struct link_reply *host;  /* host_count, and then */
    struct link_reply *peers; /* pod_count: the host's links with the peer indices of `pod` */
    int pod_nsid;             /* as the host's namespace numbers the pod's */
};

static void cleanup_view(struct view *view)
{
    free(view->pod);
    free(view->host);
}

static bool is_veth(const struct link_reply *reply)
{
    return reply->link.index > 0 && strcmp(reply->link.kind, "veth") == 0;
}

/* Whether the other end may be in the host's namespace: the one end is a veth, and not of a pair
 * that is in the pod as a whole. Its peer_index may still count in a third namespace. */
static bool may_lead_to_host(const struct link_reply *pod)
{
    return is_veth(pod) && pod->peer_elsewhere && pod->link.peer_index > 0;
}

/*
 * Whether the host's link with that index is the other end. Its own word decides: a veth that
 * points at this very index of this very namespace has this very link as its peer.
 */
static bool is_other_end(const struct link_reply *host, const struct link_reply *pod, int pod_nsid)
{
    return is_veth(host) && host->link.peer_index == pod->link.index && host->peer_elsewhere &&
           host->peer_nsid >= 0 && host->peer_nsid == pod_nsid;
}

/* Whether it is the node's end of some other pod's interface. */
static bool leads_elsewhere(const struct link_reply *host, int pod_nsid)
{
    return is_veth(host) && host->peer_elsewhere && host->peer_nsid >= 0 &&
           host->peer_nsid != pod_nsid;
}

static int ask_pod(const struct host *host, const struct questions *questions,
                   const struct netns *netns, struct view *view, struct error *err)
{
    cleanup(free_memory) struct link_question *asked =
        calloc(questions->pod_count + 1, sizeof(*asked));
    cleanup(netlink) struct netlink rtnetlink = {.fd = -1};

    if (asked == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < questions->pod_count; i++)
        asked[i].name = questions->pod[i];
    if (rtnetlink_open_in(netns, &host->netns, &rtnetlink, err) < 0)
        return -1;
    return rtnetlink_ask_links(&rtnetlink, asked, questions->pod_count, view->pod, err);
}

static int ask_host(struct host *host, const struct questions *questions, const struct netns *netns,
                    struct view *view, struct error *err)
{
    size_t count = questions->host_count + questions->pod_count;
    cleanup(free_memory) struct link_question *asked = calloc(count + 1, sizeof(*asked));

    if (asked == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < questions->host_count; i++)
        asked[i].name = questions->host[i];
    for (size_t i = 0; i < questions->pod_count; i++)
        if (may_lead_to_host(&view->pod[i]))
            asked[questions->host_count + i].index = view->pod[i].link.peer_index;
    return host_ask(host, asked, count, view->host, netns, &view->pod_nsid, err);
}

static int put_together(const struct questions *questions, const struct view *view,
                        struct facts *out, struct error *err)
{
    cleanup(facts) struct facts facts = {.host_count = questions->host_count,
                                         .pod_count = questions->pod_count};

    /* One more than needed: a calloc of nothing may give NULL. */
    facts.host = calloc(facts.host_count + 1, sizeof(*facts.host));
    facts.pod = calloc(facts.pod_count + 1, sizeof(*facts.pod));
    if (facts.host == NULL || facts.pod == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < facts.host_count; i++) {
        facts.host[i] = view->host[i].link;
        facts.host[i].peer_is_elsewhere = leads_elsewhere(&view->host[i], view->pod_nsid);
    }
    for (size_t i = 0; i < facts.pod_count; i++) {
        facts.pod[i].link = view->pod[i].link;
        facts.pod[i].link.peer_is_beside =
            view->pod[i].link.peer_index > 0 && !view->pod[i].peer_elsewhere;
        if (is_other_end(&view->peers[i], &view->pod[i], view->pod_nsid))
            facts.pod[i].host_peer = view->peers[i].link;
    }
    *out = facts;
    facts = (struct facts){0};
    return 0;
}

int links_gather_from(struct host *host, const struct questions *questions, const char *path,
                      struct facts *out, struct error *err)
{
    cleanup(netns) struct netns netns = NETNS_NONE;
    cleanup(view) struct view view = {0};

    if (netns_open(path, &netns, err) < 0)
        return -1;
    if (netns_are_same(&netns, &host->netns)) {
        *out = (struct facts){.host_network = true};
        return 0;
    }
    view.pod = calloc(questions->pod_count + 1, sizeof(*view.pod));
    view.host = calloc(questions->host_count + questions->pod_count + 1, sizeof(*view.host));
    if (view.pod == NULL || view.host == NULL)
        return error_no_memory(err);
    view.peers = view.host + questions->host_count;
    if (ask_pod(host, questions, &netns, &view, err) < 0)
        return error_context(err, "network namespace %s", path);
    if (ask_host(host, questions, &netns, &view, err) < 0)
        return error_context(err, "the host's network namespace");
    return put_together(questions, &view, out, err);
}

int links_gather(const struct questions *questions, const char *path, struct facts *out,
                 struct error *err)
{
    cleanup(host) struct host host = HOST_NONE;

    return host_open(NULL, &host, err) < 0 ? -1
                                           : links_gather_from(&host, questions, path, out, err);
}
