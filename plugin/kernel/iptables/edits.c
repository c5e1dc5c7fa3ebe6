#include "kernel/iptables/edits.h"

int iptables_edits_add(struct edits *edits, enum edit_kind kind, const char *chain, size_t position,
                       const struct rule *rule, struct error *err)
{
    struct edit *edit;

    if (edits->count == edits->capacity) {
        size_t capacity = edits->capacity ? edits->capacity * 2 : 8;
        struct edit *items = reallocarray(edits->items, capacity, sizeof(*items));

        if (!items)
            return error_no_memory(err);
        edits->items = items;
        edits->capacity = capacity;
    }
    edit = &edits->items[edits->count++];
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
