/*
 * What this process may still do. It only ever gets less.
 */
#ifndef IMDS_GUARD_PRIVILEGES_H
#define IMDS_GUARD_PRIVILEGES_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <linux/capability.h>
#include <stdint.h>

#define PRIVILEGE(capability) (UINT64_C(1) << (capability))

/* To change rules: netlink, and the raw socket that iptables' tables are exchanged through. */
#define PRIVILEGES_RULES (PRIVILEGE(CAP_NET_ADMIN) | PRIVILEGE(CAP_NET_RAW))

/*
 * To see to the exit fence as well: programs and maps are found by number with CAP_SYS_ADMIN alone
 * (kernel/bpf/syscall.c of Linux 6.6), and with it nothing else is asked for.
 */
#define PRIVILEGES_FENCE (PRIVILEGES_RULES | PRIVILEGE(CAP_SYS_ADMIN))

/*
 * To look into the pod as well, beside the former: CNI_NETNS may be /proc/<pid>/ns/net of a process with
 * other capabilities than ours (ptrace(2), "Ptrace access mode checking"), or below a directory
 * that only its user may search, as in /run/user.
 */
#define PRIVILEGES_POD (PRIVILEGE(CAP_SYS_PTRACE) | PRIVILEGE(CAP_DAC_READ_SEARCH))

/*
 * Keeps, of the capabilities that this thread has, those in the set (bits by capabilities(7)), none
 * of them inheritable, and sets no_new_privs: even if something made this process run another
 * program, that would get no more. Those it does not have are no error. Errors: ERROR_KERNEL.
 */
must_use int privileges_keep(uint64_t kept, struct error *err);

/*
 * 0 if the capability (CAP_NET_ADMIN) is effective: for a check that must not try. Errors: ERROR_KERNEL
 * that calls it `name` and says what to do.
 */
must_use int capability_check(int capability, const char *name, struct error *err);

#endif
