/* What no guard can stand on, and which pods must not start because of it. */
#include "guard_plan_world.h"

/* Whose it is does not matter where packets are denied. */
static void another_pods_interface_is_no_way_to_pass(void **state)
{
    struct world world = {.result = "{\"interfaces\":[{\"name\":\"h\"},{\"name\":\"other\"}]}",
                          .host = {"h veth", "other veth elsewhere"},
                          .pod = {"eth0 veth h"}};

    (void)state;
    assert_guards(&world, "h drop proven\nother drop\n");
    world.config = "{\"exempt\":[{\"namespace\":\"default\"}]}";
    assert_refused(&world, "could reach IMDS past any guard", "other: its other end");
    /* Once it runs, it may have been the pod itself that moved it on. */
    world.partly = true;
    assert_guards(&world, "h pass proven\n");
}

static void a_hole_leaves_the_rest_of_a_partial_plan(void **state)
{
    struct world world = {.result = "{\"interfaces\":[{\"name\":\"h\"}]}",
                          .host = {"h veth"},
                          .pod = {"eth0 macvlan -"}};

    (void)state;
    assert_refused(&world, "could reach IMDS past any guard", "macvlan");
    world.partly = true;
    assert_guards(&world, "h drop\n");
    world.host[0] = NULL;
    assert_refused(&world, "could reach IMDS past any guard", "macvlan");
    world.pod[0] = "eth0 veth h port";
    assert_refused(&world, "could reach IMDS past any guard", "port of another link");
}

static void a_pod_without_a_veth_is_refused(void **state)
{
    static const struct {
        const char *line;
        const char *why;
    } pods[] = {
        {"eth0 macvlan -", "eth0 (in the pod, macvlan): it sends through its parent"},
        {"eth0 macvtap -", "eth0 (in the pod, macvtap): it sends through its parent"},
        {"eth0 ipvlan -", "eth0 (in the pod, ipvlan): it sends through its parent"},
        {"eth0 ipvtap -", "eth0 (in the pod, ipvtap): it sends through its parent"},
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

/* Whose packets the verdict for others, the exit fence or nothing stops. */
static void what_stops_it_is_known(void **state)
{
    static const struct {
        const char *kind;
        bool beside;
        enum way way;
    } links[] = {
        {"veth", false, WAY_FORWARDED},
        {"netkit", false, WAY_FORWARDED},
        {"bridge", false, WAY_FORWARDED},
        {"macvlan", false, WAY_UPLINK},
        {"ipvtap", false, WAY_UPLINK},
        {"macvlan", true, WAY_FORWARDED},
        {"", false, WAY_PAST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        struct pod_link pod[] = {{.link = {.index = 1, .loopback = true}},
                                 {.link = {.index = 2, .peer_is_beside = links[i].beside}},
                                 {.link = {.index = 0}}};
        const struct facts facts = {.pod = pod, .pod_count = 3};

        strcpy(pod[1].link.kind, links[i].kind);
        assert_int_equal(facts_way(&facts), links[i].way);
    }
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
    assert_guards(&world, "h drop\n");
    world.host[3] = NULL;
    assert_refused(&world, "cni0: is bridge, not a veth of one pod; ens5: is no virtual link, not",
                   "gone: the node has no such link; h: the node has no such link; "
                   "vm: its sandbox \"vm-7\" is no network namespace; eth0: the pod has no such "
                   "link");
}

static void an_empty_world_is_refused(void **state)
{
    (void)state;
    assert_refused(&(struct world){.result = "{\"interfaces\":[]}"},
                   "no interface of this pod can be guarded", "eth0: the pod has no such link");
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
    assert_int_equal(plan_make(&attachment, &config, &facts, false, &made, &err), -1);
    assert_int_equal(err.code, ERROR_INVALID_ENVIRONMENT);
    assert_contains(err.msg, limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_pods_interface_is_no_way_to_pass),
        cmocka_unit_test(a_hole_leaves_the_rest_of_a_partial_plan),
        cmocka_unit_test(a_pod_without_a_veth_is_refused),
        cmocka_unit_test(what_stops_it_is_known),
        cmocka_unit_test(one_hole_fails_the_plan),
        cmocka_unit_test(links_that_pods_share_are_not_guarded),
        cmocka_unit_test(an_empty_world_is_refused),
        cmocka_unit_test(an_owner_too_long_for_a_tag_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
