#include "node/watch/uplinks.h"

#include "guard/cleanup.h"
#include "kernel/clock.h"
#include "kernel/fence/fence.h"
#include "kernel/links/news.h"

void uplinks_open(struct uplinks *out)
{
    struct error unused;

    *out = (struct uplinks){.news = -1};
    if (links_news_open(&out->news, &unused) < 0)
        out->news = -1;
}

void uplinks_close(struct uplinks *uplinks)
{
    cleanup_close_fd(&uplinks->news);
    uplinks->news = -1;
}

/* 0 if it cannot be had, as where there can be no fence. */
static uint64_t mark_now(const struct terms *terms)
{
    struct error unused;
    uint64_t mark;

    return fence_mark(terms, &mark, &unused) == 0 ? mark : 0;
}

void uplinks_before(struct uplinks *uplinks, const struct terms *terms)
{
    uplinks->mark = mark_now(terms);
}

void uplinks_after(struct uplinks *uplinks, bool fenced)
{
    uplinks->fenced = fenced;
    uplinks->poll = clock_deadline(UPLINKS_POLL_MS);
}

void uplinks_read(struct uplinks *uplinks)
{
    int64_t soon = clock_deadline(UPLINKS_PAUSE_MS);

    links_news_read(uplinks->news);
    if (soon < uplinks->poll)
        uplinks->poll = soon;
}

bool uplinks_changed(struct uplinks *uplinks, const struct terms *terms)
{
    uplinks->poll = clock_deadline(UPLINKS_POLL_MS);
    return mark_now(terms) != uplinks->mark;
}
