/*
 * For tests of plans: from a result and hand-fed kernel facts to a plan. A world is written as lines
 * of text: host "name kind [port|elsewhere]", pod "name kind peer [port]", where the peer may be
 * "beside", in the pod as well; "-" for no kind or no peer.
 */
#ifndef IMDS_GUARD_TESTS_GUARD_PLAN_WORLD_H
#define IMDS_GUARD_TESTS_GUARD_PLAN_WORLD_H

#include "guard_text.h"

#include "guard/plan.h"

#define CONTAINER "4f3c0b1d9a7e4f3c0b1d9a7e4f3c0b1d9a7e4f3c0b1d9a7e4f3c0b1d9a7e0001"
#define LINES     8

struct world {
    const char *result; /* JSON */
    const char *config; /* JSON, or NULL: the defaults */
    const char *ifname; /* NULL: eth0 */
    const char *host[LINES];
    const char *pod[LINES];
    bool host_network;
    bool partly; /* plan_make */
};

struct outcome {
    int code;
    char text[4096]; /* the plan, line by line, or msg and details */
};

static inline struct link read_link(const char *name, const char *kind, int index, bool port)
{
    struct link link = {.index = index, .peer_index = 1, .master_index = port ? 77 : 0};

    snprintf(link.name, sizeof(link.name), "%s", name);
    link.loopback = strcmp(kind, "loopback") == 0;
    if (!link.loopback && strcmp(kind, "-") != 0)
        snprintf(link.kind, sizeof(link.kind), "%s", kind);
    return link;
}

static inline bool names(const char *line, const char *name)
{
    return strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ';
}

static inline struct link answer_host(const struct world *world, const char *name)
{
    char found[32] = "", kind[32] = "", flag[32] = "";
    struct link link = {.index = 0};

    for (int i = 0; i < LINES && world->host[i] != NULL; i++) {
        if (!names(world->host[i], name))
            continue;
        sscanf(world->host[i], "%31s %31s %31s", found, kind, flag);
        link = read_link(found, kind, 10 + i, strcmp(flag, "port") == 0);
        link.peer_is_elsewhere = strcmp(flag, "elsewhere") == 0;
        break;
    }
    return link;
}

static inline struct pod_link answer_pod(const struct world *world, const char *name)
{
    char found[32] = "", kind[32] = "", peer[32] = "", flag[32] = "";
    struct pod_link answer = {.link = {.index = 0}};

    for (int i = 0; i < LINES && world->pod[i] != NULL; i++) {
        if (!names(world->pod[i], name))
            continue;
        sscanf(world->pod[i], "%31s %31s %31s %31s", found, kind, peer, flag);
        answer.link = read_link(found, kind, 2 + i, false);
        answer.link.peer_is_beside = strcmp(peer, "beside") == 0;
        if (strcmp(peer, "-") != 0 && !answer.link.peer_is_beside)
            answer.host_peer = read_link(peer, "veth", 30 + i, strcmp(flag, "port") == 0);
    }
    return answer;
}

static inline struct facts answer(const struct world *world, const struct questions *questions)
{
    struct facts facts = {.host_network = world->host_network};

    if (facts.host_network)
        return facts;
    facts.host = calloc(questions->host_count + 1, sizeof(*facts.host));
    facts.pod = calloc(questions->pod_count + 1, sizeof(*facts.pod));
    for (; facts.host_count < questions->host_count; facts.host_count++)
        facts.host[facts.host_count] = answer_host(world, questions->host[facts.host_count]);
    for (; facts.pod_count < questions->pod_count; facts.pod_count++)
        facts.pod[facts.pod_count] = answer_pod(world, questions->pod[facts.pod_count]);
    return facts;
}

static inline void print_plan(const struct plan *plan, struct outcome *out)
{
    size_t used = (size_t)snprintf(out->text, sizeof(out->text), "tag %s\n", plan->tag);

    for (size_t i = 0; i < plan->guard_count; i++)
        used += (size_t)snprintf(out->text + used, sizeof(out->text) - used, "%s %s%s\n",
                                 plan->guards[i].interface, verdict_name(plan->guards[i].verdict),
                                 plan->guards[i].proven ? " proven" : "");
}

static inline struct attachment attach(const struct world *world)
{
    return (struct attachment){.owner = {.network = "aws-cni",
                                         .container_id = CONTAINER,
                                         .ifname = world->ifname != NULL ? world->ifname : "eth0"},
                               .netns = "/run/netns/another-path-of-the-same",
                               .pod = {.namespace = "default", .name = "web-0"}};
}

static inline struct outcome plan(const struct world *world)
{
    struct attachment attachment = attach(world);
    struct outcome out = {.code = 0};
    struct error err = {.code = ERROR_NONE};
    cleanup(json) cJSON *tree = tree_of(world->result);
    cleanup(json) cJSON *entry = world->config != NULL ? tree_of(world->config) : NULL;
    cleanup(config) struct config config = {.endpoints = NULL};
    cleanup(questions) struct questions questions = {.host = NULL};
    cleanup(facts) struct facts facts = {.host = NULL};
    cleanup(plan) struct plan made = {.guard_count = 12345};

    assert_int_equal(config_parse(entry, &config, &err), 0);
    assert_int_equal(result_parse(tree, &attachment.result, &err), 0);
    assert_int_equal(plan_questions(&attachment, &questions, &err), 0);
    facts = answer(world, &questions);
    if (plan_make(&attachment, &config, &facts, world->partly, &made, &err) < 0) {
        assert_int_equal(made.guard_count, 12345); /* untouched */
        out.code = err.code;
        snprintf(out.text, sizeof(out.text), "%s\n%s", err.msg, err.details);
    } else {
        assert_int_equal(err.code, ERROR_NONE);
        print_plan(&made, &out);
    }
    result_free(&attachment.result);
    return out;
}

static inline void assert_guards(const struct world *world, const char *guards)
{
    struct outcome out = plan(world);

    assert_int_equal(out.code, 0);
    assert_string_equal(strchr(out.text, '\n') + 1, guards);
}

static inline void assert_refused(const struct world *world, const char *first, const char *second)
{
    struct outcome out = plan(world);

    assert_int_equal(out.code, ERROR_NOTHING_TO_GUARD);
    assert_contains(out.text, first);
    assert_contains(out.text, second);
}

#endif
