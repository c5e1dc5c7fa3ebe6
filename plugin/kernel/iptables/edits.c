#include "kernel/iptables/edits.h"

#include "guard/array.h"

int iptables_edits_add(struct edits *edits, enum edit_kind kind, const char *chain, size_t position,
                       const struct rule *rule, struct error *err)
{
    struct edit *edit = array_add(&edits->items, &edits->count);

    if (!edit)
        return error_no_memory(err);
    *edit = (struct edit){.kind = kind, .chain = chain, .position = position};
    if (rule)
        edit->rule = *rule;
    return 0;
}

void iptables_edits_free(struct edits *edits)
{
    free(edits->items);
    *edits = (struct edits){0};
}
