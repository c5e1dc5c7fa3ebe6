#include "kernel/links/host.h"

#include <stdlib.h>

int host_open(const struct known_links *known, struct host *out, struct error *err)
{
    cleanup(host) struct host host = HOST_NONE;

    if (netns_open_own(&host.netns, err) < 0 || rtnetlink_open(&host.rtnetlink, err) < 0)
        return -1;
    host.known = known;
    *out = host;
    host = (struct host)HOST_NONE;
    return 0;
}

void host_close(struct host *host)
{
    cleanup_netns(&host->netns);
    netlink_close(&host->rtnetlink);
    *host = (struct host)HOST_NONE;
}

int host_ask(struct host *host, const struct link_question *questions, size_t count,
             struct link_reply *answers, const struct netns *netns, int *nsid, struct error *err)
{
    cleanup(free_memory) struct link_question *unknown = calloc(count + 1, sizeof(*unknown));

    if (unknown == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++)
        if (known_links_find(host->known, &questions[i]) == NULL)
            unknown[i] = questions[i];
    if (rtnetlink_ask_links_and_nsid(&host->rtnetlink, unknown, count, answers, netns->fd, nsid,
                                     err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct link_reply *known = known_links_find(host->known, &questions[i]);

        if (known != NULL)
            answers[i] = *known;
    }
    return 0;
}
