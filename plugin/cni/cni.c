#include "cni/cni.h"

#include "cni/environment.h"
#include "cni/request.h"
#include "cni/response.h"
#include "cni/verbs.h"
#include "guard/cni_version.h"
#include "kernel/privileges.h"

#include <string.h>

struct verb {
    const char *name;
    int (*run)(const struct request *request, FILE *out, FILE *log, struct error *err);
    struct needs needs;
    bool has_no_request; /* standard input is not read */
    bool only_logs;      /* what fails once the request has made sense, fails in the log alone */
};

#define OF_A_CONTAINER (VARIABLE_CONTAINER_ID | VARIABLE_IFNAME)

/*
 * DEL never fails over a guard that it could not remove. A guard that is left is harmless: it drops
 * on an interface that goes away, is taken over by the next ADD, and found by `sync`. A DEL that
 * fails keeps the plugins before us in the chain from running theirs, and the node loses addresses.
 */
static const struct verb verbs[] = {
    {"ADD", verb_add, .needs = {.variables = OF_A_CONTAINER | VARIABLE_NETNS, .plan = true}},
    {"DEL", verb_del, .needs = {.variables = OF_A_CONTAINER, .forgiving = true}, .only_logs = true},
    {"CHECK", verb_check,
     .needs = {.variables = OF_A_CONTAINER | VARIABLE_NETNS, .since = "0.4.0", .plan = true}},
    {"GC", verb_gc, .needs = {.variables = VARIABLE_PATH, .since = "1.1.0", .attachments = true}},
    {"STATUS", verb_status, .needs = {.since = "1.1.0"}},
    {"VERSION", verb_version, .has_no_request = true},
};

#define VERB_COUNT (sizeof(verbs) / sizeof(*verbs))

bool cni_is_called(char *const environment[], bool has_arguments)
{
    struct environment known = {0};

    environment_read(environment, &known);
    return known.command || (!has_arguments && environment_is_cni(environment));
}

static int refuse_command(const char *command, struct error *err)
{
    static const char choice[] = "ADD, DEL, CHECK, GC, STATUS or VERSION";

    if (!command)
        return error_set(err, ERROR_INVALID_ENVIRONMENT, "CNI_COMMAND is not set: it must be %s",
                         choice);
    return error_set(err, ERROR_INVALID_ENVIRONMENT, "CNI_COMMAND is \"%.64s\", but must be %s",
                     command, choice);
}

static int run(const struct verb *verb, const struct environment *environment, int in, FILE *out,
               FILE *log, int *cni_version, struct error *err)
{
    cleanup(request) struct request request = {0};
    const struct owner *owner = &request.attachment.owner;
    uint64_t privileges;

    if (!verb->has_no_request &&
        request_read(environment, in, &verb->needs, &request, cni_version, err) != 0)
        return -1;
    privileges = verb->has_no_request
                     ? PRIVILEGES_RULES
                     : verb_privileges(&request) | (verb->needs.plan ? PRIVILEGES_POD : 0);
    /* From here on, whatever the input holds: no more than the verb needs. */
    if (privileges_keep(privileges, err) == 0 && verb->run(&request, out, log, err) == 0)
        return 0;
    if (!verb->only_logs)
        return -1;
    fprintf(log,
            "imds-guard: %s of %s/%s/%s: %s; a guard may be left, imds-guard sync removes it\n",
            verb->name, owner->network, owner->container_id, owner->ifname, err->msg);
    return 0;
}

int cni_run(char *const environment[], int in, FILE *out, FILE *log)
{
    struct environment known = {0};
    int cni_version = CNI_VERSION_NEWEST;
    const struct verb *verb = NULL;
    struct error failure;
    struct error unanswered;

    environment_read(environment, &known);
    for (size_t i = 0; known.command && i < VERB_COUNT; i++)
        if (strcmp(verbs[i].name, known.command) == 0)
            verb = &verbs[i];
    if ((verb ? run(verb, &known, in, out, log, &cni_version, &failure)
              : refuse_command(known.command, &failure)) == 0)
        return 0;
    /* After half a result an error would make two objects of it; and it would not arrive either. */
    if (ferror(out) || response_error(out, cni_version, &failure, &unanswered) != 0)
        fprintf(log, "imds-guard: %s: %s\n", verb ? verb->name : "CNI", failure.msg);
    return 1;
}
