#include "node/pods/cache.h"

#include "guard/array.h"
#include "node/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void cache_file_name(const struct owner *owner, char out[static CACHE_FILE_SIZE])
{
    snprintf(out, CACHE_FILE_SIZE, "%s-%s-%s", owner->network, owner->container_id, owner->ifname);
}

static int add_skipped(struct cache *cache, const struct error *why, bool directory,
                       struct error *err)
{
    struct cache_skipped *skipped = array_add(&cache->skipped, &cache->skipped_count);

    if (!skipped)
        return error_no_memory(err);
    *skipped = (struct cache_skipped){
        .reason = strdup(why->msg), .unread = why->code == ERROR_IO, .directory = directory};
    return skipped->reason ? 0 : error_no_memory(err);
}

static int read_attachment(int directory, const char *file, const struct config *config,
                           struct file_text *text, struct cached_attachment *out, struct error *err)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};

    if (file_read_into(directory, file, FILE_LINK_REFUSE, text, err) < 0)
        return -1;
    if (cache_parse((struct span){text->bytes, text->length}, &cached, err) < 0)
        return error_context(err, "%s is not one of libcni's cached results", file);
    if (cached.annotations)
        pod_trim_annotations(cached.annotations, config);
    cached.file = strdup(file);
    if (!cached.file)
        return error_no_memory(err);
    cached.written = text->written;
    *out = steal(&cached);
    return 0;
}

/* What is done with each file of the directory. */
struct reading {
    const struct config *config;
    cache_keep *keep;
    void *context;
    struct cache *cache;
    struct file_text text; /* of one file after the other */
};

static void cleanup_reading(struct reading *reading)
{
    cleanup_file_text(&reading->text);
}

static int take_file(int directory, const char *file, struct reading *reading, struct error *err)
{
    cleanup(cached_attachment) struct cached_attachment cached = {0};
    struct cache *cache = reading->cache;
    struct cached_attachment *added;
    struct error why;

    errno = 0;
    if (read_attachment(directory, file, reading->config, &reading->text, &cached, &why) < 0) {
        if (errno == ENOENT)
            return 0; /* deleted since the directory was read: a pod that has just ended */
        return add_skipped(cache, &why, false, err);
    }
    if (reading->keep && !reading->keep(&cached, reading->context)) {
        cache->dropped_count++;
        return 0;
    }
    added = array_add(&cache->attachments, &cache->count);
    if (!added)
        return error_no_memory(err);
    *added = steal(&cached);
    return 0;
}

static int by_owner(const void *a, const void *b)
{
    const struct cached_attachment *left = a, *right = b;
    int order = owner_compare(&left->attachment.owner, &right->attachment.owner);

    return order ? order : strcmp(left->file, right->file);
}

static int take_all(DIR *directory, struct reading *reading, struct error *err)
{
    struct cache *cache = reading->cache;

    for (;;) {
        const struct dirent *entry;

        errno = 0;
        entry = readdir(directory);
        if (!entry)
            break;
        if (entry->d_name[0] == '.')
            continue; /* libcni names a file after the network, which begins with [a-zA-Z0-9] */
        if (take_file(dirfd(directory), entry->d_name, reading, err) < 0)
            return -1;
    }
    if (errno != 0)
        return error_set(err, ERROR_IO, "cannot be read: %m");
    if (cache->count > 0)
        qsort(cache->attachments, cache->count, sizeof(*cache->attachments), by_owner);
    return 0;
}

int cache_read(const char *path, const char *file, const struct config *config, cache_keep *keep,
               void *context, struct cache *out, struct error *err)
{
    cleanup(cache) struct cache cache = {0};
    cleanup(close_directory) DIR *directory = opendir(path);
    cleanup(reading) struct reading reading = {
        .config = config, .keep = keep, .context = context, .cache = &cache};
    struct error why;

    if (!directory && errno != ENOENT)
        return error_set(err, ERROR_IO, "%s cannot be read: %m", path);
    if (directory && (file ? take_file(dirfd(directory), file, &reading, err)
                           : take_all(directory, &reading, err)) < 0)
        return error_context(err, "%s", path);
    if (!directory && !file) {
        error_set(&why, ERROR_IO,
                  "%s is not there: no pod has started yet, or --results-dir, or a mount, is wrong",
                  path);
        if (add_skipped(&cache, &why, true, err) < 0)
            return -1;
    }
    *out = steal(&cache);
    return 0;
}

void cache_free(struct cache *cache)
{
    for (size_t i = 0; i < cache->count; i++)
        cached_attachment_free(&cache->attachments[i]);
    for (size_t i = 0; i < cache->skipped_count; i++)
        free(cache->skipped[i].reason);
    free(cache->attachments);
    free(cache->skipped);
    *cache = (struct cache){0};
}
