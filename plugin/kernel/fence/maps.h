/*
 * What the fence's program knows and counts, in maps that all uplinks of a node share: no file, no
 * pin. They are found again through any program that uses them, and go with the last one.
 *
 *   settings    0 ─▶ struct fence_settings
 *   endpoints   struct endpoint_key ─▶ nothing          (a prefix tree: CIDRs of both families)
 *   verdicts    link that a packet came in through ─▶ enum verdict, as above
 *   counts      struct count_key ─▶ struct fence_count  (the program makes these)
 */
#ifndef IMDS_GUARD_FENCE_MAPS_H
#define IMDS_GUARD_FENCE_MAPS_H

#include "guard/endpoint.h"
#include "guard/error.h"
#include "kernel/fence/bpf.h"
#include "kernel/fence/fence.h"

#include <stdbool.h>
#include <stdint.h>

enum map { MAP_SETTINGS, MAP_ENDPOINTS, MAP_VERDICTS, MAP_COUNTS, MAPS };

extern const struct map_shape map_shapes[MAPS];

/* One element of 64 bits each, so that none is ever seen half written. */
struct fence_settings {
    uint64_t cookie; /* of the node's network namespace (SO_NETNS_COOKIE, socket(7)) */
    uint64_t others; /* enum verdict: VERDICT_DROP or VERDICT_PASS */
};

struct endpoint_key {
    uint32_t bits;   /* of what follows that count (struct bpf_lpm_trie_key) */
    uint32_t family; /* enum family, as whole as it is */
    uint8_t address[16];
};

#define ENDPOINT_KEY_BITS(prefix) (32 + (prefix))

struct count_key {
    uint32_t outgoing; /* the uplink */
    uint32_t incoming; /* 0: of a socket of another network namespace */
};

struct fence_count {
    uint64_t stopped;
    uint64_t passed;
};

/* A set, or none: all zeros. (A descriptor is never 0, which main sees to.) */
struct maps {
    int fds[MAPS];
    uint32_t id; /* of the first, which tells sets of maps apart */
};

static inline bool maps_exist(const struct maps *maps)
{
    return maps->fds[0] > 0;
}

/* What it makes of a verdict: the program drops or lets pass. */
enum verdict maps_verdict(enum verdict verdict);

/* A new set, without endpoints, with the settings. Errors: ERROR_KERNEL. */
must_use int maps_create(enum verdict others, struct maps *out, struct error *err);

/*
 * The set that a program uses, whichever version of ours it is; none if it uses none of this
 * shape. Errors: ERROR_KERNEL.
 */
must_use int maps_of(int program, struct maps *out, struct error *err);
void maps_close(struct maps *maps);

enum maps_how {
    MAPS_LOOK,    /* counts what MAPS_TIGHTEN would write */
    MAPS_TIGHTEN, /* adds endpoints; the verdict for others only becomes `drop` */
    MAPS_SET,     /* exactly these endpoints, this verdict for others */
};

/*
 * Makes the maps say what the terms and the plans say; what is right already is only looked at, and
 * other links' verdicts stay. At no moment is there less than both before and after. *changes is
 * increased by how many elements were not right.
 */
must_use int maps_write(const struct maps *maps, enum maps_how how, const struct terms *terms,
                        const struct plan *plans, size_t plan_count, size_t *changes,
                        struct error *err);

/* Takes over the verdicts of another set, but for links that have one already. */
must_use int maps_copy_verdicts(const struct maps *from, const struct maps *to, struct error *err);

/* Forgets the links that do not exist any more, and what was counted for them. */
must_use int maps_prune(const struct maps *maps, struct error *err);

must_use int maps_settings(const struct maps *maps, struct fence_settings *out, struct error *err);

/* The caller frees *out. */
must_use int maps_endpoints(const struct maps *maps, struct endpoint **out, size_t *count,
                            struct error *err);

/* The links that have a verdict, and it; the pairs that something was counted for, and what. */
struct maps_contents {
    uint32_t *links;
    uint32_t *verdicts;
    size_t link_count;
    struct count_key *pairs;
    struct fence_count *counts;
    size_t pair_count;
};

/* *out is for maps_contents_free. */
must_use int maps_read(const struct maps *maps, struct maps_contents *out, struct error *err);
void maps_contents_free(struct maps_contents *contents);

CLEANUP_FREE(maps_contents);

CLEANUP_BY(maps, maps_close);

#endif
