/*
 * What of libiptc the two families have under other names: the same functions, and the layout of an
 * entry. Entries are opaque here, so that whoever uses this is written once.
 */
#ifndef IMDS_GUARD_IPTABLES_FAMILY_H
#define IMDS_GUARD_IPTABLES_FAMILY_H

#include "kernel/iptables/entry.h"

struct xtc_handle;

/* The functions are libiptc's of the same name; the integers are 0 and errno on failure. */
struct iptables_family {
    const char *command; /* what operators call it */
    const char *modules; /* what the kernel needs */
    const char *live; /* lists the tables that are live (net/netfilter/x_tables.c, xt_proto_init) */
    const char *evidence; /* exists if the kernel has the family at all; NULL: it always has */
    struct entry_layout layout;

    struct xtc_handle *(*init)(const char *table);
    void (*free)(struct xtc_handle *handle);
    int (*commit)(struct xtc_handle *handle);
    const char *(*strerror)(int error);
    int (*is_chain)(const char *chain, struct xtc_handle *handle);
    int (*create_chain)(const char *chain, struct xtc_handle *handle);
    int (*flush_entries)(const char *chain, struct xtc_handle *handle);
    int (*delete_chain)(const char *chain, struct xtc_handle *handle);
    int (*delete_num_entry)(const char *chain, unsigned position, struct xtc_handle *handle);
    int (*insert_entry)(const char *chain, const union entry_bytes *entry, unsigned position,
                        struct xtc_handle *handle);
    const void *(*first_rule)(const char *chain, struct xtc_handle *handle);
    const void *(*next_rule)(const void *previous, struct xtc_handle *handle);
    size_t (*entry_size)(const void *entry);
    /* The chain an entry with a standard target that is an offset goes to. */
    const char *(*jump_target)(const void *entry, struct xtc_handle *handle);
};

extern const struct iptables_family iptables_ipv4;
extern const struct iptables_family iptables_ipv6;

#endif
