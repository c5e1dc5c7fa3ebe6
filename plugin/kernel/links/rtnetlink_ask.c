#include "kernel/links/rtnetlink.h"

#include "kernel/netlink_message.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* As many answers as a socket's default buffer (net.core.rmem_default) holds with room to spare:
 * the kernel throws away what does not fit. */
#define BATCH_MAX 16

#define ATTEMPTS 3

/* A header, a fixed part and two small attributes. */
#define QUESTION_SIZE 128

/*
 * Questions that go out in one datagram. The kernel works through it within the call; each answer
 * is a datagram of its own, told by its sequence number.
 */
struct batch {
    const struct link_question *questions;
    struct link_reply *answers;
    size_t count;            /* at most BATCH_MAX */
    uint32_t sequence;       /* of the first question; the others follow */
    bool missing[BATCH_MAX]; /* the answers still to come */
    size_t missing_count;
};

union question_buffer {
    struct nlmsghdr message;
    char bytes[BATCH_MAX * QUESTION_SIZE];
};

static size_t put_link_question(char *buffer, const struct link_question *question,
                                uint32_t sequence)
{
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
    struct ifinfomsg *header;

    message->nlmsg_type = RTM_GETLINK;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = sequence;
    header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
    header->ifi_index = question->name == NULL ? question->index : 0;
    if (question->name != NULL)
        mnl_attr_put_strz(message, IFLA_IFNAME, question->name);
    mnl_attr_put_u32(message, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    return message->nlmsg_len;
}

static int send_batch(const struct rtnetlink *rtnetlink, const struct batch *batch,
                      struct error *err)
{
    union question_buffer buffer = {.bytes = {0}}; /* attributes are padded with what is there */
    size_t used = 0;

    for (size_t i = 0; i < batch->count; i++)
        if (batch->missing[i])
            used += put_link_question(buffer.bytes + used, &batch->questions[i],
                                      batch->sequence + (uint32_t)i);
    return rtnetlink_send(rtnetlink, buffer.bytes, used, err);
}

static int refused(const struct link_question *question, int error, struct error *err)
{
    if (question->name != NULL)
        return error_set(err, ERROR_KERNEL, "rtnetlink does not tell about link %s: %s",
                         question->name, strerror(error));
    return error_set(err, ERROR_KERNEL, "rtnetlink does not tell about link number %d: %s",
                     question->index, strerror(error));
}

/* One message of at most `length` bytes: an answer to a question of the batch, or none of ours. */
static int take_link_answer(struct batch *batch, const struct nlmsghdr *message, size_t length,
                            struct error *err)
{
    size_t i = message->nlmsg_seq - batch->sequence;

    if (i >= batch->count || !batch->missing[i])
        return 0;
    if (!link_reply_read(message, length, &batch->answers[i])) {
        int error;

        if (!error_reply_read(message, length, &error) || error == 0)
            error = EBADMSG;
        if (error != ENODEV)
            return refused(&batch->questions[i], error, err);
    }
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
            if (take_link_answer(batch, message, (size_t)left, err) < 0)
                return -1;
    }
    return 0;
}

static int ask_batch(struct rtnetlink *rtnetlink, struct batch *batch, struct error *err)
{
    batch->sequence = rtnetlink->sequence;
    rtnetlink->sequence += BATCH_MAX;
    for (size_t i = 0; i < batch->count; i++) {
        bool to_ask = batch->questions[i].name != NULL || batch->questions[i].index > 0;

        batch->answers[i] = (struct link_reply){.peer_nsid = NETNSA_NSID_NOT_ASSIGNED};
        batch->missing[i] = to_ask;
        batch->missing_count += to_ask;
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

int rtnetlink_ask_links(struct rtnetlink *rtnetlink, const struct link_question *questions,
                        size_t count, struct link_reply *answers, struct error *err)
{
    for (size_t first = 0; first < count; first += BATCH_MAX) {
        struct batch batch = {.questions = questions + first,
                              .answers = answers + first,
                              .count = count - first < BATCH_MAX ? count - first : BATCH_MAX};

        if (ask_batch(rtnetlink, &batch, err) < 0)
            return -1;
    }
    return 0;
}

static int send_nsid_question(struct rtnetlink *rtnetlink, int netns, uint32_t sequence,
                              struct error *err)
{
    union question_buffer buffer;
    struct nlmsghdr *message = mnl_nlmsg_put_header(buffer.bytes);
    struct rtgenmsg *header;

    message->nlmsg_type = RTM_GETNSID;
    message->nlmsg_flags = NLM_F_REQUEST;
    message->nlmsg_seq = sequence;
    header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
    header->rtgen_family = AF_UNSPEC;
    mnl_attr_put_u32(message, NETNSA_FD, (uint32_t)netns);
    return rtnetlink_send(rtnetlink, message, message->nlmsg_len, err);
}

int rtnetlink_ask_nsid(struct rtnetlink *rtnetlink, int netns, int *out, struct error *err)
{
    uint32_t sequence = rtnetlink->sequence++;
    int64_t deadline = rtnetlink_deadline();
    union rtnetlink_buffer buffer;
    size_t length = 0;

    if (send_nsid_question(rtnetlink, netns, sequence, err) < 0)
        return -1;
    do {
        if (rtnetlink_receive(rtnetlink, deadline, &buffer, &length, err) < 0)
            return -1;
        if (length == 0)
            return error_set(err, ERROR_KERNEL, "rtnetlink's answer about a namespace was lost");
    } while (length < sizeof(buffer.message) || buffer.message.nlmsg_seq != sequence);

    int error;
    if (nsid_reply_read(&buffer, length, out))
        return 0;
    if (!error_reply_read(&buffer, length, &error) || error == 0)
        error = EBADMSG;
    return error_set(err, ERROR_KERNEL, "rtnetlink does not number the pod's network namespace: %s",
                     strerror(error));
}
