/* The first half of plan.h: what the plan has to know of the kernel. */
#include "guard/plan.h"
#include "guard/role.h"

#include <string.h>

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

static void ask_for(const struct result_interface *interface, struct questions *questions)
{
    if (interface_role(interface) == ROLE_HOST)
        add_name(questions->host, &questions->host_count, interface->name);
    else if (interface_role(interface) == ROLE_CONTAINER)
        add_name(questions->pod, &questions->pod_count, interface->name);
}

int plan_questions(const struct attachment *attachment, struct questions *out, struct error *err)
{
    const struct result *result = &attachment->result;
    cleanup(questions) struct questions questions = {.host = NULL};

    questions.host = calloc(result->interface_count + 1, sizeof(*questions.host));
    questions.pod = calloc(result->interface_count + 1, sizeof(*questions.pod));
    if (questions.host == NULL || questions.pod == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < result->interface_count; i++)
        ask_for(&result->interfaces[i], &questions);
    add_name(questions.pod, &questions.pod_count, attachment->owner.ifname);
    *out = steal(&questions);
    return 0;
}

void questions_free(struct questions *questions)
{
    free(questions->host);
    free(questions->pod);
    *questions = (struct questions){.host = NULL};
}
