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

/* What the maps say of one link, once an uplink, becomes one, in the order of links. */
static void merge_incoming(struct fence_listing *listing)
{
    struct fence_incoming *all = listing->incoming;
    size_t kept = 0;

    if (listing->incoming_count > 0)
        qsort(all, listing->incoming_count, sizeof(*all), compare_incoming);
    for (size_t i = 0; i < listing->incoming_count; i++) {
        struct fence_incoming next = all[i];

        if (kept > 0 && all[kept - 1].index == next.index) {
            kept--;
            next.stopped += all[kept].stopped;
            next.passed += all[kept].passed;
            next.verdict = next.known ? next.verdict : all[kept].verdict;
            next.known = next.known || all[kept].known;
        }
        all[kept++] = next;
    }
    listing->incoming_count = kept;
}

static int add_maps(struct fence_listing *listing, const struct maps *maps, struct error *err)
{
    cleanup(maps_contents) struct maps_contents known = {0};
    struct fence_incoming *incoming = NULL;

    if (maps_read(maps, &known, err) < 0)
        return -1;
    incoming = calloc(known.link_count + known.pair_count + 1, sizeof(*incoming));
    if (incoming == NULL)
        return error_no_memory(err);
    listing->incoming = incoming;
    for (size_t i = 0; i < known.link_count; i++)
        incoming[listing->incoming_count++] = (struct fence_incoming){
            .index = (int)known.links[i], .known = true, .verdict = known.verdicts[i]};
    for (size_t i = 0; i < known.pair_count; i++) {
        const struct count_key *key = &known.pairs[i];
        const struct fence_count *count = &known.counts[i];

        incoming[listing->incoming_count++] = (struct fence_incoming){
            .index = (int)key->incoming, .stopped = count->stopped, .passed = count->passed};
        for (size_t j = 0; j < listing->uplink_count; j++) {
            struct fence_uplink *uplink = &listing->uplinks[j];

            if ((uint32_t)uplink->index == key->outgoing) {
                uplink->stopped += count->stopped;
                uplink->passed += count->passed;
            }
        }
    }
    return 0;
}

static struct fence_incoming *find_incoming(const struct fence_listing *listing, int index)
{
    const struct fence_incoming wanted = {.index = index};

    return listing->incoming_count == 0
               ? NULL
               : bsearch(&wanted, listing->incoming, listing->incoming_count, sizeof(wanted),
                         compare_incoming);
}

/* --- where it stands ---------------------------------------------------------------------------- */

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

/* What stands on one link; `maps` are the first ones that a program uses. */
static int look_at(struct fence_listing *listing, const struct uplink *link, struct maps *maps,
                   struct error *err)
{
    cleanup(stand) struct stand stand = {0};
    struct fence_settings settings;

    if (stand_look(link, &stand, err) < 0)
        return -1;
    if (link->wanted || stand.place > 0)
        add_uplink(listing, link, &stand);
    listing->divided = listing->divided || stand.count > 1;
    if (maps_exist(maps) || !maps_exist(&stand.maps)) {
        listing->divided =
            listing->divided || (maps_exist(&stand.maps) && stand.maps.id != maps->id);
        return 0;
    }
    *maps = steal(&stand.maps);
    if (maps_settings(maps, &settings, err) < 0 ||
        maps_endpoints(maps, &listing->endpoints, &listing->endpoint_count, err) < 0)
        return -1;
    listing->endpoint_count = endpoints_normalise(listing->endpoints, listing->endpoint_count);
    listing->others = settings.others == VERDICT_PASS ? VERDICT_PASS : VERDICT_DROP;
    listing->stands = true;
    return 0;
}

int fence_list(const struct known_links *known, const struct terms *terms, const struct plan *plans,
               size_t plan_count, struct fence_listing *out, struct error *err)
{
    const struct stand nothing = {0};
    cleanup(fence_listing) struct fence_listing listing = {0};
    cleanup(free_memory) struct uplink *links = NULL;
    cleanup(maps) struct maps maps = {0};
    bool possible = stand_is_possible();
    size_t count = 0;

    if (uplinks_of_node(known, terms, plans, plan_count, &links, &count, err) < 0)
        return -1;
    listing.uplinks = calloc(count + 1, sizeof(*listing.uplinks));
    if (listing.uplinks == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < count; i++) {
        if (possible && look_at(&listing, &links[i], &maps, err) < 0)
            return -1;
        if (!possible && links[i].wanted)
            add_uplink(&listing, &links[i], &nothing);
    }
    if (maps_exist(&maps) && add_maps(&listing, &maps, err) < 0)
        return -1;
    merge_incoming(&listing);
    for (size_t i = 0; i < count; i++) {
        struct fence_incoming *incoming = find_incoming(&listing, links[i].index);

        if (incoming != NULL)
            memcpy(incoming->name, links[i].name, sizeof(links[i].name));
    }
    *out = steal(&listing);
    return 0;
}

/* --- whether it is right ------------------------------------------------------------------------ */

/* Its terms, and that what it knows of links is what the plans say, and of no link that is gone. */
bool fence_is_right(const struct fence_listing *listing, const struct terms *terms,
                    const struct plan *plans, size_t plan_count)
{
    if (!listing->stands || listing->divided || !fence_stands(listing) ||
        listing->others != maps_verdict(terms->others) ||
        listing->endpoint_count != terms->endpoint_count ||
        memcmp(listing->endpoints, terms->endpoints,
               terms->endpoint_count * sizeof(*terms->endpoints)) != 0)
        return false;
    for (size_t i = 0; i < listing->incoming_count; i++)
        if (listing->incoming[i].index != 0 && listing->incoming[i].name[0] == '\0')
            return false;
    for (size_t i = 0; i < plan_count; i++)
        for (size_t j = 0; j < plans[i].guard_count; j++) {
            const struct guard *guard = &plans[i].guards[j];
            const struct fence_incoming *incoming = find_incoming(listing, guard->index);

            if (incoming == NULL || !incoming->known ||
                incoming->verdict != maps_verdict(guard->verdict))
                return false;
        }
    return true;
}
