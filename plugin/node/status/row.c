#include "node/status/row.h"

#include "guard/array.h"
#include "node/text.h"

#include <string.h>

int status_row_add(struct status *status, const struct owner *owner, const char *namespace,
                   const char *pod, struct status_row **out, struct error *err)
{
    struct status_row *row = array_add(&status->rows, &status->row_count);

    if (!row)
        return error_no_memory(err);
    *row = (struct status_row){
        .namespace = text_printable(namespace),
        .pod = text_printable(pod),
        .network = text_printable(owner->network),
        .container_id = text_printable(owner->container_id),
        .ifname = text_printable(owner->ifname),
        .reason = text_printable(""),
    };
    if (!row->namespace || !row->pod || !row->network || !row->container_id || !row->ifname ||
        !row->reason)
        return error_no_memory(err);
    *out = row;
    return 0;
}

static bool is_of(const struct status_row *row, const struct owner *owner)
{
    return strcmp(row->container_id, owner->container_id) == 0 &&
           strcmp(row->network, owner->network) == 0 && strcmp(row->ifname, owner->ifname) == 0;
}

struct status_row *status_row_last(const struct status *status, const struct owner *owner)
{
    struct status_row *last = status->row_count > 0 ? &status->rows[status->row_count - 1] : NULL;

    return last && is_of(last, owner) ? last : NULL;
}

struct status_row *status_row_find(const struct status *status, const struct owner *owner)
{
    for (size_t i = 0; i < status->row_count; i++)
        if (is_of(&status->rows[i], owner))
            return &status->rows[i];
    return NULL;
}

/* What differs in the family alone, as rules of iptables may, is one guard to a reader. */
static int add_guard(struct status_row *row, struct status_guard guard, struct error *err)
{
    struct status_guard *added;

    text_make_printable(guard.guard.interface);
    for (size_t i = 0; i < row->guard_count; i++) {
        struct status_guard *same = &row->guards[i];

        if (strcmp(same->guard.interface, guard.guard.interface) != 0 ||
            same->guard.verdict != guard.guard.verdict || same->backend != guard.backend)
            continue;
        same->families |= guard.families;
        same->packets += guard.packets;
        same->bytes += guard.bytes;
        return 0;
    }
    added = array_add(&row->guards, &row->guard_count);
    if (!added)
        return error_no_memory(err);
    *added = guard;
    return 0;
}

int status_row_add_held(struct status_row *row, const char *backend, const struct held *held,
                        struct error *err)
{
    const struct status_guard guard = {
        .guard = held->guard,
        .backend = backend,
        .families = held->families,
        .packets = held->packets,
        .bytes = held->bytes,
    };

    return add_guard(row, guard, err);
}

int status_row_add_wanted(struct status_row *row, const struct holdings *holdings,
                          const struct guard *wanted, struct error *err)
{
    const struct status_guard missing = {.guard = *wanted};
    bool held = false;

    for (size_t i = 0; i < BACKEND_COUNT; i++) {
        const struct holding *holding = &holdings->items[i];
        size_t count = 0;
        const struct held *there = listing_find(&holding->listing, wanted->interface, &count);

        for (size_t j = 0; j < count; j++)
            if (status_row_add_held(row, holding->backend->name, &there[j], err) < 0)
                return -1;
        held = held || count > 0;
    }
    return held ? 0 : add_guard(row, missing, err);
}

int status_row_judge(struct status_row *row, enum status_state state, const char *reason,
                     struct error *err)
{
    char *text = text_printable(reason);

    if (!text)
        return error_no_memory(err);
    free(row->reason);
    row->reason = text;
    row->state = state;
    return 0;
}

static int by_state_and_name(const void *left, const void *right)
{
    const struct status_row *a = left, *b = right;
    int order = (int)a->state - (int)b->state;

    order = order ? order : strcmp(a->namespace, b->namespace);
    order = order ? order : strcmp(a->pod, b->pod);
    order = order ? order : strcmp(a->container_id, b->container_id);
    order = order ? order : strcmp(a->ifname, b->ifname);
    return order ? order : strcmp(a->network, b->network);
}

void status_rows_sort(struct status *status)
{
    if (status->row_count > 0)
        qsort(status->rows, status->row_count, sizeof(*status->rows), by_state_and_name);
}
