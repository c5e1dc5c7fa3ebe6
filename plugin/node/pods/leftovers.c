#include "node/pods/leftovers.h"

#include "guard/owner.h"
#include "kernel/backends.h"
#include "kernel/links/links.h"

#include <errno.h>
#include <stdio.h>

/* libcni removes the file at the end of a DEL. */
static bool file_is_there(const char *results_dir, const char *file)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/%s", results_dir, file);

    return length < 0 || (size_t)length >= sizeof(path) || access(path, F_OK) == 0 ||
           errno != ENOENT;
}

static bool owner_lives(const struct survey *survey, const char *results_dir, const char *tag)
{
    const struct surveyed *surveyed = survey_find(survey, tag);

    return surveyed && surveyed->state != ATTACHMENT_GONE &&
           surveyed->state != ATTACHMENT_HOST_NETWORK &&
           file_is_there(results_dir, surveyed->cached->file);
}

/* Whether its interface does not exist now, and its owner is none of the survey that lives still. */
static bool is_leftover(const struct survey *survey, const char *results_dir,
                        const struct held *held)
{
    return !owner_lives(survey, results_dir, held->tag) && !link_exists(held->guard.interface);
}

struct context {
    const struct survey *survey;
    const char *results_dir;
};

static bool goes(const struct held *held, const void *opaque)
{
    const struct context *context = opaque;

    return is_leftover(context->survey, context->results_dir, held);
}

static size_t count_leftovers(const struct survey *survey, const char *results_dir)
{
    size_t found = 0;

    for (size_t i = 0; i < survey->holdings.count; i++) {
        const struct listing *listing = &survey->holdings.items[i].listing;

        for (size_t j = 0; j < listing->held_count; j++)
            found += tag_guards(listing->held[j].tag) > 0 &&
                     is_leftover(survey, results_dir, &listing->held[j]);
    }
    return found;
}

int leftovers_remove(const struct survey *survey, const struct sync_options *options,
                     const struct terms *terms, size_t *removed, struct error *err)
{
    const struct context context = {.survey = survey, .results_dir = options->results_dir};
    const struct selection selection = {.goes = goes, .context = &context};
    const size_t found = count_leftovers(survey, options->results_dir);

    if (options->dry_run || found == 0) {
        *removed = found;
        return 0;
    }
    return guards_remove(&selection, terms, removed, err);
}
