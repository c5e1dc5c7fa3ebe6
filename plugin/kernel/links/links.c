#include "kernel/links/links.h"

#include "kernel/links/netns.h"
#include "kernel/links/rtnetlink.h"

#include <string.h>

/*
 * What is asked about all the pods of a look, and said. Each has a place for every one of its questions: the
 * host's links first, then its own.
 */
struct view {
    const struct known_links *known;
    struct netlink rtnetlink;
    size_t pod_count;
    struct netns netns[LOOKS_MAX + 1]; /* the pods', and behind them our own */
    size_t count;
    struct link_question *asked;
    struct link_reply *told;
    struct link_reply *peers; /* of a pod's link: the host's link with its peer index */
};

static void cleanup_view(struct view *view)
{
    netlink_close(&view->rtnetlink);
    while (view->pod_count > 0)
        cleanup_close_fd(&view->netns[--view->pod_count].fd);
    free(view->asked);
    free(view->told);
    free(view->peers);
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

/* --- questions ---------------------------------------------------------------------------------- */

static bool is_host_network(const struct view *view, size_t pod)
{
    return view->netns[pod].number == view->netns[view->pod_count].number;
}

static int number_pods(struct view *view, const struct look *looks, size_t count, struct error *err)
{
    for (; view->pod_count < count; view->pod_count++)
        if (netns_open(looks[view->pod_count].netns, &view->netns[view->pod_count].fd, err) < 0)
            return -1;
    view->netns[count].fd = -1;
    return rtnetlink_open(&view->rtnetlink, err) < 0
               ? -1
               : netns_number(&view->rtnetlink, view->netns, count + 1, err);
}

/* What is known need not be asked for: its answer may have become an older one. */
static int ask(struct view *view, struct link_reply *answers, struct error *err)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct link_reply *known = known_links_find(view->known, &view->asked[i]);

        if (known != NULL) {
            answers[i] = *known;
            view->asked[i] = (struct link_question){0};
        }
    }
    return rtnetlink_ask_links(&view->rtnetlink, view->asked, view->count, answers, err);
}

static int ask_links(struct view *view, const struct look *looks, struct error *err)
{
    struct link_question *asked = view->asked;

    for (size_t i = 0; i < view->pod_count; i++) {
        const struct questions *questions = &looks[i].questions;

        for (size_t j = 0; j < questions->host_count; j++, asked++)
            asked->name = is_host_network(view, i) ? NULL : questions->host[j];
        for (size_t j = 0; j < questions->pod_count; j++, asked++)
            if (!is_host_network(view, i))
                *asked = (struct link_question){.name = questions->pod[j],
                                                .number = &view->netns[i].number};
    }
    return ask(view, view->told, err);
}

static const struct link_reply *find_index(const struct link_reply *told, size_t count, int index)
{
    for (size_t i = 0; i < count; i++)
        if (told[i].link.index == index)
            return &told[i];
    return NULL;
}

/* Most often the host has just told of them. */
static int ask_peers(struct view *view, const struct look *looks, struct error *err)
{
    const struct link_reply *host = view->told;
    size_t at = 0;

    memset(view->asked, 0, view->count * sizeof(*view->asked));
    for (size_t i = 0; i < view->pod_count; i++) {
        const size_t host_count = looks[i].questions.host_count;
        const size_t end = at + host_count + looks[i].questions.pod_count;

        for (at += host_count; at < end; at++) {
            const int index = view->told[at].link.peer_index;
            const struct link_reply *peer = find_index(host, host_count, index);

            if (!may_lead_to_host(&view->told[at]))
                continue;
            if (peer != NULL)
                view->peers[at] = *peer;
            else
                view->asked[at].index = index;
        }
        host = view->told + at;
    }
    return ask(view, view->peers, err);
}

/* --- answers ------------------------------------------------------------------------------------ */

static int put_together(const struct questions *questions, const struct link_reply *told,
                        const struct link_reply *peers, int pod_nsid, struct facts *out,
                        struct error *err)
{
    cleanup(facts) struct facts facts = {.host_count = questions->host_count,
                                         .pod_count = questions->pod_count};

    /* One more than needed: a calloc of nothing may give NULL. */
    facts.host = calloc(facts.host_count + 1, sizeof(*facts.host));
    facts.pod = calloc(facts.pod_count + 1, sizeof(*facts.pod));
    if (facts.host == NULL || facts.pod == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < facts.host_count; i++) {
        facts.host[i] = told[i].link;
        facts.host[i].peer_is_elsewhere = leads_elsewhere(&told[i], pod_nsid);
    }
    told += facts.host_count;
    peers += facts.host_count;
    for (size_t i = 0; i < facts.pod_count; i++) {
        facts.pod[i].link = told[i].link;
        facts.pod[i].link.peer_is_beside = told[i].link.peer_index > 0 && !told[i].peer_elsewhere;
        if (is_other_end(&peers[i], &told[i], pod_nsid))
            facts.pod[i].host_peer = peers[i].link;
    }
    *out = steal(&facts);
    return 0;
}

static int look_at(const struct known_links *known, struct look *looks, size_t count,
                   struct error *err)
{
    cleanup(view) struct view view = {.known = known, .rtnetlink = {.fd = -1}};
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        view.count += looks[i].questions.host_count + looks[i].questions.pod_count;
    view.asked = calloc(view.count + 1, sizeof(*view.asked));
    view.told = calloc(view.count + 1, sizeof(*view.told));
    view.peers = calloc(view.count + 1, sizeof(*view.peers));
    if (view.asked == NULL || view.told == NULL || view.peers == NULL)
        return error_no_memory(err);
    if (number_pods(&view, looks, count, err) < 0 || ask_links(&view, looks, err) < 0 ||
        ask_peers(&view, looks, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct questions *questions = &looks[i].questions;

        if (is_host_network(&view, i))
            looks[i].facts = (struct facts){.host_network = true};
        else if (put_together(questions, view.told + at, view.peers + at, view.netns[i].number,
                              &looks[i].facts, err) < 0)
            return -1;
        at += questions->host_count + questions->pod_count;
    }
    return 0;
}

/* Where something is wrong with one, each is looked at by itself. */
int links_look(const struct known_links *known, struct look *looks, size_t count)
{
    int result = 0;

    if (count > 1 && look_at(known, looks, count, looks->error) == 0)
        return 0;
    for (struct look *look = looks; look < looks + count; look++) {
        facts_free(&look->facts);
        look->failed = look_at(known, look, 1, look->error) < 0;
        if (look->failed)
            result = error_context(look->error, "network namespace %s", look->netns);
    }
    return result;
}
