/*
 * The protocol: environment and standard input together, from cni_run's front to what it prints.
 * Input: the variables, a line each, with '\1' for a line break in one; an empty line; then
 * standard input. The kernel says yes to everything: each name that is asked for is a veth of the
 * pod's.
 */
#include "fuzz.h"

#include "cni/cni.h"
#include "kernel/backends.h"
#include "kernel/fence/fence.h"
#include "kernel/links/links.h"
#include "kernel/privileges.h"

#include <sys/mman.h>

#define VARIABLES_MAX 16

static struct questions asked; /* of the call that is running; freed after it */
static unsigned applied;

static char (*copy_names(char (*names)[INTERFACE_NAME_SIZE], size_t count))[INTERFACE_NAME_SIZE]
{
    char(*copy)[INTERFACE_NAME_SIZE] = calloc(count + 1, sizeof(*copy));

    must(copy);
    memcpy(copy, names, count * sizeof(*copy));
    return copy;
}

int links_look(const struct known_links *known, struct look *look, size_t count)
{
    const struct questions *questions = &look->questions;
    struct facts facts = {.host_count = questions->host_count, .pod_count = questions->pod_count};

    must(!known && count == 1 && look->netns);
    facts.host = calloc(facts.host_count + 1, sizeof(*facts.host));
    facts.pod = calloc(facts.pod_count + 1, sizeof(*facts.pod));
    must(facts.host && facts.pod);
    for (size_t i = 0; i < facts.host_count; i++) {
        facts.host[i] = (struct link){.index = (int)i + 1, .peer_index = 1, .kind = "veth"};
        strcpy(facts.host[i].name, questions->host[i]);
    }
    questions_free(&asked);
    asked = (struct questions){.host = copy_names(questions->host, questions->host_count),
                               .host_count = questions->host_count};
    look->facts = facts;
    return 0;
}

/* The fuzzer still needs its own. */
int privileges_keep(uint64_t kept, struct error *err)
{
    (void)err;
    must((kept & ~(PRIVILEGES_FENCE | PRIVILEGES_POD)) == 0);
    return 0;
}

static int say_yes(const struct terms *terms, struct error *err)
{
    (void)err;
    must(terms->endpoint_count > 0);
    return 0;
}

int guards_probe_as(const struct config *config, const struct terms *terms, struct error *err)
{
    must(config);
    return say_yes(terms, err);
}

/* Every link that the result named and the kernel has is in the plan. */
static void check_plan(const struct plan *plan)
{
    must(plan->guard_count >= asked.host_count && plan->guard_count > 0);
    must(tag_guards(plan->tag) == plan->guard_count);
    for (size_t i = 0; i < asked.host_count; i++) {
        bool found = false;

        for (size_t j = 0; j < plan->guard_count; j++)
            found |= strcmp(plan->guards[j].interface, asked.host[i]) == 0;
        must(found);
    }
}

int guards_add(const struct config *config, const struct plan *plan, const struct terms *terms,
               struct error *err)
{
    must(config && !terms->exactly);
    check_plan(plan);
    applied++;
    return say_yes(terms, err);
}

int guards_check(const struct plan *plan, const struct terms *terms, struct error *err)
{
    check_plan(plan);
    return say_yes(terms, err);
}

int fence_add(const struct terms *terms, const struct plan *plan, struct error *err)
{
    check_plan(plan);
    for (size_t i = 0; i < plan->guard_count; i++)
        must(plan->guards[i].index > 0);
    for (size_t i = 0; i < plan->address_count; i++)
        must(plan->addresses[i].family == FAMILY_IPV4 || plan->addresses[i].family == FAMILY_IPV6);
    return say_yes(terms, err);
}

int fence_check(const struct terms *terms, const struct plan *plan, struct error *err)
{
    return fence_add(terms, plan, err);
}

int fence_prune(const struct terms *terms, struct error *err)
{
    return say_yes(terms, err);
}

int fence_probe(struct error *why)
{
    (void)why;
    return 0;
}

/* A guard that is on no interface: GC may take it or leave it, but must be able to judge it. */
int guards_remove(const struct selection *selection, const struct terms *terms, size_t *removed,
                  struct error *err)
{
    struct held held = {.guard = {.interface = "lo"}, .tag = "aws-cni/4f3c0b/eth0 1 -"};

    (void)removed;
    must(!selection->goes(&held, selection->context)); /* lo is there */
    return say_yes(terms, err);
}

int guards_remove_owner(const struct owner *owner, const char (*interfaces)[INTERFACE_NAME_SIZE],
                        size_t interface_count, const struct terms *terms, struct error *err)
{
    must(owner_fits(owner));
    for (size_t i = 0; i < interface_count; i++)
        must(name_is_interface(interfaces[i]));
    return say_yes(terms, err);
}

static int standard_input(struct span text)
{
    int fd = memfd_create("standard-input", MFD_CLOEXEC);

    must(fd >= 0 && write(fd, text.start, text.length) == (ssize_t)text.length);
    must(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

/* Of a variable that is there twice, the first counts. */
static bool is_add(char *const variables[])
{
    for (; *variables; variables++)
        if (strncmp(*variables, "CNI_COMMAND=", strlen("CNI_COMMAND=")) == 0)
            return strcmp(*variables, "CNI_COMMAND=ADD") == 0;
    return false;
}

/* One JSON object, or, of verbs that have no result, nothing. */
static void run(char *const variables[], struct span text)
{
    char *out_text = NULL;
    char *log_text = NULL;
    size_t out_length = 0;
    size_t log_length = 0;
    FILE *out = open_memstream(&out_text, &out_length);
    FILE *log = open_memstream(&log_text, &log_length);
    cleanup(close_fd) int in = standard_input(text);
    int code = 0;

    must(out && log);
    applied = 0;
    code = cni_run(variables, in, out, log);
    must(fclose(out) == 0 && fclose(log) == 0);
    must(code == 0 || code == 1);
    must(log_length == 0);
    if (code != 0 || is_add(variables))
        must(out_length > 0);
    if (out_length > 0)
        fuzz_must_be_json((struct span){out_text, out_length});
    if (applied > 0)
        must(code == 0);
    free(out_text);
    free(log_text);
}

static void put_line_breaks(char *text)
{
    for (; *text; text++)
        if (*text == '\1')
            *text = '\n';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = fuzz_span(data, size);
    char *variables[VARIABLES_MAX + 1] = {NULL};

    for (size_t i = 0; i < VARIABLES_MAX; i++) {
        char *line = fuzz_line(&input);

        if (!*line) {
            free(line);
            break;
        }
        put_line_breaks(line);
        variables[i] = line;
    }
    run(variables, input);
    questions_free(&asked);
    for (char **variable = variables; *variable; variable++)
        free(*variable);
    return 0;
}
