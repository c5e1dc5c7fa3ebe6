#include "cni/exit_fence.h"
#include "cni/verbs.h"
#include "kernel/backends.h"

int verb_status(const struct request *request, FILE *out, FILE *log, struct error *err)
{
    struct terms terms = terms_of(&request->config);

    (void)out;
    /* Also where others pass: what pods may be denied with is what the kernel must be able to. */
    if (request->config.mode == MODE_ENFORCE)
        terms.others = request->config.deny;
    if (exit_fence_status(request, log, err) != 0)
        return -1;
    if (guards_probe_as(&request->config, &terms, err) == 0)
        return 0;
    err->code = ERROR_NOT_AVAILABLE;
    return error_context(err, "pods cannot be guarded");
}
