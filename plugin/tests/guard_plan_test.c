/* What gets guarded. */
#include "guard_plan_world.h"

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
    {"branch-eni-strict", {.host = {"vlan0d7763386da veth"}, .pod = {"eth0 veth vlan0d7763386da"}}},
    {"branch-eni-standard", {.host = {"eni0d7763386da veth"}, .pod = {ETH0}}},
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

/* ---- Rule by rule ---- */

/* Forgetting the host's interfaces leaves no hole: the pod's own lead to them. */
static void host_interfaces_are_found_from_the_pod(void **state)
{
    (void)state;
    assert_guards(&(struct world){.result = "{}", .pod = {"eth0 veth vethabc"}},
                  "vethabc drop proven\n");
    assert_guards(&(struct world){.result = "{\"interfaces\":[{\"name\":\"net1\",\"sandbox\":"
                                            "\"/proc/7/ns/net\"}]}",
                                  .pod = {"eth0 veth vetha", "net1 veth vethb"}},
                  "vethb drop proven\nvetha drop proven\n");
}

static void an_interface_found_twice_is_guarded_once(void **state)
{
    (void)state;
    assert_guards(&(struct world){.result = "{\"interfaces\":[{\"name\":\"h\"},{\"name\":\"h\"}]}",
                                  .host = {"h veth"},
                                  .pod = {"eth0 veth h"}},
                  "h drop proven\n");
}

static void a_missing_ifname_is_no_hole_where_others_are_guarded(void **state)
{
    (void)state;
    assert_guards(
        &(struct world){.result = "{\"interfaces\":[{\"name\":\"h\"}]}", .host = {"h veth"}},
        "h drop\n");
}

static void loopback_and_dummy_links_need_no_guard(void **state)
{
    (void)state;
    assert_guards(&(struct world){.result = "{\"interfaces\":[{\"name\":\"lo\",\"sandbox\":\"/n\"},"
                                            "{\"name\":\"d0\",\"sandbox\":\"/n\"}]}",
                                  .pod = {"lo loopback -", "d0 dummy -", "eth0 veth h"}},
                  "h drop proven\n");
    assert_refused(&(struct world){.result = "{}", .ifname = "lo", .pod = {"lo loopback -"}},
                   "no interface of this pod can be guarded", "lo: loopback");
}

/* And no way past a guard, wherever a pod has made them. */
static void what_stays_within_the_pod_needs_no_guard(void **state)
{
    struct world world = {.result = "{\"interfaces\":[{\"name\":\"net1\",\"sandbox\":\"/n\"}]}",
                          .pod = {"eth0 veth h", "net1 tun -"}};

    (void)state;
    assert_guards(&world, "h drop proven\n");
    world.pod[1] = "net1 bridge -";
    assert_guards(&world, "h drop proven\n");
    world.pod[1] = "net1 veth beside";
    assert_guards(&world, "h drop proven\n");
    world.pod[0] = NULL;
    assert_refused(&world, "no interface of this pod can be guarded", "eth0: the pod has no such");
}

/* The kernel's word is worth more than the result's, where two pods claim one interface. */
static void only_what_the_kernel_says_is_proven(void **state)
{
    (void)state;
    assert_guards(&(struct world){.result = "{\"interfaces\":[{\"name\":\"h\"},{\"name\":\"g\"}]}",
                                  .host = {"h veth", "g veth"},
                                  .pod = {"eth0 veth g"}},
                  "h drop\ng drop proven\n");
}

/* A container's end that the result lists without its sandbox may be called as a link of the node. */
static void the_nodes_link_of_a_container_interfaces_name_is_not_the_pods(void **state)
{
    struct world world = {.result = "{\"interfaces\":[{\"name\":\"eth0\"}]}",
                          .host = {"eth0 veth elsewhere"},
                          .pod = {"eth0 veth h"}};

    (void)state;
    assert_guards(&world, "h drop proven\n");
    world.config = "{\"mode\":\"audit\"}";
    assert_guards(&world, "h pass proven\n");
}

static void audit_and_exemption_let_pass(void **state)
{
    struct world world = {.result = "{}", .pod = {"eth0 veth h"}};

    (void)state;
    world.config = "{\"mode\":\"audit\"}";
    assert_guards(&world, "h pass proven\n");
    world.config = "{\"exempt\":[{\"namespace\":\"def*\",\"pod\":\"web-?\"}]}";
    assert_guards(&world, "h pass proven\n");
    world.config = "{\"exempt\":[{\"namespace\":\"other\"}]}";
    assert_guards(&world, "h drop proven\n");
    world.config = "{\"exempt\":[{\"namespace\":\"other\"}],\"deny\":\"reject\"}";
    assert_guards(&world, "h reject proven\n");
    world.config = "{\"mode\":\"audit\",\"deny\":\"reject\",\"others\":\"drop\"}";
    assert_guards(&world, "h pass proven\n");
}

static void host_network_is_left_alone(void **state)
{
    struct outcome out = plan(&(struct world){.result = "{}", .host_network = true});

    (void)state;
    assert_int_equal(out.code, 0);
    assert_string_equal(out.text, "tag \n");
}

/* Rules match a link's own name; the kernel also finds a link by an alternative one. */
static void guards_bear_the_name_the_kernel_gives(void **state)
{
    struct link host = {.name = "real", .index = 3, .kind = "veth"};
    struct pod_link pod = {.link = {.index = 0}};
    struct facts facts = {.host = &host, .host_count = 1, .pod = &pod, .pod_count = 1};
    struct result_interface alternative = {.name = "alt", .sandbox = ""};
    struct world world = {.result = ""};
    struct attachment attachment = attach(&world);
    cleanup(config) struct config config = {.endpoints = NULL};
    cleanup(plan) struct plan made = {.guards = NULL};
    struct error err = {.code = ERROR_NONE};

    (void)state;
    attachment.result = (struct result){.interfaces = &alternative, .interface_count = 1};
    assert_int_equal(config_parse(NULL, &config, &err), 0);
    assert_int_equal(plan_make(&attachment, &config, &facts, false, &made, &err), 0);
    assert_int_equal(made.guard_count, 1);
    assert_string_equal(made.guards[0].interface, "real");
    plan_free(&made);

    strcpy(host.name, "no/name");
    assert_int_equal(plan_make(&attachment, &config, &facts, false, &made, &err), -1);
    assert_int_equal(err.code, ERROR_NOTHING_TO_GUARD);
    facts.host_count = 0;
    assert_int_equal(plan_make(&attachment, &config, &facts, false, &made, &err), -1);
    assert_int_equal(err.code, ERROR_KERNEL);
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
        interfaces[i] = (struct result_interface){.name = names_of[i], .sandbox = ""};
        host[i] = read_link(names_of[i], "veth", i + 1, false);
    }
    attachment.result =
        (struct result){.interfaces = interfaces, .interface_count = RESULT_INTERFACES_MAX};
    assert_int_equal(config_parse(NULL, &config, &err), 0);
    assert_int_equal(plan_make(&attachment, &config, &facts, false, &made, &err), 0);
    assert_int_equal(made.guard_count, RESULT_INTERFACES_MAX);
    assert_int_equal(tag_guards(made.tag), RESULT_INTERFACES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_shape_gives_its_plan_in_both_forms),
        cmocka_unit_test(host_interfaces_are_found_from_the_pod),
        cmocka_unit_test(an_interface_found_twice_is_guarded_once),
        cmocka_unit_test(a_missing_ifname_is_no_hole_where_others_are_guarded),
        cmocka_unit_test(loopback_and_dummy_links_need_no_guard),
        cmocka_unit_test(what_stays_within_the_pod_needs_no_guard),
        cmocka_unit_test(only_what_the_kernel_says_is_proven),
        cmocka_unit_test(the_nodes_link_of_a_container_interfaces_name_is_not_the_pods),
        cmocka_unit_test(audit_and_exemption_let_pass),
        cmocka_unit_test(host_network_is_left_alone),
        cmocka_unit_test(guards_bear_the_name_the_kernel_gives),
        cmocka_unit_test(the_largest_result_makes_a_readable_tag),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
