#include "node/watch/watch.h"

#include "guard/cleanup.h"
#include "kernel/clock.h"
#include "kernel/nftables/monitor.h"
#include "node/chain/entry.h"
#include "node/chain/settings.h"
#include "node/pods/in_force.h"
#include "node/pods/sync.h"
#include "node/watch/log.h"
#include "node/watch/pace.h"
#include "node/watch/places.h"
#include "node/watch/signals.h"
#include "node/watch/uplinks.h"

#include <libgen.h>
#include <poll.h>
#include <string.h>

#define LOCK_PAUSE_MS 200 /* before the next try, while somebody else has a directory's lock */

enum { PLACE_CONFLIST, PLACE_RESULTS, PLACE_CONFIG };

/* One of the two things that are kept true. */
struct task {
    const char *reason; /* why a look is due; NULL: none is */
    struct pace pace;
    struct complaint complaint;
    struct complaint fight;
};

/*
 * What the last look at the guards has left: it is still so if nothing has been announced since.
 * While looks fail, as without a conflist or with one that is broken, it is the best that is known.
 */
struct known {
    struct settings settings;
    struct sync_report report;
};

struct watch {
    const struct watch_options *options;
    struct watch_log log;
    struct places places;
    struct mnl_socket *ruleset;     /* NULL: the kernel has no nf_tables */
    struct task entry;              /* binary and entry are installed */
    struct task guards;             /* every running pod has its guard */
    struct complaint unchained;     /* no conflist yet */
    struct complaint misconfigured; /* the operator's file is wrong */
    struct complaint blind;         /* a place is not watched, or not the right one */
    char follower[64];              /* who had come after our entry when it was put back last; "" */
    bool waiting;              /* for a conflist: looked for every second, whatever is announced */
    int64_t poll;              /* when that, and places without a watch, are due */
    struct uplinks uplinks;    /* the exit fence stands first on each */
    struct complaint unfenced; /* it does not stand */
    struct known known;
    bool flushed;    /* since then our table has gone, and nothing else has changed */
    int64_t recheck; /* when the next look is due without any cause */
};

/* The first cause is the one that is told. */
static void make_due(struct task *task, const char *reason)
{
    if (!task->reason)
        task->reason = reason;
}

static void tell_fight(struct watch *watch, struct task *task, const char *reason, const char *what)
{
    char text[512] = "";

    if (pace_pause(&task->pace) > 0)
        snprintf(text, sizeof(text),
                 "another program undoes %s again and again: pausing up to %d s between repairs",
                 what, PACE_LONGEST / 1000);
    watch_log_complain(&watch->log, &task->fight, reason, text);
}

static void tell_installed(struct watch *watch, const struct install_report *report)
{
    const char *reason = watch->entry.reason;
    char waiting[512] = "", problems[2048];

    for (size_t i = 0; i < report->notes.count; i++)
        if (report->notes.items[i].kind == NOTE_DONE)
            watch_log_done(&watch->log, reason, "%s", report->notes.items[i].text);
    notes_join_problems(&report->notes, problems, sizeof(problems));
    watch_log_complain(&watch->log, &watch->entry.complaint, reason, problems);
    watch->waiting = report->lists == 0 && report->failed == 0;
    if (watch->waiting)
        snprintf(waiting, sizeof(waiting),
                 "no conflist in %s yet that makes this node's pods: waiting for it",
                 watch->options->install.conf_dir);
    watch_log_complain(&watch->log, &watch->unchained, reason, waiting);
}

/* Whoever insists on the last place, and what helps against it. */
static void tell_who_insists(struct watch *watch, const char *reason,
                             const struct install_report *report)
{
    char what[256] = "the conflist's entry";

    if (report->entry_written)
        memcpy(watch->follower, report->follower, sizeof(watch->follower));
    if (watch->follower[0] != '\0')
        snprintf(what, sizeof(what),
                 "the place of the conflist's entry (%s comes after it; install with --drop-in, or "
                 "set cni.exclusive=false if that is Cilium)",
                 watch->follower);
    tell_fight(watch, &watch->entry, reason, what);
}

/* Whether the operator's file can be used. One that cannot is told of, and what was in force stays. */
static bool is_config_usable(struct watch *watch)
{
    cleanup(free_text) char *text = NULL;
    struct error why = {0};
    bool usable = entry_read(watch->options->install.config_file, &text, &why) == 0;

    watch_log_complain(&watch->log, &watch->misconfigured, watch->entry.reason, why.msg);
    return usable;
}

static void look_at_entry(struct watch *watch)
{
    struct install_options options = watch->options->install;
    cleanup(install_report) struct install_report report = {0};
    struct task *task = &watch->entry;
    struct error why = {0};
    int64_t began = clock_now();
    const char *reason = task->reason;
    sigset_t before;
    int result;

    options.impatient = true; /* guards do not wait for a lock of the directory */
    options.known = watch->known.settings.entry;
    if (options.config_file && !is_config_usable(watch))
        options.config_file = NULL;
    signals_hold(&before);
    result = install_all(&options, &report, &why);
    signals_let_go(&before);
    if (result == 0) {
        tell_installed(watch, &report);
        task->reason = NULL;
    } else {
        watch_log_complain(&watch->log, &task->complaint, reason, why.msg);
        if (why.code != ERROR_TRY_AGAIN)
            task->reason = NULL;
    }
    pace_looked(&task->pace, began, clock_now(), report.entry_written);
    if (task->reason)
        task->pace.not_before = clock_deadline(LOCK_PAUSE_MS);
    tell_who_insists(watch, reason, &report);
    if (report.entry_written)
        make_due(&watch->guards, reason);
}

static void tell_synced(struct watch *watch, const struct sync_report *report)
{
    char problems[2048];

    for (size_t i = 0; i < report->notes.count; i++)
        if (report->notes.items[i].kind == NOTE_DONE)
            watch_log_done(&watch->log, watch->guards.reason, "%s", report->notes.items[i].text);
    notes_join_problems(&report->notes, problems, sizeof(problems));
    watch_log_complain(&watch->log, &watch->guards.complaint, watch->guards.reason, problems);
}

static void tell_unfenced(struct watch *watch, const struct known *known)
{
    const bool required = known->settings.config.exit_fence == EXIT_FENCE_REQUIRE;
    char text[640] = "";

    if (known->report.unfenced)
        snprintf(text, sizeof(text), "%s: %s",
                 required ? "exitFence is \"require\", and it does not stand" : "no exit fence",
                 known->report.unfenced);
    watch_log_complain(&watch->log, &watch->unfenced, watch->guards.reason, text);
}

static void forget(struct known *known)
{
    settings_free(&known->settings);
    sync_report_free(&known->report);
}

/* Looking at all pods takes its time, and until then all would be open. */
static bool restore(struct watch *watch)
{
    const struct known *known = &watch->known;
    struct error why = {0};

    if (!watch->flushed || !known->report.chosen ||
        sync_restore(&known->settings, &known->report, &why) < 0)
        return false; /* if there is anything to tell, the look that follows will */
    watch_log_done(&watch->log, watch->guards.reason, "%zu guarded again as before",
                   known->report.plan_count);
    return true;
}

/* What is known, networks included, stands in for what cannot be had any more. */
static int load_settings(const struct watch *watch, struct settings *out, struct error *err)
{
    const struct install_options *install = &watch->options->install;
    const struct settings *known = &watch->known.settings;
    struct settings_sources sources = {
        .conf_dir = install->conf_dir,
        .config_file = install->config_file,
        .known = known->entry,
        .known_origin = known->path,
        .networks = install->networks,
    };

    for (size_t i = 0; i < known->network_count; i++)
        (void)networks_add(&sources.networks, known->networks[i]);
    return in_force_load(&sources, watch->options->results_dir, out, err);
}

/* From before the first look: aws-node may have written anew while nobody watched. */
static void remember(struct watch *watch)
{
    struct error ignored;

    if (load_settings(watch, &watch->known.settings, &ignored) == 0)
        watch_log_done(&watch->log, "start", "configuration: that of %s",
                       watch->known.settings.path);
}

static int sync_all(struct watch *watch, struct known *known, struct error *err)
{
    const struct sync_options options = {.results_dir = watch->options->results_dir};
    const struct terms terms = settings_terms(&known->settings);

    uplinks_before(&watch->uplinks, &terms);
    if (sync_run(&known->settings, &options, &known->report, err) < 0)
        return -1;
    uplinks_after(&watch->uplinks, known->report.fenced);
    return 0;
}

static void look_at_guards(struct watch *watch)
{
    struct known known = {0};
    struct task *task = &watch->guards;
    int64_t began = clock_now();
    struct error why = {0};
    bool repaired = restore(watch);

    if (load_settings(watch, &known.settings, &why) == 0 && sync_all(watch, &known, &why) == 0) {
        tell_synced(watch, &known.report);
        tell_unfenced(watch, &known);
        repaired = repaired || known.report.changed > 0 || known.report.terms_set;
        forget(&watch->known);
        watch->known = known;
        known = (struct known){0};
    } else if (why.code != ERROR_NOT_AVAILABLE) /* of that the other task has told */
        watch_log_complain(&watch->log, &task->complaint, task->reason, why.msg);
    pace_looked(&task->pace, began, clock_now(), repaired);
    tell_fight(watch, task, task->reason, "the guards");
    task->reason = NULL;
    watch->flushed = false;
    forget(&known);
}

static bool is_due(const struct task *task, int64_t now)
{
    return task->reason && task->pace.not_before <= now;
}

static void look(struct watch *watch)
{
    if (is_due(&watch->entry, clock_now()))
        look_at_entry(watch);
    if (is_due(&watch->guards, clock_now()))
        look_at_guards(watch);
}

static void mark(struct watch *watch, unsigned changed)
{
    watch->flushed = watch->flushed && changed == 0;
    if (changed & (1U << PLACE_CONFLIST)) {
        make_due(&watch->entry, "conflist changed");
        make_due(&watch->guards, "conflist changed");
    }
    if (changed & (1U << PLACE_CONFIG)) {
        make_due(&watch->entry, "configuration changed");
        make_due(&watch->guards, "configuration changed");
    }
    if (changed & (1U << PLACE_RESULTS))
        make_due(&watch->guards, "pods changed");
}

/*
 * Without inotify, or where the conflist's directory may be a former self of itself, which announces
 * nothing.
 */
static bool must_poll(const struct watch *watch)
{
    return watch->waiting || places_must_poll(&watch->places);
}

static void poll_places(struct watch *watch)
{
    char problem[1024];

    mark(watch, places_poll(&watch->places));
    places_problem(&watch->places, problem, sizeof(problem));
    watch_log_complain(&watch->log, &watch->blind, "places", problem);
    if (watch->waiting)
        make_due(&watch->entry, "waiting");
    watch->poll = clock_deadline(PLACES_POLL_MS);
}

static void recheck(struct watch *watch)
{
    poll_places(watch);
    make_due(&watch->entry, "re-check");
    make_due(&watch->guards, "re-check");
    watch->recheck = clock_deadline((int64_t)watch->options->interval * 1000);
}

/* Milliseconds for poll(2) until the next thing is due. */
static int time_left(const struct watch *watch)
{
    const struct task *tasks[] = {&watch->entry, &watch->guards};
    int64_t next = watch->recheck;

    if (must_poll(watch) && watch->poll < next)
        next = watch->poll;
    if (watch->uplinks.fenced && watch->uplinks.poll < next)
        next = watch->uplinks.poll;
    for (size_t i = 0; i < 2; i++)
        if (tasks[i]->reason && tasks[i]->pace.not_before < next)
            next = tasks[i]->pace.not_before;
    return clock_left(next);
}

static void mark_ruleset(struct watch *watch, enum nft_news news)
{
    if (news == NFT_NEWS_NONE)
        return;
    watch->flushed = news == NFT_NEWS_TABLE_GONE && !watch->guards.reason;
    make_due(&watch->guards, "ruleset changed");
}

static void poll_uplinks(struct watch *watch)
{
    const struct terms terms = settings_terms(&watch->known.settings);

    if (uplinks_changed(&watch->uplinks, &terms))
        make_due(&watch->guards, "uplinks changed");
}

static void wait_for_cause(struct watch *watch)
{
    struct pollfd sources[] = {
        {.fd = watch->places.inotify, .events = POLLIN},
        {.fd = nft_monitor_fd(watch->ruleset), .events = POLLIN},
        {.fd = watch->uplinks.news, .events = POLLIN},
    };

    poll(sources, 3, time_left(watch));
    if (sources[0].revents)
        mark(watch, places_read(&watch->places));
    if (sources[1].revents)
        mark_ruleset(watch, nft_monitor_read(watch->ruleset));
    if (sources[2].revents)
        uplinks_read(&watch->uplinks);
    if (watch->uplinks.fenced && clock_left(watch->uplinks.poll) == 0)
        poll_uplinks(watch);
    if (must_poll(watch) && clock_left(watch->poll) == 0)
        poll_places(watch);
    if (clock_left(watch->recheck) == 0)
        recheck(watch);
}

static int watch_places(struct watch *watch, struct error *err)
{
    const struct watch_options *options = watch->options;
    cleanup(free_text) char *config = NULL;

    places_open(&watch->places);
    if (places_add(&watch->places, options->install.conf_dir, err) < 0 ||
        places_add(&watch->places, options->results_dir, err) < 0)
        return -1;
    if (options->install.config_file) {
        config = strdup(options->install.config_file);
        if (!config)
            return error_no_memory(err);
        /* The directory: a ConfigMap's file is a link through the link ..data, which is renamed. */
        if (places_add(&watch->places, dirname(config), err) < 0)
            return -1;
    }
    poll_places(watch);
    return 0;
}

static void cleanup_watch(struct watch *watch)
{
    places_close(&watch->places);
    nft_monitor_close(watch->ruleset);
    uplinks_close(&watch->uplinks);
    forget(&watch->known);
}

int watch_run(const struct watch_options *options, FILE *log, struct error *err)
{
    cleanup(watch) struct watch watch = {
        .options = options,
        .log = {.out = log, .quiet = options->quiet},
        .places = {.inotify = -1},
        .uplinks = {.news = -1},
        .entry = {.reason = "start"},
        .guards = {.reason = "start"},
    };
    struct error why = {0};

    if (signals_catch(err) < 0 || watch_places(&watch, err) < 0)
        return -1;
    uplinks_open(&watch.uplinks);
    if (nft_monitor_open(&watch.ruleset, &why) < 0)
        watch_log_done(&watch.log, "start", "%s; the re-check every %u s stands in", why.msg,
                       options->interval);
    watch.recheck = clock_deadline((int64_t)options->interval * 1000);
    watch_log_done(&watch.log, "start", "watching %s and %s", options->install.conf_dir,
                   options->results_dir);
    remember(&watch);
    for (;;) {
        look(&watch);
        wait_for_cause(&watch);
    }
}
