/*
 * What an entry of prevResult's interface list stands for. Pure.
 *
 * The AWS VPC CNI lists, beside the interfaces of host and pod, one that does not exist, to keep a
 * number in it (amazon-vpc-cni-k8s, cmd/routed-eni-cni-plugin: dummyInterface): its name is longer
 * than Linux allows, its mac a number as is that of its container interfaces.
 */
#ifndef IMDS_GUARD_ROLE_H
#define IMDS_GUARD_ROLE_H

#include "guard/names.h"
#include "guard/result.h"

enum role {
    ROLE_HOST,      /* a link of the node: it has no sandbox */
    ROLE_CONTAINER, /* a link of the pod: its sandbox is a path. Which path says nothing: one
                     * namespace has many (/run, /var/run, /proc/<pid>/ns/net) */
    ROLE_DUMMY,     /* not of the pod, and no link can have this name */
    ROLE_FOREIGN,   /* its sandbox is something else, such as a virtual machine's id */
};

enum role interface_role(const struct result_interface *interface);

#endif
