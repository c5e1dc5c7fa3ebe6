/*
 * Who an interface belongs to. `x` is the sandbox that is going, `y` the one that has come.
 */
#include "node/pods/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MAX 4

/* A world made by hand: attachments with their facts, and what one backend holds. */
struct world {
    struct survey survey;
    struct cached_attachment cached[MAX];
    struct surveyed surveyed[MAX];
    struct result_interface interfaces[MAX];
    struct pod_link pods[MAX];
    struct holding holding;
    char links[MAX][INTERFACE_NAME_SIZE];
};

static void make_world(struct world *world)
{
    memset(world, 0, sizeof(*world));
    world->holding.listing.families = FAMILY_IPV4 | FAMILY_IPV6;
    world->survey.attachments = world->surveyed;
    world->survey.cache.attachments = world->cached;
    world->survey.holdings = (struct holdings){.items = &world->holding, .count = 1};
    world->survey.links = world->links;
}

static void free_world(struct world *world)
{
    for (size_t i = 0; i < world->survey.count; i++)
        free(world->surveyed[i].plan.guards);
    listing_free(&world->holding.listing);
}

enum { NAMED = 1, PEER = 2 };

/* Containers are added in the order of their ids, as the cache has them.
 * A living attachment whose plan has `interface`, because of its result, or of a peer, or both. */
static struct surveyed *add(struct world *world, const char *container, const char *interface,
                            int because)
{
    size_t at = world->survey.count++;
    struct cached_attachment *cached = &world->cached[at];
    struct surveyed *surveyed = &world->surveyed[at];
    struct owner owner = {"aws-cni", container, "eth0"};

    world->interfaces[at] = (struct result_interface){interface, "", ""};
    cached->attachment.owner = owner;
    if (because & NAMED)
        cached->attachment.result = (struct result){&world->interfaces[at], 1};
    surveyed->cached = cached;
    surveyed->state = ATTACHMENT_PLANNED;
    if (because & PEER) {
        world->pods[at].host_peer.index = 7;
        strcpy(world->pods[at].host_peer.name, interface);
        surveyed->facts.pod = &world->pods[at];
        surveyed->facts.pod_count = 1;
    }
    surveyed->plan.guards = calloc(1, sizeof(struct guard));
    strcpy(surveyed->plan.guards[0].interface, interface);
    surveyed->plan.guard_count = 1;
    tag_write(&owner, 1, NULL, NULL, surveyed->plan.tag);
    return surveyed;
}

static void hold(struct world *world, const char *container, const char *interface)
{
    struct owner owner = {"aws-cni", container, "eth0"};
    struct held held = {.families = FAMILY_IPV4 | FAMILY_IPV6};

    strcpy(held.guard.interface, interface);
    tag_write(&owner, 1, NULL, NULL, held.tag);
    assert_true(listing_add(&world->holding.listing, &held));
}

static void add_link(struct world *world, const char *name)
{
    strcpy(world->links[world->survey.link_count++], name);
}

static void settle(struct world *world)
{
    struct listing *listing = &world->holding.listing;
    struct error err = {0};

    if (listing->held_count > 0)
        qsort(listing->held, listing->held_count, sizeof(*listing->held), held_compare);
    assert_int_equal(claims_settle(&world->survey, &err), 0);
}

static void expect(struct world *world, size_t at, enum attachment_state state)
{
    assert_int_equal(world->surveyed[at].state, state);
    assert_int_equal(world->surveyed[at].plan.guard_count, state == ATTACHMENT_PLANNED ? 1 : 0);
}

static void one_pod_has_what_its_result_names(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", NAMED | PEER);
    settle(&world);
    expect(&world, 0, ATTACHMENT_PLANNED);
    free_world(&world);
}

/* The pod has renamed its eth0: nothing proves its claim, and nothing speaks against it. */
static void a_name_will_do_where_nobody_else_claims(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", NAMED);
    settle(&world);
    expect(&world, 0, ATTACHMENT_PLANNED);
    free_world(&world);
}

static void a_successor_in_the_cache_wins(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", NAMED);
    add(&world, "y", "eni1", NAMED | PEER);
    settle(&world);
    expect(&world, 0, ATTACHMENT_REPLACED);
    expect(&world, 1, ATTACHMENT_PLANNED);
    free_world(&world);
}

static void a_successor_wins_even_where_the_old_one_holds_the_guard(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", NAMED);
    add(&world, "y", "eni1", NAMED | PEER);
    hold(&world, "x", "eni1");
    add_link(&world, "eni1");
    settle(&world);
    expect(&world, 0, ATTACHMENT_REPLACED);
    expect(&world, 1, ATTACHMENT_PLANNED);
    free_world(&world);
}

/* Its ADD has set the guard, and the runtime has not written the cache yet. */
static void a_successor_that_is_not_cached_yet_wins(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", NAMED);
    hold(&world, "y", "eni1");
    add_link(&world, "eni1");
    settle(&world);
    expect(&world, 0, ATTACHMENT_REPLACED);
    free_world(&world);
}

/* Created while the chain had no imds-guard; its predecessor's DEL is still to come. */
/* Its ADD is between the two tables of the iptables backend. */
static void a_successor_that_holds_one_family_so_far_wins(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", NAMED);
    hold(&world, "y", "eni1");
    hold(&world, "x", "eni1");
    world.holding.listing.held[0].families = FAMILY_IPV4;
    world.holding.listing.held[1].families = FAMILY_IPV6;
    add_link(&world, "eni1");
    settle(&world);
    expect(&world, 0, ATTACHMENT_REPLACED);
    free_world(&world);
}

static void a_proven_claim_takes_over_from_an_owner_nobody_knows(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "y", "eni1", NAMED | PEER);
    hold(&world, "x", "eni1");
    add_link(&world, "eni1");
    settle(&world);
    expect(&world, 0, ATTACHMENT_PLANNED);
    free_world(&world);
}

static void an_owner_whose_pod_is_gone_claims_nothing(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", NAMED)->state = ATTACHMENT_GONE;
    world.surveyed[0].plan.guard_count = 0;
    add(&world, "y", "eni1", NAMED);
    hold(&world, "x", "eni1");
    add_link(&world, "eni1");
    settle(&world);
    expect(&world, 1, ATTACHMENT_PLANNED);
    free_world(&world);
}

/* x's process is gone, and its number is now that of one of y's: x's netns path leads to
 * y's pod. */
static void a_recycled_namespace_takes_nothing(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni2", PEER);
    hold(&world, "y", "eni2");
    add_link(&world, "eni2");
    settle(&world);
    expect(&world, 0, ATTACHMENT_REPLACED);
    free_world(&world);

    make_world(&world);
    add(&world, "x", "eni2", PEER);
    add(&world, "y", "eni2", NAMED | PEER);
    hold(&world, "x", "eni2"); /* even if it was taken before */
    add_link(&world, "eni2");
    settle(&world);
    expect(&world, 0, ATTACHMENT_REPLACED);
    expect(&world, 1, ATTACHMENT_PLANNED);
    free_world(&world);
}

static void of_equal_claims_the_later_written_wins(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", PEER);
    add(&world, "y", "eni1", PEER);
    world.cached[0].written.tv_nsec = 1;
    world.cached[1].written.tv_nsec = 2;
    settle(&world);
    expect(&world, 0, ATTACHMENT_REPLACED);
    expect(&world, 1, ATTACHMENT_PLANNED);
    free_world(&world);
}

/* What stands on an interface that exists stays, though the plan has no reason for it any more. */
static void what_is_held_on_a_living_interface_is_kept(void **state)
{
    struct world world;

    (void)state;
    make_world(&world);
    add(&world, "x", "eni1", NAMED | PEER);
    hold(&world, "x", "eni1");
    hold(&world, "x", "veth9");
    hold(&world, "x", "gone9");
    add_link(&world, "eni1");
    add_link(&world, "veth9");
    settle(&world);
    assert_int_equal(world.surveyed[0].plan.guard_count, 2);
    assert_string_equal(world.surveyed[0].plan.guards[1].interface, "veth9");
    assert_int_equal(tag_guards(world.surveyed[0].plan.tag), 2);
    free_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_pod_has_what_its_result_names),
        cmocka_unit_test(a_name_will_do_where_nobody_else_claims),
        cmocka_unit_test(a_successor_in_the_cache_wins),
        cmocka_unit_test(a_successor_wins_even_where_the_old_one_holds_the_guard),
        cmocka_unit_test(a_successor_that_is_not_cached_yet_wins),
        cmocka_unit_test(a_successor_that_holds_one_family_so_far_wins),
        cmocka_unit_test(a_proven_claim_takes_over_from_an_owner_nobody_knows),
        cmocka_unit_test(an_owner_whose_pod_is_gone_claims_nothing),
        cmocka_unit_test(a_recycled_namespace_takes_nothing),
        cmocka_unit_test(of_equal_claims_the_later_written_wins),
        cmocka_unit_test(what_is_held_on_a_living_interface_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
