/*
 * One family's table `mangle`: read whole, edited in memory, and put back whole, by libiptc. It is
 * for the caller to hold the lock (xtables_lock.h) from before the reading until after the commit.
 */
#ifndef IMDS_GUARD_IPTABLES_TABLE_H
#define IMDS_GUARD_IPTABLES_TABLE_H

#include "kernel/iptables/edits.h"
#include "kernel/iptables/family.h"

struct table {
    const struct iptables_family *family;
    struct xtc_handle *handle; /* NULL: there is no such table */
    struct snapshot snapshot;  /* as it was when it was opened */
    const char *referenced;    /* a chain that iptables_table_edit had to leave; else NULL */
};

/* Whether the kernel has the family at all (ipv6.disable=1: no IPv6). */
bool iptables_family_exists(const struct iptables_family *family);

/* Fails with ERROR_KERNEL: which modules to load, and where. */
int iptables_part_missing(const struct iptables_family *family, struct error *err);

/*
 * Whether the table is live in this network namespace; nothing that is only looked at should be
 * made live, which opening does. Errors: ERROR_KERNEL if /proc does not tell.
 */
must_use int iptables_table_live(const struct iptables_family *family, bool *out,
                                 struct error *err);

/*
 * Success without a handle if the kernel does not have the family: no packet of it will ever come.
 * Errors: ERROR_KERNEL, with what to do.
 */
must_use int iptables_table_open(const struct iptables_family *family, struct table *out,
                                 struct error *err);
void iptables_table_close(struct table *table);

/*
 * Makes the edits in memory; once only for each table opened. A chain of ours that somebody else's
 * rule jumps to cannot be deleted: it is left, empty, and table->referenced says which.
 */
must_use int iptables_table_edit(struct table *table, const struct edits *edits, struct error *err);

/*
 * Hands the table to the kernel, which takes all of it or nothing; after that the table can only be
 * closed. Errors: ERROR_TRY_AGAIN if somebody changed it since it was opened. ERROR_KERNEL. Either
 * way *again says whether to open and edit it anew may help.
 */
must_use int iptables_table_commit(struct table *table, bool *again, struct error *err);

CLEANUP_BY(table, iptables_table_close);

#endif
