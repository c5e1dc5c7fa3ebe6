#include "node/watch/hits.h"

#include "node/hash.h"

#include <stdlib.h>
#include <string.h>

/* Of the tag what its first space ends: the owner (owner.h), which is not read as text for that. */
static uint64_t key_of(const char *backend, const char *tag, const char *interface,
                       enum verdict verdict)
{
    uint64_t key = hash_text(HASH_BEGIN, backend);

    key = hash_text(hash_bytes(key, tag, strcspn(tag, " ")), "");
    return hash_text(hash_text(key, interface), verdict_name(verdict));
}

static int by_key(const void *a, const void *b)
{
    const struct hit *left = a, *right = b;

    return left->key < right->key ? -1 : left->key > right->key;
}

static struct hit *find(const struct hits *hits, uint64_t key)
{
    const struct hit wanted = {.key = key};

    return hits->count == 0
               ? NULL
               : bsearch(&wanted, hits->items, hits->count, sizeof(*hits->items), by_key);
}

/* One counter. A guard that was set anew counts from nothing. */
static struct hit compare(const struct hits *hits, const char *backend, const char *tag,
                          const struct guard *guard, uint64_t packets, time_t now, hits_tell *tell,
                          void *context)
{
    struct hit hit = {.key = key_of(backend, tag, guard->interface, guard->verdict),
                      .packets = packets};
    const struct hit *before = find(hits, hit.key);
    const uint64_t counted = before && before->packets <= packets ? before->packets : 0;

    hit.last = before ? before->last : 0;
    if (!hits->items || packets == counted)
        return hit;
    if (verdict_denies(guard->verdict) && (hit.last == 0 || now - hit.last > HITS_QUIET_SECONDS))
        tell(context, tag, guard, packets - counted);
    hit.last = now;
    return hit;
}

static size_t count_counters(const struct holdings *holdings)
{
    size_t count = 0;

    for (size_t i = 0; i < BACKEND_COUNT; i++)
        count += holdings->items[i].listing.held_count + holdings->items[i].listing.present;
    return count;
}

void hits_look(struct hits *hits, const struct holdings *holdings, time_t now, hits_tell *tell,
               void *context)
{
    struct hits next = {.items = calloc(count_counters(holdings) + 1, sizeof(*next.items))};

    if (!next.items)
        return;
    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        const struct listing *listing = &holdings->items[i].listing;
        const char *backend = holdings->items[i].backend->name;
        const struct guard others = {.verdict = listing->others.verdict};

        for (size_t j = 0; j < listing->held_count; j++) {
            const struct held *held = &listing->held[j];

            next.items[next.count++] =
                compare(hits, backend, held->tag, &held->guard, held->packets, now, tell, context);
        }
        if (listing->present)
            next.items[next.count++] =
                compare(hits, backend, "", &others, listing->others.packets, now, tell, context);
    }
    qsort(next.items, next.count, sizeof(*next.items), by_key);
    hits_free(hits);
    *hits = next;
}

time_t hits_last(const struct hits *hits, const char *backend, const struct owner *owner,
                 const char *interface, enum verdict verdict)
{
    const struct hit *found;
    char tag[TAG_SIZE] = "";

    if (owner)
        tag_write(owner, 1, NULL, NULL, tag);
    found = find(hits, key_of(backend, tag, interface, verdict));
    return found ? found->last : 0;
}

void hits_free(struct hits *hits)
{
    free(hits->items);
    *hits = (struct hits){0};
}
