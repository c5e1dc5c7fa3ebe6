#include "node/chain/entry.h"

#include "guard/cleanup.h"
#include "kernel/clock.h"
#include "node/watch/signals.h"
#include "node/watch/state.h"

#include <string.h>

#define LOCK_PAUSE_MS 200 /* before the next try, while somebody else has a directory's lock */

static void tell_installed(struct watch *watch, const struct install_report *report)
{
    const char *cause = cause_name(watch->entry.cause);
    char waiting[512] = "";

    log_all_done(&watch->log, cause, &report->notes);
    log_problems(&watch->log, &watch->entry.problems, cause, &report->notes);
    watch->waiting = report->lists == 0 && report->failed == 0;
    if (watch->waiting)
        snprintf(waiting, sizeof(waiting),
                 "no conflist in %s yet that makes this node's pods: waiting for it",
                 watch->options->install.conf_dir);
    log_problem(&watch->log, &watch->unchained, cause, waiting);
}

/* Whoever insists on the last place, and what helps against it. */
static void tell_who_insists(struct watch *watch, enum cause cause,
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
    tell_fight(watch, &watch->entry, cause, what);
}

/* What the operator's file says; NULL if it cannot be used: that is told, and what was in force stays. */
static char *read_config(struct watch *watch)
{
    struct error why = {0};
    char *text = NULL;

    (void)!entry_read(watch->options->install.config_file, &text, &why);
    log_problem(&watch->log, &watch->misconfigured, cause_name(watch->entry.cause), why.msg);
    return text;
}

void look_at_entry(struct watch *watch)
{
    struct install_options options = watch->options->install;
    cleanup(install_report) struct install_report report = {0};
    cleanup(free_text) char *config = options.config_file ? read_config(watch) : NULL;
    struct task *task = &watch->entry;
    struct error why = {0};
    int64_t began = clock_now();
    const enum cause cause = task->cause;
    sigset_t before;
    int result;

    options.impatient = true; /* guards do not wait for a lock of the directory */
    options.known = watch->known.settings.entry;
    options.known_origin = watch->known.settings.path;
    options.config = config;
    options.config_file = NULL;
    signals_hold(&before);
    result = install_all(&options, &report, &why);
    signals_let_go(&before);
    if (result == 0)
        tell_installed(watch, &report);
    log_problem(&watch->log, &task->failing, cause_name(cause), why.msg);
    if (result == 0 || why.code != ERROR_TRY_AGAIN)
        task->cause = CAUSE_NONE;
    pace_looked(&task->pace, began, clock_now(), report.entry_written);
    if (task->cause)
        task->pace.not_before = clock_deadline(LOCK_PAUSE_MS);
    tell_who_insists(watch, cause, &report);
    task->repairs[cause] += report.entry_written;
    if (report.entry_written)
        make_due(&watch->guards.cause, cause);
}
