#include "cni/exit_fence.h"

#include "kernel/backends.h"
#include "kernel/fence/fence.h"
#include "kernel/privileges.h"

uint64_t exit_fence_privileges(const struct request *request)
{
    return request->config.exit_fence == EXIT_FENCE_OFF ? PRIVILEGES_RULES : PRIVILEGES_FENCE;
}

int exit_fence_add(const struct request *request, const struct plan *plan, struct error *err)
{
    const enum exit_fence wanted = request->config.exit_fence;
    const struct terms terms = terms_of(&request->config);
    struct error why;

    if (wanted == EXIT_FENCE_OFF)
        return 0;
    if (fence_add(&terms, plan, &why) != 0 && wanted == EXIT_FENCE_REQUIRE) {
        *err = why;
        return error_context(err, "exitFence is \"require\"");
    }
    return privileges_keep(PRIVILEGES_RULES, err);
}

int exit_fence_check(const struct request *request, const struct plan *plan, struct error *weak,
                     struct error *err)
{
    const enum exit_fence wanted = request->config.exit_fence;
    const struct terms terms = terms_of(&request->config);
    struct error why;
    struct error obstacle;

    if (wanted == EXIT_FENCE_OFF)
        return 0;
    if (fence_check(&terms, plan, &why) != 0 &&
        (wanted == EXIT_FENCE_REQUIRE || fence_probe(&obstacle) == 0))
        *weak = why;
    return privileges_keep(PRIVILEGES_RULES, err);
}

int exit_fence_prune(const struct request *request, struct error *err)
{
    const struct terms terms = terms_of(&request->config);
    struct error unused;

    if (request->config.exit_fence == EXIT_FENCE_OFF)
        return 0;
    (void)!fence_prune(&terms, &unused); /* who is left there goes with the next one that is gone */
    return privileges_keep(PRIVILEGES_RULES, err);
}

int exit_fence_status(const struct request *request, FILE *log, struct error *err)
{
    const enum exit_fence wanted = request->config.exit_fence;
    struct error why;

    if (wanted == EXIT_FENCE_OFF)
        return 0;
    if (fence_probe(&why) != 0) {
        if (wanted == EXIT_FENCE_REQUIRE) {
            *err = why;
            err->code = ERROR_NOT_AVAILABLE;
            return error_context(err, "exitFence is \"require\"");
        }
        fprintf(log, "imds-guard: STATUS: pods are guarded, but without an exit fence: %s\n",
                why.msg);
    }
    return privileges_keep(PRIVILEGES_RULES, err);
}
