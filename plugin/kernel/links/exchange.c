#include "kernel/links/exchange.h"

#include "kernel/netlink_message.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <string.h>

/* As many answers as a socket's default buffer (net.core.rmem_default) holds with room to spare:
 * the kernel throws away what does not fit. */
#define BATCH_MAX 16

#define ATTEMPTS 3

/* Questions that go out in one datagram. */
struct batch {
    const struct exchange *exchange;
    size_t first;            /* of the exchange's questions */
    size_t count;            /* at most BATCH_MAX */
    uint32_t sequence;       /* of the first question; the others follow */
    bool missing[BATCH_MAX]; /* the answers still to come */
    size_t missing_count;
};

union question_buffer {
    struct nlmsghdr message;
    char bytes[BATCH_MAX * EXCHANGE_QUESTION_SIZE];
};

static int send_batch(const struct rtnetlink *rtnetlink, const struct batch *batch,
                      struct error *err)
{
    union question_buffer buffer = {.bytes = {0}}; /* attributes are padded with what is there */
    size_t used = 0;

    for (size_t i = 0; i < batch->count; i++) {
        struct nlmsghdr *message = (void *)(buffer.bytes + used);

        if (!batch->missing[i])
            continue;
        batch->exchange->put(batch->exchange->questions, batch->first + i, (char *)message);
        message->nlmsg_flags = NLM_F_REQUEST;
        message->nlmsg_seq = batch->sequence + (uint32_t)i;
        used += message->nlmsg_len;
    }
    return rtnetlink_send(rtnetlink, buffer.bytes, used, err);
}

/* One message of at most `length` bytes: an answer to a question of the batch, or none of ours. */
static int take_answer(struct batch *batch, const struct nlmsghdr *message, size_t length,
                       struct error *err)
{
    const struct exchange *exchange = batch->exchange;
    size_t i = message->nlmsg_seq - batch->sequence;

    if (i >= batch->count || !batch->missing[i])
        return 0;
    if (exchange->take(exchange, batch->first + i, message, length, err) < 0)
        return -1;
    batch->missing[i] = false;
    batch->missing_count--;
    return 0;
}

/* Until all answers are there, or *lost. */
static int receive_batch(const struct rtnetlink *rtnetlink, struct batch *batch, bool *lost,
                         struct error *err)
{
    int64_t deadline = rtnetlink_deadline();
    union rtnetlink_buffer buffer;
    size_t length;

    *lost = false;
    while (batch->missing_count > 0) {
        if (rtnetlink_receive(rtnetlink, deadline, &buffer, &length, err) < 0)
            return -1;
        if (length == 0) {
            *lost = true;
            return 0;
        }
        int left = (int)length;
        for (const struct nlmsghdr *message = &buffer.message; message_is_whole(message, left);
             message = mnl_nlmsg_next(message, &left))
            if (take_answer(batch, message, (size_t)left, err) < 0)
                return -1;
    }
    return 0;
}

static int ask_batch(struct rtnetlink *rtnetlink, struct batch *batch, struct error *err)
{
    const struct exchange *exchange = batch->exchange;

    batch->sequence = rtnetlink->sequence;
    rtnetlink->sequence += BATCH_MAX;
    for (size_t i = 0; i < batch->count; i++) {
        batch->missing[i] =
            exchange->asks == NULL || exchange->asks(exchange->questions, batch->first + i);
        batch->missing_count += batch->missing[i];
    }
    for (int attempt = 0; batch->missing_count > 0 && attempt < ATTEMPTS; attempt++) {
        bool lost;

        if (send_batch(rtnetlink, batch, err) < 0 ||
            receive_batch(rtnetlink, batch, &lost, err) < 0)
            return -1;
    }
    if (batch->missing_count > 0)
        return error_set(err, ERROR_KERNEL, "rtnetlink's answers were lost %d times: %s", ATTEMPTS,
                         strerror(ENOBUFS));
    return 0;
}

int rtnetlink_exchange(struct rtnetlink *rtnetlink, const struct exchange *exchange,
                       struct error *err)
{
    for (size_t first = 0; first < exchange->count; first += BATCH_MAX) {
        size_t left = exchange->count - first;
        struct batch batch = {
            .exchange = exchange, .first = first, .count = left < BATCH_MAX ? left : BATCH_MAX};

        if (ask_batch(rtnetlink, &batch, err) < 0)
            return -1;
    }
    return 0;
}
