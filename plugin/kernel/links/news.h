/*
 * That links come, go or change, as the kernel announces it: for poll(2).
 */
#ifndef IMDS_GUARD_LINKS_NEWS_H
#define IMDS_GUARD_LINKS_NEWS_H

#include "guard/cleanup.h"
#include "guard/error.h"

/* A socket of the plugin's own namespace that is readable once there are news. The descriptor is the
 * caller's. Errors: ERROR_KERNEL. */
must_use int links_news_open(int *out, struct error *err);

/* Takes all that there are. */
void links_news_read(int fd);

#endif
