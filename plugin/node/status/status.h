/*
 * Who is guarded, and what the guards have caught: collected as plain rows, printed by one of three
 * printers.
 */
#ifndef IMDS_GUARD_STATUS_STATUS_H
#define IMDS_GUARD_STATUS_STATUS_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/plan.h"
#include "kernel/fence/fence.h"
#include "kernel/holdings.h"
#include "node/chain/settings.h"
#include "node/notes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

/* Exit codes of `status`. */
enum status_exit {
    STATUS_IN_FORCE = 0,
    STATUS_WRONG = 1,   /* something is open, or has another verdict than configured */
    STATUS_UNKNOWN = 2, /* configuration, cache or kernel could not be read in full */
};

/* From best to worst. */
enum status_state {
    STATUS_STATE_GUARDED,
    STATUS_STATE_DETACHED,  /* it has no interface (any more): its pod is being torn down */
    STATUS_STATE_LEFTOVER,  /* a guard whose pod and interface are gone; harmless */
    STATUS_STATE_UNGUARDED, /* its packets get the right verdict, but it is the one for others */
    STATUS_STATE_WRONG,     /* denied, but not as configured */
    STATUS_STATE_OPEN,      /* packets pass that should be denied */
    STATUS_STATES,
};

struct status_guard {
    struct guard guard;  /* what the kernel holds; where it holds nothing, what it should */
    const char *backend; /* NULL: the kernel does not hold it */
    unsigned families;   /* FAMILY_IPV4 | FAMILY_IPV6 */
    uint64_t packets;    /* to an endpoint; the verdict says what became of them */
    uint64_t bytes;
    time_t hit; /* when it was hit last; 0: not known. For who has looked before: watch */
};

/* One backend's rule for who has no guard. */
struct status_others {
    const char *backend;
    bool in_force;
    struct others others;
    time_t hit; /* as above */
};

/* The exit fence. */
struct status_fence {
    enum exit_fence wanted; /* OFF if that is not known, too */
    bool stands;            /* first on every uplink */
    bool missing;           /* it does not, and is required */
    char *reason;           /* why it does not stand, if it is wanted; else NULL */
    struct fence_listing listing;
};

/* One attachment. Texts are printable ASCII; "" if not known. */
struct status_row {
    char *namespace;
    char *pod;
    char *network;
    char *container_id;
    char *ifname;
    enum status_state state;
    char *reason; /* why it is not simply guarded; "" if it is */
    struct status_guard *guards;
    size_t guard_count;
    bool unchained; /* it was started when imds-guard was not in its chain */
};

struct status {
    char *network;           /* of the conflist in use; "" if not known */
    struct status_row *rows; /* by state, namespace, pod, container id, ifname */
    size_t row_count;
    struct status_others others[BACKEND_COUNT];
    size_t others_count;
    enum verdict others_verdict; /* of all backends together: pass, if none has a rule in force */
    bool others_wrong;           /* it is not as configured */
    struct status_fence fence;
    struct notes problems; /* faults of the skeleton, skipped cache files, what could not be read */
    bool complete;         /* false: not everything could be read, see problems */
};

struct status_options {
    struct settings_sources sources;
    const char *results_dir;
};

/*
 * Without a usable configuration the rows are what the kernel holds, and `complete` is false.
 * Errors: the kernel or the cache cannot be read. The result is for status_free.
 */
must_use int status_collect(const struct status_options *options, struct status *out,
                            struct error *err);
void status_free(struct status *status);

/*
 * Whether the node is in force as a whole, for a readiness probe: every list that makes its pods has
 * our entry, and who has no guard gets the verdict that is configured. Pods are not looked at: guards
 * are set in one transaction with that verdict, and so the answer costs the same however many there
 * are, and does not waver while they come and go. `why` is set but for STATUS_IN_FORCE.
 */
must_use enum status_exit status_of_node(const struct status_options *options, struct error *why);

/* Forgets all rows but those of pods that one of the globs fits: "namespace/pod", or "pod". */
void status_keep_named(struct status *status, char *const *names, int count);

/* Forgets all rows whose guards have denied nothing; most packets first. */
void status_keep_denied(struct status *status);

/* Packets that the row's guards have denied. */
uint64_t status_denied(const struct status_row *row);

enum status_exit status_exit_code(const struct status *status);
size_t status_count(const struct status *status, enum status_state state);
const char *status_state_name(enum status_state state); /* "guarded", "detached", ... */

/* For people. `color`: ANSI colours around rows that stand out. */
void status_print_table(const struct status *status, bool color, FILE *out);

/* For programs; the keys are described in imds-guard(8) and stay. */
void status_print_json(const struct status *status, FILE *out);

/* Prometheus text exposition format 0.0.4, for node_exporter's textfile collector. */
void status_print_prometheus(const struct status *status, FILE *out);

CLEANUP_FREE(status);

#endif
