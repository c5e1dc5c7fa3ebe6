#include "kernel/iptables/table.h"

#include "guard/array.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define PROC_NET "/proc/self/net"

bool iptables_family_exists(const struct iptables_family *family)
{
    return !family->evidence || access(family->evidence, F_OK) == 0;
}

/* More than a line for each table that the kernel has: five, of at most 32 bytes with the line's
 * end (XT_TABLE_MAXNAMELEN, linux/netfilter/x_tables.h). */
#define NAMES_SIZE 1024

int iptables_table_live(const struct iptables_family *family, bool *out, struct error *err)
{
    cleanup(close_fd) int fd = open(family->live, O_RDONLY | O_CLOEXEC);
    char names[NAMES_SIZE] = "\n"; /* so that each name stands between two */
    size_t used = strlen(names);
    ssize_t got;

    if (fd < 0) {
        /* No such file, no such part of the kernel; but without /proc that cannot be known. */
        if (errno != ENOENT || access(PROC_NET, F_OK) != 0)
            return error_set(err, ERROR_KERNEL, "cannot tell which tables are live: %s: %m",
                             family->live);
        *out = false;
        return 0;
    }
    while ((got = read(fd, names + used, sizeof(names) - 1 - used)) > 0)
        used += (size_t)got;
    if (got < 0)
        return error_set(err, ERROR_KERNEL, "cannot tell which tables are live: %s: %m",
                         family->live);
    *out = strstr(names, "\n" IPTABLES_TABLE "\n") != NULL;
    return 0;
}

/* The iptables tool loads them; we run no other program, and the kernel asks nobody for the first. */
int iptables_part_missing(const struct iptables_family *family, struct error *err)
{
    return error_set(err, ERROR_KERNEL,
                     "%s: the kernel has not all of table %s: load the modules %s, now with "
                     "modprobe and at boot through /etc/modules-load.d",
                     family->command, IPTABLES_TABLE, family->modules);
}

/* libiptc's words depend on what it did last: to be called before it does anything else. */
static int kernel_error(const struct iptables_family *family, const char *what, struct error *err)
{
    int code = errno;
    const char *why = code == ENOMEM ? "out of memory" : family->strerror(code);

    if (code == ENOPROTOOPT || code == ENOENT)
        return iptables_part_missing(family, err);
    if (code == EPERM || code == EACCES)
        why = "not permitted; this needs CAP_NET_ADMIN and CAP_NET_RAW in the node's network "
              "namespace";
    if (code == EAFNOSUPPORT)
        why = "the kernel has the protocol, but this process may not use it; look for "
              "RestrictAddressFamilies= in its systemd unit";
    return error_set(err, ERROR_KERNEL, "%s: cannot %s table %s: %s", family->command, what,
                     IPTABLES_TABLE, why);
}

/* Reads one entry. In a hook, whose jumps lead to `target`, those may be ours; in a chain of ours,
 * which has no target, everything else. */
static void read_rule(const struct table *table, const void *entry, const char *target,
                      struct rule *out)
{
    const struct iptables_family *family = table->family;
    const char *leads_to;

    iptables_entry_read(&family->layout, entry, family->entry_size(entry), out);
    if ((out->kind == RULE_JUMP) != (target != NULL))
        out->kind = RULE_FOREIGN;
    if (out->kind != RULE_JUMP)
        return;
    leads_to = family->jump_target(entry, table->handle);
    if (!leads_to || strcmp(leads_to, target) != 0)
        out->kind = RULE_FOREIGN;
}

static int read_chain(const struct table *table, const char *name, const char *target,
                      struct chain *out, struct error *err)
{
    const struct iptables_family *family = table->family;
    const void *entry;

    out->exists = family->is_chain(name, table->handle);
    if (!out->exists)
        return 0;
    for (entry = family->first_rule(name, table->handle); entry;
         entry = family->next_rule(entry, table->handle)) {
        struct rule *rule = array_add(&out->rules, &out->rule_count);

        if (!rule)
            return error_no_memory(err);
        read_rule(table, entry, target, rule);
    }
    return 0;
}

static int read_snapshot(struct table *table, struct error *err)
{
    struct snapshot *snapshot = &table->snapshot;

    if (read_chain(table, IPTABLES_HOOK, IPTABLES_CHAIN, &snapshot->hook, err) < 0 ||
        read_chain(table, IPTABLES_CHAIN, NULL, &snapshot->own, err) < 0)
        return -1;
    snapshot->old.exists = table->family->is_chain(IPTABLES_OLD_CHAIN, table->handle);
    if (!snapshot->old.exists)
        return 0;
    return read_chain(table, IPTABLES_OLD_HOOK, IPTABLES_OLD_CHAIN, &snapshot->old_hook, err);
}

int iptables_table_open(const struct iptables_family *family, struct table *out, struct error *err)
{
    cleanup(table) struct table table = {
        .family = family,
        .snapshot.family = family->layout.family,
    };

    table.handle = family->init(IPTABLES_TABLE);
    if (!table.handle && (errno != EAFNOSUPPORT || iptables_family_exists(family)))
        return kernel_error(family, "read", err);
    if (table.handle && read_snapshot(&table, err) < 0)
        return -1;
    *out = steal(&table);
    return 0;
}

void iptables_table_close(struct table *table)
{
    if (table->handle)
        table->family->free(table->handle);
    snapshot_free(&table->snapshot);
    *table = (struct table){0};
}

static int make_edit(const struct table *table, const struct edit *edit)
{
    const struct iptables_family *family = table->family;
    unsigned position = (unsigned)edit->position;
    union entry_bytes entry;

    switch (edit->kind) {
    case EDIT_CREATE_CHAIN:
        return family->create_chain(edit->chain, table->handle);
    case EDIT_DELETE_RULE:
        return family->delete_num_entry(edit->chain, position, table->handle);
    case EDIT_INSERT_RULE:
        iptables_entry_build(&family->layout, &edit->rule, &entry);
        return family->insert_entry(edit->chain, &entry, position, table->handle);
    case EDIT_FLUSH_CHAIN:
        return family->flush_entries(edit->chain, table->handle);
    case EDIT_DELETE_CHAIN:
        return family->delete_chain(edit->chain, table->handle);
    }
    errno = EINVAL;
    return 0;
}

int iptables_table_edit(struct table *table, const struct edits *edits, struct error *err)
{
    for (size_t i = 0; i < edits->count; i++) {
        const struct edit *edit = &edits->items[i];

        if (make_edit(table, edit))
            continue;
        if (edit->kind == EDIT_DELETE_CHAIN && errno == EMLINK)
            table->referenced = edit->chain;
        else
            return kernel_error(table->family, "edit", err);
    }
    return 0;
}

int iptables_table_commit(struct table *table, bool *again, struct error *err)
{
    *again = false;
    if (table->family->commit(table->handle))
        return 0;
    /*
     * EAGAIN: the table has another number of rules than when it was read. EINVAL is also what the
     * kernel says if that happens between the two halves of a commit, the rules and their counters
     * (net/ipv4/netfilter/ip_tables.c, do_add_counters): then the rules stand already, which the
     * next look will show. If it comes again and again, the kernel does not like the rules.
     */
    *again = errno == EAGAIN || errno == EINVAL;
    if (errno == EAGAIN)
        return error_set(err, ERROR_TRY_AGAIN,
                         "%s: table %s was changed while it was being written, by a program that "
                         "does not take the lock (%s)",
                         table->family->command, IPTABLES_TABLE, strerror(errno));
    return kernel_error(table->family, "write", err);
}
