#include "guard/cleanup.h"
#include "kernel/clock.h"
#include "kernel/fence/fence.h"
#include "node/pods/cache.h"
#include "node/pods/in_force.h"
#include "node/watch/state.h"

#include <malloc.h>

#define FAILED_PAUSE_MS 1000 /* before the next look: what has failed may fail again */

static void cleanup_known(struct known *known)
{
    settings_free(&known->settings);
    sync_report_free(&known->report);
}

/* What is known, networks included, stands in for what cannot be had any more. */
struct settings_sources sources_of(const struct watch *watch)
{
    const struct install_options *install = &watch->options->install;
    const struct settings *known = &watch->known.settings;

    return (struct settings_sources){
        .conf_dir = install->conf_dir,
        .config_file = install->config_file,
        .known = known->entry,
        .known_origin = known->path,
        .networks = known->networks.count > 0 ? &known->networks : install->networks,
    };
}

static int load_settings(const struct watch *watch, struct settings *out, struct error *err)
{
    const struct settings_sources sources = sources_of(watch);

    return in_force_load(&sources, watch->options->results_dir, out, err);
}

/* aws-node may have written anew while nobody watched. */
void remember(struct watch *watch)
{
    struct error ignored;

    if (load_settings(watch, &watch->known.settings, &ignored) == 0)
        log_done(&watch->log, cause_name(CAUSE_START), NULL, NULL, "configuration: that of %s",
                 watch->known.settings.path);
}

/* Looking at all pods takes its time, and until then all would be open. */
static bool restore(struct watch *watch)
{
    const struct known *known = &watch->known;
    struct error why = {0};

    if (!watch->lost || sync_restore(&known->settings, &known->report, &why) < 0)
        return false; /* if there is anything to tell, the look that follows will */
    log_done(&watch->log, cause_name(watch->guards.cause), NULL, NULL,
             "%zu guarded again as before; was: %s", known->report.plan_count,
             watch->was[0] != '\0' ? watch->was : "no rule of ours");
    return true;
}

/* Only what comes with a pod's end looks like damage for a moment; where all was lost, nothing does. */
static bool is_ripe(void *context, const struct owner *owner, bool anyway)
{
    struct watch *watch = context;
    const enum cause cause = watch->guards.cause;
    char file[CACHE_FILE_SIZE];

    cache_file_name(owner, file);
    if (anyway || watch->lost || cause == CAUSE_START || cause == CAUSE_CONFIG ||
        cause == CAUSE_CONFLIST)
        doubts_press(&watch->doubts, file, clock_now());
    return doubts_meet(&watch->doubts, file, clock_now());
}

static void take_note(struct watch *watch, struct known *known, bool repaired)
{
    struct task *task = &watch->guards;
    const char *cause = cause_name(task->cause);

    log_all_done(&watch->log, cause, &known->report.notes);
    log_problems(&watch->log, &task->problems, cause, &known->report.notes);
    task->repairs[task->cause] += repaired;
    cleanup_known(&watch->known);
    watch->known = steal(known);
    watch->looked = time(NULL);
}

static void tell_unfenced(struct watch *watch, const struct known *known)
{
    const bool required = known->settings.config.exit_fence == EXIT_FENCE_REQUIRE;
    char text[640] = "";

    if (known->report.unfenced)
        snprintf(text, sizeof(text), "%s: %s",
                 required ? "exitFence is \"require\", and it does not stand" : "no exit fence",
                 known->report.unfenced);
    log_problem(&watch->log, &watch->unfenced, cause_name(watch->guards.cause), text);
}

uint64_t uplinks_mark(const struct settings *settings)
{
    const struct terms terms = settings_terms(settings);
    struct error unused;
    uint64_t mark;

    return fence_mark(&terms, &mark, &unused) == 0 ? mark : 0;
}

static int sync_all(struct watch *watch, struct known *known, struct error *err)
{
    const struct sync_options options = {
        .results_dir = watch->options->results_dir, .ripe = is_ripe, .context = watch};

    watch->uplinks.mark = uplinks_mark(&known->settings);
    if (sync_run(&known->settings, &options, &known->report, err) < 0)
        return -1;
    watch->uplinks.fenced = known->report.fenced;
    watch->uplinks.poll = clock_deadline(UPLINKS_POLL_MS);
    return 0;
}

void look_at_guards(struct watch *watch)
{
    struct task *task = &watch->guards;
    cleanup(known) struct known known = {0};
    int64_t began = clock_now();
    struct error why = {0};
    bool repaired = restore(watch), failed = false;
    cleanup(close_fd) int turn = sync_turn(watch->options->results_dir);

    (void)turn; /* held to the end */
    names_free(&watch->files);
    doubts_begin(&watch->doubts);
    watch->looks++;
    if (load_settings(watch, &known.settings, &why) == 0 && sync_all(watch, &known, &why) == 0) {
        tell_unfenced(watch, &known);
        repaired = repaired || known.report.changed > 0 || known.report.terms_set;
        take_note(watch, &known, repaired);
        doubts_end(&watch->doubts);
        watch->glance = task->cause; /* counters; and whether it holds */
    } else {
        failed = true;
        watch->failed++;
    }
    if (why.code != ERROR_NOT_AVAILABLE) /* of that the other task has told */
        log_problem(&watch->log, &task->failing, cause_name(task->cause), why.msg);
    pace_looked(&task->pace, began, clock_now(), repaired);
    if (failed && task->pace.not_before < clock_deadline(FAILED_PAUSE_MS))
        task->pace.not_before = clock_deadline(FAILED_PAUSE_MS);
    tell_fight(watch, task, task->cause, "the guards");
    task->cause = CAUSE_NONE;
    watch->lost = false;
    metrics_due(watch, 0);
    malloc_trim(0); /* most of what a look at all pods took lies between what is kept of it */
}
