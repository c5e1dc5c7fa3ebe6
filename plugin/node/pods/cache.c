#include "node/pods/cache.h"

#include "node/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void cleanup_directory(DIR **directory)
{
    if (*directory)
        closedir(*directory);
}

static int add_attachment(struct cache *cache, struct cached_attachment *attachment,
                          struct error *err)
{
    struct cached_attachment *larger =
        reallocarray(cache->attachments, cache->count + 1, sizeof(*larger));

    if (!larger)
        return error_no_memory(err);
    cache->attachments = larger;
    cache->attachments[cache->count++] = *attachment;
    *attachment = (struct cached_attachment){0};
    return 0;
}

static int add_skipped(struct cache *cache, const char *file, const struct error *why,
                       struct error *err)
{
    struct cache_skipped *larger =
        reallocarray(cache->skipped, cache->skipped_count + 1, sizeof(*larger));
    struct cache_skipped skipped = {.file = strdup(file), .unread = why->code == ERROR_IO};

    if (larger)
        cache->skipped = larger;
    if (!larger || !skipped.file || asprintf(&skipped.reason, "%s", why->msg) < 0) {
        free(skipped.file);
        return error_no_memory(err);
    }
    cache->skipped[cache->skipped_count++] = skipped;
    return 0;
}

static int read_attachment(int directory, const char *file, const struct config *config,
                           struct cached_attachment *out, struct error *err)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    cleanup(free_text) char *text = NULL;
    struct span span = {0};
    struct stat status;

    if (file_read(directory, file, FILE_LINK_REFUSE, &text, &span.length, err) < 0)
        return -1;
    span.start = text;
    if (cache_parse(span, &cached, err) < 0)
        return error_context(err, "%s is not one of libcni's cached results", file);
    cached_attachment_trim(&cached, config);
    cached.file = strdup(file);
    if (!cached.file)
        return error_no_memory(err);
    if (fstatat(directory, file, &status, AT_SYMLINK_NOFOLLOW) == 0)
        cached.written = status.st_mtim;
    *out = cached;
    cached = (struct cached_attachment){0};
    return 0;
}

static int take_file(int directory, const char *file, const struct config *config,
                     struct cache *cache, struct error *err)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    struct error why = {0};

    if (read_attachment(directory, file, config, &cached, &why) == 0)
        return add_attachment(cache, &cached, err);
    if (errno == ENOENT)
        return 0; /* deleted since the directory was read: a pod that has just ended */
    return add_skipped(cache, file, &why, err);
}

static int by_owner(const void *a, const void *b)
{
    const struct cached_attachment *left = a, *right = b;
    int order = owner_compare(&left->attachment.owner, &right->attachment.owner);

    return order ? order : strcmp(left->file, right->file);
}

static int take_all(DIR *directory, const struct config *config, struct cache *cache,
                    struct error *err)
{
    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(directory);
        if (!entry)
            break;
        if (entry->d_name[0] == '.')
            continue; /* libcni names a file after the network, which begins with [a-zA-Z0-9] */
        errno = 0;
        if (take_file(dirfd(directory), entry->d_name, config, cache, err) < 0)
            return -1;
    }
    if (errno != 0)
        return error_set(err, ERROR_IO, "cannot be read: %s", strerror(errno));
    if (cache->count > 0)
        qsort(cache->attachments, cache->count, sizeof(*cache->attachments), by_owner);
    return 0;
}

int cache_read(const char *path, const struct config *config, struct cache *out, struct error *err)
{
    cleanup(cache) struct cache cache = {0};
    cleanup(directory) DIR *directory = opendir(path);

    if (!directory && errno != ENOENT)
        return error_set(err, ERROR_IO, "%s cannot be read: %s", path, strerror(errno));
    if (directory && take_all(directory, config, &cache, err) < 0)
        return error_context(err, "%s", path);
    *out = cache;
    cache = (struct cache){0};
    return 0;
}

void cache_free(struct cache *cache)
{
    for (size_t i = 0; i < cache->count; i++)
        cached_attachment_free(&cache->attachments[i]);
    for (size_t i = 0; i < cache->skipped_count; i++) {
        free(cache->skipped[i].file);
        free(cache->skipped[i].reason);
    }
    free(cache->attachments);
    free(cache->skipped);
    *cache = (struct cache){0};
}
