#include "node/status/row.h"

#include <string.h>

bool status_fence_knows_sockets(const struct status_fence *fence)
{
    for (size_t i = 0; i < fence->listing.uplink_count; i++)
        if (!fence->listing.uplinks[i].sockets)
            return false;
    return fence->stands;
}

int status_add_fence(struct status *status, const struct settings *settings,
                     const struct survey *survey, struct error *err)
{
    const struct terms terms = settings_terms(settings);
    struct status_fence *fence = &status->fence;
    cleanup(free_memory) struct plan *plans = NULL;
    const char *wrong = "any link";
    struct error why = {0};
    size_t count = 0;

    fence->wanted = settings->network ? settings->config.exit_fence : EXIT_FENCE_OFF;
    if (survey_plans(survey, &plans, &count, err) < 0)
        return -1;
    if (fence_list(&survey->links, &terms, plans, count, &fence->listing, &why) == 0)
        fence->stands = fence->listing.stands && fence_stands(&fence->listing);
    else if (!(fence->reason = strdup(why.msg)))
        return error_no_memory(err);
    if (fence->stands || fence->wanted == EXIT_FENCE_OFF)
        return 0;
    if (!fence->reason) {
        for (size_t i = 0; i < fence->listing.uplink_count; i++)
            if (!fence_uplink_is_right(&fence->listing.uplinks[i]))
                wrong = fence->listing.uplinks[i].name;
        if (fence_probe(&why) == 0)
            error_set(&why, ERROR_KERNEL,
                      "it is not first on %s, or of another version: run imds-guard sync", wrong);
        fence->reason = strdup(why.msg);
        if (!fence->reason)
            return error_no_memory(err);
    }
    fence->missing = fence->wanted == EXIT_FENCE_REQUIRE;
    if (fence->missing)
        notes_add(&status->problems, NOTE_PROBLEM,
                  "exitFence is \"require\", and it does not stand: %s", fence->reason);
    return 0;
}
