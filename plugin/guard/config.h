/*
 * Our entry of the conflist, checked completely, as plain data. Pure.
 *
 * Unknown keys are ignored, as CNI asks, but within an entry of `exempt` refused: ignoring `"pods"` would
 * let through the namespace where one pod was meant. A known key of the wrong type, with a bad value, or
 * given twice is ERROR_INVALID_CONFIG that names the key and the value.
 */
#ifndef IMDS_GUARD_CONFIG_H
#define IMDS_GUARD_CONFIG_H

#include "guard/cleanup.h"
#include "guard/endpoint.h"
#include "guard/error.h"
#include "guard/verdict.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#define CONFIG_PLUGIN_TYPE            "imds-guard"
#define CONFIG_ANNOTATIONS_CAPABILITY "io.kubernetes.cri.pod-annotations"
#define CONFIG_LOCK_TIMEOUT_DEFAULT   10  /* seconds */
#define CONFIG_LOCK_TIMEOUT_MAX       300 /* seconds */

enum backend_choice {
    BACKEND_AUTO,
    BACKEND_NFTABLES,
    BACKEND_IPTABLES,
};

enum mode {
    MODE_ENFORCE,
    MODE_AUDIT,
};

/* The second line at the node's exits. */
enum exit_fence {
    EXIT_FENCE_AUTO, /* where it can stand */
    EXIT_FENCE_REQUIRE,
    EXIT_FENCE_OFF,
};

static inline const char *exit_fence_name(enum exit_fence fence)
{
    static const char *const names[] = {"auto", "require", "off"};

    return names[fence];
}

/* The instance metadata service's addresses: Amazon EC2 User Guide, "Access instance metadata". */
#define DEFAULT_ENDPOINTS 2
extern const struct endpoint default_endpoints[DEFAULT_ENDPOINTS];

#define GLOB_LENGTH_MAX 253 /* bytes; a pod's name has no more (a DNS subdomain, RFC 1123) */

/* A key, literally, and the glob its value has to match. */
struct annotation_match {
    char *key;   /* not empty */
    char *value; /* glob (glob.h) */
};

struct exemption {
    char *namespace;                      /* glob, not empty */
    char *pod;                            /* glob, not empty, or NULL: any pod */
    struct annotation_match *annotations; /* all must match */
    size_t annotation_count;
};

struct config {
    enum backend_choice backend;
    enum mode mode;
    bool others_pass;  /* who has no guard is let through */
    enum verdict deny; /* VERDICT_DROP or VERDICT_REJECT: how packets are denied */
    enum exit_fence exit_fence;
    struct endpoint *endpoints; /* normalised, at least one */
    size_t endpoint_count;
    struct exemption *exempt;
    size_t exempt_count;
    unsigned lock_timeout_seconds;
};

/*
 * Refuses a key that is none of the entry's, or given twice, `type` and `capabilities` among them:
 * ERROR_INVALID_CONFIG. For what a person hands over as configuration and nothing else, where a
 * misspelt key would quietly mean its default. `entry` is an object.
 */
must_use int config_check_keys(const cJSON *entry, struct error *err);

/* `entry` is the plugin's object; NULL gives the defaults. The result is for config_free. */
must_use int config_parse(const cJSON *entry, struct config *out, struct error *err);
void config_free(struct config *config);

/* The verdict for whoever has no guard: denied, unless others pass or nobody is blocked (audit). */
enum verdict config_others(const struct config *config);

CLEANUP_FREE(config);

#endif
