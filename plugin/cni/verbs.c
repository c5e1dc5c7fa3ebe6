#include "cni/verbs.h"

#include "kernel/fence/fence.h"
#include "kernel/links/links.h"
#include "kernel/privileges.h"

uint64_t verb_privileges(const struct request *request)
{
    return request->config.exit_fence == EXIT_FENCE_OFF ? PRIVILEGES_RULES : PRIVILEGES_FENCE;
}

int verb_plan(const struct request *request, struct plan *plan, struct error *err)
{
    cleanup(look) struct look look = {.netns = request->attachment.netns, .error = err};

    if (plan_questions(&request->attachment, &look.questions, err) != 0 ||
        links_look(NULL, &look, 1) != 0 ||
        privileges_keep(verb_privileges(request), err) != 0) /* nobody looks into pods any more */
        return -1;
    return plan_make(&request->attachment, &request->config, &look.facts, false, plan, err);
}

int verb_leave_fence(const struct request *request, struct error *err)
{
    return request->config.exit_fence == EXIT_FENCE_OFF ? 0
                                                        : privileges_keep(PRIVILEGES_RULES, err);
}

int verb_prune_fence(const struct request *request, struct error *err)
{
    const struct terms terms = terms_of(&request->config);
    struct error unused;

    if (request->config.exit_fence != EXIT_FENCE_OFF)
        (void)!fence_prune(&terms, &unused);
    return verb_leave_fence(request, err);
}
