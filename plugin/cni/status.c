#include "cni/verbs.h"
#include "kernel/backends.h"

int verb_status(const struct request *request, FILE *out, struct error *err)
{
    const struct backend *backend = backend_choose(&request->config);
    struct terms terms = terms_of(&request->config);
    bool present;

    (void)out;
    if (backend->probe(&terms, &present, err) == 0)
        return 0;
    err->code = ERROR_NOT_AVAILABLE;
    return error_context(err, "pods cannot be guarded with %s", backend->name);
}
