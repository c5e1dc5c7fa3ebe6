#include "node/status/status.h"

#include "node/status/exposition.h"

/* The labels of a row. */
#define OF(row)                                                                                    \
    "namespace", (row)->namespace, "pod", (row)->pod, "container_id", (row)->container_id,         \
        "network", (row)->network, "ifname", (row)->ifname

/* What there is of each counter. */
enum measure { PACKETS, BYTES, HIT };

static uint64_t measured(enum measure measure, uint64_t packets, uint64_t bytes, time_t hit)
{
    return measure == HIT ? (uint64_t)hit : measure == BYTES ? bytes : packets;
}

static void print_guards(const struct status *status, const char *name, enum measure measure,
                         FILE *out)
{
    for (size_t i = 0; i < status->row_count; i++)
        for (size_t j = 0; j < status->rows[i].guard_count; j++) {
            const struct status_row *row = &status->rows[i];
            const struct status_guard *guard = &row->guards[j];

            if (guard->backend && (measure != HIT || guard->hit != 0))
                exposition_sample(out, measured(measure, guard->packets, guard->bytes, guard->hit),
                                  name, OF(row), "interface", guard->guard.interface, "verdict",
                                  verdict_name(guard->guard.verdict), "backend", guard->backend);
        }
}

static void print_others(const struct status *status, const char *name, enum measure measure,
                         FILE *out)
{
    for (size_t i = 0; i < status->others_count; i++) {
        const struct status_others *others = &status->others[i];
        const uint64_t value =
            measured(measure, others->others.packets, others->others.bytes, others->hit);

        if (measure != HIT || others->hit != 0)
            exposition_sample(out, value, name, "verdict", verdict_name(others->others.verdict),
                              "backend", others->backend);
    }
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

static void print_attachments(const struct status *status, FILE *out)
{
    static const char states[] = "imds_guard_attachments";
    static const char guarded[] = "imds_guard_attachment_guarded";

    exposition_head(states, "gauge", "Attachments by state.", out);
    for (enum status_state state = 0; state < STATUS_STATES; state++)
        exposition_sample(out, status_count(status, state), states, "state",
                          status_state_name(state));
    exposition_head(guarded, "gauge",
                    "Whether the running pod's attachment has its own guard, as configured.", out);
    for (size_t i = 0; i < status->row_count; i++) {
        const struct status_row *row = &status->rows[i];

        if (row->state != STATUS_STATE_LEFTOVER && row->state != STATUS_STATE_DETACHED)
            exposition_sample(out, row->state == STATUS_STATE_GUARDED, guarded, OF(row));
    }
}

static void print_uplinks(const struct fence_listing *listing, FILE *out)
{
    static const char place[] = "imds_guard_exit_fence_place";
    static const char packets[] = "imds_guard_exit_fence_packets_total";

    exposition_head(place, "gauge", "The exit fence's place among an uplink's programs; 0: none.",
                    out);
    for (size_t i = 0; i < listing->uplink_count; i++)
        exposition_sample(out, listing->uplinks[i].place, place, "uplink",
                          listing->uplinks[i].name);
    exposition_head(packets, "counter", "Packets to an IMDS endpoint that came to the exit fence.",
                    out);
    for (size_t i = 0; i < listing->uplink_count; i++) {
        const struct fence_uplink *up = &listing->uplinks[i];

        exposition_sample(out, up->stopped, packets, "uplink", up->name, "verdict", "drop");
        exposition_sample(out, up->passed, packets, "uplink", up->name, "verdict", "pass");
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
        char index[16];

        snprintf(index, sizeof(index), "%d", in->index);
        exposition_sample(out, in->stopped, name, "interface", in->name, "index", index, "verdict",
                          "drop");
        exposition_sample(out, in->passed, name, "interface", in->name, "index", index, "verdict",
                          "pass");
    }
}

void status_print_prometheus(const struct status *status, FILE *out)
{
    static const char version[] = "imds_guard_build_info";
    static const char stands[] = "imds_guard_exit_fence_stands";

    exposition_head(version, "gauge", "The version of imds-guard; always 1.", out);
    exposition_sample(out, 1, version, "version", IMDS_GUARD_VERSION);
    exposition_one("imds_guard_status_complete", "gauge",
                   "Whether configuration, cache and kernel could all be read.", status->complete,
                   out);
    exposition_one("imds_guard_problems", "gauge", "Faults and files that status complains about.",
                   status->problems.count, out);
    exposition_one("imds_guard_others_as_configured", "gauge",
                   "Whether interfaces without a guard get the configured verdict.",
                   !status->others_wrong, out);
    print_attachments(status, out);
    print_counters(status, out);
    exposition_head(stands, "gauge", "Whether the exit fence stands first on every uplink.", out);
    exposition_sample(out, status->fence.stands, stands, "configured",
                      exit_fence_name(status->fence.wanted));
    print_uplinks(&status->fence.listing, out);
    print_incoming(&status->fence.listing, out);
}
