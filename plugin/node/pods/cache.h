/*
 * What libcni remembers of each attachment: /var/lib/cni/results/<network>-<container>-<ifname>,
 * one JSON object a file (libcni api.go, cachedInfo), written when all plugins of an ADD have
 * succeeded and removed when all of a DEL have.
 */
#ifndef IMDS_GUARD_PODS_CACHE_H
#define IMDS_GUARD_PODS_CACHE_H

#include "guard/cleanup.h"
#include "guard/config.h"
#include "guard/error.h"
#include "guard/json.h"
#include "guard/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESULTS_DIR_DEFAULT "/var/lib/cni/results"

/* The name that libcni gives the file of an attachment (api.go, getCacheFilePath). */
#define CACHE_FILE_SIZE (OWNER_BYTES_MAX + sizeof("--"))
void cache_file_name(const struct owner *owner, char out[static CACHE_FILE_SIZE]);

/*
 * The chain that libcni cached with an attachment: `config`, the conflist's text at the time, in
 * base64 (Go's encoding/json writes []byte so). It says whose pod that is whatever the directory
 * of conflists says by now, and under whatever name the pod was started. Drop-ins are not in it. What
 * is no base64 of a conflist says nothing: false and NULL.
 */
struct cached_chain {
    bool of_node; /* aws-cni is in it, or we are: one of this node's pods */
    char *entry;  /* the text of our last entry in it; or NULL. For free(3) */
};

struct cached_attachment {
    char *file;      /* its name within the directory */
    int64_t written; /* when the file was, last: nanoseconds since 1970 */
    /* Borrowed from what follows, but for the result, which is owned. */
    struct attachment attachment;
    struct cached_chain chain;
    bool reads_no_drop_ins; /* the libcni that wrote it is older than 1.2, and so than drop-ins */
    cJSON *annotations;
    char *texts;
};

/* A file that is no attachment of libcni's, or cannot be read. */
struct cache_skipped {
    char *reason;   /* one sentence that names the file */
    bool directory; /* it is the directory that is not there */
    bool unread;    /* it may well be an attachment, but nobody knows whose: reading it failed */
};

struct cache {
    struct cached_attachment *attachments; /* by owner (owner_compare), then by file name */
    size_t count;
    struct cache_skipped *skipped;
    size_t skipped_count;
    size_t dropped_count; /* attachments that are not kept */
};

/* Whether an attachment that has been read is worth its memory. */
typedef bool cache_keep(const struct cached_attachment *attachment, void *context);

/*
 * One file's text. `file` and `written` are left for the caller. The netns is the file's key, or,
 * where libcni is too old to have it (before 1.2), the sandbox of the interface CNI_IFNAME in the
 * result. A pod without a namespace and name in cniArgs, or with two of them, has none.
 * Errors: ERROR_DECODING, ERROR_INVALID_CONFIG naming the key. For cached_attachment_free.
 */
must_use int cache_parse(struct span text, struct cached_attachment *out, struct error *err);
void cached_attachment_free(struct cached_attachment *attachment);

/*
 * The whole directory, or one `file` of it; that is none if it is not there. Of annotations what
 * exemptions ask for (pod_trim_annotations): a pod's author writes them, a hundred thousand if he likes.
 * What is no attachment goes into `skipped`, and so does the whole directory if it is not there: a runtime
 * that has started a pod has made it, so this may be the wrong one. Errors: ERROR_IO if the directory
 * cannot be read. The result is for cache_free.
 *
 * A node may have thousands of files of pods that are long gone (containerd#8197): at most one that
 * `keep` refuses is in memory at a time. NULL keeps all.
 */
must_use int cache_read(const char *directory, const char *file, const struct config *config,
                        cache_keep *keep, void *context, struct cache *out, struct error *err);
void cache_free(struct cache *cache);

CLEANUP_FREE(cached_attachment);

CLEANUP_FREE(cache);

#endif
