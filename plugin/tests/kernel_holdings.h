/*
 * Holdings made by hand: what two backends hold, in a line each: "eni1=drop:x/4 eni2=pass:y" is a
 * guard of container x in IPv4 alone and one of y in both families; "-" as a container: no tag.
 */
#ifndef IMDS_GUARD_TESTS_KERNEL_HOLDINGS_H
#define IMDS_GUARD_TESTS_KERNEL_HOLDINGS_H

#include "kernel/holdings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BOTH  (FAMILY_IPV4 | FAMILY_IPV6)
#define TAG_X "aws-cni/x/eth0 1 default/web-0"
#define TAG_Y "aws-cni/y/eth0 1 default/web-1"

enum { NFTABLES, IPTABLES };

static inline enum verdict verdict_of(const char *name)
{
    return strcmp(name, "drop") == 0     ? VERDICT_DROP
           : strcmp(name, "reject") == 0 ? VERDICT_REJECT
                                         : VERDICT_PASS;
}

static inline void hold(struct listing *listing, const char *word)
{
    struct held held = {.families = BOTH};
    char verdict[8] = "", container[8] = "";
    int family = 0;

    assert_true(sscanf(word, "%15[^=]=%7[^:]:%7[^/]/%d", held.guard.interface, verdict, container,
                       &family) >= 3);
    held.guard.verdict = verdict_of(verdict);
    if (strcmp(container, "-") != 0)
        snprintf(held.tag, sizeof(held.tag), "aws-cni/%s/eth0 1 default/web-%d", container,
                 container[0] == 'y');
    if (family != 0)
        held.families = family == 4 ? FAMILY_IPV4 : FAMILY_IPV6;
    listing_add(listing, &held);
}

/* A backend with its skeleton, the verdict for others, and guards. */
static inline void holds(struct holdings *holdings, int backend, enum verdict others,
                         const char *guards)
{
    struct listing *listing = &holdings->items[backend].listing;
    char words[512];

    listing->present = true;
    listing->others.verdict = others;
    snprintf(words, sizeof(words), "%s", guards);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        hold(listing, word);
    if (listing->held_count > 0)
        qsort(listing->held, listing->held_count, sizeof(*listing->held), held_compare);
}

/* Both backends can be read, and hold nothing. */
static inline struct holdings empty_holdings(void)
{
    struct holdings holdings = {0};

    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        holdings.items[i].backend = backends[i];
        holdings.items[i].listing.families = BOTH;
    }
    assert_ptr_equal(backends[NFTABLES], &backend_nftables);
    return holdings;
}

#endif
