/*
 * Every allocation of the room fails once, and then all from there on: ours, and what libnftnl gives
 * out. What was to be done then fails and says so, and the kernel holds what it held before; or the
 * memory was not needed. Nothing leaks (the sanitizer looks).
 */
#include "fake_nftables.h"

#include "iptables_chains.h"
#include "kernel/backend.h"
#include "kernel/iptables/guards.h"
#include "kernel/iptables/skeleton.h"
#include "kernel/iptables/wanted.h"

#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>

static unsigned long allocations; /* so far, in the call under test */
static unsigned long fail_from;   /* this one fails; counted from 1 */
static unsigned long fail_to;

static bool fails(void)
{
    allocations++;
    return allocations >= fail_from && allocations <= fail_to;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(memory, count, size);
}

int __real_vasprintf(char **out, const char *format, va_list args);
int __wrap_vasprintf(char **out, const char *format, va_list args);
int __wrap_vasprintf(char **out, const char *format, va_list args)
{
    return fails() ? -1 : __real_vasprintf(out, format, args);
}

struct nftnl_table *__real_nftnl_table_alloc(void);
struct nftnl_table *__wrap_nftnl_table_alloc(void);
struct nftnl_table *__wrap_nftnl_table_alloc(void)
{
    return fails() ? NULL : __real_nftnl_table_alloc();
}

struct nftnl_chain *__real_nftnl_chain_alloc(void);
struct nftnl_chain *__wrap_nftnl_chain_alloc(void);
struct nftnl_chain *__wrap_nftnl_chain_alloc(void)
{
    return fails() ? NULL : __real_nftnl_chain_alloc();
}

struct nftnl_rule *__real_nftnl_rule_alloc(void);
struct nftnl_rule *__wrap_nftnl_rule_alloc(void);
struct nftnl_rule *__wrap_nftnl_rule_alloc(void)
{
    return fails() ? NULL : __real_nftnl_rule_alloc();
}

struct nftnl_expr *__real_nftnl_expr_alloc(const char *name);
struct nftnl_expr *__wrap_nftnl_expr_alloc(const char *name);
struct nftnl_expr *__wrap_nftnl_expr_alloc(const char *name)
{
    return fails() ? NULL : __real_nftnl_expr_alloc(name);
}

struct nftnl_set *__real_nftnl_set_alloc(void);
struct nftnl_set *__wrap_nftnl_set_alloc(void);
struct nftnl_set *__wrap_nftnl_set_alloc(void)
{
    return fails() ? NULL : __real_nftnl_set_alloc();
}

struct nftnl_set_elem *__real_nftnl_set_elem_alloc(void);
struct nftnl_set_elem *__wrap_nftnl_set_elem_alloc(void);
struct nftnl_set_elem *__wrap_nftnl_set_elem_alloc(void)
{
    return fails() ? NULL : __real_nftnl_set_elem_alloc();
}

struct nftnl_udata_buf *__real_nftnl_udata_buf_alloc(uint32_t size);
struct nftnl_udata_buf *__wrap_nftnl_udata_buf_alloc(uint32_t size);
struct nftnl_udata_buf *__wrap_nftnl_udata_buf_alloc(uint32_t size)
{
    return fails() ? NULL : __real_nftnl_udata_buf_alloc(size);
}

/* User data is copied into memory of the element's own. */
int __real_nftnl_set_elem_set(struct nftnl_set_elem *element, uint16_t attribute, const void *data,
                              uint32_t length);
int __wrap_nftnl_set_elem_set(struct nftnl_set_elem *element, uint16_t attribute, const void *data,
                              uint32_t length);
int __wrap_nftnl_set_elem_set(struct nftnl_set_elem *element, uint16_t attribute, const void *data,
                              uint32_t length)
{
    if (attribute == NFTNL_SET_ELEM_USERDATA && fails())
        return -1;
    return __real_nftnl_set_elem_set(element, attribute, data, length);
}

/* What is tried: 0, or -1 with *err set. */
typedef int attempt(struct error *err);

/* Runs it until nothing that it needs is missing; `prepare` comes before each run. */
static void starve(attempt *once, void (*prepare)(void))
{
    unsigned long from = 0;
    bool failed = true;

    while (failed) {
        from++;
        assert_true(from < 10000);
        failed = false;
        for (int all = 0; all < 2; all++) {
            struct error err = {.code = ERROR_NONE};
            int result;

            prepare();
            allocations = 0;
            fail_from = from;
            fail_to = all ? (unsigned long)-1 : from;
            result = once(&err);
            fail_to = 0;
            failed |= allocations >= from;
            assert_int_equal(result, allocations >= from ? -1 : 0);
            if (result < 0)
                assert_string_equal(err.msg, "out of memory");
        }
    }
    assert_true(from > 1);
}

/* --- nftables --------------------------------------------------------------------------------- */

static struct endpoint endpoints[] = {
    {FAMILY_IPV4, {169, 254, 169, 254}, 32},
    {FAMILY_IPV6, {0xfd, 0, 0x0e, 0xc2, [14] = 0x02, 0x54}, 128},
};
static const struct terms terms = {.endpoints = endpoints, .endpoint_count = 2};
static const struct terms other_terms = {.endpoints = endpoints, .endpoint_count = 1};

static struct guard guards[] = {{.interface = "eni1", .verdict = VERDICT_DROP},
                                {.interface = "eni2", .verdict = VERDICT_REJECT}};
static const struct plan plan = {
    .guards = guards, .guard_count = 2, .tag = "net/new/eth0 2 default/a"};
static const struct plan former = {
    .guards = guards, .guard_count = 1, .tag = "net/old/eth0 1 default/a"};

static size_t length_before;
static bool must_stay; /* what has failed must not have changed anything */

static int untouched(int result)
{
    if (result < 0 && must_stay)
        assert_int_equal(nftables.length, length_before);
    return result;
}

static void prepare_nothing(void)
{
    nftables_reset();
    length_before = 0;
    must_stay = true;
}

/* A former pod's guard, and one endpoint of two. */
static void prepare_former(void)
{
    struct error err = {.code = ERROR_NONE};

    prepare_nothing();
    assert_int_equal(backend_nftables.apply(&former, 1, &other_terms, &err), 0);
    length_before = nftables.length;
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
    bool present;

    return untouched(backend_nftables.probe(&terms, &present, err));
}

static void starves_nftables_apply(void **state)
{
    (void)state;
    starve(apply, prepare_nothing);
    starve(apply, prepare_former);
    starve(apply, prepare_broken);
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
    starve(probe, prepare_nothing);
}

/* --- iptables --------------------------------------------------------------------------------- */

static struct snapshot snapshot;

static void prepare_snapshot(void)
{
}

static const struct plan dropping = {
    .guards = guards, .guard_count = 1, .tag = "net/new/eth0 1 default/a"};

static int set_guards(struct error *err)
{
    cleanup(wanted) struct wanted wanted = {0};
    cleanup(edits) struct edits edits = {0};

    return iptables_wanted_make(&dropping, 1, &wanted, err) < 0
               ? -1
               : iptables_guards_set(&snapshot, &wanted, &terms, &edits, err);
}

static int unset_guards(struct error *err)
{
    const struct selection selection = {.goes = goes};
    cleanup(edits) struct edits edits = {0};

    return iptables_guards_unset(&snapshot, &selection, &edits, err);
}

static int make_skeleton(struct error *err)
{
    cleanup(edits) struct edits edits = {0};

    return iptables_skeleton_make(&snapshot, &terms, &edits, err);
}

static int unmake_skeleton(struct error *err)
{
    cleanup(edits) struct edits edits = {0};

    return iptables_skeleton_unmake(&snapshot, &edits, err);
}

static int find_faults(struct error *err)
{
    cleanup(listing) struct listing listing = {0};

    return iptables_skeleton_faults(&snapshot, "iptables", &terms, &listing) ? 0
                                                                             : error_no_memory(err);
}

static void with_chains(const char *forward, const char *own, const char *old)
{
    snapshot.family = FAMILY_IPV4;
    snapshot.hook = parse_chain(forward);
    snapshot.own = parse_chain(own);
    snapshot.old_hook = parse_chain(old ? "x >169.254.169.254" : "x");
    snapshot.old = parse_chain(old);
}

static void starves_iptables(void **state)
{
    static attempt *const attempts[] = {set_guards, make_skeleton, find_faults};

    (void)state;
    for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++) {
        /* Foreign rules in front, a jump too many, others before a guard, a chain of 0.1.0's. */
        with_chains("x >10.0.0.1 >169.254.169.254", "x eni1=old *~ eni1=new eni2=new eni3=z",
                    "eni1=old");
        starve(attempts[i], prepare_snapshot);
        iptables_snapshot_free(&snapshot);
        with_chains("", "", "x eni1=old");
        starve(attempts[i], prepare_snapshot);
        iptables_snapshot_free(&snapshot);
    }
}

static void starves_what_takes_out_of_iptables(void **state)
{
    (void)state;
    with_chains("x >10.0.0.1 >169.254.169.254", "x eni1=old eni1=new *=", "eni1=old");
    starve(unset_guards, prepare_snapshot);
    starve(unmake_skeleton, prepare_snapshot);
    iptables_snapshot_free(&snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(starves_nftables_apply),
        cmocka_unit_test(starves_nftables_remove),
        cmocka_unit_test(starves_nftables_list_and_probe),
        cmocka_unit_test(starves_iptables),
        cmocka_unit_test(starves_what_takes_out_of_iptables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
