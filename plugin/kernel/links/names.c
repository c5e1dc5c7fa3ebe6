#include "kernel/links/links.h"
#include "kernel/links/rtnetlink.h"

#include <string.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(a, b);
}

int links_names(char (**out)[INTERFACE_NAME_SIZE], size_t *count, struct error *err)
{
    cleanup(free_memory) struct link_reply *links = NULL;
    size_t found = 0;

    if (links_all(&links, &found, err) < 0)
        return -1;
    char(*names)[INTERFACE_NAME_SIZE] = calloc(found + 1, sizeof(*names));
    if (names == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < found; i++)
        memcpy(names[i], links[i].link.name, INTERFACE_NAME_SIZE);
    qsort(names, found, sizeof(*names), compare_names);
    *out = names;
    *count = found;
    return 0;
}

bool link_exists(const char *name)
{
    cleanup(rtnetlink) struct rtnetlink rtnetlink = {.fd = -1};
    const struct link_question question = {.name = name};
    struct link_reply answer;
    struct error err;

    return rtnetlink_open(-1, &rtnetlink, &err) < 0 ||
           rtnetlink_ask_links(&rtnetlink, &question, 1, &answer, &err) < 0 ||
           answer.link.index > 0;
}

bool links_have(char (*names)[INTERFACE_NAME_SIZE], size_t count, const char *name)
{
    return count > 0 && bsearch(name, names, count, sizeof(*names), compare_names) != NULL;
}
