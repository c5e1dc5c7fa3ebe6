/*
 * Every attachment of libcni's cache, with what should hold for it and what the kernel holds: what
 * sync acts upon and status shows. Reads, and changes nothing.
 */
#ifndef IMDS_GUARD_PODS_SURVEY_H
#define IMDS_GUARD_PODS_SURVEY_H

#include "guard/cleanup.h"
#include "guard/error.h"
#include "guard/plan.h"
#include "kernel/holdings.h"
#include "kernel/links/known.h"
#include "node/chain/settings.h"
#include "node/pods/cache.h"

#include <stddef.h>

enum attachment_state {
    ATTACHMENT_PLANNED,       /* its pod lives; `plan` is what should hold, or as much of it as
                               * can, if there is a `reason` */
    ATTACHMENT_LEFT,          /* the same, and for now nothing is done about it (sync.h) */
    ATTACHMENT_OTHER_NETWORK, /* not of this node's pods: no business of ours */
    ATTACHMENT_GONE,          /* its network namespace is no more */
    ATTACHMENT_NO_INTERFACE,  /* no link of its is there (any more): its pod is being torn down */
    ATTACHMENT_HOST_NETWORK,  /* it is the node's own */
    ATTACHMENT_REPLACED,      /* every interface it had is another attachment's by now */
    ATTACHMENT_FAILED,        /* its pod lives, or may, and there is no plan; `reason` says why */
};

struct surveyed {
    const struct cached_attachment *cached;
    enum attachment_state state;
    /* No interface is in two of them: the claim counts of which wanted.h says so. And none counts that
     * nothing proves against a denial for one that is not in the cache: an ADD has just set it. */
    struct plan plan;
    char *reason; /* why there is no plan, or only part of one; else NULL */
    bool unseen;  /* the reason is that it could not be looked at */
    enum way way; /* if there is a reason: what its packets get past, and what not */
};

struct survey {
    struct cache cache;
    struct surveyed *attachments; /* one for each of the cache's, in its order: by owner */
    size_t count;
    /* Read behind the cache: the guard of whoever is in there was set before that. And before the
     * plans are made: what comes while they are is an ADD's (terms.seen, kernel/backend.h). */
    struct holdings holdings;
    /* The host's, read behind both. */
    struct known_links links;
};

/*
 * Attachments are surveyed if the chain that they were started with has aws-cni or us in it, or their
 * network is one of the settings': pods of another network (a second one by Multus) have not asked to
 * be guarded. Those whose pod is gone for certain are counted, and not kept.
 * Errors: the cache directory or every backend cannot be read. For survey_free.
 */
must_use int survey_take(const struct settings *settings, const char *results_dir,
                         struct survey *out, struct error *err);
void survey_free(struct survey *survey);

/*
 * The attachment of one file of the cache, alone: holdings are left empty. None, if there
 * is no such file. Errors: as survey_take.
 */
must_use int survey_one(const struct settings *settings, const char *results_dir, const char *file,
                        struct survey *out, struct error *err);

/*
 * The plans of all that are ATTACHMENT_PLANNED, the one whose file was written last at the end.
 * Their guards are borrowed from the survey; the array is the caller's to free.
 */
must_use int survey_plans(const struct survey *survey, struct plan **out, size_t *count,
                          struct error *err);

/* The attachment of the tag's owner; NULL if the cache has none. */
const struct surveyed *survey_find(const struct survey *survey, const char *tag);

/* There is no plan for it after all: ATTACHMENT_FAILED, for that reason. */
must_use int survey_fail(struct surveyed *surveyed, const struct error *why, struct error *err);

/* "namespace/pod", or "network/container id/ifname" (shortened) if the pod is not known. */
#define ATTACHMENT_LABEL_SIZE 600
void attachment_label(const struct attachment *attachment, char out[static ATTACHMENT_LABEL_SIZE]);

CLEANUP_FREE(survey);

#endif
