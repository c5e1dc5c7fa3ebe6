/*
 * A conversation with nf_tables (netlink.h): asks, and has transactions carried out. Says which
 * message was refused, and what a person can do. Knows nothing of tables.
 */
#ifndef IMDS_GUARD_NFTABLES_SOCKET_H
#define IMDS_GUARD_NFTABLES_SOCKET_H

#include "guard/error.h"
#include "kernel/netlink/netlink.h"

#include <stdbool.h>
#include <stdint.h>

struct nft_socket {
    struct netlink netlink;
    bool absent; /* after a failure: because the kernel has no nf_tables */
};

/* For nft_close, even after a failure. Errors: ERROR_KERNEL. */
must_use int nft_open(struct nft_socket *socket, struct error *err);
void nft_close(struct nft_socket *socket);

/* Takes one answer. It may be any bytes of which nlmsg_len are there. 0, or -1 with *err set. */
typedef int nft_answer(const struct nlmsghdr *message, void *context, struct error *err);

/*
 * Asks without changing anything. At most one of the requests is a dump, the last one. What does not
 * exist is not answered, nor is an element whose key does not fit its set. Errors: ERROR_KERNEL, and
 * `each`'s.
 */
must_use int nft_ask(struct nft_socket *socket, const struct netlink_messages *requests,
                     nft_answer *each, void *context, struct error *err);

/*
 * Sends the messages as one transaction, which the kernel carries out whole or not at all. With a
 * generation (not 0), only if nothing has changed since it was read; ERESTART if it has. Errors:
 * ERROR_KERNEL, naming the message that was refused; the kernel's own words in the details.
 */
must_use int nft_commit(struct nft_socket *socket, const struct netlink_messages *messages,
                        uint32_t generation, struct error *err);

/* Has the kernel check a transaction without carrying it out. Errors as nft_commit's. */
must_use int nft_rehearse(struct nft_socket *socket, const struct netlink_messages *messages,
                          struct error *err);

CLEANUP_BY(nft_socket, nft_close);

#endif
