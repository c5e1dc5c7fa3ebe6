/* The iptables room with too little memory. */
#include "iptables_chains.h"
#include "starving.h"

#include "kernel/iptables/guards.h"
#include "kernel/iptables/skeleton.h"
#include "kernel/wanted.h"

static struct endpoint endpoints[] = {{FAMILY_IPV4, {169, 254, 169, 254}, 32}};
static const struct terms terms = {.endpoints = endpoints, .endpoint_count = 1};

static struct guard guards[] = {{.interface = "eni1", .verdict = VERDICT_DROP},
                                {.interface = "eni2", .verdict = VERDICT_PASS}};
static const struct plan plan = {
    .guards = guards, .guard_count = 2, .tag = "net/new/eth0 2 default/a"};

static bool goes(const struct held *held, const void *context)
{
    (void)held, (void)context;
    return true;
}

static struct snapshot snapshot;

static void prepare_snapshot(void)
{
}

static int set_guards(struct error *err)
{
    cleanup(wanted) struct wanted wanted = {0};
    cleanup(edits) struct edits edits = {0};

    if (wanted_make(&plan, 1, &wanted, err) < 0)
        return -1;
    iptables_guards_set(&snapshot, &wanted, &terms, &edits);
    return iptables_edits_complete(&edits, err);
}

static int unset_guards(struct error *err)
{
    const struct selection selection = {.goes = goes};
    cleanup(edits) struct edits edits = {0};

    iptables_guards_unset(&snapshot, &selection, &edits);
    return iptables_edits_complete(&edits, err);
}

static int make_skeleton(struct error *err)
{
    cleanup(edits) struct edits edits = {0};

    iptables_skeleton_make(&snapshot, &terms, &edits);
    return iptables_edits_complete(&edits, err);
}

static int unmake_skeleton(struct error *err)
{
    cleanup(edits) struct edits edits = {0};

    iptables_skeleton_unmake(&snapshot, &edits);
    return iptables_edits_complete(&edits, err);
}

static int find_faults(struct error *err)
{
    cleanup(listing) struct listing listing = {0};

    iptables_skeleton_faults(&snapshot, "iptables", &terms, &listing);
    return listing_complete(&listing, err);
}

static void with_chains(const char *forward, const char *own, const char *old)
{
    snapshot.family = FAMILY_IPV4;
    snapshot.hook = parse_chain(forward);
    snapshot.own = parse_chain(own);
    snapshot.old = parse_chain(old);
    snapshot.old_hook = parse_chain(old ? "x >169.254.169.254" : "x");
}

static void starves_what_makes(void **state)
{
    static attempt *const attempts[] = {set_guards, make_skeleton, find_faults};

    (void)state;
    for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
        /* Foreign rules in front, a jump too many, others before a guard, a chain of 0.1.0's. */
        with_chains("x >10.0.0.1 >169.254.169.254", "x eni1=old *~ eni1=new eni2=new eni3=z",
                    "eni1=old");
        starve(attempts[i], prepare_snapshot);
        snapshot_free(&snapshot);
        /* Nothing but what version 0.1.0 left. */
        with_chains("", NULL, "eni1=old");
        starve(attempts[i], prepare_snapshot);
        snapshot_free(&snapshot);
    }
}

static void starves_what_takes_out(void **state)
{
    (void)state;
    with_chains("x >10.0.0.1 >169.254.169.254", "x eni1=old eni1=new *=", "eni1=old");
    starve(unset_guards, prepare_snapshot);
    starve(unmake_skeleton, prepare_snapshot);
    snapshot_free(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starves_what_makes),
        cmocka_unit_test(starves_what_takes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
