#include "cni/verbs.h"
#include "kernel/backends.h"

/* Where no guard can be made, that is what to mend, and not the pod; it is what ADD and STATUS say. */
static int explain(const struct request *request, const struct terms *terms, struct error *err)
{
    struct error why;

    if (err->code == ERROR_GUARD_MISSING && guards_probe_as(&request->config, terms, &why) < 0)
        *err = why;
    return -1;
}

int verb_check(const struct request *request, FILE *out, struct error *err)
{
    cleanup(plan) struct plan plan = {0};
    struct terms terms = terms_of(&request->config);

    (void)out;
    if (verb_plan(request, &plan, err) != 0)
        return -1;
    if (plan.guard_count == 0 || guards_check(&plan, &terms, err) == 0) /* none: host networking */
        return 0;
    return explain(request, &terms, err);
}
