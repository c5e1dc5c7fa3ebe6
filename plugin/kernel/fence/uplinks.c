#include "kernel/fence/uplinks.h"

#include "kernel/links/links.h"
#include "kernel/links/routes.h"
#include "kernel/links/rtnetlink.h"

#include <linux/if_arp.h>
#include <string.h>

/* --- by routes ---------------------------------------------------------------------------------- */

/*
 * From a pod: through each of its interfaces, from each of its addresses. Which address is whose is
 * not asked: what the node would not forward has no route.
 */
static size_t ask_from(const struct plan *plan, const struct route_question *own,
                       struct route_question *questions)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->guard_count; i++)
        for (size_t j = 0; j < plan->address_count; j++) {
            struct route_question question = *own;

            if (plan->addresses[j].family != own->family)
                continue;
            question.incoming = plan->guards[i].index;
            memcpy(question.source, plan->addresses[j].bytes, sizeof(question.source));
            questions[count++] = question;
        }
    return count;
}

static bool is_among(int index, const int *indices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (indices[i] == index)
            return true;
    return false;
}

/* The links that they lead through, each once. The caller frees *out. */
static int ask_routes(struct netlink *rtnetlink, const struct terms *terms,
                      const struct plan *plans, size_t plan_count, int **out, size_t *count,
                      struct error *err)
{
    cleanup(free_memory) struct route_question *questions = NULL;
    cleanup(free_memory) int *indices = NULL;
    size_t room = 1; /* for those about one endpoint */
    size_t asked = 0;

    for (size_t i = 0; i < plan_count; i++)
        room += plans[i].guard_count * plans[i].address_count;
    questions = calloc(terms->endpoint_count * room + 1, sizeof(*questions));
    indices = calloc(terms->endpoint_count * room + 1, sizeof(*indices));
    if (questions == NULL || indices == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < terms->endpoint_count; i++) {
        struct route_question own = {.family = terms->endpoints[i].family};

        memcpy(own.destination, terms->endpoints[i].address, sizeof(own.destination));
        questions[asked++] = own;
        for (size_t j = 0; j < plan_count; j++)
            asked += ask_from(&plans[j], &own, questions + asked);
    }
    if (rtnetlink_ask_routes(rtnetlink, questions, asked, indices, err) < 0)
        return -1;
    *count = 0;
    for (size_t i = 0; i < asked; i++)
        if (indices[i] != 0 && !is_among(indices[i], indices, *count))
            indices[(*count)++] = indices[i];
    *out = steal(&indices);
    return 0;
}

static struct uplink uplink_of(const struct link_reply *reply, bool wanted)
{
    struct uplink uplink = {.index = reply->link.index,
                            .ethernet = reply->hardware == ARPHRD_ETHER,
                            .wanted = wanted && !reply->link.loopback};

    memcpy(uplink.name, reply->link.name, sizeof(uplink.name));
    return uplink;
}

int uplinks_of_routes(const struct terms *terms, const struct plan *plans, size_t plan_count,
                      struct uplink **out, size_t *count, struct error *err)
{
    cleanup(netlink) struct netlink rtnetlink = {.fd = -1};
    cleanup(free_memory) int *indices = NULL;
    cleanup(free_memory) struct link_question *questions = NULL;
    cleanup(free_memory) struct link_reply *links = NULL;
    cleanup(free_memory) struct uplink *uplinks = NULL;
    size_t link_count = 0;
    size_t found = 0;

    if (rtnetlink_open(&rtnetlink, err) < 0 ||
        ask_routes(&rtnetlink, terms, plans, plan_count, &indices, &link_count, err) < 0)
        return -1;
    questions = calloc(link_count + 1, sizeof(*questions));
    links = calloc(link_count + 1, sizeof(*links));
    uplinks = calloc(link_count + 1, sizeof(*uplinks));
    if (questions == NULL || links == NULL || uplinks == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < link_count; i++)
        questions[i].index = indices[i];
    if (rtnetlink_ask_links(&rtnetlink, questions, link_count, links, err) < 0)
        return -1;
    for (size_t i = 0; i < link_count; i++)
        if (links[i].link.index > 0 && !links[i].link.loopback)
            uplinks[found++] = uplink_of(&links[i], true);
    *out = steal(&uplinks);
    *count = found;
    return 0;
}

/* --- all ---------------------------------------------------------------------------------------- */

/* Links of these kinds lead to pods, or nowhere, unless a route says otherwise. */
static bool is_inward(const char *kind)
{
    static const char *const kinds[] = {"veth", "netkit", "ifb", "dummy"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

int uplinks_of_node(const struct known_links *known, const struct terms *terms,
                    const struct plan *plans, size_t plan_count, struct uplink **out, size_t *count,
                    struct error *err)
{
    cleanup(netlink) struct netlink rtnetlink = {.fd = -1};
    cleanup(free_memory) int *routed = NULL;
    cleanup(free_memory) struct link_reply *read = NULL;
    const struct link_reply *links = known != NULL ? known->all : NULL;
    size_t link_count = known != NULL ? known->count : 0;
    size_t routed_count = 0;

    if (rtnetlink_open(&rtnetlink, err) < 0 ||
        ask_routes(&rtnetlink, terms, plans, plan_count, &routed, &routed_count, err) < 0 ||
        (links == NULL && links_all(&read, &link_count, err) < 0))
        return -1;
    if (links == NULL)
        links = read;
    struct uplink *uplinks = calloc(link_count + 1, sizeof(*uplinks));
    if (uplinks == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < link_count; i++)
        uplinks[i] = uplink_of(&links[i], !is_inward(links[i].link.kind) ||
                                              is_among(links[i].link.index, routed, routed_count));
    *out = uplinks;
    *count = link_count;
    return 0;
}
