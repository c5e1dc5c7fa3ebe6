/*
 * What one watch knows and has to do. The parts of it share this: watch.c waits for causes, entry.c
 * and guards.c are the two tasks, metrics.c tells a scraper.
 */
#ifndef IMDS_GUARD_WATCH_STATE_H
#define IMDS_GUARD_WATCH_STATE_H

#include "node/chain/settings.h"
#include "node/pods/sync.h"
#include "node/watch/doubts.h"
#include "node/watch/hits.h"
#include "node/watch/log.h"
#include "node/watch/pace.h"
#include "node/watch/places.h"
#include "node/watch/watch.h"

#include <time.h>

/* Why watch looks: told with whatever the look has found, and a label of its metrics. */
enum cause {
    CAUSE_NONE, /* nothing is due */
    CAUSE_START,
    CAUSE_RECHECK,
    CAUSE_CONFLIST,
    CAUSE_CONFIG,
    CAUSE_PODS,
    CAUSE_RULESET,
    CAUSE_LOCK, /* somebody has used legacy tables */
    CAUSE_UPLINKS,
    CAUSES,
};

static inline const char *cause_name(enum cause cause)
{
    static const char *const names[CAUSES] = {
        [CAUSE_NONE] = "",
        [CAUSE_START] = "start",
        [CAUSE_RECHECK] = "re-check",
        [CAUSE_CONFLIST] = "conflist changed",
        [CAUSE_CONFIG] = "configuration changed",
        [CAUSE_PODS] = "pods changed",
        [CAUSE_RULESET] = "ruleset changed",
        [CAUSE_LOCK] = "legacy tables used",
        [CAUSE_UPLINKS] = "uplinks changed",
    };

    return names[cause];
}

/* One of the two things that are kept true. */
struct task {
    enum cause cause; /* why a look is due */
    struct pace pace;
    /* Problems that were told and are not over (log.h), as are those below. */
    struct notes failing;  /* the last look as a whole */
    struct notes problems; /* that it has found */
    struct notes fight;
    uint64_t repairs[CAUSES];
};

/*
 * What the last look at the guards has left: it is still so if nothing has been announced since.
 * While looks fail, as without a conflist or with one that is broken, it is the best that is known.
 */
struct known {
    struct settings settings;
    struct sync_report report;
};

/*
 * Whether the exit fence still stands first. Nobody announces who puts a program before it, so that is
 * looked for every few seconds, and soon when a link comes or goes.
 */
struct uplinks {
    int news;      /* of links, for poll(2); -1: none, and the looks stand in */
    bool fenced;   /* else there is nothing to look for */
    uint64_t mark; /* fence_mark, from before the fence was seen to: what comes meanwhile is seen */
    int64_t poll;  /* when the next look is due */
};

#define UPLINKS_POLL_MS  3000
#define UPLINKS_PAUSE_MS 100 /* after news, of which many come at once */

struct watch {
    const struct watch_options *options;
    struct watch_log log;
    struct places places;
    int ruleset;        /* tells of its changes; -1: the kernel has no nf_tables */
    struct notes blind; /* a place is not watched, or not the right one */
    int64_t poll;       /* when places without a watch are looked at */
    int64_t recheck;    /* when the next look is due without any cause */

    struct task entry;          /* binary and entry are installed */
    struct notes unchained;     /* no conflist yet */
    struct notes misconfigured; /* the operator's file is wrong */
    char follower[64];          /* who had come after our entry when it was put back last; "" */
    bool waiting;               /* for a conflist: looked for every second, whatever is announced */

    struct uplinks uplinks; /* the exit fence stands first on each */
    struct notes unfenced;  /* it does not stand */

    struct task guards; /* every running pod has its guard */
    struct known known;
    bool lost;            /* by the last glance none of it is in force, and nothing but rules has
                           * changed since */
    char was[256];        /* what was found instead, then; "": no rule of ours */
    struct doubts doubts; /* of what is known */
    enum cause doubtful;  /* what the last of them came from */
    enum cause glance;    /* why a glance is due */
    int64_t not_before;   /* when the next may be taken */
    struct names files;   /* of the cache, that have changed since */
    struct hits hits;
    uint64_t looks;  /* at the guards */
    uint64_t failed; /* of these, those that have not ended well */
    time_t looked;   /* when the last of them has; 0: none has */

    struct notes unwritten; /* the metrics file cannot be written */
    int64_t written;
    int64_t write; /* when the next metrics are due */
};

/* The first cause is the one that is told. */
static inline void make_due(enum cause *due, enum cause cause)
{
    if (*due == CAUSE_NONE)
        *due = cause;
}

/* Tells, once, that somebody undoes `what` again and again. */
void tell_fight(struct watch *watch, struct task *task, enum cause cause, const char *what);

/* entry.c: installs what is missing. */
void look_at_entry(struct watch *watch);

/* guards.c: from before the first look, what was in force while nobody watched. */
void remember(struct watch *watch);

/* guards.c: fence_mark; 0 if it cannot be had, as where there can be no fence. */
uint64_t uplinks_mark(const struct settings *settings);

/* guards.c: all pods and rules against the configuration; repairs. */
void look_at_guards(struct watch *watch);

/*
 * glance.c: what is known against what the kernel holds, and the pods whose files have changed.
 * Repairs nothing; makes a look due where something is amiss.
 */
void glance(struct watch *watch);

/* guards.c: where the configuration is from. Borrows from what is known. */
struct settings_sources sources_of(const struct watch *watch);

/* metrics.c: have the file written in so many milliseconds at the latest, and write it if it is time.
 * Without options->metrics_file it never is. */
void metrics_due(struct watch *watch, int64_t within);
void metrics_write(struct watch *watch);

#endif
