#include "cni/response.h"
#include "cni/verbs.h"
#include "kernel/backends.h"

/*
 * The runtime will not start the pod: what ADD has made so far only stands in the way of the next
 * one. If even this fails, a guard is left, which is the harmless side; the error that is reported
 * stays the first.
 */
static void undo(const struct request *request, const struct terms *terms)
{
    struct error ignored;

    if (guards_remove_owner(&request->attachment.owner, NULL, 0, terms, &ignored) != 0)
        return;
}

int verb_add(const struct request *request, FILE *out, struct error *err)
{
    cleanup(plan) struct plan plan = {0};
    struct terms terms = terms_of(&request->config);

    if (verb_plan(request, &plan, err) != 0)
        return -1;
    if (plan.guard_count == 0) /* host networking: nothing to guard, nothing to undo */
        return response_result(out, request->prev_result, err);
    if (guards_apply(backend_choose(request->config.backend), &plan, 1, &terms, err) != 0 ||
        response_result(out, request->prev_result, err) != 0) {
        undo(request, &terms);
        return -1;
    }
    return 0;
}
