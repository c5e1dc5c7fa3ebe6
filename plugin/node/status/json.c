#include "node/status/status.h"

#include "guard/endpoint.h"
#include "node/text.h"

#include <inttypes.h>

/* Between the items of an array, each on a line of its own. */
static const char *before(size_t index)
{
    return index > 0 ? ",\n    " : "\n    ";
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static void print_counters(uint64_t packets, uint64_t bytes, FILE *out)
{
    fprintf(out, ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64, packets, bytes);
}

static void print_row(const struct status_row *row, FILE *out)
{
    fputs("{\"namespace\":", out);
    text_quote(row->namespace, out);
    text_member("pod", row->pod, out);
    text_member("network", row->network, out);
    text_member("containerId", row->container_id, out);
    text_member("ifname", row->ifname, out);
    text_member("state", status_state_name(row->state), out);
    text_member("reason", row->reason, out);
    fprintf(out, ",\"unchained\":%s,\"guards\":[", truth(row->unchained));
    for (size_t i = 0; i < row->guard_count; i++) {
        const struct status_guard *guard = &row->guards[i];
        const bool ipv4 = guard->families & FAMILY_IPV4, ipv6 = guard->families & FAMILY_IPV6;

        fprintf(out, "%s{\"interface\":", i > 0 ? "," : "");
        text_quote(guard->guard.interface, out);
        text_member("verdict", verdict_name(guard->guard.verdict), out);
        text_member("backend", guard->backend, out);
        fprintf(out, ",\"families\":[%s%s%s]", ipv4 ? "\"ipv4\"" : "", ipv4 && ipv6 ? "," : "",
                ipv6 ? "\"ipv6\"" : "");
        print_counters(guard->packets, guard->bytes, out);
        fputc('}', out);
    }
    fputs("]}", out);
}

static void print_others(const struct status *status, FILE *out)
{
    uint64_t packets = 0, bytes = 0;

    for (size_t i = 0; i < status->others_count; i++) {
        packets += status->others[i].others.packets;
        bytes += status->others[i].others.bytes;
    }
    fprintf(out, ",\n  \"others\":{\"verdict\":\"%s\"", verdict_name(status->others_verdict));
    print_counters(packets, bytes, out);
    fputs(",\"backends\":[", out);
    for (size_t i = 0; i < status->others_count; i++) {
        const struct status_others *others = &status->others[i];

        fprintf(out, "%s{\"backend\":\"%s\",\"inForce\":%s,\"verdict\":\"%s\"", before(i),
                others->backend, truth(others->in_force), verdict_name(others->others.verdict));
        print_counters(others->others.packets, others->others.bytes, out);
        fputc('}', out);
    }
    fputs("]}", out);
}

static void print_packets(uint64_t stopped, uint64_t passed, FILE *out)
{
    fprintf(out, ",\"stopped\":%" PRIu64 ",\"passed\":%" PRIu64 "}", stopped, passed);
}

static void print_fence(const struct status_fence *fence, FILE *out)
{
    const struct fence_listing *listing = &fence->listing;

    fprintf(out, ",\n  \"exitFence\":{\"configured\":\"%s\",\"stands\":%s",
            exit_fence_name(fence->wanted), truth(fence->stands));
    text_member("reason", fence->reason ? fence->reason : "", out);
    fputs(",\"uplinks\":[", out);
    for (size_t i = 0; i < listing->uplink_count; i++) {
        const struct fence_uplink *uplink = &listing->uplinks[i];

        fprintf(out, "%s{\"uplink\":", before(i));
        text_quote(uplink->name, out);
        fprintf(out, ",\"place\":%u,\"current\":%s,\"sockets\":%s", uplink->place,
                truth(uplink->current), truth(uplink->sockets));
        print_packets(uplink->stopped, uplink->passed, out);
    }
    fputs("],\"interfaces\":[", out);
    for (size_t i = 0; i < listing->incoming_count; i++) {
        const struct fence_incoming *incoming = &listing->incoming[i];

        fprintf(out, "%s{\"index\":%d", before(i), incoming->index);
        text_member("interface", incoming->name, out);
        text_member("verdict", incoming->known ? verdict_name(incoming->verdict) : NULL, out);
        print_packets(incoming->stopped, incoming->passed, out);
    }
    fputs("]}", out);
}

void status_print_json(const struct status *status, FILE *out)
{
    fputs("{\n  \"network\":", out);
    text_quote(status->network, out);
    fprintf(out, ",\n  \"complete\":%s", truth(status->complete));
    fputs(",\n  \"summary\":{", out);
    for (enum status_state state = 0; state < STATUS_STATES; state++)
        fprintf(out, "%s\"%s\":%zu", state > 0 ? "," : "", status_state_name(state),
                status_count(status, state));
    fputc('}', out);
    print_others(status, out);
    print_fence(&status->fence, out);
    fputs(",\n  \"attachments\":[", out);
    for (size_t i = 0; i < status->row_count; i++) {
        fputs(before(i), out);
        print_row(&status->rows[i], out);
    }
    fputs("],\n  \"problems\":[", out);
    for (size_t i = 0; i < status->problems.count; i++) {
        fputs(before(i), out);
        text_quote(status->problems.items[i].text, out);
    }
    fputs("]\n}\n", out);
}
