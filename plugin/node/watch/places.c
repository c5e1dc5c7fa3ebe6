#include "node/watch/places.h"

#include "node/chain/replace.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

/* Not IN_CREATE: a file that has just been created is empty, and IN_CLOSE_WRITE follows. */
#define DIRECTORY_EVENTS                                                                           \
    (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF |    \
     IN_ONLYDIR | IN_MASK_ADD)
#define PARENT_EVENTS (IN_CREATE | IN_MOVED_TO | IN_ONLYDIR | IN_MASK_ADD)

int places_open(struct places *out, struct error *err)
{
    int inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    if (inotify < 0)
        return error_set(err, ERROR_IO, "inotify: %s", strerror(errno));
    *out = (struct places){.inotify = inotify};
    return 0;
}

void places_close(struct places *places)
{
    cleanup_close_fd(&places->inotify);
    places->inotify = -1;
}

/* "/etc/cni/net.d" gives "/etc/cni"; "net.d" gives "."; "/net.d" gives "/". */
static void set_parent(struct place *place)
{
    char *slash;

    memcpy(place->parent, place->path, sizeof(place->parent));
    slash = strrchr(place->parent, '/');
    if (!slash)
        memcpy(place->parent, ".", 2);
    else
        slash[slash == place->parent ? 1 : 0] = '\0';
}

int places_add(struct places *places, const char *path, struct error *err)
{
    struct place *place = &places->items[places->count];
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length >= sizeof(place->path) || places->count == PLACES_MAX)
        return error_set(err, ERROR_IO, "cannot watch %s: path too long", path);
    memcpy(place->path, path, length);
    place->path[length] = '\0';
    set_parent(place);
    place->watch = place->parent_watch = -1;
    places->count++;
    return 0;
}

/* Two places may share a directory, and then its watch. */
static bool is_used(const struct places *places, int watch)
{
    for (size_t i = 0; i < places->count; i++)
        if (places->items[i].watch == watch || places->items[i].parent_watch == watch)
            return true;
    return false;
}

static bool arm(struct places *places, int *watch, const char *path, uint32_t events)
{
    int old = *watch;

    *watch = inotify_add_watch(places->inotify, path, events);
    if (*watch == old)
        return false;
    if (old >= 0 && !is_used(places, old))
        inotify_rm_watch(places->inotify, old);
    return true;
}

/* The parent first: what appears between the two calls is seen. */
unsigned places_arm(struct places *places)
{
    unsigned changed = 0;

    for (size_t i = 0; i < places->count; i++) {
        struct place *place = &places->items[i];

        arm(places, &place->parent_watch, place->parent, PARENT_EVENTS);
        if (arm(places, &place->watch, place->path, DIRECTORY_EVENTS))
            changed |= 1U << i;
    }
    return changed;
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
    for (size_t i = 0; i < places->count; i++)
        if (places->items[i].watch == event->wd)
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
