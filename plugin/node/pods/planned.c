#include "node/pods/planned.h"

#include <string.h>

static int compare_guards(const void *a, const void *b)
{
    return guard_compare(a, b);
}

int planned_make(const struct survey *survey, struct planned *out, struct error *err)
{
    struct planned planned = {0};
    size_t room = 0;

    for (size_t i = 0; i < survey->count; i++)
        room += survey->attachments[i].plan.guard_count;
    planned.guards = calloc(room + 1, sizeof(*planned.guards));
    if (!planned.guards)
        return error_no_memory(err);
    for (size_t i = 0; i < survey->count; i++) {
        const struct plan *plan = &survey->attachments[i].plan;

        for (size_t j = 0; j < plan->guard_count; j++)
            planned.guards[planned.count++] = plan->guards[j];
    }
    qsort(planned.guards, planned.count, sizeof(*planned.guards), compare_guards);
    *out = planned;
    return 0;
}

void planned_free(struct planned *planned)
{
    free(planned->guards);
    *planned = (struct planned){0};
}

bool planned_have(const struct planned *planned, const struct guard *place)
{
    return bsearch(place, planned->guards, planned->count, sizeof(*planned->guards),
                   compare_guards) != NULL;
}
