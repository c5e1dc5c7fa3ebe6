/*
 * Legacy tables of plain data in place of the kernel's, for the tests of the backend as a whole:
 * nothing of libiptc is reached.
 */
#ifndef IMDS_GUARD_TESTS_FAKE_IPTABLES_H
#define IMDS_GUARD_TESTS_FAKE_IPTABLES_H

#include "kernel/iptables/table.h"

#include "iptables_chains.h"

#include <fcntl.h>

#define FAMILIES 2

/* The kernel's tables, IPv4's and IPv6's, and what was done with them. */
static struct world {
    struct snapshot tables[FAMILIES];
    bool live[FAMILIES];
    bool unreadable[FAMILIES];
    unsigned commits[FAMILIES];
    unsigned opened;
    const char *referenced;  /* a chain that a foreign rule jumps to */
    unsigned refusals;       /* commits that fail, as somebody writes without the lock */
    void (*meanwhile)(void); /* what somebody else does, once, before the first of them */
    bool locked;
} world;

static inline size_t number_of(const struct iptables_family *family)
{
    return family == &iptables_ipv6;
}

int __wrap_xtables_lock(unsigned timeout_ms, int *out, struct error *err);
int __wrap_xtables_lock(unsigned timeout_ms, int *out, struct error *err)
{
    (void)timeout_ms, (void)err;
    world.locked = true;
    *out = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return 0;
}

int __wrap_xtables_lock_usable(struct error *err);
int __wrap_xtables_lock_usable(struct error *err)
{
    (void)err;
    return 0;
}

int __wrap_capability_check(int capability, const char *name, struct error *err);
int __wrap_capability_check(int capability, const char *name, struct error *err)
{
    (void)capability, (void)name, (void)err;
    return 0;
}

int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    (void)path, (void)mode;
    return 0;
}

bool __wrap_iptables_family_exists(const struct iptables_family *family);
bool __wrap_iptables_family_exists(const struct iptables_family *family)
{
    (void)family;
    return true;
}

int __wrap_iptables_table_live(const struct iptables_family *family, bool *out, struct error *err);
int __wrap_iptables_table_live(const struct iptables_family *family, bool *out, struct error *err)
{
    (void)err;
    *out = world.live[number_of(family)];
    return 0;
}

static inline struct chain copy_chain(const struct chain *chain)
{
    struct chain copy = *chain;

    copy.rules = calloc(32, sizeof(*copy.rules));
    if (chain->rule_count > 0)
        memcpy(copy.rules, chain->rules, chain->rule_count * sizeof(*copy.rules));
    return copy;
}

int __wrap_iptables_table_open(const struct iptables_family *family, struct table *out,
                               struct error *err);
int __wrap_iptables_table_open(const struct iptables_family *family, struct table *out,
                               struct error *err)
{
    const struct snapshot *table = &world.tables[number_of(family)];

    world.opened++;
    world.live[number_of(family)] = true; /* as opening does */
    if (world.unreadable[number_of(family)])
        return error_set(err, ERROR_KERNEL, "cannot read");
    *out = (struct table){
        .family = family,
        .handle = (struct xtc_handle *)&world,
        .snapshot = {.family = family->layout.family,
                     .hook = copy_chain(&table->hook),
                     .own = copy_chain(&table->own),
                     .old = copy_chain(&table->old),
                     .old_hook = copy_chain(&table->old_hook)},
    };
    return 0;
}

void __wrap_iptables_table_close(struct table *table);
void __wrap_iptables_table_close(struct table *table)
{
    snapshot_free(&table->snapshot);
    *table = (struct table){0};
}

int __wrap_iptables_table_edit(struct table *table, const struct edits *edits, struct error *err);
int __wrap_iptables_table_edit(struct table *table, const struct edits *edits, struct error *err)
{
    (void)err;
    assert_true(world.locked);
    if (world.refusals > 0)
        return 0;
    carry_out(&world.tables[number_of(table->family)], edits);
    for (size_t i = 0; i < edits->count; i++)
        if (world.referenced && edits->items[i].kind == EDIT_DELETE_CHAIN &&
            strcmp(edits->items[i].chain, world.referenced) == 0)
            table->referenced = world.referenced;
    return 0;
}

int __wrap_iptables_table_commit(struct table *table, bool *again, struct error *err);
int __wrap_iptables_table_commit(struct table *table, bool *again, struct error *err)
{
    void (*meanwhile)(void) = world.meanwhile;

    *again = world.refusals > 0;
    if (*again) {
        world.refusals--;
        world.meanwhile = NULL;
        if (meanwhile)
            meanwhile();
        return error_set(err, ERROR_TRY_AGAIN, "changed while it was being written");
    }
    world.commits[number_of(table->family)]++;
    return 0;
}

static inline void end_world(void)
{
    for (size_t i = 0; i < FAMILIES; i++)
        snapshot_free(&world.tables[i]);
}

/* Both families alike; the jump is a right one. NULL: there never was a table. */
static inline void begin_world(const char *own)
{
    static const char *const jumps[] = {">169.254.169.254 x", ">fd00:ec2::254 x"};

    end_world();
    world = (struct world){0};
    for (size_t i = 0; i < FAMILIES; i++) {
        world.live[i] = own != NULL;
        world.tables[i] = (struct snapshot){
            .family = i == 0 ? FAMILY_IPV4 : FAMILY_IPV6,
            .hook = parse_chain(own ? jumps[i] : "x"),
            .own = parse_chain(own),
            .old = parse_chain(NULL),
            .old_hook = parse_chain("x"),
        };
    }
}

static inline int end_of_test(void **state)
{
    (void)state;
    end_world();
    world = (struct world){0};
    return 0;
}

#endif
