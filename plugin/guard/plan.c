#include "guard/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A result has so few interfaces that the guards' number always fits the tag. */
_Static_assert(RESULT_INTERFACES_MAX + 1 <= OWNER_GUARDS_MAX, "a tag has no place for more");

typedef char interface_name[INTERFACE_NAME_SIZE];

/* Adds a name if it is legal and not yet there; there is room. */
static void add_name(interface_name *names, size_t *count, const char *name)
{
    if (!name_is_interface(name))
        return;
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(names[i], name) == 0)
            return;
    }
    strcpy(names[(*count)++], name);
}

int plan_questions(const struct attachment *attachment, struct questions *out, struct error *err)
{
    const struct result *result = &attachment->result;
    cleanup(questions) struct questions questions = {.host = NULL};

    questions.host = calloc(result->interface_count + 1, sizeof(*questions.host));
    questions.pod = calloc(result->interface_count + 1, sizeof(*questions.pod));
    if (questions.host == NULL || questions.pod == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < result->interface_count; i++) {
        const struct result_interface *interface = &result->interfaces[i];

        if (interface_role(interface) == ROLE_HOST)
            add_name(questions.host, &questions.host_count, interface->name);
        else if (interface_role(interface) == ROLE_CONTAINER)
            add_name(questions.pod, &questions.pod_count, interface->name);
    }
    add_name(questions.pod, &questions.pod_count, attachment->owner.ifname);
    *out = steal(&questions);
    return 0;
}

/* A plan in the making. */
struct draft {
    const struct result *result;
    const struct questions *questions;
    const struct facts *facts;
    enum verdict verdict;
    struct guard *guards; /* has room for every question asked */
    size_t count;
    struct error seen; /* details: what was seen and would not do; msg: the first hole, or "" */
};

/* Says why an interface gets no guard where packets of the pod would get past every guard. */
static void __attribute__((format(printf, 2, 3)))
note_hole(struct draft *draft, const char *format, ...)
{
    char text[sizeof(draft->seen.msg)];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    error_details(&draft->seen, "%s", text);
    if (draft->seen.msg[0] == '\0')
        strcpy(draft->seen.msg, text);
}

static void add_guard(struct draft *draft, const struct link *link, bool proven)
{
    struct guard *guard = draft->guards;

    while (guard < draft->guards + draft->count && strcmp(guard->interface, link->name) != 0)
        guard++;
    if (guard == draft->guards + draft->count) {
        strcpy(guard->interface, link->name);
        guard->index = link->index;
        guard->verdict = draft->verdict;
        draft->count++;
    }
    guard->proven = guard->proven || proven;
}

static bool is_veth(const struct link *link)
{
    return strcmp(link->kind, "veth") == 0;
}

static const char *kind_of(const struct link *link)
{
    return link->kind[0] != '\0' ? link->kind : "no virtual link";
}

static bool is_of_pod(const struct draft *draft, const char *name)
{
    for (size_t i = 0; i < draft->questions->pod_count; i++)
        if (strcmp(draft->questions->pod[i], name) == 0 && draft->facts->pod[i].link.index != 0)
            return true;
    return false;
}

/*
 * Rule 1. Another link than a veth is not the pod's own, and if the pod hangs on it, rule 2 finds
 * that out; a veth behind a master is the pod's own, and a hole. The guard gets the link's own
 * name, which packets are matched by: the kernel also finds a link by an alternative name.
 */
static void guard_host_interface(struct draft *draft, const char *name, const struct link *link)
{
    if (link->index == 0)
        error_details(&draft->seen, "%s: the node has no such link", name);
    else if (!is_veth(link) || !name_is_interface(link->name))
        error_details(&draft->seen, "%s: is %s, not a veth of one pod", name, kind_of(link));
    else if (link->master_index != 0)
        note_hole(draft,
                  "%s: is a port of another link (index %d, a bridge or a VRF), and the node sees "
                  "its packets as that link's",
                  name, link->master_index);
    else if (!link->peer_is_elsewhere)
        add_guard(draft, link, false);
    else if (is_of_pod(draft, link->name))
        error_details(&draft->seen, "%s: the node's link of this name leads to somebody else",
                      link->name);
    else if (draft->verdict == VERDICT_PASS)
        note_hole(draft, "%s: its other end is in another network namespace than this pod's",
                  link->name);
    else
        add_guard(draft, link, false);
}

static void guard_host_interfaces(struct draft *draft)
{
    for (size_t i = 0; i < draft->questions->host_count; i++)
        guard_host_interface(draft, draft->questions->host[i], &draft->facts->host[i]);
    for (size_t i = 0; i < draft->result->interface_count; i++) {
        const struct result_interface *interface = &draft->result->interfaces[i];

        if (interface_role(interface) == ROLE_FOREIGN)
            error_details(&draft->seen, "%s: its sandbox \"%.64s\" is no network namespace",
                          interface->name, interface->sandbox);
        else if (!name_is_interface(interface->name))
            error_details(&draft->seen, "%.64s: no link can have this name", interface->name);
    }
}

/* Whether its packets leave through the device that it was made on. */
static bool has_parent(const struct link *link)
{
    static const char *const kinds[] = {"macvlan", "macvtap", "ipvlan", "ipvtap"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(link->kind, kinds[i]) == 0)
            return true;
    return false;
}

/* How the packets of a container interface leave the pod that has no end on the node. */
static const char *way_out(const struct link *link)
{
    if (has_parent(link))
        return "it sends through its parent device, past the node's forwarding";
    return is_veth(link) ? "its other end is not in the node's network namespace"
                         : "its packets leave without passing a link of the node";
}

/* Whether it sends nothing, or only to what is in the pod as well; how, if so. */
static const char *stays_within(const struct link *link)
{
    if (link->loopback)
        return "loopback";
    if (strcmp(link->kind, "dummy") == 0)
        return "a dummy link, which sends nothing";
    if (strcmp(link->kind, "bridge") == 0)
        return "a bridge, which sends through ports that are in the pod as well";
    if (strcmp(link->kind, "tun") == 0)
        return "a tap, which sends to a process";
    return is_veth(link) && link->peer_is_beside ? "a veth with both ends in the pod" : NULL;
}

enum way facts_way(const struct facts *facts)
{
    enum way worst = WAY_FORWARDED;

    for (size_t i = 0; i < facts->pod_count; i++) {
        const struct link *link = &facts->pod[i].link;
        const enum way way = has_parent(link)        ? WAY_UPLINK
                             : link->kind[0] == '\0' ? WAY_PAST
                                                     : WAY_FORWARDED;

        /* What sends through another link of the pod is that one's business. */
        if (link->index != 0 && !stays_within(link) && !link->peer_is_beside && way > worst)
            worst = way;
    }
    return worst;
}

/* Rule 2: whatever the pod can send through needs a guard at its other end, or ADD must fail. */
static void guard_container_interface(struct draft *draft, const char *name,
                                      const struct pod_link *answer)
{
    const struct link *link = &answer->link;
    const struct link *peer = &answer->host_peer;

    if (link->index == 0)
        error_details(&draft->seen, "%s: the pod has no such link", name);
    else if (stays_within(link))
        error_details(&draft->seen, "%s: %s", name, stays_within(link));
    else if (peer->index == 0 || !is_veth(peer) || !name_is_interface(peer->name))
        note_hole(draft, "%s (in the pod, %s): %s", name, kind_of(link), way_out(link));
    else if (peer->master_index != 0)
        note_hole(draft,
                  "%s (in the pod, %s): its other end %s is a port of another link (index %d, a "
                  "bridge or a VRF), and the node sees its packets as that link's",
                  name, kind_of(link), peer->name, peer->master_index);
    else
        add_guard(draft, peer, true);
}

/* Fails unless the pod's own interfaces are guarded, all of them. */
static int check_draft(const struct draft *draft, struct error *err)
{
    if (draft->seen.msg[0] != '\0')
        error_set(err, ERROR_NOTHING_TO_GUARD,
                  "the pod could reach IMDS past any guard: %s. imds-guard needs a veth from the "
                  "pod to the node",
                  draft->seen.msg);
    else if (draft->count == 0)
        error_set(
            err, ERROR_NOTHING_TO_GUARD,
            "no interface of this pod can be guarded: neither prevResult nor CNI_IFNAME leads "
            "to a veth on the node. imds-guard must come after the plugin that makes the "
            "veth");
    else
        return 0;
    return error_details(err, "%s", draft->seen.details);
}

int plan_make(const struct attachment *attachment, const struct config *config,
              const struct facts *facts, bool partly, struct plan *out, struct error *err)
{
    cleanup(questions) struct questions questions = {.host = NULL};
    cleanup(plan) struct plan plan = {.tag = ""};
    const bool passes = config->mode == MODE_AUDIT || pod_is_exempt(&attachment->pod, config);
    struct draft draft = {.result = &attachment->result,
                          .questions = &questions,
                          .facts = facts,
                          .verdict = passes ? VERDICT_PASS : config->deny};

    if (facts->host_network) {
        *out = plan;
        return 0;
    }
    if (!owner_fits(&attachment->owner))
        return error_set(err, ERROR_INVALID_ENVIRONMENT,
                         "network name, container id and ifname together have more than %d bytes",
                         OWNER_BYTES_MAX);
    if (plan_questions(attachment, &questions, err) < 0)
        return -1;
    if (facts->host_count != questions.host_count || facts->pod_count != questions.pod_count)
        return error_set(err, ERROR_KERNEL, "the kernel's answers are not to the plan's questions");
    plan.guards = calloc(facts->host_count + facts->pod_count + 1, sizeof(*plan.guards));
    plan.addresses = calloc(attachment->result.address_count + 1, sizeof(*plan.addresses));
    if (plan.guards == NULL || plan.addresses == NULL)
        return error_no_memory(err);
    draft.guards = plan.guards;
    guard_host_interfaces(&draft);
    for (size_t i = 0; i < questions.pod_count; i++)
        guard_container_interface(&draft, questions.pod[i], &facts->pod[i]);
    if (!(partly && draft.count > 0) && check_draft(&draft, err) < 0)
        return -1;
    for (; plan.address_count < attachment->result.address_count; plan.address_count++)
        plan.addresses[plan.address_count] = attachment->result.addresses[plan.address_count];
    plan.guard_count = draft.count;
    tag_write(&attachment->owner, (unsigned)draft.count, attachment->pod.namespace,
              attachment->pod.name, plan.tag);
    *out = steal(&plan);
    return 0;
}

void questions_free(struct questions *questions)
{
    free(questions->host);
    free(questions->pod);
    *questions = (struct questions){.host = NULL};
}

void plan_free(struct plan *plan)
{
    free(plan->guards);
    free(plan->addresses);
    *plan = (struct plan){.tag = ""};
}

void facts_free(struct facts *facts)
{
    free(facts->host);
    free(facts->pod);
    *facts = (struct facts){.host = NULL};
}
