/*
 * How soon `imds-guard watch` repairs what somebody undoes.
 *
 *     react conflist ROUNDS FILE ORIGINAL   puts a copy of ORIGINAL in FILE's place, as aws-node does
 *     react ruleset ROUNDS [INTERFACE]      flushes all of nf_tables, as `nft flush ruleset` does
 *     react legacy ROUNDS TOOL               has the iptables TOOL flush the table mangle
 *
 * and looks every twentieth of a millisecond whether the entry is there again; our table, or in it the
 * guard of INTERFACE; or as many rules as there were. A table comes with the verdict for others. The
 * tool's time is not counted. Between two rounds there is a pause of a random length, longer than what
 * watch takes for a fight. Fails if nothing is repaired within ten seconds.
 *
 * Prints, tab-separated, milliseconds: median and worst.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netlink.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS     50000
#define PATIENCE_NS 10000000000
#define TABLE       "imds_guard"
#define MAP         "guards"
#define LEGACY      "mangle"
#define ENTRY       "imds-guard"

static void die(const char *what)
{
    fprintf(stderr, "react: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void pause_ns(long nanoseconds)
{
    const struct timespec pause = {.tv_nsec = nanoseconds};

    nanosleep(&pause, NULL);
}

/* --- the conflist
 * --------------------------------------------------------------------------------- */

struct text {
    char bytes[65536];
    size_t length;
};

static void read_file(const char *path, struct text *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, text->bytes, sizeof(text->bytes));

    if (length < 0)
        die(path);
    close(fd);
    text->length = (size_t)length;
}

static void put_in_place(const char *path, const struct text *text)
{
    char temporary[4096];
    int fd;

    snprintf(temporary, sizeof(temporary), "%s.react", path);
    fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text->bytes, text->length) != (ssize_t)text->length)
        die(temporary);
    close(fd);
    if (rename(temporary, path) < 0)
        die(path);
}

static bool has_entry(const char *path)
{
    static struct text text;

    read_file(path, &text);
    return memmem(text.bytes, text.length, ENTRY, strlen(ENTRY)) != NULL;
}

/* --- nf_tables
 * ------------------------------------------------------------------------------------ */

struct message {
    struct nlmsghdr header;
    struct nfgenmsg family;
    struct nlattr attribute;
    char name[12];
};

static int open_netlink(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

    if (fd < 0)
        die("socket");
    return fd;
}

/* Sends, and gives back what the kernel says to the last of it: 0 or an error number. */
static int ask(int fd, const void *bytes, size_t length)
{
    char buffer[4096];
    const struct nlmsghdr *answer = (const struct nlmsghdr *)buffer;

    if (send(fd, bytes, length, 0) != (ssize_t)length ||
        recv(fd, buffer, sizeof(buffer), 0) < (ssize_t)sizeof(*answer))
        die("nf_tables");
    if (answer->nlmsg_type != NLMSG_ERROR)
        return 0;
    return -((const struct nlmsgerr *)(answer + 1))->error;
}

/* Whether the element is in our map. */
static bool has_guard(int fd, const char *interface)
{
    struct {
        struct nlmsghdr header;
        struct nfgenmsg family;
        struct nlattr table;
        char table_name[12];
        struct nlattr set;
        char set_name[8];
        struct nlattr elements, element, key, value;
        char name[IFNAMSIZ];
    } question = {
        .header = {.nlmsg_len = sizeof(question),
                   .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM,
                   .nlmsg_flags = NLM_F_REQUEST},
        .family = {.nfgen_family = 1 /* NFPROTO_INET */},
        .table = {sizeof(struct nlattr) + sizeof(TABLE), NFTA_SET_ELEM_LIST_TABLE},
        .table_name = TABLE,
        .set = {sizeof(struct nlattr) + sizeof(MAP), NFTA_SET_ELEM_LIST_SET},
        .set_name = MAP,
        .elements = {4 * sizeof(struct nlattr) + IFNAMSIZ,
                     NLA_F_NESTED | NFTA_SET_ELEM_LIST_ELEMENTS},
        .element = {3 * sizeof(struct nlattr) + IFNAMSIZ, NLA_F_NESTED | NFTA_LIST_ELEM},
        .key = {2 * sizeof(struct nlattr) + IFNAMSIZ, NLA_F_NESTED | NFTA_SET_ELEM_KEY},
        .value = {sizeof(struct nlattr) + IFNAMSIZ, NFTA_DATA_VALUE},
    };

    strncpy(question.name, interface, sizeof(question.name) - 1);
    return ask(fd, &question, sizeof(question)) == 0;
}

static bool has_table(int fd)
{
    struct message question = {
        .header = {.nlmsg_len = sizeof(question),
                   .nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETTABLE,
                   .nlmsg_flags = NLM_F_REQUEST},
        .family = {.nfgen_family = 1 /* NFPROTO_INET */},
        .attribute = {.nla_len = sizeof(struct nlattr) + sizeof(TABLE),
                      .nla_type = NFTA_TABLE_NAME},
        .name = TABLE,
    };
    return ask(fd, &question, sizeof(question)) == 0;
}

/* A deletion of tables that names neither family nor table means all of them. */
static void flush_ruleset(int fd)
{
    struct {
        struct nlmsghdr header;
        struct nfgenmsg family;
    } batch[3] = {0};

    for (int i = 0; i < 3; i++)
        batch[i].header =
            (struct nlmsghdr){.nlmsg_len = sizeof(batch[i]), .nlmsg_flags = NLM_F_REQUEST};
    batch[0].header.nlmsg_type = NFNL_MSG_BATCH_BEGIN;
    batch[0].family.res_id = batch[2].family.res_id = htons(NFNL_SUBSYS_NFTABLES);
    batch[1].header.nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_DELTABLE;
    batch[1].header.nlmsg_flags |= NLM_F_ACK;
    batch[2].header.nlmsg_type = NFNL_MSG_BATCH_END;
    errno = ask(fd, batch, sizeof(batch));
    if (errno)
        die("flush");
}

/* --- the legacy table
 * ----------------------------------------------------------------------------- */

static unsigned count_rules(int fd)
{
    struct ipt_getinfo about = {.name = LEGACY};
    socklen_t size = sizeof(about);

    if (getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &about, &size) < 0)
        die(LEGACY);
    return about.num_entries;
}

static void flush_legacy(const char *tool)
{
    char *const arguments[] = {(char *)(uintptr_t)tool, "-w", "-t", LEGACY, "-F", NULL};
    pid_t process;
    int status;

    errno = posix_spawn(&process, tool, NULL, NULL, arguments, environ);
    if (errno || waitpid(process, &status, 0) < 0)
        die(tool);
    if (status != 0) {
        fprintf(stderr, "react: %s: wait status %#x\n", tool, (unsigned)status);
        exit(1);
    }
}

/* --- rounds
 * --------------------------------------------------------------------------------------- */

struct subject {
    const char *path;      /* of the conflist; else NULL */
    const char *tool;      /* of the legacy table; else NULL: the ruleset */
    const char *interface; /* whose guard must be back; NULL: the table suffices */
    struct text original;
    unsigned rules;
    int socket;
};

static void undo(const struct subject *subject)
{
    if (subject->path)
        put_in_place(subject->path, &subject->original);
    else if (subject->tool)
        flush_legacy(subject->tool);
    else
        flush_ruleset(subject->socket);
}

static bool is_whole(const struct subject *subject)
{
    if (subject->path)
        return has_entry(subject->path);
    if (subject->tool)
        return count_rules(subject->socket) == subject->rules;
    return subject->interface ? has_guard(subject->socket, subject->interface)
                              : has_table(subject->socket);
}

static double await_repair(const struct subject *subject, int64_t began)
{
    while (!is_whole(subject)) {
        if (now_ns() > began + PATIENCE_NS) {
            errno = ETIMEDOUT;
            die("no repair");
        }
        pause_ns(LOOK_NS);
    }
    return (double)(now_ns() - began) / 1e6;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

/* What watch brings back may be less than what was there: once is not timed. */
static unsigned count_restored(const struct subject *subject)
{
    for (int tries = 0; tries < 10; tries++) {
        unsigned before;
        unsigned after;

        undo(subject);
        before = count_rules(subject->socket); /* it may have been repaired already */
        pause_ns(900000000);
        after = count_rules(subject->socket);
        if (after > before)
            return after;
    }
    errno = ETIMEDOUT;
    die("no repair");
    return 0;
}

static bool read_arguments(int argc, char **argv, struct subject *out)
{
    const char *what = argc >= 3 ? argv[1] : "";

    if (strcmp(what, "conflist") == 0 && argc == 5) {
        out->path = argv[3];
        read_file(argv[4], &out->original);
        return true;
    }
    if (strcmp(what, "ruleset") == 0 && argc <= 4) {
        out->interface = argv[3]; /* or NULL, at the end */
        out->socket = open_netlink();
        return true;
    }
    if (strcmp(what, "legacy") == 0 && argc == 4) {
        out->tool = argv[3];
        out->socket = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
        out->rules = count_restored(out);
        return true;
    }
    return false;
}

int main(int argc, char **argv)
{
    static struct subject subject;
    long rounds = argc >= 3 ? atol(argv[2]) : 0;
    double *took = rounds > 0 ? calloc((size_t)rounds, sizeof(*took)) : NULL;

    if (!took || !read_arguments(argc, argv, &subject)) {
        fputs("usage: react conflist ROUNDS FILE ORIGINAL | ruleset ROUNDS [INTERFACE] | "
              "legacy ROUNDS TOOL\n",
              stderr);
        return 2;
    }
    for (long round = 0; round < rounds; round++) {
        pause_ns(200000000 + random() % 200 * 1000000);
        undo(&subject);
        took[round] = await_repair(&subject, now_ns());
    }
    qsort(took, (size_t)rounds, sizeof(*took), compare);
    printf("%.2f\t%.2f\n", took[rounds / 2], took[rounds - 1]);
    return 0;
}
