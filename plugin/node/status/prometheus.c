#include "node/status/status.h"

#include <inttypes.h>

/* Prometheus text format 0.0.4: backslash, quote and newline are escaped in a label's value. */
static void print_label(const char *name, const char *value, bool first, FILE *out)
{
    fprintf(out, "%s%s=\"", first ? "{" : ",", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', out);
        fputc(*value, out);
    }
    fputc('"', out);
}

static void print_attachment_labels(const struct status_row *row, FILE *out)
{
    print_label("namespace", row->namespace, true, out);
    print_label("pod", row->pod, false, out);
    print_label("container_id", row->container_id, false, out);
    print_label("network", row->network, false, out);
    print_label("ifname", row->ifname, false, out);
}

static void print_head(const char *name, const char *type, const char *help, FILE *out)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_counters(const struct status *status, const char *name, const char *help,
                           bool in_bytes, FILE *out)
{
    print_head(name, "counter", help, out);
    for (size_t i = 0; i < status->row_count; i++)
        for (size_t j = 0; j < status->rows[i].guard_count; j++) {
            const struct status_guard *guard = &status->rows[i].guards[j];

            if (!guard->backend)
                continue;
            fputs(name, out);
            print_attachment_labels(&status->rows[i], out);
            print_label("interface", guard->guard.interface, false, out);
            print_label("verdict", verdict_name(guard->guard.verdict), false, out);
            print_label("backend", guard->backend, false, out);
            fprintf(out, "} %" PRIu64 "\n", in_bytes ? guard->bytes : guard->packets);
        }
}

static void print_others(const struct status *status, const char *name, const char *help,
                         bool in_bytes, FILE *out)
{
    print_head(name, "counter", help, out);
    for (size_t i = 0; i < status->others_count; i++) {
        const struct status_others *others = &status->others[i];

        fputs(name, out);
        print_label("verdict", verdict_name(others->others.verdict), true, out);
        print_label("backend", others->backend, false, out);
        fprintf(out, "} %" PRIu64 "\n", in_bytes ? others->others.bytes : others->others.packets);
    }
}

static void print_guarded(const struct status *status, FILE *out)
{
    print_head("imds_guard_attachment_guarded", "gauge",
               "Whether the running pod's attachment has its own guard, as configured.", out);
    for (size_t i = 0; i < status->row_count; i++) {
        const struct status_row *row = &status->rows[i];

        if (row->state == STATUS_STATE_LEFTOVER || row->state == STATUS_STATE_DETACHED)
            continue;
        fputs("imds_guard_attachment_guarded", out);
        print_attachment_labels(row, out);
        fprintf(out, "} %d\n", row->state == STATUS_STATE_GUARDED);
    }
}

static void print_states(const struct status *status, FILE *out)
{
    print_head("imds_guard_attachments", "gauge", "Attachments by state.", out);
    for (int i = 0; i < STATUS_STATES; i++)
        fprintf(out, "imds_guard_attachments{state=\"%s\"} %zu\n",
                status_state_name((enum status_state)i),
                status_count(status, (enum status_state)i));
}

static void print_fence_counter(const char *name, const char *key, const char *value, int index,
                                const char *verdict, uint64_t packets, FILE *out)
{
    char number[16];

    fputs(name, out);
    print_label(key, value, true, out);
    if (index >= 0) {
        snprintf(number, sizeof(number), "%d", index);
        print_label("index", number, false, out);
    }
    print_label("verdict", verdict, false, out);
    fprintf(out, "} %" PRIu64 "\n", packets);
}

static void print_uplinks(const struct fence_listing *listing, FILE *out)
{
    static const char place[] = "imds_guard_exit_fence_place";
    static const char packets[] = "imds_guard_exit_fence_packets_total";

    print_head(place, "gauge", "The exit fence's place among an uplink's programs; 0: none.", out);
    for (size_t i = 0; i < listing->uplink_count; i++) {
        fputs(place, out);
        print_label("uplink", listing->uplinks[i].name, true, out);
        fprintf(out, "} %u\n", listing->uplinks[i].place);
    }
    print_head(packets, "counter", "Packets to an IMDS endpoint that came to the exit fence.", out);
    for (size_t i = 0; i < listing->uplink_count; i++) {
        const struct fence_uplink *uplink = &listing->uplinks[i];

        print_fence_counter(packets, "uplink", uplink->name, -1, "drop", uplink->stopped, out);
        print_fence_counter(packets, "uplink", uplink->name, -1, "pass", uplink->passed, out);
    }
}

/* An interface that is gone has no name any more, but still an index. */
static void print_incoming(const struct fence_listing *listing, FILE *out)
{
    static const char name[] = "imds_guard_exit_fence_interface_packets_total";

    print_head(name, "counter",
               "The same packets by the interface that they came in through; index 0: macvlan and "
               "the like.",
               out);
    for (size_t i = 0; i < listing->incoming_count; i++) {
        const struct fence_incoming *in = &listing->incoming[i];

        print_fence_counter(name, "interface", in->name, in->index, "drop", in->stopped, out);
        print_fence_counter(name, "interface", in->name, in->index, "pass", in->passed, out);
    }
}

static void print_fence(const struct status_fence *fence, FILE *out)
{
    print_head("imds_guard_exit_fence_stands", "gauge",
               "Whether the exit fence stands first on every uplink.", out);
    fputs("imds_guard_exit_fence_stands", out);
    print_label("configured", exit_fence_name(fence->wanted), true, out);
    fprintf(out, "} %d\n", fence->stands);
    print_uplinks(&fence->listing, out);
    print_incoming(&fence->listing, out);
}

static void print_gauge(const char *name, const char *help, size_t value, FILE *out)
{
    print_head(name, "gauge", help, out);
    fprintf(out, "%s %zu\n", name, value);
}

void status_print_prometheus(const struct status *status, FILE *out)
{
    print_head("imds_guard_build_info", "gauge", "The version of imds-guard; always 1.", out);
    fputs("imds_guard_build_info", out);
    print_label("version", IMDS_GUARD_VERSION, true, out);
    fputs("} 1\n", out);
    print_gauge("imds_guard_status_complete",
                "Whether configuration, cache and kernel could all be read.", status->complete,
                out);
    print_gauge("imds_guard_problems", "Faults and files that status complains about.",
                status->problems.count, out);
    print_gauge("imds_guard_others_as_configured",
                "Whether interfaces without a guard get the configured verdict.",
                !status->others_wrong, out);
    print_states(status, out);
    print_guarded(status, out);
    print_counters(status, "imds_guard_packets_total",
                   "Packets to an IMDS endpoint that hit the guard; the verdict says what became "
                   "of them.",
                   false, out);
    print_counters(status, "imds_guard_bytes_total",
                   "Bytes of packets to an IMDS endpoint that hit the guard.", true, out);
    print_others(status, "imds_guard_others_packets_total",
                 "Packets to an IMDS endpoint from interfaces without a guard.", false, out);
    print_others(status, "imds_guard_others_bytes_total",
                 "Bytes of packets to an IMDS endpoint from interfaces without a guard.", true,
                 out);
    print_fence(&status->fence, out);
}
