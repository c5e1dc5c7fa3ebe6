#include "kernel/nftables/retry.h"

#include "kernel/clock.h"

#include <errno.h>
#include <time.h>

/*
 * Objects gone (flushed under our feet) or come: after a few such rounds this is no race any more,
 * but a kernel that lacks a part (ENOENT for an unknown expression). Rounds that others have taken
 * say nothing of that.
 */
#define ROUNDS_MAX 8

/* Pause after a round, growing: those who write all the time must let others through. */
#define PAUSE_NANOSECONDS 500000L
#define PAUSE_ROUNDS_MAX  20U

static bool is_contention(int refusal)
{
    return refusal == ERESTART || refusal == EBUSY || refusal == EAGAIN || refusal == EINTR ||
           refusal == ENOBUFS;
}

static bool is_surprise(int refusal)
{
    return refusal == ENOENT || refusal == EEXIST || refusal == ENOTEMPTY;
}

static bool is_worth_a_round(int refusal, unsigned round, unsigned surprises, int64_t deadline)
{
    if (is_surprise(refusal))
        return surprises <= ROUNDS_MAX;
    if (!is_contention(refusal))
        return false;
    return round < ROUNDS_MAX || clock_left(deadline) > 0;
}

int nft_keep_trying(nft_attempt *once, void *job, const struct terms *terms, bool *absent,
                    struct error *err)
{
    cleanup(nft_socket) struct nft_socket socket = {.netlink.fd = -1};
    int64_t deadline = clock_deadline((int64_t)terms->lock_timeout_seconds * 1000);
    struct error last;
    struct timespec pause = {0};
    unsigned surprises = 0;

    if (nft_open(&socket, &last) == 0) {
        for (unsigned round = 0;; round++) {
            socket.netlink.refusal = 0;
            if (once(&socket, job, &last) == 0)
                return 0;
            surprises += is_surprise(socket.netlink.refusal);
            if (!is_worth_a_round(socket.netlink.refusal, round, surprises, deadline))
                break;
            pause.tv_nsec =
                PAUSE_NANOSECONDS * (long)(round < PAUSE_ROUNDS_MAX ? round : PAUSE_ROUNDS_MAX);
            if (round > 0)
                nanosleep(&pause, NULL);
        }
    }
    if (absent != NULL)
        *absent = socket.absent;
    *err = last;
    if (!is_contention(socket.netlink.refusal))
        return -1;
    error_set(err, ERROR_TRY_AGAIN,
              socket.netlink.refusal == ENOBUFS
                  ? "nf_tables' answers do not fit the socket's buffer, or memory is short (see "
                    "net.core.rmem_default): gave up after %u s"
                  : "others change the ruleset all the time: gave up after %u s",
              terms->lock_timeout_seconds);
    return error_details(err, "%s", last.msg);
}
