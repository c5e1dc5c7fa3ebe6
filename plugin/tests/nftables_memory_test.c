/* The nftables room with too little memory. What has failed has not changed what the kernel holds. */
#include "fake_nftables.h"
#include "starving.h"

#include "kernel/backend.h"
#include "kernel/nftables/elements.h"

static struct endpoint endpoints[] = {
    {FAMILY_IPV4, {169, 254, 169, 254}, 32},
    {FAMILY_IPV6, {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128},
};
static const struct terms terms = {.endpoints = endpoints, .endpoint_count = 2};
static const struct terms other_terms = {
    .endpoints = endpoints, .endpoint_count = 1, .others = VERDICT_PASS};
static struct terms exact_terms = {
    .endpoints = endpoints, .endpoint_count = 2, .others = VERDICT_PASS, .exactly = true};

static struct guard guards[] = {{.interface = "eni1", .verdict = VERDICT_DROP},
                                {.interface = "eni2", .verdict = VERDICT_REJECT}};
static const struct plan plan = {
    .guards = guards, .guard_count = 2, .tag = "net/new/eth0 2 default/a"};
static const struct plan former = {
    .guards = guards, .guard_count = 1, .tag = "net/old/eth0 1 default/a"};

static size_t length_before;
static bool must_stay; /* what has failed must not have changed anything */
static bool beside;    /* but ours may have come to stand beside what was there */

static int untouched(int result)
{
    if (result < 0 && must_stay && !(beside && nftables.committed > 0))
        assert_int_equal(nftables.length, length_before);
    if (result < 0 && beside)
        assert_true(nftables.length >= length_before);
    return result;
}

static void prepare_nothing(void)
{
    nftables_reset();
    length_before = 0;
    must_stay = true;
    beside = false;
}

/* A former pod's guard, and one endpoint of two. */
static void prepare_former(void)
{
    struct error err = {.code = ERROR_NONE};

    prepare_nothing();
    assert_int_equal(backend_nftables.apply(&former, 1, &other_terms, &err), 0);
    length_before = nftables.length;
}

/* All the guards and endpoints of another table, with one more endpoint than the terms have. */
static void prepare_former_version(void)
{
    prepare_former();
    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len)) {
        struct nlmsghdr *message = (struct nlmsghdr *)(nftables.bytes + at);
        struct attributes attributes;

        nft_reply_attributes(message, &attributes);
        /* Names of the same length, one with its underscore and one with a hyphen; "guards", "in". */
        memcpy(mnl_attr_get_payload(attributes.at[NFTA_TABLE_NAME]), "imds-guard", 10);
        if (attribute_is(&attributes, NFTA_SET_NAME, NFT_MAP))
            strcpy(mnl_attr_get_payload(attributes.at[NFTA_SET_NAME]), NFT_FORMER_MAP);
    }
    beside = true;
    nftables.committed = 0;
}

/* A table that is to be made anew, because a rule of its chain is gone. */
static void prepare_broken(void)
{
    prepare_former();
    for (size_t at = 0; at < nftables.length; at += MNL_ALIGN(there_at(at)->nlmsg_len)) {
        struct nlmsghdr *message = (struct nlmsghdr *)(nftables.bytes + at);

        if (nft_reply_type(message) == NFT_MSG_NEWRULE)
            message->nlmsg_type = NLMSG_NOOP;
    }
}

static int apply(struct error *err)
{
    return untouched(backend_nftables.apply(&plan, 1, &terms, err));
}

/* As sync does, with what was seen before. */
static int apply_exactly(struct error *err)
{
    static const struct listing nothing;

    exact_terms.seen = &nothing;
    return untouched(backend_nftables.apply(&plan, 1, &exact_terms, err));
}

static bool goes(const struct held *held, const void *context)
{
    (void)held, (void)context;
    return true;
}

static int remove_all_guards(struct error *err)
{
    const struct selection selection = {.goes = goes};

    return untouched(backend_nftables.remove(&selection, &terms, NULL, err));
}

static int remove_everything(struct error *err)
{
    const struct selection selection = {.everything = true};

    return untouched(backend_nftables.remove(&selection, &terms, NULL, err));
}

static int list(struct error *err)
{
    cleanup(listing) struct listing listing = {0};

    return untouched(backend_nftables.list(&terms, &listing, err));
}

static int probe(struct error *err)
{
    return untouched(backend_nftables.probe(&terms, err));
}

static void starves_nftables_apply(void **state)
{
    (void)state;
    starve(apply, prepare_nothing);
    starve(apply, prepare_former);
    starve(apply, prepare_broken);
    starve(apply, prepare_former_version);
    starve(apply_exactly, prepare_former);
}

static void starves_nftables_remove(void **state)
{
    (void)state;
    starve(remove_all_guards, prepare_former);
    starve(remove_everything, prepare_former);
}

static void starves_nftables_list_and_probe(void **state)
{
    (void)state;
    starve(list, prepare_former);
    starve(list, prepare_broken);
    starve(list, prepare_former_version);
    starve(probe, prepare_nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starves_nftables_apply),
        cmocka_unit_test(starves_nftables_remove),
        cmocka_unit_test(starves_nftables_list_and_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
