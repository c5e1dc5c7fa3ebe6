#include "node/watch/places.h"

#include "node/chain/replace.h"
#include "node/hash.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>

/* Not IN_CREATE: a file that has just been created is empty, and IN_CLOSE_WRITE follows. */
#define DIRECTORY_EVENTS                                                                           \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |    \
     IN_ONLYDIR | IN_MASK_ADD)
#define FILE_EVENTS   (IN_CLOSE | IN_DELETE_SELF | IN_MOVE_SELF | IN_MASK_ADD)
#define PARENT_EVENTS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD)

void places_open(struct places *out)
{
    int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    *out = (struct places){.inotify = inotify, .refused = inotify < 0 ? errno : 0};
}

void places_close(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        free(places->items[i].path);
        free(places->items[i].parent);
    }
    cleanup_close_fd(&places->inotify);
    *places = (struct places){.inotify = -1};
}

int places_add(struct places *places, const char *path, bool is_file, struct error *err)
{
    struct place *place = &places->items[places->count++];
    cleanup(free_text) char *copy = strdup(path);

    *place =
        (struct place){.path = strdup(path), .watch = -1, .parent_watch = -1, .is_file = is_file};
    place->parent = copy ? strdup(dirname(copy)) : NULL;
    return place->path && place->parent ? 0 : error_no_memory(err);
}

/* Two places may share a directory, and then its watch. */
static bool is_used(const struct places *places, int watch)
{
    for (size_t i = 0; i < places->count; i++)
        if (places->items[i].watch == watch || places->items[i].parent_watch == watch)
            return true;
    return false;
}

/* What is not there is no refusal: its parent tells when it comes. */
static bool arm(struct places *places, struct place *place, int *watch, const char *path,
                uint32_t events)
{
    int old = *watch;

    *watch = inotify_add_watch(places->inotify, path, events);
    if (*watch < 0 && errno != ENOENT && errno != ENOTDIR)
        place->refused = errno;
    if (*watch == old)
        return false;
    if (old >= 0 && !is_used(places, old))
        inotify_rm_watch(places->inotify, old);
    return true;
}

static bool is_dead(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && status.st_nlink == 0;
}

/* The parent first: what appears between the two calls is seen. */
unsigned places_arm(struct places *places)
{
    unsigned changed = 0;

    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->items[i];

        place->dead = is_dead(place->path);
        place->refused = places->refused;
        if (places->inotify < 0)
            continue;
        arm(places, place, &place->parent_watch, place->parent, PARENT_EVENTS);
        if (arm(places, place, &place->watch, place->path,
                place->is_file ? FILE_EVENTS : DIRECTORY_EVENTS))
            changed |= 1U << i;
    }
    return changed;
}

bool places_must_poll(const struct places *places)
{
    for (size_t i = 0; i < places->count; i++)
        if (places->items[i].refused != 0 && !places->items[i].is_file)
            return true;
    return false;
}

static uint64_t look_at_file(int directory, const char *name)
{
    uint64_t hash = hash_text(HASH_BEGIN, name);
    struct stat status = {0};
    int64_t facts[5] = {0};

    if (fstatat(directory, name, &status, 0) < 0)
        return hash;
    facts[0] = (int64_t)status.st_dev;
    facts[1] = (int64_t)status.st_ino;
    facts[2] = status.st_size;
    facts[3] = status.st_mtim.tv_sec;
    facts[4] = status.st_mtim.tv_nsec;
    return hash_bytes(hash, facts, sizeof(facts));
}

/* All files in whatever order, links followed: a ConfigMap's are links. 0: no such directory. */
static uint64_t look_at_directory(const char *path)
{
    cleanup(close_directory) DIR *directory = opendir(path);
    const struct dirent *entry;
    uint64_t sum = 1;

    if (!directory)
        return 0;
    while ((entry = readdir(directory)))
        if (strcmp(entry->d_name, REPLACE_TEMPORARY) != 0 && strcmp(entry->d_name, "..") != 0)
            sum += look_at_file(dirfd(directory), entry->d_name);
    return sum;
}

unsigned places_poll(struct places *places)
{
    unsigned changed = places_arm(places);

    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->items[i];
        uint64_t seen = place->refused != 0 ? look_at_directory(place->path) : 0;

        if (seen != place->seen)
            changed |= 1U << i;
        place->seen = seen;
    }
    return changed;
}

void places_problem(const struct places *places, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < places->count; i++) {
        const struct place *place = &places->items[i];

        if (place->dead) {
            snprintf(out, size,
                     "%s was deleted on the node and made anew, and this mount shows the old one: "
                     "start this container anew, and mount %s in its place",
                     place->path, place->parent);
            return;
        }
        if (place->refused != 0)
            snprintf(out, size,
                     "%s cannot be watched (inotify: %s; raise fs.inotify.max_user_instances or "
                     "max_user_watches): looking every second instead",
                     place->path, strerror(place->refused));
    }
}

/* An inode that is gone takes its watch with it. */
static void forget(struct places *places, int watch)
{
    for (size_t i = 0; i < places->count; i++) {
        if (places->items[i].watch == watch)
            places->items[i].watch = -1;
        if (places->items[i].parent_watch == watch)
            places->items[i].parent_watch = -1;
    }
}

static unsigned places_of(const struct places *places, const struct inotify_event *event)
{
    unsigned changed = 0;

    if (event->mask & IN_Q_OVERFLOW)
        return (1U << places->count) - 1;
    if (event->len > 0 && strcmp(event->name, REPLACE_TEMPORARY) == 0)
        return 0; /* our own hand */
    for (unsigned i = 0; i < places->count; i++)
        if (places->items[i].watch == event->wd &&
            !(event->len > 0 && places->take && places->take(places->context, i, event->name)))
            changed |= 1U << i;
    return changed;
}

static unsigned take_events(struct places *places, const char *bytes, size_t length)
{
    unsigned changed = 0;

    for (size_t at = 0; at < length;) {
        const struct inotify_event *event = (const void *)(bytes + at);

        changed |= places_of(places, event);
        if (event->mask & IN_IGNORED)
            forget(places, event->wd);
        at += sizeof(*event) + event->len;
    }
    return changed;
}

unsigned places_read(struct places *places)
{
    _Alignas(struct inotify_event) char buffer[16384];
    unsigned changed = 0;
    ssize_t length;

    while ((length = read(places->inotify, buffer, sizeof(buffer))) > 0)
        changed |= take_events(places, buffer, (size_t)length);
    return changed | places_arm(places);
}
