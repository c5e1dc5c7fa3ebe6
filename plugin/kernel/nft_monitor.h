/*
 * Notices that somebody changes our nf_tables table: the kernel announces every change of the
 * ruleset to the group NFNLGRP_NFTABLES (linux/netfilter/nfnetlink.h), ours included. Legacy tables
 * announce nothing.
 */
#ifndef IMDS_GUARD_NFT_MONITOR_H
#define IMDS_GUARD_NFT_MONITOR_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>
#include <stddef.h>

struct mnl_socket;

/*
 * Subscribes, in the caller's network namespace. What happens from here on is announced. *out is
 * for nft_monitor_close. Errors: ERROR_KERNEL if the kernel has no nf_tables, or refuses.
 */
must_use int nft_monitor_open(struct mnl_socket **out, struct error *err);
void nft_monitor_close(struct mnl_socket *monitor);

/* For poll(2). */
int nft_monitor_fd(const struct mnl_socket *monitor);

/*
 * Takes all announcements that wait, and returns whether one was about our table, or whether some
 * were lost, so that it may have been. Does not wait.
 */
bool nft_monitor_saw_change(struct mnl_socket *monitor);

/* Whether a datagram of announcements is about our table. For nft_monitor_saw_change and tests. */
bool nft_announces_change(const void *bytes, size_t length);

#endif
