/* Looks into pods from outside: which namespace is asked, and whose link the host's end is. */
#include "fake_rtnetlink.h"

#include "kernel/links/links.h"

#define NO_NETNS "/proc/self/status"

static char host_names[][INTERFACE_NAME_SIZE] = {"eni1"};
static char pod_names[][INTERFACE_NAME_SIZE] = {"eth0"};

static struct error errors[LOOKS_MAX];

/* A pod with eth0, of which the result names the host's end, or does not. */
static struct look look_into(const char *netns, struct error *error, size_t host_count)
{
    return (struct look){
        .netns = netns,
        .questions = {.host = host_names,
                      .host_count = host_count,
                      .pod = pod_names,
                      .pod_count = 1},
        .error = error,
    };
}

#define KERNEL_ANSWERS()                                                                           \
    KERNEL_DOES({ANSWER, 0}, {ANSWER, 0}, {ANSWER, 0}, {ANSWER, 0}, {ANSWER, 0}, {ANSWER, 0},      \
                {ANSWER, 0}, {ANSWER, 0}, {ANSWER, 0}, {ANSWER, 0}, {ANSWER, 0}, {ANSWER, 0})

static void assert_fails(const char *netns, enum error_code code, const char *says)
{
    struct look look = look_into(netns, &errors[0], 1);

    assert_int_equal(links_look(NULL, &look, 1), -1);
    assert_true(look.failed);
    assert_null(look.facts.pod);
    assert_int_equal(errors[0].code, code);
    if (strstr(errors[0].msg, says) == NULL || strstr(errors[0].msg, netns) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", errors[0].msg, says);
}

static void finds_the_hosts_end(void **state)
{
    (void)state;
    for (size_t named = 0; named <= 1; named++) {
        struct look look = look_into(POD_NETNS, &errors[0], named);

        KERNEL_ANSWERS();
        assert_int_equal(links_look(NULL, &look, 1), 0);
        assert_false(look.failed);
        assert_false(look.facts.host_network);
        assert_string_equal(look.facts.pod[0].link.name, "eth0");
        assert_false(look.facts.pod[0].link.peer_is_beside);
        assert_string_equal(look.facts.pod[0].host_peer.name, named ? "eni1" : "numbered");
        assert_int_equal(look.facts.pod[0].host_peer.index, 12);
        if (named)
            assert_false(look.facts.host[0].peer_is_elsewhere);
        /* Who has told of it by name is not asked by number. */
        assert_int_equal(kernel.sent, named ? 2 : 3);
        facts_free(&look.facts);
    }
}

/* The pod says that it leads there; the host's link says that it leads to another one. */
static void the_hosts_word_decides(void **state)
{
    struct look look = look_into(OTHER_NETNS, &errors[0], 1);

    (void)state;
    KERNEL_ANSWERS();
    assert_int_equal(links_look(NULL, &look, 1), 0);
    assert_string_equal(look.facts.pod[0].link.name, "eth0");
    assert_int_equal(look.facts.pod[0].host_peer.index, 0);
    assert_true(look.facts.host[0].peer_is_elsewhere);
    facts_free(&look.facts);
}

static void what_is_known_is_not_asked_for(void **state)
{
    struct link_reply all[] = {
        {.link = {.name = "eni1", .index = 12, .peer_index = 3, .master_index = 4, .kind = "veth"},
         .peer_elsewhere = true,
         .peer_nsid = POD_NUMBER}};
    const struct link_reply *by_index[] = {all};
    const struct known_links known = {.all = all, .count = 1, .by_index = by_index};

    (void)state;
    for (size_t named = 0; named <= 1; named++) {
        struct look look = look_into(POD_NETNS, &errors[0], named);

        KERNEL_ANSWERS();
        assert_int_equal(links_look(&known, &look, 1), 0);
        assert_int_equal(look.facts.pod[0].host_peer.master_index, 4);
        assert_int_equal(kernel.sent, 2);
        assert_int_equal(kernel.asked_count, 2); /* eth0, and whether the kernel knows namespaces */
        facts_free(&look.facts);
    }
}

static void our_own_namespace_is_host_networking(void **state)
{
    struct look look = look_into(OWN_NETNS, &errors[0], 1);

    (void)state;
    KERNEL_ANSWERS();
    assert_int_equal(links_look(NULL, &look, 1), 0);
    assert_true(look.facts.host_network);
    assert_null(look.facts.pod);
    assert_int_equal(kernel.sent, 1);
}

static void a_namespace_without_a_number_gets_one(void **state)
{
    struct look look = look_into(POD_NETNS, &errors[0], 1);

    (void)state;
    for (int error = 0; error <= EEXIST; error += EEXIST) { /* EEXIST: somebody was faster */
        KERNEL_ANSWERS();
        kernel.no_numbers = 1;
        kernel.give_error = error;
        assert_int_equal(links_look(NULL, &look, 1), 0);
        assert_int_equal(look.facts.pod[0].host_peer.index, 12);
        assert_int_equal(kernel.sent, 3);
        facts_free(&look.facts);
    }
    KERNEL_ANSWERS();
    kernel.no_numbers = 1;
    kernel.give_error = EPERM;
    assert_fails(POD_NETNS, ERROR_KERNEL, "Operation not permitted (CAP_NET_ADMIN is needed)");
    KERNEL_ANSWERS();
    kernel.no_numbers = 2;
    assert_fails(POD_NETNS, ERROR_KERNEL, "gives it no number");
}

static void says_why_it_cannot_look(void **state)
{
    (void)state;
    KERNEL_ANSWERS();
    assert_fails("/nonexistent/ns", ERROR_INVALID_NETNS, "No such file");
    assert_int_equal(kernel.sent, 0);
    assert_fails(NO_NETNS, ERROR_INVALID_NETNS, "not a network namespace");
    KERNEL_ANSWERS();
    kernel.is_old = true;
    assert_fails(POD_NETNS, ERROR_KERNEL, "Linux 4.15 or later is needed");
    KERNEL_DOES({REFUSE, ENOMEM});
    assert_fails(POD_NETNS, ERROR_KERNEL, "does not number it: Cannot allocate memory");
    KERNEL_DOES({ANSWER, 0}, {FAIL, EBADF});
    assert_fails(POD_NETNS, ERROR_KERNEL, "cannot read the answers");
    KERNEL_DOES({ANSWER, 0});
    kernel.socket_error = EMFILE;
    assert_fails(POD_NETNS, ERROR_KERNEL, "cannot open an rtnetlink socket");
}

static void looks_into_many_at_once(void **state)
{
    struct look looks[LOOKS_MAX];

    (void)state;
    for (size_t i = 0; i < LOOKS_MAX; i++)
        looks[i] = look_into(i == 4 ? OWN_NETNS : POD_NETNS, &errors[i], 0);
    KERNEL_ANSWERS();
    assert_int_equal(links_look(NULL, looks, LOOKS_MAX), 0);
    assert_int_equal(kernel.sent, 3);
    for (size_t i = 0; i < LOOKS_MAX; i++) {
        assert_false(looks[i].failed);
        assert_true(looks[i].facts.host_network == (i == 4));
        if (i != 4)
            assert_int_equal(looks[i].facts.pod[0].host_peer.index, 12);
        facts_free(&looks[i].facts);
    }
}

/* As on a node that has run pods before us: what gives the last number is the last in its datagram. */
static void many_without_numbers_get_theirs_at_once(void **state)
{
    struct look looks[LOOKS_MAX];

    (void)state;
    for (size_t i = 0; i < LOOKS_MAX; i++)
        looks[i] = look_into(POD_NETNS, &errors[i], 0);
    KERNEL_ANSWERS();
    kernel.no_numbers = 1;
    assert_int_equal(links_look(NULL, looks, LOOKS_MAX), 0);
    assert_int_equal(kernel.sent, 5);
    assert_int_equal(kernel.now, 0); /* nothing was waited for */
    for (size_t i = 0; i < LOOKS_MAX; i++) {
        assert_int_equal(looks[i].facts.pod[0].host_peer.index, 12);
        facts_free(&looks[i].facts);
    }
}

static void one_that_fails_is_no_others_harm(void **state)
{
    struct look looks[] = {look_into(POD_NETNS, &errors[0], 1), look_into(NO_NETNS, &errors[1], 1),
                           look_into("/nonexistent/ns", &errors[2], 1),
                           look_into(OTHER_NETNS, &errors[3], 1)};

    (void)state;
    KERNEL_ANSWERS();
    assert_int_equal(links_look(NULL, looks, 4), -1);
    for (size_t i = 0; i < 4; i++)
        assert_true(looks[i].failed == (i == 1 || i == 2));
    assert_int_equal(errors[1].code, ERROR_INVALID_NETNS);
    assert_int_equal(errors[2].code, ERROR_INVALID_NETNS);
    assert_int_equal(looks[0].facts.pod[0].host_peer.index, 12);
    assert_int_equal(looks[3].facts.pod[0].host_peer.index, 0);
    facts_free(&looks[0].facts);
    facts_free(&looks[3].facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_hosts_end),
        cmocka_unit_test(the_hosts_word_decides),
        cmocka_unit_test(what_is_known_is_not_asked_for),
        cmocka_unit_test(our_own_namespace_is_host_networking),
        cmocka_unit_test(a_namespace_without_a_number_gets_one),
        cmocka_unit_test(says_why_it_cannot_look),
        cmocka_unit_test(looks_into_many_at_once),
        cmocka_unit_test(many_without_numbers_get_theirs_at_once),
        cmocka_unit_test(one_that_fails_is_no_others_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
