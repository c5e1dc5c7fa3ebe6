#include "kernel/check.h"

#include <string.h>

static bool is_at(const struct held *held, const struct guard *guard)
{
    return held->guard.direction == guard->direction &&
           strcmp(held->guard.interface, guard->interface) == 0;
}

static const char *families_text(unsigned families)
{
    switch (families) {
    case FAMILY_IPV4:
        return "IPv4";
    case FAMILY_IPV6:
        return "IPv6";
    default:
        return "IPv4 and IPv6";
    }
}

/* Judges one held guard at the place of a planned one; adds to *families where it is as planned. */
static size_t check_held(const struct guard *guard, const char *tag, const char *backend,
                         const struct held *held, unsigned *families, struct error *findings)
{
    size_t wrong = 0;

    if (held->guard.verdict != guard->verdict) {
        error_details(findings, "%s: %s (%s) has verdict %s, not %s, in %s", backend,
                      guard->interface, direction_name(guard->direction),
                      verdict_name(held->guard.verdict), verdict_name(guard->verdict),
                      families_text(held->families));
        wrong++;
    }
    if (!tags_have_same_owner(held->tag, tag)) {
        error_details(findings, "%s: %s (%s) belongs to %s, in %s", backend, guard->interface,
                      direction_name(guard->direction),
                      held->tag[0] != '\0' ? held->tag : "nobody (it has no tag)",
                      families_text(held->families));
        wrong++;
    }
    *families |= held->families;
    return wrong;
}

static size_t check_guard(const struct guard *guard, const char *tag, const char *backend,
                          const struct listing *listing, struct check *check,
                          struct error *findings)
{
    unsigned families = 0;
    size_t wrong = 0;

    for (size_t i = 0; i < listing->held_count; i++) {
        if (!is_at(&listing->held[i], guard))
            continue;
        check->held++;
        wrong += check_held(guard, tag, backend, &listing->held[i], &families, findings);
    }
    unsigned missing = listing->families & ~families;
    if (missing != 0 || families == 0) {
        error_details(findings, "%s: %s (%s) is not guarded in %s", backend, guard->interface,
                      direction_name(guard->direction), families_text(missing));
        wrong++;
    }
    return wrong;
}

struct check check_plan(const struct plan *plan, const char *backend, const struct listing *listing,
                        struct error *findings)
{
    struct check check = {0};

    for (size_t i = 0; i < plan->guard_count; i++)
        check.wrong += check_guard(&plan->guards[i], plan->tag, backend, listing, &check, findings);
    for (size_t i = 0; i < listing->fault_count; i++)
        error_details(findings, "%s: %s", backend, listing->faults[i]);
    check.wrong += listing->fault_count;
    return check;
}

size_t check_contradictions(const struct plan *plan, const char *backend,
                            const struct listing *listing, struct error *findings)
{
    size_t found = 0;

    for (size_t i = 0; i < plan->guard_count; i++) {
        const struct guard *guard = &plan->guards[i];

        for (size_t j = 0; j < listing->held_count; j++) {
            const struct held *held = &listing->held[j];

            if (guard->verdict == VERDICT_DROP || held->guard.verdict != VERDICT_DROP ||
                !is_at(held, guard))
                continue;
            error_details(findings, "%s: %s (%s) drops, but should only count; it belongs to %s",
                          backend, guard->interface, direction_name(guard->direction),
                          held->tag[0] != '\0' ? held->tag : "nobody (it has no tag)");
            found++;
        }
    }
    return found;
}
