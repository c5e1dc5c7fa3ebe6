#include "node/status/status.h"

#include "guard/endpoint.h"
#include "guard/json.h"

#include <inttypes.h>

/* A counter as it is: cJSON's own numbers are doubles. */
static bool add_counter(cJSON *object, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    return cJSON_AddRawToObject(object, key, text);
}

static bool add_families(cJSON *object, unsigned families)
{
    cJSON *array = cJSON_AddArrayToObject(object, "families");

    return array &&
           (!(families & FAMILY_IPV4) || cJSON_AddItemToArray(array, cJSON_CreateString("ipv4"))) &&
           (!(families & FAMILY_IPV6) || cJSON_AddItemToArray(array, cJSON_CreateString("ipv6")));
}

static bool add_guard(cJSON *array, const struct status_guard *guard)
{
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(array, object) &&
           cJSON_AddStringToObject(object, "interface", guard->guard.interface) &&
           cJSON_AddStringToObject(object, "verdict", verdict_name(guard->guard.verdict)) &&
           (guard->backend ? cJSON_AddStringToObject(object, "backend", guard->backend)
                           : cJSON_AddNullToObject(object, "backend")) &&
           add_families(object, guard->families) &&
           add_counter(object, "packets", guard->packets) &&
           add_counter(object, "bytes", guard->bytes);
}

static bool add_row(cJSON *array, const struct status_row *row)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *guards;

    if (!cJSON_AddItemToArray(array, object) ||
        !cJSON_AddStringToObject(object, "namespace", row->namespace) ||
        !cJSON_AddStringToObject(object, "pod", row->pod) ||
        !cJSON_AddStringToObject(object, "network", row->network) ||
        !cJSON_AddStringToObject(object, "containerId", row->container_id) ||
        !cJSON_AddStringToObject(object, "ifname", row->ifname) ||
        !cJSON_AddStringToObject(object, "state", status_state_name(row->state)) ||
        !cJSON_AddStringToObject(object, "reason", row->reason) ||
        !cJSON_AddBoolToObject(object, "unchained", row->unchained))
        return false;
    guards = cJSON_AddArrayToObject(object, "guards");
    if (!guards)
        return false;
    for (size_t i = 0; i < row->guard_count; i++)
        if (!add_guard(guards, &row->guards[i]))
            return false;
    return true;
}

static bool add_summary(cJSON *tree, const struct status *status)
{
    cJSON *summary = cJSON_AddObjectToObject(tree, "summary");

    for (int i = 0; i < STATUS_STATES; i++)
        if (!add_counter(summary, status_state_name((enum status_state)i),
                         status_count(status, (enum status_state)i)))
            return false;
    return true;
}

static bool add_backend(cJSON *array, const struct status_others *others)
{
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(array, object) &&
           cJSON_AddStringToObject(object, "backend", others->backend) &&
           cJSON_AddBoolToObject(object, "inForce", others->in_force) &&
           cJSON_AddStringToObject(object, "verdict", verdict_name(others->others.verdict)) &&
           add_counter(object, "packets", others->others.packets) &&
           add_counter(object, "bytes", others->others.bytes);
}

static bool add_others(cJSON *tree, const struct status *status)
{
    cJSON *others = cJSON_AddObjectToObject(tree, "others");
    cJSON *each = NULL;
    uint64_t packets = 0, bytes = 0;

    for (size_t i = 0; i < status->others_count; i++) {
        packets += status->others[i].others.packets;
        bytes += status->others[i].others.bytes;
    }
    if (!cJSON_AddStringToObject(others, "verdict", verdict_name(status->others_verdict)) ||
        !add_counter(others, "packets", packets) || !add_counter(others, "bytes", bytes))
        return false;
    each = cJSON_AddArrayToObject(others, "backends");
    if (!each)
        return false;
    for (size_t i = 0; i < status->others_count; i++)
        if (!add_backend(each, &status->others[i]))
            return false;
    return true;
}

static bool add_uplink(cJSON *array, const struct fence_uplink *uplink)
{
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(array, object) &&
           cJSON_AddStringToObject(object, "uplink", uplink->name) &&
           cJSON_AddNumberToObject(object, "place", uplink->place) &&
           cJSON_AddBoolToObject(object, "current", uplink->current) &&
           cJSON_AddBoolToObject(object, "sockets", uplink->sockets) &&
           add_counter(object, "stopped", uplink->stopped) &&
           add_counter(object, "passed", uplink->passed);
}

static bool add_incoming(cJSON *array, const struct fence_incoming *incoming)
{
    cJSON *object = cJSON_CreateObject();

    return cJSON_AddItemToArray(array, object) &&
           cJSON_AddNumberToObject(object, "index", incoming->index) &&
           cJSON_AddStringToObject(object, "interface", incoming->name) &&
           (incoming->known
                ? cJSON_AddStringToObject(object, "verdict", verdict_name(incoming->verdict))
                : cJSON_AddNullToObject(object, "verdict")) &&
           add_counter(object, "stopped", incoming->stopped) &&
           add_counter(object, "passed", incoming->passed);
}

static bool add_fence(cJSON *tree, const struct status_fence *fence)
{
    cJSON *object = cJSON_AddObjectToObject(tree, "exitFence");
    cJSON *uplinks, *incoming;

    if (!cJSON_AddStringToObject(object, "configured", exit_fence_name(fence->wanted)) ||
        !cJSON_AddBoolToObject(object, "stands", fence->stands) ||
        !cJSON_AddStringToObject(object, "reason", fence->reason ? fence->reason : ""))
        return false;
    uplinks = cJSON_AddArrayToObject(object, "uplinks");
    incoming = cJSON_AddArrayToObject(object, "interfaces");
    if (!uplinks || !incoming)
        return false;
    for (size_t i = 0; i < fence->listing.uplink_count; i++)
        if (!add_uplink(uplinks, &fence->listing.uplinks[i]))
            return false;
    for (size_t i = 0; i < fence->listing.incoming_count; i++)
        if (!add_incoming(incoming, &fence->listing.incoming[i]))
            return false;
    return true;
}

static bool add_all(cJSON *tree, const struct status *status)
{
    cJSON *attachments, *problems;

    if (!cJSON_AddStringToObject(tree, "network", status->network) ||
        !cJSON_AddBoolToObject(tree, "complete", status->complete) || !add_summary(tree, status) ||
        !add_others(tree, status) || !add_fence(tree, &status->fence))
        return false;
    attachments = cJSON_AddArrayToObject(tree, "attachments");
    problems = cJSON_AddArrayToObject(tree, "problems");
    if (!attachments || !problems)
        return false;
    for (size_t i = 0; i < status->row_count; i++)
        if (!add_row(attachments, &status->rows[i]))
            return false;
    for (size_t i = 0; i < status->problems.count; i++)
        if (!cJSON_AddItemToArray(problems, cJSON_CreateString(status->problems.items[i].text)))
            return false;
    return true;
}

int status_print_json(const struct status *status, FILE *out, struct error *err)
{
    cleanup(json) cJSON *tree = cJSON_CreateObject();
    char *text;

    if (!tree || !add_all(tree, status))
        return error_no_memory(err);
    text = cJSON_Print(tree);
    if (!text)
        return error_no_memory(err);
    fprintf(out, "%s\n", text);
    cJSON_free(text);
    return 0;
}
