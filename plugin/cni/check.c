#include "cni/verbs.h"
#include "kernel/backends.h"

int verb_check(const struct request *request, FILE *out, struct error *err)
{
    cleanup(plan) struct plan plan = {0};
    struct terms terms = terms_of(&request->config);

    (void)out;
    if (verb_plan(request, &plan, err) != 0)
        return -1;
    return plan.guard_count == 0 ? 0 : guards_check(&plan, &terms, err); /* 0: host networking */
}
