/*
 * bpf(2), as much of it as the fence needs, one function a command: no libbpf, and none of its names.
 *
 * Where a function can fail it returns -1 and leaves the reason in errno: only the caller knows what
 * the failure means. Descriptors are the caller's; the kernel opens them close-on-exec.
 *
 * What the headers of the oldest distribution that we build on lack is defined here, as linux/bpf.h
 * of Linux 6.6 has it, from where on tcx exists.
 */
#ifndef IMDS_GUARD_FENCE_BPF_H
#define IMDS_GUARD_FENCE_BPF_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* enum tcx_action_base */
#define TCX_ACTION_NEXT (-1)
#define TCX_ACTION_DROP 2

/* As many programs as one place of a link holds (BPF_MPROG_MAX, linux/bpf_mprog.h). */
#define TCX_PROGRAMS_MAX 64

struct map_shape {
    const char *name; /* less than BPF_OBJ_NAME_LEN */
    enum bpf_map_type type;
    uint32_t key_size;
    uint32_t value_size;
    uint32_t max_entries;
    uint32_t flags;
};

must_use int bpf_create(const struct map_shape *shape);

/* ENOENT: no such key. */
must_use int bpf_lookup(int map, const void *key, void *value);
/* flags: BPF_ANY, BPF_NOEXIST. E2BIG: the map is full. */
must_use int bpf_update(int map, const void *key, const void *value, uint64_t flags);
must_use int bpf_delete(int map, const void *key);
/*
 * All elements, one key after the other, and one value, with a single call. There is room for *count, which
 * becomes how many there are. E2BIG or ENOSPC: there are more; EINTR: a tree changed meanwhile.
 */
must_use int bpf_read(int map, void *keys, void *values, uint32_t *count);

#define BPF_KEY_MAX 64 /* bytes that a key may have for that */

/* A program for tc. */
must_use int bpf_load(const char *name, const struct bpf_insn *instructions, size_t count);

must_use int bpf_open_program(uint32_t id);
must_use int bpf_open_map(uint32_t id);

/* `map_ids` has room for *map_count, which becomes how many the program uses. */
must_use int bpf_program_info(int program, struct bpf_prog_info *out, uint32_t *map_ids,
                              uint32_t *map_count);
must_use int bpf_map_info(int map, struct bpf_map_info *out);

/* The programs at tcx egress of a link, first to last. */
struct tcx {
    int link;
    uint32_t ids[TCX_PROGRAMS_MAX];
    uint32_t count;
    uint64_t revision; /* any change to the list makes it another one */
};

/* ENODEV: no such link in this namespace; tcx_is_missing: no link has such programs. */
must_use int tcx_query(int link, struct tcx *out);

/* Exists in every network namespace (LOOPBACK_IFINDEX, net/flow.h): for asking whether there is tcx. */
#define LOOPBACK 1

/* What tcx_query says where there is no tcx, or no bpf(2). */
static inline bool tcx_is_missing(int error)
{
    return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

/*
 * Puts the program before all others, or in the place of another one, `replaced` (else -1), if
 * nothing has changed since `seen`; ESTALE if something has.
 */
must_use int tcx_attach(const struct tcx *seen, int program, int replaced);

/* ENOENT: it is not there (any more). */
must_use int tcx_detach(int link, int program);

/*
 * "cannot <what>: <errno>", with what to do about it: ERROR_KERNEL. Always returns -1, and leaves errno
 * as it is.
 */
int bpf_failed(const char *what, struct error *err);

#endif
