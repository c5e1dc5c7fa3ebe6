#include "node/watch/watch.h"

#include "guard/cleanup.h"
#include "kernel/clock.h"
#include "kernel/iptables/xtables_lock.h"
#include "kernel/links/news.h"
#include "kernel/nftables/monitor.h"
#include "node/watch/signals.h"
#include "node/watch/state.h"

#include <libgen.h>
#include <poll.h>
#include <string.h>

#define FILES_MAX 256 /* that have changed at once; of more, all are looked at */

enum { PLACE_CONFLIST, PLACE_RESULTS, PLACE_LOCK, PLACE_CONFIG };

void tell_fight(struct watch *watch, struct task *task, enum cause cause, const char *what)
{
    char text[512] = "";

    if (task->pace.fight)
        snprintf(text, sizeof(text),
                 "another program undoes %s again and again: repairing every %d s only", what,
                 PACE_FORGIVEN / 1000);
    log_problem(&watch->log, &task->fight, cause_name(cause), text);
}

static bool is_due(const struct task *task)
{
    return task->cause && task->pace.not_before <= clock_now();
}

static void look(struct watch *watch)
{
    if (is_due(&watch->entry))
        look_at_entry(watch);
    if (is_due(&watch->guards))
        look_at_guards(watch);
    if (watch->glance && !watch->guards.cause && watch->not_before <= clock_now())
        glance(watch);
    metrics_write(watch);
}

/* One pod has come or gone: that one is looked at. */
static bool take_file(void *context, unsigned number, const char *name)
{
    struct watch *watch = context;
    struct error ignored;

    if (number != PLACE_RESULTS || watch->files.count == FILES_MAX)
        return false;
    watch->lost = false;
    if (!names_have(&watch->files, name) && names_add(&watch->files, name, &ignored) < 0)
        return false;
    make_due(&watch->glance, CAUSE_PODS);
    return true;
}

static void make_both_due(struct watch *watch, enum cause cause)
{
    make_due(&watch->entry.cause, cause);
    make_due(&watch->guards.cause, cause);
}

static void mark(struct watch *watch, unsigned changed)
{
    if (changed & ~(1U << PLACE_LOCK))
        watch->lost = false;
    if (changed & (1U << PLACE_CONFLIST))
        make_both_due(watch, CAUSE_CONFLIST);
    if (changed & (1U << PLACE_CONFIG))
        make_both_due(watch, CAUSE_CONFIG);
    if (changed & (1U << PLACE_RESULTS))
        make_due(&watch->guards.cause, CAUSE_PODS);
    if (changed & (1U << PLACE_LOCK))
        make_due(&watch->glance, CAUSE_LOCK);
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
    log_problem(&watch->log, &watch->blind, "places", problem);
    if (watch->waiting)
        make_due(&watch->entry.cause, CAUSE_RECHECK);
    watch->poll = clock_deadline(PLACES_POLL_MS);
}

static void recheck(struct watch *watch)
{
    poll_places(watch);
    make_both_due(watch, CAUSE_RECHECK);
    watch->recheck = clock_deadline((int64_t)watch->options->interval * 1000);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Milliseconds for poll(2) until the next thing is due. */
static int time_left(const struct watch *watch)
{
    int64_t next = watch->recheck;

    if (watch->options->metrics_file)
        next = earlier(next, watch->write);
    if (must_poll(watch))
        next = earlier(next, watch->poll);
    if (watch->uplinks.fenced)
        next = earlier(next, watch->uplinks.poll);
    if (watch->entry.cause)
        next = earlier(next, watch->entry.pace.not_before);
    if (watch->guards.cause)
        next = earlier(next, watch->guards.pace.not_before);
    else if (watch->glance)
        next = earlier(next, watch->not_before);
    else
        next = earlier(next, doubts_next(&watch->doubts, next));
    return clock_left(next);
}

/*
 * A table that has gone is not looked for: what deleted it is still at work in the kernel, and whoever
 * closes a socket to nf_tables meanwhile waits for that.
 */
static void mark_ruleset(struct watch *watch, enum nft_news news)
{
    if (news == NFT_NEWS_TABLE_GONE) {
        watch->lost = watch->known.report.chosen == &backend_nftables && !watch->guards.cause &&
                      watch->files.count == 0;
        watch->was[0] = '\0';
        make_due(&watch->guards.cause, CAUSE_RULESET);
    } else if (news == NFT_NEWS_CHANGED) {
        make_due(&watch->glance, CAUSE_RULESET);
    }
}

static void poll_uplinks(struct watch *watch)
{
    watch->uplinks.poll = clock_deadline(UPLINKS_POLL_MS);
    if (uplinks_mark(&watch->known.settings) != watch->uplinks.mark)
        make_due(&watch->guards.cause, CAUSE_UPLINKS);
}

static void wait_for_cause(struct watch *watch)
{
    struct pollfd sources[] = {
        {.fd = watch->places.inotify, .events = POLLIN},
        {.fd = watch->ruleset, .events = POLLIN},
        {.fd = watch->uplinks.news, .events = POLLIN},
    };

    poll(sources, 3, time_left(watch));
    if (sources[0].revents)
        mark(watch, places_read(&watch->places));
    if (sources[1].revents)
        mark_ruleset(watch, nft_monitor_read(watch->ruleset));
    if (sources[2].revents) {
        links_news_read(watch->uplinks.news);
        watch->uplinks.poll = earlier(watch->uplinks.poll, clock_deadline(UPLINKS_PAUSE_MS));
    }
    if (watch->uplinks.fenced && clock_left(watch->uplinks.poll) == 0)
        poll_uplinks(watch);
    if (must_poll(watch) && clock_left(watch->poll) == 0)
        poll_places(watch);
    if (clock_left(watch->recheck) == 0)
        recheck(watch);
    if (clock_left(doubts_next(&watch->doubts, INT64_MAX)) == 0)
        make_due(&watch->glance, watch->doubtful);
}

static int watch_places(struct watch *watch, struct error *err)
{
    const struct watch_options *options = watch->options;
    cleanup(free_text) char *config = NULL;

    places_open(&watch->places);
    watch->places.take = take_file;
    watch->places.context = watch;
    if (places_add(&watch->places, options->install.conf_dir, false, err) < 0 ||
        places_add(&watch->places, options->results_dir, false, err) < 0 ||
        places_add(&watch->places, xtables_lock_path(), true, err) < 0)
        return -1;
    if (options->install.config_file) {
        config = strdup(options->install.config_file);
        if (!config)
            return error_no_memory(err);
        /* The directory: a ConfigMap's file is a link through the link ..data, which is renamed. */
        if (places_add(&watch->places, dirname(config), false, err) < 0)
            return -1;
    }
    poll_places(watch);
    return 0;
}

/* Only a watch that could not start ever ends here. */
static void cleanup_watch(struct watch *watch)
{
    places_close(&watch->places);
    cleanup_close_fd(&watch->ruleset);
    cleanup_close_fd(&watch->uplinks.news);
}

int watch_run(const struct watch_options *options, FILE *log, struct error *err)
{
    cleanup(watch) struct watch watch = {
        .options = options,
        .log = {.out = log, .quiet = options->quiet, .json = options->json},
        .places = {.inotify = -1},
        .ruleset = -1,
        .uplinks = {.news = -1},
        .entry = {.cause = CAUSE_START},
        .guards = {.cause = CAUSE_START},
        .doubtful = CAUSE_START,
    };
    struct error why = {0};

    if (signals_catch(err) < 0 || watch_places(&watch, err) < 0)
        return -1;
    (void)!links_news_open(&watch.uplinks.news, &why);
    if (nft_monitor_open(&watch.ruleset, &why) < 0)
        log_done(&watch.log, cause_name(CAUSE_START), NULL, NULL,
                 "%s; the re-check every %u s stands in", why.msg, options->interval);
    watch.recheck = clock_deadline((int64_t)options->interval * 1000);
    log_done(&watch.log, cause_name(CAUSE_START), NULL, NULL, "watching %s and %s",
             options->install.conf_dir, options->results_dir);
    remember(&watch);
    for (;;) {
        look(&watch);
        wait_for_cause(&watch);
    }
}
