/*
 * From a result and hand-fed kernel facts to a plan. A world is written as lines of text:
 * host "name kind [port]", pod "name kind peer [port]"; "-" for no kind or no peer.
 */
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
    bool partly; /* plan_make_partly */
};

struct outcome {
    int code;
    char text[4096]; /* the plan, line by line, or msg and details */
};

static struct link read_link(const char *name, const char *kind, int index, bool port)
{
    struct link link = {.index = index, .peer_index = 1, .master_index = port ? 77 : 0};

    snprintf(link.name, sizeof(link.name), "%s", name);
    link.loopback = strcmp(kind, "loopback") == 0;
    if (!link.loopback && strcmp(kind, "-") != 0)
        snprintf(link.kind, sizeof(link.kind), "%s", kind);
    return link;
}

static bool names(const char *line, const char *name)
{
    return strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ' ';
}

static struct link answer_host(const struct world *world, const char *name)
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

static struct pod_link answer_pod(const struct world *world, const char *name)
{
    char found[32] = "", kind[32] = "", peer[32] = "", flag[32] = "";
    struct pod_link answer = {.link = {.index = 0}};

    for (int i = 0; i < LINES && world->pod[i] != NULL; i++) {
        if (!names(world->pod[i], name))
            continue;
        sscanf(world->pod[i], "%31s %31s %31s %31s", found, kind, peer, flag);
        answer.link = read_link(found, kind, 2 + i, false);
        if (strcmp(peer, "-") != 0)
            answer.host_peer = read_link(peer, "veth", 30 + i, strcmp(flag, "port") == 0);
    }
    return answer;
}

static struct facts answer(const struct world *world, const struct questions *questions)
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

static void print_plan(const struct plan *plan, struct outcome *out)
{
    size_t used = (size_t)snprintf(out->text, sizeof(out->text), "tag %s\n", plan->tag);

    for (size_t i = 0; i < plan->guard_count; i++)
        used += (size_t)snprintf(out->text + used, sizeof(out->text) - used, "%s %s %s\n",
                                 direction_name(plan->guards[i].direction),
                                 plan->guards[i].interface, verdict_name(plan->guards[i].verdict));
}

static struct attachment attach(const struct world *world)
{
    return (struct attachment){.owner = {.network = "aws-cni",
                                         .container_id = CONTAINER,
                                         .ifname = world->ifname != NULL ? world->ifname : "eth0"},
                               .netns = "/run/netns/another-path-of-the-same",
                               .pod = {.namespace = "default", .name = "web-0"}};
}

static struct outcome plan(const struct world *world)
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
    if ((world->partly ? plan_make_partly : plan_make)(&attachment, &config, &facts, &made, &err) <
        0) {
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

static void assert_guards(const struct world *world, const char *guards)
{
    struct outcome out = plan(world);

    assert_int_equal(out.code, 0);
    assert_string_equal(strchr(out.text, '\n') + 1, guards);
}

static void assert_refused(const struct world *world, const char *first, const char *second)
{
    struct outcome out = plan(world);

    assert_int_equal(out.code, ERROR_NOTHING_TO_GUARD);
    assert_contains(out.text, first);
    assert_contains(out.text, second);
}

/* ---- The shapes of the AWS VPC CNI ---- */

#define ETH0 "eth0 veth eni0d7763386da"

static const struct {
    const char *shape;
    struct world world;
} shapes[] = {
    {"eni-ipv4", {.host = {"eni0d7763386da veth"}, .pod = {ETH0}}},
    {"eni-custom-veth-prefix",
     {.host = {"pod0d7763386da veth"}, .pod = {"eth0 veth pod0d7763386da"}}},
    {"eni-multi-nic",
     {.host = {"eni0d7763386da veth", "enib813f772d20 veth"},
      .pod = {ETH0, "mNicIf1 veth enib813f772d20"}}},
    /* The route table ids of the container interfaces, 254 and 102, are nobody's VLANs. */
    {"eni-multi-nic",
     {.host = {"eni0d7763386da veth", "enib813f772d20 veth", "vlan.eth.254 vlan",
               "vlan.eth.102 vlan"},
      .pod = {ETH0, "mNicIf1 veth enib813f772d20"}}},
    {"branch-eni-strict",
     {.host = {"vlan0d7763386da veth", "vlan.eth.37 vlan"}, .pod = {"eth0 veth vlan0d7763386da"}}},
    {"branch-eni-standard", {.host = {"eni0d7763386da veth", "vlan.eth.37 vlan"}, .pod = {ETH0}}},
    {"ipv4-cluster-with-ipv6-egress",
     {.host = {"eni0d7763386da veth", "veth77b0e9d4 veth"},
      .pod = {ETH0, "v6if0 veth veth77b0e9d4"}}},
    {"ipv6-cluster-with-ipv4-egress",
     {.host = {"eni0d7763386da veth", "veth5d2f8a1c veth"},
      .pod = {ETH0, "v4if0 veth veth5d2f8a1c"}}},
};

static void shape_gives_expected_plan(const char *shape, const char *form, struct world world)
{
    char path[512] = "";
    cleanup(free_text) char *result = NULL;
    cleanup(free_text) char *expected = NULL;
    struct outcome out = {.code = 0};

    snprintf(path, sizeof(path), TEST_DATA "/prevresults/%s%s.json", shape, form);
    result = text_of_file(path);
    snprintf(path, sizeof(path), TEST_DATA "/plans/%s.expected", shape);
    expected = text_of_file(path);
    world.result = result;
    out = plan(&world);
    assert_int_equal(out.code, 0);
    assert_string_equal(out.text, expected);
}

static void every_shape_gives_its_plan_in_both_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        shape_gives_expected_plan(shapes[i].shape, "", shapes[i].world);
        shape_gives_expected_plan(shapes[i].shape, ".v1", shapes[i].world);
    }
}

/* Forgetting the host's interfaces leaves no hole: the pod's own lead to them. */
static void host_interfaces_are_found_from_the_pod(void **state)
{
    (void)state;
    assert_guards(&(struct world){.result = "{}", .pod = {"eth0 veth vethabc"}},
                  "in vethabc drop\n");
    assert_guards(&(struct world){.result = "{\"interfaces\":[{\"name\":\"net1\",\"sandbox\":"
                                            "\"/proc/7/ns/net\"}]}",
                                  .pod = {"eth0 veth vetha", "net1 veth vethb"}},
                  "in vethb drop\nin vetha drop\n");
}

static void an_interface_found_twice_is_guarded_once(void **state)
{
    (void)state;
    assert_guards(&(struct world){.result = "{\"interfaces\":[{\"name\":\"h\"},{\"name\":\"h\"}]}",
                                  .host = {"h veth"},
                                  .pod = {"eth0 veth h"}},
                  "in h drop\n");
}

static void another_pods_interface_is_a_hole(void **state)
{
    struct world world = {.result = "{\"interfaces\":[{\"name\":\"h\"},{\"name\":\"other\"}]}",
                          .host = {"h veth", "other veth elsewhere"},
                          .pod = {"eth0 veth h"}};

    (void)state;
    assert_refused(&world, "could reach IMDS past any guard", "other: its other end");
    /* Once it runs, it may have been the pod itself that moved it on. */
    world.partly = true;
    assert_guards(&world, "in h drop\nin other drop\n");
}

static void a_hole_leaves_the_rest_of_a_partial_plan(void **state)
{
    struct world world = {.result = "{\"interfaces\":[{\"name\":\"h\"}]}",
                          .host = {"h veth"},
                          .pod = {"eth0 macvlan -"}};

    (void)state;
    assert_refused(&world, "could reach IMDS past any guard", "macvlan");
    world.partly = true;
    assert_guards(&world, "in h drop\n");
    world.host[0] = NULL;
    assert_refused(&world, "could reach IMDS past any guard", "macvlan");
    world.pod[0] = "eth0 veth h port";
    assert_refused(&world, "could reach IMDS past any guard", "port of another link");
}

static void a_missing_ifname_is_no_hole_where_others_are_guarded(void **state)
{
    (void)state;
    assert_guards(
        &(struct world){.result = "{\"interfaces\":[{\"name\":\"h\"}]}", .host = {"h veth"}},
        "in h drop\n");
}

static void loopback_and_dummy_links_need_no_guard(void **state)
{
    (void)state;
    assert_guards(&(struct world){.result = "{\"interfaces\":[{\"name\":\"lo\",\"sandbox\":\"/n\"},"
                                            "{\"name\":\"d0\",\"sandbox\":\"/n\"}]}",
                                  .pod = {"lo loopback -", "d0 dummy -", "eth0 veth h"}},
                  "in h drop\n");
    assert_refused(&(struct world){.result = "{}", .ifname = "lo", .pod = {"lo loopback -"}},
                   "no interface of this pod can be guarded", "lo: loopback");
}

static void audit_and_exemption_count(void **state)
{
    struct world world = {.result = "{}", .pod = {"eth0 veth h"}};

    (void)state;
    world.config = "{\"mode\":\"audit\"}";
    assert_guards(&world, "in h count\n");
    world.config = "{\"exempt\":[{\"namespace\":\"def*\",\"pod\":\"web-?\"}]}";
    assert_guards(&world, "in h count\n");
    world.config = "{\"exempt\":[{\"namespace\":\"other\"}]}";
    assert_guards(&world, "in h drop\n");
}

static void host_network_is_left_alone(void **state)
{
    struct outcome out = plan(&(struct world){.result = "{}", .host_network = true});

    (void)state;
    assert_int_equal(out.code, 0);
    assert_string_equal(out.text, "tag \n");
}

/* ---- What no guard can stand on ---- */

static void a_pod_without_a_veth_is_refused(void **state)
{
    static const struct {
        const char *line;
        const char *why;
    } pods[] = {
        {"eth0 macvlan -", "eth0 (in the pod, macvlan): macvlan sends through its parent"},
        {"eth0 macvtap -", "eth0 (in the pod, macvtap): macvtap sends through its parent"},
        {"eth0 ipvlan -", "eth0 (in the pod, ipvlan): ipvlan sends through its parent"},
        {"eth0 ipvtap -", "eth0 (in the pod, ipvtap): ipvtap sends through its parent"},
        {"eth0 bridge -", "eth0 (in the pod, bridge): a bridge sends through its ports"},
        {"eth0 veth -", "eth0 (in the pod, veth): its other end is not in the node's"},
        {"eth0 veth h port", "its other end h is a port of another link (index 77"},
        {"eth0 - -", "eth0 (in the pod, no virtual link): its packets leave without"},
        {"eth0 netkit -", "eth0 (in the pod, netkit): its packets leave without"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pods) / sizeof(pods[0]); i++)
        assert_refused(&(struct world){.result = "{}", .pod = {pods[i].line}}, pods[i].why,
                       "the pod could reach IMDS past any guard");
}

/* One good interface does not make up for one that is not. */
static void one_hole_fails_the_plan(void **state)
{
    struct world world = {.result = "{\"interfaces\":[{\"name\":\"h\"},{\"name\":\"net1\","
                                    "\"sandbox\":\"/n\"}]}",
                          .host = {"h veth"},
                          .pod = {"eth0 veth h", "net1 macvlan -"}};

    (void)state;
    assert_refused(&world, "net1 (in the pod, macvlan)", "past any guard");
    world.host[0] = "h veth port";
    world.pod[0] = world.pod[1] = NULL;
    assert_refused(&world, "h: is a port of another link (index 77, a bridge or a VRF)",
                   "past any guard");
}

static void links_that_pods_share_are_not_guarded(void **state)
{
    struct world world = {
        .result = "{\"interfaces\":[{\"name\":\"cni0\"},{\"name\":\"ens5\"},{\"name\":\"gone\"},"
                  "{\"name\":\"vm\",\"sandbox\":\"vm-7\"},{\"name\":\"h\"}]}",
        .host = {"cni0 bridge", "ens5 -", "vm veth", "h veth"}};

    (void)state;
    assert_guards(&world, "in h drop\n");
    world.host[3] = NULL;
    assert_refused(&world, "cni0: is bridge, not a veth of one pod; ens5: is no virtual link, not",
                   "gone: the node has no such link; vm: its sandbox \"vm-7\" is no network "
                   "namespace; h: the node has no such link; eth0: the pod has no such link");
}

static void an_empty_world_is_refused(void **state)
{
    (void)state;
    assert_refused(&(struct world){.result = "{\"interfaces\":[]}"},
                   "no interface of this pod can be guarded", "eth0: the pod has no such link");
}

/* The trunk's link alone would leave every other way out of the node open. */
static void an_outgoing_guard_alone_is_not_enough(void **state)
{
    (void)state;
    assert_refused(
        &(struct world){.result =
                            "{\"interfaces\":[{\"name\":\"dummy0d7763386da\",\"mac\":\"37\"}]}",
                        .host = {"vlan.eth.37 vlan"}},
        "dummy0d7763386da: no link can have this name", "eth0: the pod has no such link");
}

static void a_vlan_link_is_guarded_only_where_it_can_be(void **state)
{
    struct world world = {.result =
                              "{\"interfaces\":[{\"name\":\"dummy0d7763386da\",\"mac\":\"37\"}]}",
                          .pod = {"eth0 veth h"}};

    (void)state;
    assert_guards(&world, "in h drop\n");
    world.host[0] = "vlan.eth.37 vlan port";
    assert_guards(&world, "in h drop\n");
    world.host[0] = "vlan.eth.37 veth";
    assert_guards(&world, "in h drop\nout vlan.eth.37 drop\n");
    /* Named by the result as well, it is guarded in both directions. */
    world.result = "{\"interfaces\":[{\"name\":\"vlan.eth.37\"},{\"name\":\"dummy0d7763386da\","
                   "\"mac\":\"37\"},{\"name\":\"dummy1d7763386da\",\"mac\":\"37\"}]}";
    assert_guards(&world, "in vlan.eth.37 drop\nin h drop\nout vlan.eth.37 drop\n");
}

/* ---- Names and facts that lie ---- */

/* Rules match a link's own name; the kernel also finds a link by an alternative one. */
static void guards_bear_the_name_the_kernel_gives(void **state)
{
    struct link host = {.name = "real", .index = 3, .kind = "veth"};
    struct pod_link pod = {.link = {.index = 0}};
    struct facts facts = {.host = &host, .host_count = 1, .pod = &pod, .pod_count = 1};
    struct result_interface alternative = {.name = "alt", .mac = "", .sandbox = ""};
    struct world world = {.result = ""};
    struct attachment attachment = attach(&world);
    cleanup(config) struct config config = {.endpoints = NULL};
    cleanup(plan) struct plan made = {.guards = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    attachment.result = (struct result){.interfaces = &alternative, .interface_count = 1};
    assert_int_equal(config_parse(NULL, &config, &err), 0);
    assert_int_equal(plan_make(&attachment, &config, &facts, &made, &err), 0);
    assert_int_equal(made.guard_count, 1);
    assert_string_equal(made.guards[0].interface, "real");
    plan_free(&made);

    strcpy(host.name, "no/name");
    assert_int_equal(plan_make(&attachment, &config, &facts, &made, &err), -1);
    assert_int_equal(err.code, ERROR_NOTHING_TO_GUARD);
    facts.host_count = 0;
    assert_int_equal(plan_make(&attachment, &config, &facts, &made, &err), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
}

static void an_owner_too_long_for_a_tag_is_refused(void **state)
{
    char id[OWNER_BYTES_MAX + 1] = "";
    struct world world = {.result = ""};
    struct attachment attachment = attach(&world);
    struct facts facts = {.host = NULL};
    cleanup(config) struct config config = {.endpoints = NULL};
    struct plan made = {.guards = NULL};
    struct error err = {.code = ERROR_NONE};
    char limit[16] = "";

    (void)state;
    snprintf(limit, sizeof(limit), "%d", OWNER_BYTES_MAX);
    memset(id, 'a', OWNER_BYTES_MAX);
    attachment.owner.container_id = id;
    assert_int_equal(config_parse(NULL, &config, &err), 0);
    assert_int_equal(plan_make(&attachment, &config, &facts, &made, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID_ENVIRONMENT);
    assert_contains(err.msg, limit);
}

/* However many interfaces a result has, the guards' number fits the tag. */
static void the_largest_result_makes_a_readable_tag(void **state)
{
    struct result_interface interfaces[RESULT_INTERFACES_MAX];
    char names_of[RESULT_INTERFACES_MAX][INTERFACE_NAME_SIZE];
    struct link host[RESULT_INTERFACES_MAX];
    struct pod_link pod = {.link = {.index = 0}};
    struct facts facts = {
        .host = host, .host_count = RESULT_INTERFACES_MAX, .pod = &pod, .pod_count = 1};
    struct world world = {.result = ""};
    struct attachment attachment = attach(&world);
    cleanup(config) struct config config = {.endpoints = NULL};
    cleanup(plan) struct plan made = {.guards = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    for (int i = 0; i < RESULT_INTERFACES_MAX; i++) {
        snprintf(names_of[i], sizeof(names_of[i]), "h%d", i);
        interfaces[i] = (struct result_interface){.name = names_of[i], .mac = "", .sandbox = ""};
        host[i] = read_link(names_of[i], "veth", i + 1, false);
    }
    attachment.result =
        (struct result){.interfaces = interfaces, .interface_count = RESULT_INTERFACES_MAX};
    assert_int_equal(config_parse(NULL, &config, &err), 0);
    assert_int_equal(plan_make(&attachment, &config, &facts, &made, &err), 0);
    assert_int_equal(made.guard_count, RESULT_INTERFACES_MAX);
    assert_int_equal(tag_guards(made.tag), RESULT_INTERFACES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_gives_its_plan_in_both_forms),
        cmocka_unit_test(host_interfaces_are_found_from_the_pod),
        cmocka_unit_test(an_interface_found_twice_is_guarded_once),
        cmocka_unit_test(another_pods_interface_is_a_hole),
        cmocka_unit_test(a_hole_leaves_the_rest_of_a_partial_plan),
        cmocka_unit_test(a_missing_ifname_is_no_hole_where_others_are_guarded),
        cmocka_unit_test(loopback_and_dummy_links_need_no_guard),
        cmocka_unit_test(audit_and_exemption_count),
        cmocka_unit_test(host_network_is_left_alone),
        cmocka_unit_test(a_pod_without_a_veth_is_refused),
        cmocka_unit_test(one_hole_fails_the_plan),
        cmocka_unit_test(links_that_pods_share_are_not_guarded),
        cmocka_unit_test(an_empty_world_is_refused),
        cmocka_unit_test(an_outgoing_guard_alone_is_not_enough),
        cmocka_unit_test(a_vlan_link_is_guarded_only_where_it_can_be),
        cmocka_unit_test(guards_bear_the_name_the_kernel_gives),
        cmocka_unit_test(an_owner_too_long_for_a_tag_is_refused),
        cmocka_unit_test(the_largest_result_makes_a_readable_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
