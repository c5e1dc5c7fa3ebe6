#include "kernel/iptables/edits.h"

#include "guard/array.h"

void iptables_edits_add(struct edits *edits, enum edit_kind kind, const char *chain,
                        size_t position, const struct rule *rule)
{
    struct edit *edit = array_add(&edits->items, &edits->count);

    if (!edit) {
        edits->incomplete = true;
        return;
    }
    *edit = (struct edit){.kind = kind, .chain = chain, .position = position};
    if (rule)
        edit->rule = *rule;
}

int iptables_edits_complete(const struct edits *edits, struct error *err)
{
    return edits->incomplete ? error_no_memory(err) : 0;
}

void iptables_edits_free(struct edits *edits)
{
    free(edits->items);
    *edits = (struct edits){0};
}
