/*
 * Rules as the bytes that x_tables exchanges with user space (struct ipt_entry of
 * linux/netfilter_ipv4/ip_tables.h, struct ip6t_entry of linux/netfilter_ipv6/ip6_tables.h): a
 * header of the family, matches, a target. Pure. The families differ in where things are in the
 * header, so that is a table of offsets, and the code is the same.
 */
#ifndef IMDS_GUARD_IPTABLES_ENTRY_H
#define IMDS_GUARD_IPTABLES_ENTRY_H

#include "kernel/iptables/rule.h"

/* Room for a guard of either family, and for what a packet is compared with in it. */
#define IPTABLES_ENTRY_SIZE    512
#define IPTABLES_CRITERIA_SIZE 136

/* Offsets and sizes within an entry, in bytes. */
struct entry_layout {
    enum family family;
    size_t size;          /* of the header; matches follow */
    size_t criteria_size; /* of its first member, what a packet is compared with */
    size_t address_size;
    size_t destination;
    size_t destination_mask;
    size_t interface; /* that it came in through: IFNAMSIZ bytes, and as many of the mask */
    size_t interface_mask;
    size_t target_offset; /* __u16 */
    size_t next_offset;   /* __u16 */
    size_t counters;      /* struct xt_counters */
};

/* An entry that libiptc and the kernel may look into as what it is. */
union entry_bytes {
    unsigned char bytes[IPTABLES_ENTRY_SIZE];
    uint64_t alignment;
};

/*
 * The rule, of any kind but RULE_FOREIGN, as libiptc wants it: the target by its name. Its counters
 * go with it.
 */
void iptables_entry_build(const struct entry_layout *layout, const struct rule *rule,
                          union entry_bytes *out);

/*
 * Reads an entry as the kernel gives it, from `size` bytes whatever is in them; the tag is left where it
 * is. Where a jump goes,
 * an entry says with an offset into the table: all rules of a jump's form come back as RULE_JUMP, and
 * the caller has to find out where they go.
 */
void iptables_entry_read(const struct entry_layout *layout, const void *bytes, size_t size,
                         struct rule *out);

#endif
