#include "cni/verbs.h"

#include "cni/exit_fence.h"
#include "kernel/links/links.h"
#include "kernel/privileges.h"

int verb_plan(const struct request *request, struct plan *plan, struct error *err)
{
    cleanup(questions) struct questions questions = {0};
    cleanup(facts) struct facts facts = {0};

    if (plan_questions(&request->attachment, &questions, err) != 0 ||
        links_gather(&questions, request->attachment.netns, &facts, err) != 0 ||
        privileges_keep(exit_fence_privileges(request), err) !=
            0) /* nobody enters the pod any more */
        return -1;
    return plan_make(&request->attachment, &request->config, &facts, false, plan, err);
}
