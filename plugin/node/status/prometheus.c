#include "node/status/status.h"

#include "node/status/exposition.h"

#include <inttypes.h>

static void print_attachment_labels(const struct status_row *row, FILE *out)
{
    exposition_label("namespace", row->namespace, true, out);
    exposition_label("pod", row->pod, false, out);
    exposition_label("container_id", row->container_id, false, out);
    exposition_label("network", row->network, false, out);
    exposition_label("ifname", row->ifname, false, out);
}

/* What there is of each counter. */
enum measure { PACKETS, BYTES, HIT };

static void print_sample(enum measure measure, uint64_t packets, uint64_t bytes, time_t hit,
                         FILE *out)
{
    if (measure == HIT)
        fprintf(out, "} %" PRIdMAX "\n", (intmax_t)hit);
    else
        fprintf(out, "} %" PRIu64 "\n", measure == BYTES ? bytes : packets);
}

static void print_guards(const struct status *status, const char *name, enum measure measure,
                         FILE *out)
{
    for (size_t i = 0; i < status->row_count; i++)
        for (size_t j = 0; j < status->rows[i].guard_count; j++) {
            const struct status_guard *guard = &status->rows[i].guards[j];

            if (!guard->backend || (measure == HIT && guard->hit == 0))
                continue;
            fputs(name, out);
            print_attachment_labels(&status->rows[i], out);
            exposition_label("interface", guard->guard.interface, false, out);
            exposition_label("verdict", verdict_name(guard->guard.verdict), false, out);
            exposition_label("backend", guard->backend, false, out);
            print_sample(measure, guard->packets, guard->bytes, guard->hit, out);
        }
}

static void print_others(const struct status *status, const char *name, enum measure measure,
                         FILE *out)
{
    for (size_t i = 0; i < status->others_count; i++) {
        const struct status_others *others = &status->others[i];

        if (measure == HIT && others->hit == 0)
            continue;
        fputs(name, out);
        exposition_label("verdict", verdict_name(others->others.verdict), true, out);
        exposition_label("backend", others->backend, false, out);
        print_sample(measure, others->others.packets, others->others.bytes, others->hit, out);
    }
}

static void print_guarded(const struct status *status, FILE *out)
{
    exposition_head("imds_guard_attachment_guarded", "gauge",
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
    exposition_head("imds_guard_attachments", "gauge", "Attachments by state.", out);
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
    exposition_label(key, value, true, out);
    if (index >= 0) {
        snprintf(number, sizeof(number), "%d", index);
        exposition_label("index", number, false, out);
    }
    exposition_label("verdict", verdict, false, out);
    fprintf(out, "} %" PRIu64 "\n", packets);
}

static void print_uplinks(const struct fence_listing *listing, FILE *out)
{
    static const char place[] = "imds_guard_exit_fence_place";
    static const char packets[] = "imds_guard_exit_fence_packets_total";

    exposition_head(place, "gauge", "The exit fence's place among an uplink's programs; 0: none.",
                    out);
    for (size_t i = 0; i < listing->uplink_count; i++) {
        fputs(place, out);
        exposition_label("uplink", listing->uplinks[i].name, true, out);
        fprintf(out, "} %u\n", listing->uplinks[i].place);
    }
    exposition_head(packets, "counter", "Packets to an IMDS endpoint that came to the exit fence.",
                    out);
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

    exposition_head(
        name, "counter",
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
    exposition_head("imds_guard_exit_fence_stands", "gauge",
                    "Whether the exit fence stands first on every uplink.", out);
    fputs("imds_guard_exit_fence_stands", out);
    exposition_label("configured", exit_fence_name(fence->wanted), true, out);
    fprintf(out, "} %d\n", fence->stands);
    print_uplinks(&fence->listing, out);
    print_incoming(&fence->listing, out);
}

/* Each with its head, also where there is no sample of it: a scraper then knows that it is zero. */
static void print_counters(const struct status *status, FILE *out)
{
    static const struct {
        const char *name, *type, *help;
        void (*print)(const struct status *status, const char *name, enum measure measure,
                      FILE *out);
        enum measure measure;
    } families[] = {
        {"imds_guard_packets_total", "counter",
         "Packets to an IMDS endpoint that hit the guard; the verdict says what became of them.",
         print_guards, PACKETS},
        {"imds_guard_bytes_total", "counter",
         "Bytes of packets to an IMDS endpoint that hit the guard.", print_guards, BYTES},
        {"imds_guard_hit_timestamp_seconds", "gauge",
         "When the guard was hit last, as far as watch has seen it.", print_guards, HIT},
        {"imds_guard_others_packets_total", "counter",
         "Packets to an IMDS endpoint from interfaces without a guard.", print_others, PACKETS},
        {"imds_guard_others_bytes_total", "counter",
         "Bytes of packets to an IMDS endpoint from interfaces without a guard.", print_others,
         BYTES},
        {"imds_guard_others_hit_timestamp_seconds", "gauge",
         "When the verdict for others was hit last, as far as watch has seen it.", print_others,
         HIT},
    };

    for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
        exposition_head(families[i].name, families[i].type, families[i].help, out);
        families[i].print(status, families[i].name, families[i].measure, out);
    }
}

void status_print_prometheus(const struct status *status, FILE *out)
{
    exposition_head("imds_guard_build_info", "gauge", "The version of imds-guard; always 1.", out);
    fputs("imds_guard_build_info", out);
    exposition_label("version", IMDS_GUARD_VERSION, true, out);
    fputs("} 1\n", out);
    exposition_gauge("imds_guard_status_complete",
                     "Whether configuration, cache and kernel could all be read.", status->complete,
                     out);
    exposition_gauge("imds_guard_problems", "Faults and files that status complains about.",
                     status->problems.count, out);
    exposition_gauge("imds_guard_others_as_configured",
                     "Whether interfaces without a guard get the configured verdict.",
                     !status->others_wrong, out);
    print_states(status, out);
    print_guarded(status, out);
    print_counters(status, out);
    print_fence(&status->fence, out);
}
