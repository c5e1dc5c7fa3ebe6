/*
 * Notices that somebody changes our nf_tables table, or makes that of version 0.1.0: the kernel
 * announces every change of the ruleset to the group NFNLGRP_NFTABLES
 * (linux/netfilter/nfnetlink.h), ours included. Legacy tables announce nothing.
 */
#ifndef IMDS_GUARD_NFTABLES_MONITOR_H
#define IMDS_GUARD_NFTABLES_MONITOR_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Subscribes, in the caller's network namespace. What happens from here on is announced. *out is a
 * descriptor for poll(2), the caller's. Errors: ERROR_KERNEL if the kernel has no nf_tables, or refuses.
 */
must_use int nft_monitor_open(int *out, struct error *err);

enum nft_news {
    NFT_NEWS_NONE,       /* of these tables, nothing */
    NFT_NEWS_CHANGED,    /* one has changed, or announcements were lost, so that it may have */
    NFT_NEWS_TABLE_GONE, /* ours was deleted, and has not come back since */
};

/* Takes all announcements that wait, and returns what they come to. Does not wait. */
enum nft_news nft_monitor_read(int monitor);

/* What the news are after a datagram of announcements. For nft_monitor_read and tests. */
enum nft_news nft_news_after(enum nft_news before, const void *bytes, size_t length);

#endif
