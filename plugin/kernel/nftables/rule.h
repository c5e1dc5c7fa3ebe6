/*
 * The rules of our chains, each as the message that appends it.
 */
#ifndef IMDS_GUARD_NFTABLES_RULE_H
#define IMDS_GUARD_NFTABLES_RULE_H

#include "kernel/backend.h"
#include "kernel/nftables/messages.h"

/*
 * @nh,128,32 0xa9fea9fe ip daddr 169.254.169.254 goto <target>
 * `forwarded`: @nh,128,32 0xa9fea9fe ip daddr 169.254.169.254 iif != 0 goto <target>
 *
 * As many bytes of the address come first as the kernel compares at once, which costs a packet to
 * anywhere else next to nothing: a look-up in a set costs ten times that.
 */
void rule_to_endpoint(struct netlink_messages *messages, const char *chain,
                      const struct endpoint *endpoint, bool forwarded, const char *target);

/* iifname vmap @<map> */
void rule_by_interface(struct netlink_messages *messages, const char *chain, const char *map);

/* counter drop, counter return, or counter goto refuse; it goes on counting from others' numbers. */
void rule_for_others(struct netlink_messages *messages, const char *chain,
                     const struct others *others);

/*
 * What such a rule says. False, and *out untouched, if the message is no rule of the chain that
 * counts and has a verdict. Any verdict but `drop` and going to `refuse` counts as one that lets
 * packets pass.
 */
must_use bool rule_read_others(const struct nlmsghdr *message, const char *chain,
                               struct others *out);

/*
 * Tells the sender that it is refused, where that can reach nobody but who has sent:
 *
 *     oifname "vlan.eth.*" drop
 *     fib saddr . iif oif missing drop
 *     meta l4proto tcp reject with tcp reset
 *     reject with icmpx admin-prohibited
 *
 * The look-up, which forward chains can have since Linux 5.19, follows routing rules as packets would
 * that came back by the interface that this one would leave by (nft_fib6_flowi_init in
 * net/ipv6/netfilter/nft_fib_ipv6.c). The node's own answers do not: to a pod that is routed by rules
 * for incoming interfaces, as one with a branch ENI, they would leave by the node's uplink.
 */
void rules_to_refuse(struct netlink_messages *messages, const char *chain);

/* drop */
void rule_to_drop(struct netlink_messages *messages, const char *chain);

#endif
