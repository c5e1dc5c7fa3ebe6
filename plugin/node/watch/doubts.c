#include "node/watch/doubts.h"

#include "guard/array.h"

static struct doubt *find(const struct doubts *doubts, const char *file)
{
    for (size_t i = 0; i < doubts->count; i++)
        if (strcmp(doubts->items[i].file, file) == 0)
            return &doubts->items[i];
    return NULL;
}

/* NULL if out of memory. */
static struct doubt *find_or_add(struct doubts *doubts, const char *file, int64_t ripe)
{
    struct doubt *doubt = find(doubts, file);

    if (doubt)
        return doubt;
    doubt = array_add(&doubts->items, &doubts->count);
    if (!doubt)
        return NULL;
    *doubt = (struct doubt){.file = strdup(file), .ripe = ripe};
    if (doubt->file)
        return doubt;
    doubts->count--;
    return NULL;
}

void doubts_add(struct doubts *doubts, const char *file, int64_t now)
{
    find_or_add(doubts, file, now + DOUBT_MS);
}

bool doubts_meet(struct doubts *doubts, const char *file, int64_t now)
{
    struct doubt *doubt = find_or_add(doubts, file, now + DOUBT_MS);

    if (!doubt)
        return true;
    doubt->met = true;
    doubt->acted = doubt->acted || doubt->ripe <= now;
    return doubt->acted;
}

void doubts_press(struct doubts *doubts, const char *file, int64_t now)
{
    struct doubt *doubt = find_or_add(doubts, file, now);

    if (doubt)
        doubt->ripe = now;
}

static void drop(struct doubts *doubts, struct doubt *doubt)
{
    free(doubt->file);
    *doubt = doubts->items[--doubts->count];
}

void doubts_settle(struct doubts *doubts, const char *file)
{
    struct doubt *doubt = find(doubts, file);

    if (doubt)
        drop(doubts, doubt);
}

void doubts_begin(struct doubts *doubts)
{
    for (size_t i = 0; i < doubts->count; i++)
        doubts->items[i].met = false;
}

void doubts_end(struct doubts *doubts)
{
    for (size_t i = 0; i < doubts->count;)
        if (doubts->items[i].met)
            i++;
        else
            drop(doubts, &doubts->items[i]);
}

int64_t doubts_next(const struct doubts *doubts, int64_t never)
{
    int64_t next = never;

    for (size_t i = 0; i < doubts->count; i++)
        if (!doubts->items[i].acted && doubts->items[i].ripe < next)
            next = doubts->items[i].ripe;
    return next;
}
