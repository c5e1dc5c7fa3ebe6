#include "cni/verbs.h"
#include "kernel/backends.h"
#include "kernel/fence/fence.h"

/* Both are looked at, and of two that are wrong the guards are told of: they are the first line. */
int verb_check(const struct request *request, FILE *out, FILE *log, struct error *err)
{
    cleanup(plan) struct plan plan = {0};
    struct terms terms = terms_of(&request->config);
    const enum exit_fence fence = request->config.exit_fence;
    struct error why, obstacle, weak = {0};

    (void)out, (void)log;
    if (verb_plan(request, &plan, err) != 0)
        return -1;
    if (plan.guard_count == 0) /* host networking */
        return 0;
    if (fence != EXIT_FENCE_OFF && fence_check(&terms, &plan, &why) != 0 &&
        (fence == EXIT_FENCE_REQUIRE || fence_probe(&obstacle) == 0))
        weak = why;
    if (verb_leave_fence(request, err) != 0)
        return -1;
    if (guards_check(&plan, &terms, err) != 0) {
        /* Where no guard can be made, that is what to mend, and not the pod; ADD and STATUS say so. */
        if (err->code == ERROR_GUARD_MISSING && guards_probe_as(&request->config, &terms, &why) < 0)
            *err = why;
        return -1;
    }
    if (weak.code == ERROR_NONE)
        return 0;
    *err = weak;
    return -1;
}
