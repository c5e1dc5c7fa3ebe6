/*
 * How many packets a second come out of a forwarding node, for several nodes by turns.
 *
 *     blast [--flood] SLICES MILLISECONDS SINK OPEN GUARDED NODE...
 *
 * Runs in the network namespace of pods, of which each node's first has the interface NODE.1; the
 * network namespace SINK (a path) has an interface NODE at each node's other side. A NODE that is
 * written as a path, /run/netns/NODE, does not forward but sends itself, through its uplink. In each slice
 * every NODE has one turn, in which datagrams for the address OPEN are sent through it as fast as
 * they go, and counted where they come out: sent is not forwarded. Before the first slice,
 * datagrams for the address GUARDED go through every node, to see how many of a hundred come out.
 * A second is one of the processor for this process, in which the kernel forwards what it sends: what
 * others on the machine take from it says nothing of the nodes.
 * With --flood what is sent counts: for an OPEN that is none, where the node's work on a packet is done
 * before the next one goes.
 *
 * Prints a line a node, tab-separated: name, packets a second (median), that over the first node's
 * of the same slice (median), how many of the hundred for GUARDED came out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORT      4789
#define BATCH     32
#define PAYLOAD   32 /* bytes: small packets, where each packet's cost shows most */
#define NODES_MAX 16
#define SETTLE_NS 2000000 /* for what is still on its way */
#define PROBES    100

static bool flood;

struct node {
    const char *name; /* as it was given */
    const char *link; /* of the sink */
    int out;          /* socket to the address that is open */
    double *rates;
    double *shares; /* of the first node's */
    uint64_t guarded;
};

static void die(const char *what)
{
    fprintf(stderr, "blast: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void settle(void)
{
    const struct timespec pause = {.tv_nsec = SETTLE_NS};

    nanosleep(&pause, NULL);
}

/* Enters a namespace; returns the one before, for leave. */
static int enter(const char *path)
{
    int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int theirs = open(path, O_RDONLY | O_CLOEXEC);

    if (own < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET) < 0)
        die(path);
    close(theirs);
    return own;
}

static void leave(int before)
{
    if (setns(before, CLONE_NEWNET) < 0)
        die("setns");
    close(before);
}

/* The interface counters of the other namespace: which one a file in /proc is of is settled when it
 * is opened. */
static FILE *open_counters(const char *sink)
{
    int before = enter(sink);
    FILE *counters = fopen("/proc/thread-self/net/dev", "re");

    leave(before);
    if (!counters)
        die("the sink's counters");
    return counters;
}

static uint64_t received(FILE *counters, const char *name)
{
    char line[512];

    fflush(counters); /* what is buffered is what was */
    rewind(counters);
    while (fgets(line, sizeof(line), counters)) {
        char interface[IF_NAMESIZE];
        unsigned long long packets;

        if (sscanf(line, " %15[^:]: %*u %llu", interface, &packets) == 2 &&
            strcmp(interface, name) == 0)
            return packets;
    }
    errno = ENODEV;
    die(name);
    return 0;
}

static int connect_through(const char *device, const char *address)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (inet_pton(AF_INET, address, &to.sin_addr) != 1 || fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device)) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        die(address);
    return fd;
}

static int open_socket(const char *node, const char *address)
{
    char device[IF_NAMESIZE];
    int before;
    int fd;

    if (node[0] != '/') {
        snprintf(device, sizeof(device), "%.12s.1", node);
        return connect_through(device, address);
    }
    before = enter(node);
    fd = connect_through("uplink", address);
    leave(before);
    return fd;
}

/* How many went. Whoever is refused is told so at the next try. */
static uint64_t send_batch(int fd)
{
    static char payload[PAYLOAD];
    struct iovec part = {.iov_base = payload, .iov_len = sizeof(payload)};
    struct mmsghdr messages[BATCH] = {0};

    for (int i = 0; i < BATCH; i++)
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &part, .msg_iovlen = 1};
    int sent = sendmmsg(fd, messages, BATCH, 0);

    if (sent < 0 && errno != ENOBUFS &&
        !(flood && (errno == EHOSTUNREACH || errno == ECONNREFUSED)))
        die("sendmmsg");
    return sent < 0 ? 0 : (uint64_t)sent;
}

static void probe(struct node *node, const char *guarded, FILE *counters)
{
    int fd = open_socket(node->name, guarded);
    uint64_t before = received(counters, node->link);

    for (int i = 0; i < PROBES; i++)
        if (send(fd, "x", 1, 0) != 1 && errno != ECONNREFUSED && errno != EHOSTUNREACH)
            die(node->name);
    settle();
    node->guarded = received(counters, node->link) - before;
    close(fd);
}

static double take_turn(const struct node *node, int64_t duration, FILE *counters)
{
    uint64_t before = received(counters, node->link);
    uint64_t sent = 0;
    int64_t began = now_ns();
    int64_t ended;

    do
        sent += send_batch(node->out);
    while ((ended = now_ns()) < began + duration);
    settle();
    return (double)(flood ? sent : received(counters, node->link) - before) * 1e9 /
           (double)(ended - began);
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;

    return (left > right) - (left < right);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return values[count / 2];
}

static void prepare(struct node *node, const char *name, char **argv, size_t slices, FILE *counters)
{
    *node = (struct node){
        .name = name,
        .link = strrchr(name, '/') ? strrchr(name, '/') + 1 : name,
        .out = open_socket(name, argv[4]),
        .rates = calloc(slices, sizeof(double)),
        .shares = calloc(slices, sizeof(double)),
    };
    if (!node->rates || !node->shares)
        die("calloc");
    probe(node, argv[5], counters);
    take_turn(node, 50000000, counters); /* warms it up */
}

int main(int argc, char **argv)
{
    static struct node nodes[NODES_MAX];

    flood = argc > 1 && strcmp(argv[1], "--flood") == 0;
    argc -= flood;
    argv += flood;

    size_t count = argc > 6 ? (size_t)argc - 6 : 0;
    size_t slices = count ? strtoul(argv[1], NULL, 10) : 0;
    int64_t duration = slices ? atoll(argv[2]) * 1000000 : 0;
    FILE *counters;

    if (duration <= 0 || count > NODES_MAX) {
        fputs("usage: blast [--flood] SLICES MILLISECONDS SINK OPEN GUARDED NODE...\n", stderr);
        return 2;
    }
    counters = open_counters(argv[3]);
    for (size_t i = 0; i < count; i++)
        prepare(&nodes[i], argv[6 + i], argv, slices, counters);
    for (size_t slice = 0; slice < slices; slice++) {
        for (size_t i = 0; i < count; i++) {
            struct node *node = &nodes[(i + slice) % count];
            node->rates[slice] = take_turn(node, duration, counters);
        }
        for (size_t i = 0; i < count; i++)
            nodes[i].shares[slice] = nodes[i].rates[slice] / nodes[0].rates[slice];
    }
    for (size_t i = 0; i < count; i++)
        printf("%s\t%.0f\t%.4f\t%llu\n", nodes[i].name, median(nodes[i].rates, slices),
               median(nodes[i].shares, slices), (unsigned long long)nodes[i].guarded);
    return 0;
}
