/*
 * Pods with a cache and a kernel made by hand: what libcni and rtnetlink would say of them.
 */
#ifndef IMDS_GUARD_TESTS_PODS_WORLD_H
#define IMDS_GUARD_TESTS_PODS_WORLD_H

#include "kernel_holdings.h"

#include "kernel/links/links.h"
#include "node/pods/survey.h"

/* An attachment: what its namespace says, by its path, and the host's interfaces of its result. */
struct sandbox {
    const char *container;
    const char *netns; /* "/gone", "/locked", "/host", "/bare" (no link), "/alone" (the host's links
                        * only), "/astray" (its eth0 leads elsewhere), or the host's end of its eth0 */
    const char *interfaces; /* "eni1 eni2" */
    const char *namespace;  /* NULL: default */
    long written;
};

static struct {
    struct cache cache;
    struct holdings holdings; /* what each look finds */
    const char *comes;        /* guards that come while the first pod is looked at; NULL: none */
    char looks[16];           /* what has been read, in order: (c)ache, (h)oldings, (p)ods */
    const char *links;        /* "eni1 eni2": what is there at the last moment */
} node;

static inline void note_look(char what)
{
    const size_t length = strlen(node.looks);

    if (what == 'p' && length > 0 && node.looks[length - 1] == 'p')
        return;
    assert_true(length < sizeof(node.looks) - 1);
    node.looks[length] = what;
}

static struct settings settings;

int __wrap_cache_read(const char *directory, const char *file, const struct config *config,
                      cache_keep *keep, void *context, struct cache *out, struct error *err);
int __wrap_links_look(const struct known_links *known, struct look *looks, size_t count);
bool __wrap_link_exists(const char *name);
int __wrap_holdings_gather(const struct terms *terms, struct holdings *out, struct error *err);

int __wrap_cache_read(const char *directory, const char *file, const struct config *config,
                      cache_keep *keep, void *context, struct cache *out, struct error *err)
{
    (void)directory, (void)file, (void)config, (void)keep, (void)context, (void)err;
    note_look('c');
    *out = node.cache;
    node.cache = (struct cache){0};
    return 0;
}

/* A veth of the node, unless it is called so. */
static inline struct link veth(const char *name)
{
    struct link link = {.index = 7, .peer_index = 3, .kind = "veth"};

    snprintf(link.name, sizeof(link.name), "%s", name);
    return link;
}

static inline int see_pod(const struct questions *questions, const char *netns, struct facts *out,
                          struct error *err)
{
    struct facts facts = {.host_count = questions->host_count, .pod_count = questions->pod_count};

    note_look('p');
    if (node.comes)
        holds(&node.holdings, NFTABLES, VERDICT_DROP, node.comes);
    node.comes = NULL;
    if (strcmp(netns, "/gone") == 0)
        return error_set(err, ERROR_INVALID_NETNS, "%s is gone", netns);
    if (strcmp(netns, "/locked") == 0)
        return error_set(err, ERROR_KERNEL, "%s may not be looked into", netns);
    *out = (struct facts){.host_network = strcmp(netns, "/host") == 0};
    if (out->host_network)
        return 0;
    facts.host = calloc(facts.host_count + 1, sizeof(*facts.host));
    facts.pod = calloc(facts.pod_count + 1, sizeof(*facts.pod));
    assert_true(facts.host && facts.pod);
    for (size_t i = 0; i < facts.host_count && strcmp(netns, "/bare") != 0; i++)
        facts.host[i] = veth(questions->host[i]);
    if (strcmp(netns, "/bare") != 0 && strcmp(netns, "/alone") != 0)
        facts.pod[0] = (struct pod_link){.link = veth("eth0"), .host_peer = veth(netns + 1)};
    if (strcmp(netns, "/astray") == 0)
        facts.pod[0].host_peer.index = 0;
    *out = facts;
    return 0;
}

int __wrap_links_look(const struct known_links *known, struct look *looks, size_t count)
{
    (void)known;
    assert_in_range(count, 0, LOOKS_MAX);
    for (struct look *look = looks; look < looks + count; look++)
        look->failed = see_pod(&look->questions, look->netns, &look->facts, look->error) < 0;
    return 0;
}

bool __wrap_link_exists(const char *name)
{
    return strstr(node.links, name) != NULL;
}

static inline void copy_listing(const struct listing *from, struct listing *to)
{
    *to = (struct listing){
        .families = from->families, .present = from->present, .others = from->others};
    for (size_t i = 0; i < from->held_count; i++)
        listing_add(to, &from->held[i]);
    for (size_t i = 0; i < from->fault_count; i++)
        listing_fault(to, "%s", from->faults[i]);
    to->surplus = calloc(from->surplus_count + 1, sizeof(*to->surplus));
    assert_non_null(to->surplus);
    for (; to->surplus_count < from->surplus_count; to->surplus_count++)
        to->surplus[to->surplus_count] = from->surplus[to->surplus_count];
}

int __wrap_holdings_gather(const struct terms *terms, struct holdings *out, struct error *err)
{
    (void)terms, (void)err;
    note_look('h');
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        const char *unread = node.holdings.items[i].unread;

        out->items[i] =
            (struct holding){.backend = backends[i], .unread = unread ? strdup(unread) : NULL};
        copy_listing(&node.holdings.items[i].listing, &out->items[i].listing);
    }
    return 0;
}

static inline void write_cached(const struct sandbox *pod, char *out, size_t size)
{
    char names[64], interfaces[256] = "";

    snprintf(names, sizeof(names), "%s", pod->interfaces);
    for (char *name = strtok(names, " "); name; name = strtok(NULL, " "))
        snprintf(interfaces + strlen(interfaces), sizeof(interfaces) - strlen(interfaces),
                 "%s{\"name\":\"%s\"}", interfaces[0] ? "," : "", name);
    snprintf(out, size,
             "{\"kind\":\"cniCacheV1\",\"containerId\":\"%s\",\"config\":\"e30=\",\"ifName\":"
             "\"eth0\",\"networkName\":\"aws-cni\",\"netns\":\"%s\",\"cniArgs\":["
             "[\"K8S_POD_NAMESPACE\",\"%s\"],[\"K8S_POD_NAME\",\"web-0\"]],\"result\":{"
             "\"cniVersion\":\"1.0.0\",\"interfaces\":[%s]}}",
             pod->container, pod->netns, pod->namespace ? pod->namespace : "default", interfaces);
}

/* In the order of their containers, as the cache has them. */
static inline void cache_pods(const struct sandbox *pods, size_t count)
{
    node.cache.attachments = calloc(count + 1, sizeof(*node.cache.attachments));
    assert_non_null(node.cache.attachments);
    for (size_t i = 0; i < count; i++) {
        struct cached_attachment *cached = &node.cache.attachments[i];
        struct error err = {0};
        char text[1024];

        write_cached(&pods[i], text, sizeof(text));
        assert_int_equal(cache_parse((struct span){text, strlen(text)}, cached, &err), 0);
        cached->file = strdup(pods[i].container);
        cached->written = pods[i].written;
        node.cache.count++;
    }
}

static inline int make_settings(void **state)
{
    cleanup(json) cJSON *entry =
        cJSON_Parse("{\"exempt\":[{\"namespace\":\"kube-system\"}],\"deny\":\"drop\"}");
    struct error err = {0};

    (void)state;
    settings.network = strdup("aws-cni");
    assert_int_equal(names_add(&settings.networks, "aws-cni", &err), 0);
    return config_parse(entry, &settings.config, &err);
}

static inline int free_settings(void **state)
{
    (void)state;
    settings_free(&settings);
    return 0;
}

static inline int make_node(void **state)
{
    (void)state;
    node.links = "";
    node.holdings = empty_holdings();
    node.comes = NULL;
    memset(node.looks, 0, sizeof(node.looks));
    return 0;
}

static inline int free_node(void **state)
{
    (void)state;
    holdings_free(&node.holdings);
    return 0;
}

static inline int make_node_anew(void **state)
{
    return free_node(state) == 0 ? make_node(state) : -1;
}

#endif
