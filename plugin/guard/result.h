/*
 * The interfaces and the addresses of a CNI result (0.3.0 to 1.1.0) as plain data, in order. Pure.
 */
#ifndef IMDS_GUARD_RESULT_H
#define IMDS_GUARD_RESULT_H

#include "guard/cleanup.h"
#include "guard/endpoint.h"
#include "guard/error.h"
#include "guard/names.h"

#include <cjson/cJSON.h>
#include <stddef.h>

/* Strings as the result has them, "" where it has none; borrowed from the tree. */
struct result_interface {
    const char *name;
    const char *sandbox;
};

/* What a pod may send from. */
struct address {
    enum family family;
    uint8_t bytes[16]; /* network byte order; IPv4 in the first 4, the rest 0 */
};

/* More is refused: it is no pod's, and each entry costs a question to the kernel. */
#define RESULT_INTERFACES_MAX 256
#define RESULT_ADDRESSES_MAX  16

struct result {
    struct result_interface *interfaces;
    size_t interface_count;
    struct address *addresses; /* of `ips` */
    size_t address_count;
};

/*
 * The tree must outlive the result. Errors: ERROR_INVALID_CONFIG naming the place
 * ("prevResult.interfaces[2].name is a number, not a string"): result not an object, `interfaces`
 * not an array (missing or null is an empty one), an entry not an object, a name missing, empty or
 * no string, a sandbox no string (missing or null is none), any of these keys given twice, more than
 * RESULT_INTERFACES_MAX entries. Other keys are not looked at, but for `ips`: what is no address there
 * is skipped, as are those after the first RESULT_ADDRESSES_MAX, for nobody is guarded by an address.
 */
must_use int result_parse(const cJSON *tree, struct result *out, struct error *err);
void result_free(struct result *result);

CLEANUP_FREE(result);

/*
 * What an entry of the interface list stands for. The AWS VPC CNI lists, beside the interfaces of host
 * and pod, one that does not exist, to keep a number in it (amazon-vpc-cni-k8s,
 * cmd/routed-eni-cni-plugin: dummyInterface): its name is longer than Linux allows, its mac a number as
 * is that of its container interfaces.
 */
enum role {
    ROLE_HOST,      /* a link of the node: it has no sandbox */
    ROLE_CONTAINER, /* a link of the pod: its sandbox is a path. Which path says nothing: one
                     * namespace has many (/run, /var/run, /proc/<pid>/ns/net) */
    ROLE_DUMMY,     /* not of the pod, and no link can have this name */
    ROLE_FOREIGN,   /* its sandbox is something else, such as a virtual machine's id */
};

enum role interface_role(const struct result_interface *interface);

#endif
