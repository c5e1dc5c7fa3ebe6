#include "cni/verbs.h"
#include "kernel/backends.h"
#include "kernel/links/links.h"

#include <string.h>

/*
 * Of this network, not valid, and on an interface that nothing can come through any more. The
 * kernel is asked at the last moment, when the backend has already read the guard: an interface
 * that an ADD makes while we work must not be missing from a list taken earlier.
 */
static bool goes(const struct held *held, const void *context)
{
    const struct request *request = context;
    struct tag tag;

    if (!tag_parse(held->tag, &tag) ||
        strcmp(tag.owner.network, request->attachment.owner.network) != 0)
        return false;
    for (size_t i = 0; i < request->valid_count; i++)
        if (owner_compare(&request->valid[i], &tag.owner) == 0)
            return false;
    return !link_exists(held->guard.interface);
}

int verb_gc(const struct request *request, FILE *out, FILE *log, struct error *err)
{
    struct terms terms = terms_of(&request->config);
    struct selection selection = {.goes = goes, .context = request};

    (void)out, (void)log;
    if (verb_prune_fence(request, err) != 0)
        return -1;
    return guards_remove(&selection, &terms, NULL, err);
}
