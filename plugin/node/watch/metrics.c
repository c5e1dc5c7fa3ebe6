#include "guard/cleanup.h"
#include "kernel/clock.h"
#include "node/status/exposition.h"
#include "node/status/status.h"
#include "node/watch/state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define WRITE_MS  30000 /* between two that nothing gave cause to */
#define REST_MS   1000  /* at least, between any two: a status is a look at all pods */
#define READ_MODE 0644  /* node_exporter is another user */

static void add_hits(const struct hits *hits, struct status *status)
{
    for (size_t i = 0; i < status->row_count; i++) {
        const struct status_row *row = &status->rows[i];
        const struct owner owner = {row->network, row->container_id, row->ifname};

        for (size_t j = 0; j < row->guard_count; j++)
            if (row->guards[j].backend)
                row->guards[j].hit =
                    hits_last(hits, row->guards[j].backend, &owner, row->guards[j].guard.interface,
                              row->guards[j].guard.verdict);
    }
    for (size_t i = 0; i < status->others_count; i++)
        status->others[i].hit =
            hits_last(hits, status->others[i].backend, NULL, "", status->others[i].others.verdict);
}

static void print_repairs(const struct task *task, const char *what, FILE *out)
{
    for (enum cause cause = CAUSE_START; cause < CAUSES; cause++)
        exposition_sample(out, task->repairs[cause], "imds_guard_watch_repairs_total", "what", what,
                          "cause", cause_name(cause));
}

static void print_watch(const struct watch *watch, FILE *out)
{
    const bool remembered = watch->known.settings.remembered || watch->misconfigured.count > 0;

    exposition_one("imds_guard_configuration_current", "gauge",
                   "Whether the configuration in force is what its source says now; 0: it is the "
                   "last one that could be used.",
                   !remembered, out);
    exposition_one("imds_guard_watch_looked_timestamp_seconds", "gauge",
                   "When watch has last compared all pods and rules with the configuration, and "
                   "could.",
                   (uint64_t)watch->looked, out);
    exposition_one("imds_guard_watch_looks_total", "counter", "Looks at all pods and rules.",
                   watch->looks, out);
    exposition_one("imds_guard_watch_failed_looks_total", "counter", "Looks that have failed.",
                   watch->failed, out);
    exposition_head("imds_guard_watch_repairs_total", "counter",
                    "Looks after which something was put right, by what gave cause to them.", out);
    print_repairs(&watch->entry, "entry", out);
    print_repairs(&watch->guards, "guards", out);
}

/* Under another name, which no collector reads, and then in one step. */
static int replace(const char *path, const char *text, size_t length, struct error *err)
{
    cleanup(free_text) char *temporary = NULL;
    cleanup(close_fd) int fd = -1;

    if (asprintf(&temporary, "%s.new", path) < 0) {
        temporary = NULL;
        return error_no_memory(err);
    }
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, READ_MODE);
    if (fd < 0 || fchmod(fd, READ_MODE) < 0 || write(fd, text, length) != (ssize_t)length ||
        rename(temporary, path) < 0) {
        error_set(err, ERROR_IO, "metrics cannot be written to %s: %m", path);
        unlink(temporary);
        return -1;
    }
    return 0;
}

static int write_file(const struct watch *watch, struct error *err)
{
    const struct status_options options = {sources_of(watch), watch->options->results_dir};
    cleanup(status) struct status status = {0};
    cleanup(free_text) char *text = NULL;
    size_t length = 0;
    FILE *out;

    if (status_collect(&options, &status, err) < 0)
        return error_context(err, "metrics");
    out = open_memstream(&text, &length);
    if (!out)
        return error_no_memory(err);
    add_hits(&watch->hits, &status);
    status_print_prometheus(&status, out);
    print_watch(watch, out);
    if (fclose(out) != 0)
        return error_no_memory(err);
    return replace(watch->options->metrics_file, text, length, err);
}

void metrics_due(struct watch *watch, int64_t within)
{
    int64_t when = clock_deadline(within);

    if (when < watch->written + REST_MS)
        when = watch->written + REST_MS;
    if (when < watch->write)
        watch->write = when;
}

void metrics_write(struct watch *watch)
{
    struct error why = {0};

    if (!watch->options->metrics_file || clock_left(watch->write) > 0)
        return;
    (void)!write_file(watch, &why);
    log_problem(&watch->log, &watch->unwritten, "metrics", why.msg);
    watch->written = clock_now();
    watch->write = watch->written + WRITE_MS;
}
