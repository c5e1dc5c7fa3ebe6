/* Questions about routes, whatever comes back. */
#include "fake_rtnetlink.h"

#include "guard/endpoint.h"
#include "kernel/links/routes.h"

static const struct netlink fresh = {.fd = -1, .peer = "rtnetlink", .sequence = 7};

static const struct route_question questions[] = {
    {.family = FAMILY_IPV4, .destination = {169, 254, 169, 254}},
    {.family = FAMILY_IPV6,
     .destination = {0xfd, 0, 0x0e, 0xc2, [14] = 2, [15] = 0x54},
     .incoming = 5},
    {.family = FAMILY_IPV4,
     .destination = {169, 254, 169, 254},
     .incoming = 6,
     .source = {10, 0, 12, 2}},
};

static int ask(int outgoing[static 3], struct error *err)
{
    struct netlink rtnetlink = fresh;

    memset(err, 0, sizeof(*err));
    return rtnetlink_ask_routes(&rtnetlink, questions, 3, outgoing, err);
}

static const struct nlattr *attribute_of(size_t question, uint16_t type)
{
    const struct nlmsghdr *message = (const struct nlmsghdr *)kernel.asked[question];
    const struct nlattr *attr;

    mnl_attr_for_each(attr, message, sizeof(struct rtmsg))
    {
        if (mnl_attr_get_type(attr) == type)
            return attr;
    }
    return NULL;
}

static const struct rtmsg *header_of(size_t question)
{
    return mnl_nlmsg_get_payload((const struct nlmsghdr *)kernel.asked[question]);
}

static void asks_for_all_at_once(void **state)
{
    int outgoing[3];
    struct error err;

    (void)state;
    KERNEL_DOES({REFUSE, ENETUNREACH});
    assert_int_equal(ask(outgoing, &err), -1); /* only one answer: it waits for the others */
    assert_int_equal(kernel.sent, 1);
    assert_int_equal(kernel.asked_count, 3);
    assert_int_equal(header_of(0)->rtm_family, AF_INET);
    assert_int_equal(header_of(0)->rtm_dst_len, 32);
    assert_memory_equal(mnl_attr_get_payload(attribute_of(0, RTA_DST)), questions[0].destination,
                        4);
    assert_null(attribute_of(0, RTA_IIF));
    assert_null(attribute_of(0, RTA_SRC));
    assert_int_equal(header_of(1)->rtm_family, AF_INET6);
    assert_int_equal(header_of(1)->rtm_dst_len, 128);
    assert_int_equal(mnl_attr_get_u32(attribute_of(1, RTA_IIF)), 5);
    assert_null(attribute_of(1, RTA_SRC));
    assert_int_equal(header_of(2)->rtm_src_len, 32);
    assert_memory_equal(mnl_attr_get_payload(attribute_of(2, RTA_SRC)), questions[2].source, 4);
}

/* What a single question gives. */
static int ask_one(const struct step *steps, int *outgoing, struct error *err)
{
    struct netlink rtnetlink = fresh;

    memset(err, 0, sizeof(*err));
    *outgoing = 77;
    kernel_does(steps);
    return rtnetlink_ask_routes(&rtnetlink, questions, 1, outgoing, err);
}

static void no_route_is_an_answer(void **state)
{
    static const int errors[] = {ENETUNREACH, EHOSTUNREACH, EXDEV,       EINVAL,
                                 EACCES,      ENODEV,       EAFNOSUPPORT};

    (void)state;
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        const struct step steps[] = {{REFUSE, errors[i]}, {END, 0}};
        struct error err;
        int outgoing;

        assert_int_equal(ask_one(steps, &outgoing, &err), 0);
        assert_int_equal(outgoing, 0);
    }
}

static void a_failure_is_none(void **state)
{
    static const struct step failures[][2] = {
        {{REFUSE, ENOMEM}, {END, 0}}, {{REFUSE, EPERM}, {END, 0}}, {{REFUSE, 0}, {END, 0}},
        {{ODD, 0}, {END, 0}},         {{FAIL, EBADF}, {END, 0}},   {{END, 0}, {END, 0}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        struct error err;
        int outgoing;

        assert_int_equal(ask_one(failures[i], &outgoing, &err), -1);
        assert_int_equal(err.code, ERROR_KERNEL);
        assert_int_equal(outgoing, 77);
    }
}

/* --- one answer --------------------------------------------------------------------------------- */

static void put_route(char *bytes, unsigned char type, uint32_t outgoing)
{
    struct nlmsghdr *message = start(bytes, RTM_NEWROUTE, 1);
    struct rtmsg *route = mnl_nlmsg_put_extra_header(message, sizeof(*route));

    route->rtm_type = type;
    if (outgoing > 0)
        mnl_attr_put_u32(message, RTA_OIF, outgoing);
}

static void reads_where_a_route_leads(void **state)
{
    _Alignas(struct nlmsghdr) char buffer[256] = {0};
    struct nlmsghdr *message = (struct nlmsghdr *)buffer;
    int outgoing = 77;

    (void)state;
    put_route(buffer, RTN_UNICAST, 3);
    assert_true(route_reply_read(message, &outgoing));
    assert_int_equal(outgoing, 3);
    put_route(buffer, RTN_UNICAST, 0);
    assert_true(route_reply_read(message, &outgoing));
    assert_int_equal(outgoing, 0);
    for (unsigned char type = RTN_LOCAL; type <= RTN_THROW; type++) {
        outgoing = 77;
        put_route(buffer, type, 1);
        assert_true(route_reply_read(message, &outgoing));
        assert_int_equal(outgoing, 0);
    }
    outgoing = 77;
    message->nlmsg_len = sizeof(struct nlmsghdr) + sizeof(struct rtmsg) - 1;
    assert_false(route_reply_read(message, &outgoing));
    message->nlmsg_len = sizeof(struct nlmsghdr);
    assert_false(route_reply_read(message, &outgoing));
    put_link(buffer, 1, 3, "eth0");
    assert_false(route_reply_read(message, &outgoing));
    assert_int_equal(outgoing, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(asks_for_all_at_once),
        cmocka_unit_test(no_route_is_an_answer),
        cmocka_unit_test(a_failure_is_none),
        cmocka_unit_test(reads_where_a_route_leads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
