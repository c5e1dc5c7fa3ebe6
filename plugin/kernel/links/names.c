#include "kernel/links/links.h"
#include "kernel/links/rtnetlink.h"

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
