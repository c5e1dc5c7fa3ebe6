#include "cni/response.h"
#include "cni/verbs.h"
#include "kernel/backends.h"

/*
 * The runtime will not start the pod: what ADD has made so far only stands in the way of the next
 * one. Not so where a guard stood before: it may be a running pod's, whose ADD is repeated, or who
 * had the interface until now. Then all that stands is left, and so it is if even this fails: a
 * guard too many is the harmless side. The error that is reported stays the first.
 */
static void undo(const struct plan *plan, const struct terms *terms)
{
    struct error ignored;

    if (guards_undo(plan, terms, &ignored) != 0)
        return;
}

int verb_add(const struct request *request, FILE *out, struct error *err)
{
    cleanup(plan) struct plan plan = {0};
    struct terms terms = terms_of(&request->config);
    bool first = false;

    if (verb_plan(request, &plan, err) != 0)
        return -1;
    if (plan.guard_count == 0) /* host networking: nothing to guard, nothing to undo */
        return response_result(out, request->prev_result, err);
    if (guards_apply(backend_choose(request->config.backend), &plan, 1, &terms, &first, err) != 0 ||
        response_result(out, request->prev_result, err) != 0) {
        if (first)
            undo(&plan, &terms);
        return -1;
    }
    return 0;
}
