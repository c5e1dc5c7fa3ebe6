#include "cni/verbs.h"
#include "kernel/backends.h"
#include "kernel/fence/fence.h"

int verb_status(const struct request *request, FILE *out, FILE *log, struct error *err)
{
    struct terms terms = terms_of(&request->config);
    const enum exit_fence fence = request->config.exit_fence;
    struct error why;

    (void)out;
    /* Also where others pass: what pods may be denied with is what the kernel must be able to. */
    if (request->config.mode == MODE_ENFORCE)
        terms.others = request->config.deny;
    if (fence != EXIT_FENCE_OFF && fence_probe(&why) != 0) {
        if (fence == EXIT_FENCE_REQUIRE) {
            *err = why;
            err->code = ERROR_NOT_AVAILABLE;
            return error_context(err, "exitFence is \"require\"");
        }
        fprintf(log, "imds-guard: STATUS: pods are guarded, but without an exit fence: %s\n",
                why.msg);
    }
    if (verb_leave_fence(request, err) != 0)
        return -1;
    if (guards_probe_as(&request->config, &terms, err) == 0)
        return 0;
    err->code = ERROR_NOT_AVAILABLE;
    return error_context(err, "pods cannot be guarded");
}
