#include "kernel/iptables/listing.h"

#include "kernel/iptables/guards.h"
#include "kernel/iptables/skeleton.h"
#include "kernel/iptables/table.h"

#include <string.h>

/* Those at one place by what they say. */
static int compare_held(const void *a, const void *b)
{
    const struct held *left = a;
    const struct held *right = b;
    int order = held_compare(a, b);

    if (order == 0)
        order = strcmp(left->tag, right->tag);
    if (order == 0 && left->guard.verdict != right->guard.verdict)
        order = left->guard.verdict < right->guard.verdict ? -1 : 1;
    return order;
}

/* Makes one record of those that say the same of the same guard. */
static void merge(struct listing *listing)
{
    size_t merged = 0;

    if (listing->held_count == 0)
        return;
    qsort(listing->held, listing->held_count, sizeof(*listing->held), compare_held);
    for (size_t i = 1; i < listing->held_count; i++) {
        struct held *last = &listing->held[merged];
        const struct held *next = &listing->held[i];

        if (compare_held(last, next) != 0) {
            listing->held[++merged] = *next;
            continue;
        }
        last->families |= next->families;
        last->packets += next->packets;
        last->bytes += next->bytes;
    }
    listing->held_count = merged + 1;
}

/* A table that is not live has nothing in it: an empty snapshot. */
static int look(const struct iptables_family *family, struct table *out, struct error *err)
{
    bool live;

    if (iptables_table_live(family, &live, err) < 0)
        return -1;
    if (!live) {
        *out = (struct table){.family = family, .snapshot.family = family->layout.family};
        return 0;
    }
    return iptables_table_open(family, out, err);
}

int iptables_list(const struct terms *terms, struct listing *out, struct error *err)
{
    static const struct iptables_family *const families[] = {&iptables_ipv4, &iptables_ipv6};
    cleanup(listing) struct listing listing = {0};
    cleanup(table) struct table ipv4 = {0};
    cleanup(table) struct table ipv6 = {0};
    struct table *const tables[] = {&ipv4, &ipv6};

    for (size_t i = 0; i < 2; i++) {
        const struct snapshot *snapshot = &tables[i]->snapshot;

        if (!iptables_family_exists(families[i]))
            continue;
        if (look(families[i], tables[i], err) < 0)
            return -1;
        iptables_guards_others(snapshot, &listing);
        iptables_guards_list(snapshot, &listing);
        if (terms->endpoint_count > 0)
            iptables_skeleton_surplus(snapshot, terms, &listing);
        listing.families |= families[i]->layout.family;
        listing.present = listing.present || iptables_skeleton_present(snapshot);
        listing.former = listing.former || snapshot->old.exists;
    }
    merge(&listing);
    /* Only now is it known whether a chain that is missing is missing, or nothing was ever made. */
    for (size_t i = 0; i < 2; i++)
        if (listing.present && tables[i]->family)
            iptables_skeleton_faults(&tables[i]->snapshot, families[i]->command, terms, &listing);
    if (listing_complete(&listing, err) < 0)
        return -1;
    *out = steal(&listing);
    return 0;
}
