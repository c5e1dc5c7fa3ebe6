#include "kernel/fence/fence.h"

#include "kernel/fence/maps.h"
#include "kernel/fence/stand.h"
#include "kernel/fence/uplinks.h"

#include <errno.h>
#include <string.h>

void fence_listing_free(struct fence_listing *listing)
{
    free(listing->uplinks);
    free(listing->incoming);
    free(listing->endpoints);
    *listing = (struct fence_listing){0};
}

bool fence_uplink_is_right(const struct fence_uplink *uplink)
{
    return !uplink->wanted || (uplink->place == 1 && uplink->current);
}

bool fence_stands(const struct fence_listing *listing)
{
    for (size_t i = 0; i < listing->uplink_count; i++)
        if (!fence_uplink_is_right(&listing->uplinks[i]))
            return false;
    return true;
}

/* --- what was counted --------------------------------------------------------------------------- */

static int compare_incoming(const void *a, const void *b)
{
    const struct fence_incoming *one = a;
    const struct fence_incoming *other = b;

    return (one->index > other->index) - (one->index < other->index);
}

/* Of a link; a new one if it is not there yet. The array has room. */
static struct fence_incoming *incoming_of(struct fence_listing *listing, int index)
{
    for (size_t i = 0; i < listing->incoming_count; i++)
        if (listing->incoming[i].index == index)
            return &listing->incoming[i];
    listing->incoming[listing->incoming_count] = (struct fence_incoming){.index = index};
    return &listing->incoming[listing->incoming_count++];
}

static struct fence_uplink *uplink_of(struct fence_listing *listing, uint32_t index)
{
    for (size_t i = 0; i < listing->uplink_count; i++)
        if ((uint32_t)listing->uplinks[i].index == index)
            return &listing->uplinks[i];
    return NULL;
}

static void add_count(struct fence_listing *listing, const struct count_key *key,
                      const struct fence_count *count)
{
    struct fence_incoming *incoming = incoming_of(listing, (int)key->incoming);
    struct fence_uplink *uplink = uplink_of(listing, key->outgoing);

    incoming->stopped += count->stopped;
    incoming->passed += count->passed;
    if (uplink == NULL)
        return;
    uplink->stopped += count->stopped;
    uplink->passed += count->passed;
}

static int add_maps(struct fence_listing *listing, const struct maps *maps, struct error *err)
{
    size_t verdict_count = 0;
    size_t pair_count = 0;
    cleanup(free_memory) uint32_t *verdicts =
        maps_keys(maps->fds[MAP_VERDICTS], sizeof(*verdicts), &verdict_count, err);
    cleanup(free_memory) struct count_key *pairs =
        verdicts == NULL ? NULL
                         : maps_keys(maps->fds[MAP_COUNTS], sizeof(*pairs), &pair_count, err);
    struct fence_incoming *incoming = NULL;

    if (pairs == NULL)
        return -1;
    incoming =
        reallocarray(listing->incoming, listing->incoming_count + verdict_count + pair_count + 1,
                     sizeof(*incoming));
    if (incoming == NULL)
        return error_no_memory(err);
    listing->incoming = incoming;
    for (size_t i = 0; i < verdict_count; i++) {
        uint32_t verdict;

        if (bpf_lookup(maps->fds[MAP_VERDICTS], &verdicts[i], &verdict) < 0)
            continue;
        incoming = incoming_of(listing, (int)verdicts[i]);
        incoming->known = true;
        incoming->verdict = verdict;
    }
    for (size_t i = 0; i < pair_count; i++) {
        struct fence_count count;

        if (bpf_lookup(maps->fds[MAP_COUNTS], &pairs[i], &count) == 0)
            add_count(listing, &pairs[i], &count);
    }
    return 0;
}

/* --- where it stands ---------------------------------------------------------------------------- */

/* The first set of maps says which endpoints and what for others; what was counted is in all. */
static int add_terms(struct fence_listing *listing, const struct maps *maps, struct error *err)
{
    struct fence_settings settings;

    if (maps_settings(maps, &settings, err) < 0 ||
        maps_endpoints(maps, &listing->endpoints, &listing->endpoint_count, err) < 0)
        return -1;
    listing->endpoint_count = endpoints_normalise(listing->endpoints, listing->endpoint_count);
    listing->others = settings.others == VERDICT_PASS ? VERDICT_PASS : VERDICT_DROP;
    listing->stands = true;
    return 0;
}

static void add_uplink(struct fence_listing *listing, const struct uplink *link,
                       const struct stand *stand)
{
    struct fence_uplink *uplink = &listing->uplinks[listing->uplink_count++];
    struct program_kind kind = {0};

    *uplink =
        (struct fence_uplink){.index = link->index, .wanted = link->wanted, .place = stand->place};
    memcpy(uplink->name, link->name, sizeof(uplink->name));
    uplink->current = stand->place > 0 && program_is_current(stand->name, link->ethernet, &kind);
    uplink->sockets = kind.sockets;
}

/* Sets of maps that have been read, so that none is read twice. */
struct seen {
    uint32_t *ids;
    size_t count;
};

static void cleanup_seen(struct seen *seen)
{
    free(seen->ids);
}

static bool is_new(struct seen *seen, uint32_t id)
{
    for (size_t i = 0; i < seen->count; i++)
        if (seen->ids[i] == id)
            return false;
    seen->ids[seen->count++] = id;
    return true;
}

/* What stands on one link. Counts are added once all uplinks are known. */
static int look_at(struct fence_listing *listing, const struct uplink *link, struct seen *seen,
                   bool counting, struct error *err)
{
    cleanup(stand) struct stand stand = STAND_NONE;

    if (stand_look(link->index, &stand, err) < 0) {
        if (errno == ENODEV || tcx_is_missing(errno))
            stand = (struct stand)STAND_NONE; /* gone meanwhile, or a kernel without tcx */
        else
            return error_context(err, "exit fence on %s", link->name);
    }
    if (counting)
        return stand.has_maps && is_new(seen, stand.maps.id) ? add_maps(listing, &stand.maps, err)
                                                             : 0;
    if (link->wanted || stand.place > 0)
        add_uplink(listing, link, &stand);
    return stand.has_maps && !listing->stands ? add_terms(listing, &stand.maps, err) : 0;
}

/* `incoming` by their indices. */
static void name_incoming(struct fence_listing *listing, const struct uplink *links, size_t count)
{
    for (size_t i = 0; i < listing->incoming_count; i++)
        for (size_t j = 0; j < count; j++)
            if (links[j].index == listing->incoming[i].index)
                memcpy(listing->incoming[i].name, links[j].name, sizeof(links[j].name));
}

int fence_list(const struct terms *terms, const struct plan *plans, size_t plan_count,
               struct fence_listing *out, struct error *err)
{
    cleanup(fence_listing) struct fence_listing listing = {0};
    cleanup(free_memory) struct uplink *links = NULL;
    cleanup(seen) struct seen seen = {0};
    size_t count = 0;

    if (uplinks_of_node(terms, plans, plan_count, &links, &count, err) < 0)
        return -1;
    listing.uplinks = calloc(count + 1, sizeof(*listing.uplinks));
    seen.ids = calloc(count + 1, sizeof(*seen.ids));
    if (listing.uplinks == NULL || seen.ids == NULL)
        return error_no_memory(err);
    for (int counting = 0; counting <= 1; counting++)
        for (size_t i = 0; i < count; i++)
            if (look_at(&listing, &links[i], &seen, counting, err) < 0)
                return -1;
    name_incoming(&listing, links, count);
    if (listing.incoming_count > 0)
        qsort(listing.incoming, listing.incoming_count, sizeof(*listing.incoming),
              compare_incoming);
    *out = listing;
    listing = (struct fence_listing){0};
    return 0;
}
