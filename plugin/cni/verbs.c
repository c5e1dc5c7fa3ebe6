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
    cleanup(questions) struct questions questions = {0};
    cleanup(facts) struct facts facts = {0};

    if (plan_questions(&request->attachment, &questions, err) != 0 ||
        links_gather(&questions, request->attachment.netns, &facts, err) != 0 ||
        privileges_keep(verb_privileges(request), err) != 0) /* nobody enters the pod any more */
        return -1;
    return plan_make(&request->attachment, &request->config, &facts, false, plan, err);
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
