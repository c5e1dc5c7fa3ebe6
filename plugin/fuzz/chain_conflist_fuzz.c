/*
 * Editing a conflist. Input: a line, our entry; then the conflist.
 */
#include "fuzz.h"

#include "node/chain/conflist.h"

static struct span span_of(const char *text)
{
    return (struct span){text, strlen(text)};
}

/* What conflist_remove leaves of a list has nothing of ours; without any it is the list itself. */
static char *removed(struct span text)
{
    cleanup(free_text) char *once = NULL;
    cleanup(free_text) char *twice = NULL;
    struct error err;

    if (conflist_remove(text, &once, &err) < 0)
        return NULL;
    fuzz_must_be_json(span_of(once));
    must(conflist_remove(span_of(once), &twice, &err) == 0);
    must(strcmp(once, twice) == 0);
    return steal(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = fuzz_span(data, size);
    cleanup(free_text) char *entry = fuzz_line(&input);
    cleanup(free_text) char *text = fuzz_rest(input);
    struct span list = {text, input.length};
    cleanup(free_text) char *before = removed(list);
    cleanup(free_text) char *once = NULL;
    cleanup(free_text) char *twice = NULL;
    cleanup(free_text) char *back = NULL;
    struct error err;

    if (conflist_insert(list, span_of(entry), &once, &err) < 0)
        return 0;
    fuzz_must_be_json(span_of(once));
    must(conflist_insert(span_of(once), span_of(entry), &twice, &err) == 0);
    must(strcmp(once, twice) == 0);
    back = removed(span_of(once));
    must(back && before && strcmp(back, before) == 0);
    return 0;
}
