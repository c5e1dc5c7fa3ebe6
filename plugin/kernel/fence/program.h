/*
 * The fence's program.
 */
#ifndef IMDS_GUARD_FENCE_PROGRAM_H
#define IMDS_GUARD_FENCE_PROGRAM_H

#include "guard/error.h"
#include "kernel/fence/maps.h"

#include <stdbool.h>

#define PROGRAM_INSTRUCTIONS_MAX 128

/* What differs from link to link, and from kernel to kernel. */
struct program_kind {
    bool ethernet; /* frames start with an Ethernet header, else with an IP header */
    bool sockets;  /* the kernel tells whose socket a packet is of */
};

/*
 * The instructions, with descriptors of the maps in them. Returns how many. Pure. With the numbers of
 * `map` in place of descriptors (NULL) they are the same on every machine.
 */
size_t program_write(const struct program_kind *kind, const int map_fds[MAPS],
                     struct bpf_insn out[static PROGRAM_INSTRUCTIONS_MAX]);

/*
 * A name that tells the program: "imds_guard" and five hexadecimal digits worked out from the
 * instructions, so that every version and kind has another one. Pure.
 */
void program_name(const struct program_kind *kind, char out[static BPF_OBJ_NAME_LEN]);

/* Whether a program of that name is of ours, whatever its version. */
bool program_is_ours(const char *name);

/* Whether it is this version's for a link that is `ethernet` or not; *kind is then which. */
bool program_is_current(const char *name, bool ethernet, struct program_kind *kind);

/*
 * Loads it for a link that is `ethernet` or not: the kind that judges by sockets, or, if the kernel
 * refuses that (before 6.13 or so a tc program cannot ask for a socket's namespace), the one that
 * does not. The descriptor is the caller's. Errors: ERROR_KERNEL; errno says why.
 */
must_use int program_load(bool ethernet, const struct maps *maps, int *out, struct error *err);

#endif
