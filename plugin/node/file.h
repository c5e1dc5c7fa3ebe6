/*
 * Small files, most of them of other programs, read whole. They may be anything: huge, a FIFO, a link
 * to somewhere else, half written.
 */
#ifndef IMDS_GUARD_FILE_H
#define IMDS_GUARD_FILE_H

#include "guard/cleanup.h"
#include "guard/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * What kubelet and aws-node write is a few KiB. But a cached result has the pod's annotations in it,
 * and whoever creates a pod may fill those: 256 KiB (TotalAnnotationSizeLimitB of Kubernetes), each
 * byte six in Go's JSON. The result that belongs to a request (INPUT_BYTES_MAX) must fit, and so must
 * our own binary, which with sanitizers has ten MiB.
 */
#define FILE_BYTES_MAX (16 * 1024 * 1024)

enum file_link {
    FILE_LINK_REFUSE, /* a symbolic link as last part of the path is refused (O_NOFOLLOW) */
    FILE_LINK_FOLLOW, /* a file the operator named: ConfigMap volumes are links */
};

/*
 * Reads a regular file. `directory` as in openat(2), AT_FDCWD for none. *out has a NUL after its
 * *length bytes and is the caller's to free. Never waits. Errors, naming the path: ERROR_IO if it
 * cannot be read or has more than FILE_BYTES_MAX bytes, ERROR_INVALID_CONFIG if it is no regular
 * file. With ENOENT, and only then, errno is ENOENT on return.
 */
must_use int file_read(int directory, const char *path, enum file_link link, char **out,
                       size_t *length, struct error *err);

/* One file after the other, in the same memory. */
struct file_text {
    char *bytes;
    size_t length;
    size_t room;
    int64_t written; /* when the file was, last: nanoseconds since 1970 */
};

/* The same into what an earlier file has left, or zeros. On failure the text is undefined. */
must_use int file_read_into(int directory, const char *path, enum file_link link,
                            struct file_text *text, struct error *err);

static inline void cleanup_file_text(struct file_text *text)
{
    free(text->bytes);
}

#endif
