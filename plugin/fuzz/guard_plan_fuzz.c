/*
 * From prevResult and the kernel's facts to a plan. Input, a line each: what the kernel says, two
 * letters a link (fact_of); CNI_IFNAME; our entry of the conflist; then the result.
 *
 * The target has a second opinion of what has to be guarded, made from the facts alone, and the
 * plan must be of the same one: no live veth is forgotten, none is guarded that is not the pod's,
 * and only a pod that could get past its guards is refused. A partial plan refuses only a pod that
 * no guard can stand for. A veth whose other end is elsewhere is no way to pass.
 */
#include "fuzz.h"

#include "guard/plan.h"

struct opinion {
    const struct plan *plan; /* NULL if it was refused */
    bool partly;             /* of plan_make */
    bool passes;             /* the pod's packets shall pass */
    size_t live;             /* veths that a guard must stand on */
    size_t holes;            /* ways past any guard */
};

static const struct guard *guard_on(const struct plan *plan, const char *interface)
{
    for (size_t i = 0; i < plan->guard_count; i++)
        if (strcmp(plan->guards[i].interface, interface) == 0)
            return &plan->guards[i];
    return NULL;
}

/* A link by letter: - none, l loopback, d dummy, b bridge, t tap, m macvlan, p port of a bridge, o a
 * name that no link can have, else a veth, called as asked for, or, if A, otherwise; its other end,
 * if e, in a third namespace, if s beside it. */
static struct link fact_of(char letter, const char *asked, int index)
{
    struct link link = {.index = index, .peer_index = 1, .kind = "veth"};

    snprintf(link.name, sizeof(link.name), "%s", asked);
    if (letter == '-')
        link.index = 0;
    else if (letter == 'l')
        link = (struct link){.name = "lo", .index = index, .loopback = true};
    else if (letter == 'd')
        strcpy(link.kind, "dummy");
    else if (letter == 'b')
        strcpy(link.kind, "bridge");
    else if (letter == 't')
        strcpy(link.kind, "tun");
    else if (letter == 'm')
        strcpy(link.kind, "macvlan");
    else if (letter == 'p')
        link.master_index = 1;
    else if (letter == 'o')
        strcpy(link.name, "no:link");
    else if (letter == 'e')
        link.peer_is_elsewhere = true;
    else if (letter == 's')
        link.peer_is_beside = true;
    else if (letter == 'A')
        snprintf(link.name, sizeof(link.name), "veth%d", index);
    return link;
}

static struct facts make_facts(const struct questions *questions, const char *letters)
{
    struct facts facts = {.host_count = questions->host_count, .pod_count = questions->pod_count};

    facts.host = calloc(facts.host_count + 1, sizeof(*facts.host));
    facts.pod = calloc(facts.pod_count + 1, sizeof(*facts.pod));
    must(facts.host && facts.pod);
    for (size_t i = 0; i < facts.host_count; i++, letters += *letters != '\0')
        facts.host[i] = fact_of(*letters, questions->host[i], 10 + (int)i);
    for (size_t i = 0; i < facts.pod_count; i++) {
        char peer[INTERFACE_NAME_SIZE];

        snprintf(peer, sizeof(peer), "peer%zu", i);
        facts.pod[i].link = fact_of(*letters, questions->pod[i], 1000 + (int)i);
        letters += *letters != '\0';
        facts.pod[i].host_peer = fact_of(*letters, peer, 2000 + (int)i);
        facts.pod[i].host_peer.peer_is_elsewhere = false; /* told of rule 1's links alone */
        letters += *letters != '\0';
    }
    return facts;
}

/* A veth that packets of the pod come through, or, as a port, a way past any guard. */
static void judge_veth(struct opinion *opinion, const struct link *link)
{
    if (link->master_index != 0) {
        opinion->holes++;
        return;
    }
    opinion->live++;
    if (opinion->plan)
        must(guard_on(opinion->plan, link->name));
}

static bool can_be_guarded(const struct link *link)
{
    return link->index != 0 && strcmp(link->kind, "veth") == 0 && name_is_interface(link->name);
}

static bool is_of_pod(const struct questions *questions, const struct facts *facts,
                      const char *name)
{
    for (size_t i = 0; i < facts->pod_count; i++)
        if (facts->pod[i].link.index != 0 && strcmp(questions->pod[i], name) == 0)
            return true;
    return false;
}

/*
 * A veth that the result names. If its other end is elsewhere, it may be another pod's, which may
 * be denied, but not let pass; or the result means the pod's own link of this name.
 */
static void judge_named_veth(struct opinion *opinion, const struct questions *questions,
                             const struct facts *facts, const struct link *link)
{
    if (!link->peer_is_elsewhere || link->master_index != 0)
        judge_veth(opinion, link);
    else if (is_of_pod(questions, facts, link->name))
        return;
    else if (opinion->passes)
        opinion->holes++;
    else
        judge_veth(opinion, link);
}

static void judge_host(struct opinion *opinion, const struct result *result,
                       const struct questions *questions, const struct facts *facts)
{
    for (size_t i = 0; i < questions->host_count; i++) {
        bool named = false;

        for (size_t j = 0; j < result->interface_count; j++)
            named |= strcmp(result->interfaces[j].name, questions->host[i]) == 0 &&
                     result->interfaces[j].sandbox[0] == '\0';
        if (named && can_be_guarded(&facts->host[i]))
            judge_named_veth(opinion, questions, facts, &facts->host[i]);
    }
}

static bool stays_within(const struct link *link)
{
    static const char *const kinds[] = {"dummy", "bridge", "tun"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(link->kind, kinds[i]) == 0)
            return true;
    return link->loopback || link->peer_is_beside;
}

static void judge_pod(struct opinion *opinion, const struct facts *facts)
{
    for (size_t i = 0; i < facts->pod_count; i++) {
        const struct link *link = &facts->pod[i].link;

        if (link->index == 0 || stays_within(link))
            continue;
        if (!can_be_guarded(&facts->pod[i].host_peer)) {
            opinion->holes++;
            continue;
        }
        judge_veth(opinion, &facts->pod[i].host_peer);
        if (opinion->plan && facts->pod[i].host_peer.master_index == 0)
            must(guard_on(opinion->plan, facts->pod[i].host_peer.name)->proven);
    }
}

static bool is_of_facts(const struct facts *facts, const char *interface)
{
    for (size_t i = 0; i < facts->host_count; i++)
        if (facts->host[i].index != 0 && strcmp(facts->host[i].name, interface) == 0)
            return true;
    for (size_t i = 0; i < facts->pod_count; i++)
        if (facts->pod[i].host_peer.index != 0 &&
            strcmp(facts->pod[i].host_peer.name, interface) == 0)
            return true;
    return false;
}

static void check_plan(const struct plan *plan, const struct facts *facts,
                       const struct config *config)
{
    for (size_t i = 0; i < plan->guard_count; i++) {
        must(name_is_interface(plan->guards[i].interface));
        must(is_of_facts(facts, plan->guards[i].interface));
        must(plan->guards[i].verdict == (config->mode == MODE_AUDIT ? VERDICT_PASS : config->deny));
        must(guard_on(plan, plan->guards[i].interface) == &plan->guards[i]);
    }
    must(tag_guards(plan->tag) == plan->guard_count);
}

static void judge(struct opinion *opinion, const struct attachment *attachment,
                  const struct questions *questions, const struct facts *facts)
{
    judge_host(opinion, &attachment->result, questions, facts);
    judge_pod(opinion, facts);
    must((opinion->plan != NULL) ==
         (opinion->live > 0 && (opinion->partly || opinion->holes == 0)));
}

static void make_plan(const struct attachment *attachment, const struct config *config,
                      const char *letters, bool partly)
{
    cleanup(questions) struct questions questions = {0};
    cleanup(facts) struct facts facts = {0};
    cleanup(plan) struct plan plan = {0};
    struct opinion opinion = {
        .plan = &plan, .partly = partly, .passes = config->mode == MODE_AUDIT};
    struct error err;

    must(plan_questions(attachment, &questions, &err) == 0);
    facts = make_facts(&questions, letters);
    if (plan_make(attachment, config, &facts, partly, &plan, &err) < 0) {
        must(err.code == ERROR_NOTHING_TO_GUARD);
        opinion.plan = NULL;
    }
    judge(&opinion, attachment, &questions, &facts);
    if (opinion.plan)
        check_plan(&plan, &facts, config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = fuzz_span(data, size);
    cleanup(free_text) char *letters = fuzz_line(&input);
    cleanup(free_text) char *ifname = fuzz_line(&input);
    cleanup(free_text) char *entry = fuzz_line(&input);
    cleanup(free_memory) void *text = fuzz_rest(input);
    cleanup(json) cJSON *entry_tree = NULL;
    cleanup(json) cJSON *tree = NULL;
    cleanup(config) struct config config = {0};
    cleanup(result) struct result result = {0};
    struct attachment attachment;
    struct error err;

    if (!name_is_interface(ifname) ||
        json_parse((struct span){entry, strlen(entry)}, &entry_tree, &err) < 0 ||
        config_parse(entry_tree, &config, &err) < 0 ||
        json_parse((struct span){text, input.length}, &tree, &err) < 0 ||
        result_parse(tree, &result, &err) < 0)
        return 0;
    attachment = (struct attachment){.owner = {"aws-cni", "4f3c0b", ifname}, .result = result};
    make_plan(&attachment, &config, letters, false);
    make_plan(&attachment, &config, letters, true);
    return 0;
}
