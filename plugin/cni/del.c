#include "cni/verbs.h"
#include "kernel/backends.h"

int verb_del(const struct request *request, FILE *out, FILE *log, struct error *err)
{
    cleanup(questions) struct questions likely = {0};
    struct terms terms = terms_of(&request->config);
    struct error ignored;

    (void)out, (void)log;
    if (!owner_fits(&request->attachment.owner))
        return 0; /* no ADD can have succeeded for it */
    if (verb_prune_fence(request, err) != 0)
        return -1;
    /* Where ADD would look in the host is where its guards are likely; only a hint, so it
     * may fail. */
    if (request->has_prev_result && plan_questions(&request->attachment, &likely, &ignored) != 0)
        likely = (struct questions){0};
    return guards_remove_owner(&request->attachment.owner,
                               likely.host_count > 0 ? likely.host : NULL, likely.host_count,
                               &terms, err);
}
