#include "cni/response.h"
#include "cni/verbs.h"

/*
 * Standard input is not read: the answer is the same whatever version the runtime writes there, and
 * a person who asks has nothing to write.
 */
int verb_version(const struct request *request, FILE *out, FILE *log, struct error *err)
{
    (void)request, (void)log;
    return response_version(out, err);
}
