/*
 * Several questions to rtnetlink in as few system calls as can be: many go out in one datagram, the
 * kernel works through it within the call, and each answer comes in a datagram of its own, told by
 * its sequence number. Answers that were lost are asked for again.
 */
#ifndef IMDS_GUARD_LINKS_EXCHANGE_H
#define IMDS_GUARD_LINKS_EXCHANGE_H

#include "kernel/links/rtnetlink.h"

/* A header, a fixed part and a few small attributes. */
#define EXCHANGE_QUESTION_SIZE 128

struct exchange {
    const void *questions;
    void *answers;
    size_t count;
    /*
     * Writes question `i` into EXCHANGE_QUESTION_SIZE bytes, which are 0: as libmnl builds messages,
     * complete but for flags (NLM_F_REQUEST) and sequence number.
     */
    void (*put)(const void *questions, size_t i, char *bytes);
    /*
     * Takes the answer to question `i`: the message at the start of `length` bytes. Errors: what the
     * asker is to be told.
     */
    int (*take)(const struct exchange *exchange, size_t i, const struct nlmsghdr *message,
                size_t length, struct error *err);
    /* Whether question `i` is to be asked at all; NULL: each. */
    bool (*asks)(const void *questions, size_t i);
};

/* Errors: ERROR_KERNEL, and what `take` says. */
must_use int rtnetlink_exchange(struct rtnetlink *rtnetlink, const struct exchange *exchange,
                                struct error *err);

#endif
