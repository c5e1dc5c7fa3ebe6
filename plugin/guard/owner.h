/*
 * Who a guard belongs to: the attachment (network, container id, ifname), written into the kernel
 * with the rule itself as a line of text, the tag. There is no state on disk; the tag is the state.
 *
 *     <network>/<container id>/<ifname> <number of guards of this attachment> <namespace>/<pod>
 *     aws-cni/4f3c0b.../eth0 1 default/web-0
 *
 * No part can hold a space, and the first three no '/' (names.h), so the text reads one way only.
 * The number lets a reader who knows some of an owner's interfaces see whether it has found all
 * guards. The last field is for people: "-" if unknown, bytes other than [A-Za-z0-9._-] become '_',
 * and it is cut at TAG_POD_END. The names and the number are never cut.
 */
#ifndef IMDS_GUARD_OWNER_H
#define IMDS_GUARD_OWNER_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/names.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * With the NUL. The smaller of the two places a tag has to fit into: the user data of an nf_tables
 * element less 2 bytes for type and length of the comment TLV; iptables comments have 256
 * (XT_MAX_COMMENT_LEN, linux/netfilter/xt_comment.h). User data may have 256 bytes by
 * NFT_USERDATA_MAXLEN, but kernels that keep its length and one byte more in a u8 (ext_len of
 * struct nft_set_ext_tmpl, include/net/netfilter/nf_tables.h) refuse 255 and lose 256: 254 it is.
 */
#define TAG_SIZE 252

/*
 * The pod's field ends here at the latest; where the names leave no room, it has one byte. nft(8)
 * prints any comment, but does not take back one of more than 128 bytes
 * (NFTNL_UDATA_COMMENT_MAXLEN, libnftnl/udata.h): who saves the ruleset with ours in it must be
 * able to load it.
 */
#define TAG_POD_END 128

/* Bytes of network, container id and ifname together. libcni's cache file name allows 253. */
#define OWNER_BYTES_MAX 243

/* What fits beside OWNER_BYTES_MAX: three digits leave one byte for the last field. */
#define OWNER_GUARDS_MAX 999

struct owner {
    const char *network; /* borrowed */
    const char *container_id;
    const char *ifname;
};

/* A tag in parts. They are within the text, so that it must not be copied. */
struct tag {
    struct owner owner;
    unsigned guards;
    char *pod; /* "namespace/name", perhaps cut, or "-" */
    char text[TAG_SIZE];
};

/* True if the names together fit a tag. Where not, no guard can exist for this owner. */
bool owner_fits(const struct owner *owner);

/* Writes the tag. The owner's names are valid and fit (owner_fits); guards is 1 to
 * OWNER_GUARDS_MAX; if namespace or pod is NULL, the pod is unknown. */
void tag_write(const struct owner *owner, unsigned guards, const char *namespace, const char *pod,
               char out[static TAG_SIZE]);

/* Reads a tag. False, and out->guards untouched, if the text is not one, to the byte: what tag_write
 * cannot write is not ours. */
must_use bool tag_parse(const char *text, struct tag *out);

/* The number of guards the tag announces; 0 if the text is no tag. */
unsigned tag_guards(const char *text);

/* By network, then container id, then ifname, each in the order of strcmp(3). */
int owner_compare(const struct owner *a, const struct owner *b);

/* Whether two tags belong to the same owner. Text that is no tag: to none. */
bool tags_have_same_owner(const char *a, const char *b);

#endif
