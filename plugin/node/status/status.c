#include "node/status/status.h"

#include "node/status/row.h"

void status_row_free(struct status_row *row)
{
    free(row->namespace);
    free(row->pod);
    free(row->network);
    free(row->container_id);
    free(row->ifname);
    free(row->reason);
    free(row->guards);
}

void status_free(struct status *status)
{
    for (size_t i = 0; i < status->row_count; i++)
        status_row_free(&status->rows[i]);
    free(status->rows);
    free(status->network);
    free(status->fence.reason);
    fence_listing_free(&status->fence.listing);
    notes_free(&status->problems);
    *status = (struct status){0};
}

size_t status_count(const struct status *status, enum status_state state)
{
    size_t count = 0;

    for (size_t i = 0; i < status->row_count; i++)
        count += status->rows[i].state == state;
    return count;
}

enum status_exit status_exit_code(const struct status *status)
{
    if (status->others_wrong || status->fence.missing ||
        status_count(status, STATUS_STATE_OPEN) > 0 || status_count(status, STATUS_STATE_WRONG) > 0)
        return STATUS_WRONG;
    return status->complete ? STATUS_IN_FORCE : STATUS_UNKNOWN;
}

const char *status_state_name(enum status_state state)
{
    static const char *const names[] = {
        [STATUS_STATE_GUARDED] = "guarded",   [STATUS_STATE_DETACHED] = "detached",
        [STATUS_STATE_LEFTOVER] = "leftover", [STATUS_STATE_UNGUARDED] = "unguarded",
        [STATUS_STATE_WRONG] = "wrong",       [STATUS_STATE_OPEN] = "open",
    };

    return names[state];
}
