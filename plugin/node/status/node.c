#include "node/status/row.h"

#include "kernel/backends.h"
#include "node/pods/unchained.h"

enum status_exit status_judge_others(const struct settings *settings,
                                     const struct holdings *holdings, struct error *why)
{
    const struct terms terms = settings_terms(settings);
    const enum verdict verdict = holdings_others(holdings);

    if (verdict == terms.others)
        return STATUS_IN_FORCE;
    if (guards_probe_as(&settings->config, &terms, why) == 0)
        error_set(why, ERROR_GUARD_MISSING, "run imds-guard sync");
    error_context(why, "the verdict for interfaces without a guard is %s, not %s as configured",
                  verdict_name(verdict), verdict_name(terms.others));
    return STATUS_WRONG;
}

static enum status_exit judge_rules(const struct settings *settings, struct error *why)
{
    const struct terms terms = settings_terms(settings);
    cleanup(holdings) struct holdings holdings = {0};

    if (holdings_gather(&terms, &holdings, why) < 0)
        return STATUS_UNKNOWN;
    if (status_judge_others(settings, &holdings, why) == STATUS_IN_FORCE)
        return STATUS_IN_FORCE;
    for (size_t i = 0; i < BACKEND_COUNT; i++)
        if (holdings.items[i].unread) {
            error_set(why, ERROR_KERNEL, "cannot tell what rules there are: %s",
                      holdings.items[i].unread);
            return STATUS_UNKNOWN;
        }
    return STATUS_WRONG;
}

enum status_exit status_of_node(const struct status_options *options, struct error *why)
{
    cleanup(settings) struct settings settings = {0};
    cleanup(cache) struct cache cache = {0};

    if (settings_load(&options->sources, &settings, why) < 0)
        return STATUS_UNKNOWN;
    if (settings.unchained || settings.remembered) {
        error_set(why, ERROR_NOT_AVAILABLE, "pods that start now are not guarded by name: %s",
                  settings.problems.count > 0 ? settings.problems.items[0].text : settings.path);
        return STATUS_WRONG;
    }
    /* Of pods, only whether the one that started last shows that our entry is not read. */
    if (settings.drop_in &&
        cache_read(options->results_dir, NULL, &settings.config, NULL, NULL, &cache, why) < 0)
        return STATUS_UNKNOWN;
    if (settings.drop_in && drop_in_unread(&settings, &cache)) {
        error_set(why, ERROR_NOT_AVAILABLE,
                  "pods that start now are not guarded by name: %s " DROP_IN_UNREAD,
                  settings.drop_in);
        return STATUS_WRONG;
    }
    return judge_rules(&settings, why);
}
