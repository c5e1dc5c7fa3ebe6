/*
 * The nftables backend: look, decide, write one transaction. Nobody locks nf_tables, so what was
 * seen may have changed by the time it is written. Two things make that harmless:
 *
 *  - What is added must not be there yet (NLM_F_EXCL), and what goes must be there still. Where
 *    that has changed, the kernel refuses the whole transaction, and we look again.
 *  - A transaction that takes a guard away, or over from those alone who had it at some moment, or
 *    writes the rules, or relies on more endpoints than everybody has, or makes the table anew, is good
 *    only for the generation of the ruleset that was seen. So a guard that somebody else has just set on
 *    the same interface, for a new pod of the same name, is never lifted for an old one.
 *
 * All other guards come whatever the generation.
 */
#include "kernel/nftables/backend.h"

#include "kernel/nftables/counters.h"
#include "kernel/nftables/retry.h"
#include "kernel/nftables/skeleton.h"
#include "kernel/nftables/socket.h"
#include "kernel/nftables/view.h"
#include "kernel/wanted.h"

struct look {
    const struct terms *terms;
    struct listing listing;
};

static int list_once(struct nft_socket *socket, void *context, struct error *err)
{
    struct look *job = context;
    const struct nft_question question = {.terms = job->terms, .all_guards = true};
    cleanup(nft_view) struct nft_view view = {0};

    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    job->listing = steal(&view.listing);
    return 0;
}

static int nftables_list(const struct terms *terms, struct listing *out, struct error *err)
{
    struct look job = {.terms = terms};
    struct error failure;
    bool absent = false;

    if (nft_keep_trying(list_once, &job, terms, &absent, &failure) < 0) {
        if (!absent) {
            *err = failure;
            return -1;
        }
        job.listing.families = FAMILY_IPV4 | FAMILY_IPV6;
    }
    *out = job.listing;
    return 0;
}

/*
 * A table of ours that is right, whatever its endpoints, shows that the kernel can, if it has all that the terms ask
 * for. Else the kernel checks one in the place of the one that there is, without making it: what no hook leads to,
 * which endpoints do, it would not look at.
 */
static int probe_once(struct nft_socket *socket, void *context, struct error *err)
{
    const struct terms *terms = context;
    const bool refusing = terms->others == VERDICT_REJECT;
    const struct shape shape = {.others.verdict = terms->others, .refusing = refusing};
    const struct terms any_endpoints = {.others = terms->others};
    const struct nft_question question = {.terms = &any_endpoints};
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    cleanup(nft_view) struct nft_view view = {0};

    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    if (view.table && !view.skeleton.broken && (view.skeleton.refusing || !refusing))
        return 0;
    if (view.table)
        skeleton_delete(&messages, NFT_TABLE);
    skeleton_make(&messages, terms, &shape);
    if (nft_rehearse(socket, &messages, err) < 0) {
        if (refusing)
            skeleton_explain_refusing(socket->netlink.refusal, err);
        return -1;
    }
    return nft_counters_try(socket, view.table, err);
}

static int nftables_probe(const struct terms *terms, struct error *err)
{
    struct terms asked = *terms;

    return nft_keep_trying(probe_once, &asked, terms, NULL, err);
}

static int look_once(struct nft_socket *socket, void *context, struct error *err)
{
    const struct nft_question question = {0};
    cleanup(nft_view) struct nft_view view = {0};

    if (nft_view_read(socket, &question, &view, err) < 0)
        return -1;
    *(bool *)context = view.listing.present;
    return 0;
}

bool nft_is_present(void)
{
    const struct terms no_terms = {0};
    struct error unused;
    bool present = false;

    return nft_keep_trying(look_once, &present, &no_terms, NULL, &unused) == 0 && present;
}

const struct backend backend_nftables = {
    .name = "nftables",
    .probe = nftables_probe,
    .accept = wanted_check,
    .apply = nft_apply,
    .remove = nft_remove,
    .list = nftables_list,
};
