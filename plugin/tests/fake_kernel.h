/*
 * The protocol from environment and standard input to standard output and exit code, with a kernel
 * room of the test's own: it answers what a test lets it answer, and remembers what it was asked.
 * Defines what the linker would otherwise take from the kernel room: for one file of each program.
 */
#ifndef IMDS_GUARD_FAKE_KERNEL_H
#define IMDS_GUARD_FAKE_KERNEL_H

#include "cni/cni.h"
#include "guard/cni_version.h"
#include "guard/json.h"
#include "kernel/backends.h"
#include "kernel/fence/fence.h"
#include "kernel/links/links.h"
#include "kernel/privileges.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define HEAD "\"cniVersion\": \"1.1.0\", \"name\": \"aws-cni\", \"type\": \"imds-guard\""
#define RESULT                                                                                     \
    "{\"cniVersion\": \"1.1.0\", \"interfaces\": [{\"name\": \"eni0\"}, "                          \
    "{\"name\": \"eth0\", \"sandbox\": \"/run/netns/x\"}, "                                        \
    "{\"name\": \"dummy0d7763386da\", \"mac\": \"37\"}], "                                         \
    "\"ips\": [], \"unknown\": 9007199254740993}"
#define CONFIG "{" HEAD ", \"prevResult\": " RESULT "}"

/* What the kernel holds, what it refuses, what it was asked. */
static struct {
    bool host_network;
    bool no_such_netns;
    bool no_links;
    bool refuses_apply;
    bool refuses_remove;
    bool refuses_probe;
    enum verdict probed_for; /* who has no guard */
    bool lacks_guards;
    bool has_no_fence; /* nor could */
    bool lacks_fence;  /* but could have one */
    struct held held;  /* what guards_remove is to judge */

    uint64_t privileges[8]; /* the last sets kept, one after the other */
    unsigned drops;
    bool refuses_drop;
    unsigned gathered, applied, removed_owners, removed, checked, probed;
    enum backend_choice choice;
    struct terms terms; /* the last applied or checked */
    struct plan plan;   /* the last applied or checked, without its guards */
    struct guard guards[4];
    char owner[TAG_SIZE];
    char hints[8][INTERFACE_NAME_SIZE];
    size_t hint_count;
    bool has_hints;
    bool goes;
    unsigned lock_timeout;
    unsigned fenced, fence_checked, fence_pruned, fence_probed;
} kernel;

int privileges_keep(uint64_t kept, struct error *err)
{
    kernel.privileges[kernel.drops++ % 8] = kept;
    return kernel.refuses_drop ? error_set(err, ERROR_KERNEL, "cannot drop capabilities") : 0;
}

int links_look(const struct known_links *known, struct look *look, size_t count)
{
    cleanup(facts) struct facts facts = {.host_network = kernel.host_network};
    const struct questions *questions = &look->questions;

    assert_null(known);
    assert_int_equal(count, 1);
    kernel.gathered++;
    if (kernel.no_such_netns)
        return error_set(look->error, ERROR_INVALID_NETNS, "%s is no network namespace",
                         look->netns);
    if (!kernel.host_network) {
        facts.host_count = questions->host_count;
        facts.pod_count = questions->pod_count;
        facts.host = calloc(facts.host_count + 1, sizeof(*facts.host));
        facts.pod = calloc(facts.pod_count + 1, sizeof(*facts.pod));
        if (!facts.host || !facts.pod)
            return error_no_memory(look->error);
        for (size_t i = 0; i < facts.host_count && !kernel.no_links; i++)
            if (strcmp(questions->host[i], "eni0") == 0)
                facts.host[i] =
                    (struct link){.name = "eni0", .index = 7, .peer_index = 3, .kind = "veth"};
        for (size_t i = 0; i < facts.pod_count && !kernel.no_links; i++)
            if (strcmp(questions->pod[i], "eth0") == 0)
                facts.pod[i] = (struct pod_link){
                    .link = {.name = "eth0", .index = 3, .peer_index = 7, .kind = "veth"},
                    .host_peer = {.name = "eni0", .index = 7, .peer_index = 3, .kind = "veth"}};
    }
    look->facts = facts;
    facts = (struct facts){0};
    return 0;
}

/* Whatever is done about the fence is done while that is still possible. */
static int touch_fence(unsigned *count, struct error *err)
{
    assert_true(kernel.drops > 0);
    assert_true(kernel.privileges[(kernel.drops - 1) % 8] & PRIVILEGE(CAP_SYS_ADMIN));
    ++*count;
    return kernel.has_no_fence ? error_set(err, ERROR_KERNEL, "the kernel has no tcx") : 0;
}

int fence_add(const struct terms *terms, const struct plan *plan, struct error *err)
{
    assert_true(terms->endpoint_count > 0);
    assert_int_equal(plan->guards[0].index, 7);
    return touch_fence(&kernel.fenced, err);
}

int fence_check(const struct terms *terms, const struct plan *plan, struct error *err)
{
    (void)terms, (void)plan;
    if (touch_fence(&kernel.fence_checked, err) < 0)
        return -1;
    return kernel.lacks_fence ? error_set(err, ERROR_GUARD_MISSING, "the exit fence is not whole")
                              : 0;
}

int fence_prune(const struct terms *terms, struct error *err)
{
    (void)terms;
    return touch_fence(&kernel.fence_pruned, err);
}

int fence_probe(struct error *why)
{
    return touch_fence(&kernel.fence_probed, why);
}

int guards_probe_as(const struct config *config, const struct terms *terms, struct error *err)
{
    kernel.choice = config->backend;
    kernel.probed++;
    kernel.probed_for = terms->others;
    assert_int_equal(terms->endpoint_count, 2);
    return kernel.refuses_probe ? error_set(err, ERROR_KERNEL, "no CAP_NET_ADMIN") : 0;
}

static void remember_plan(const struct plan *plan)
{
    kernel.plan = *plan;
    assert_true(plan->guard_count <= 4);
    memcpy(kernel.guards, plan->guards, plan->guard_count * sizeof(*plan->guards));
}

int guards_add(const struct config *config, const struct plan *plan, const struct terms *terms,
               struct error *err)
{
    kernel.choice = config->backend;
    kernel.applied++;
    kernel.lock_timeout = terms->lock_timeout_seconds;
    kernel.terms = *terms;
    remember_plan(plan);
    return kernel.refuses_apply ? error_set(err, ERROR_TRY_AGAIN, "the lock is held") : 0;
}

int guards_remove(const struct selection *selection, const struct terms *terms, size_t *removed,
                  struct error *err)
{
    (void)terms;
    assert_null(removed);
    assert_false(selection->everything);
    kernel.removed++;
    kernel.goes = selection->goes(&kernel.held, selection->context);
    return kernel.refuses_remove ? error_set(err, ERROR_KERNEL, "no CAP_NET_ADMIN") : 0;
}

int guards_remove_owner(const struct owner *owner, const char (*interfaces)[INTERFACE_NAME_SIZE],
                        size_t interface_count, const struct terms *terms, struct error *err)
{
    kernel.removed_owners++;
    kernel.lock_timeout = terms->lock_timeout_seconds;
    kernel.has_hints = interfaces != NULL;
    kernel.hint_count = interface_count;
    assert_true(interface_count <= 8);
    if (interfaces)
        memcpy(kernel.hints, interfaces, interface_count * sizeof(*interfaces));
    tag_write(owner, 1, NULL, NULL, kernel.owner);
    return kernel.refuses_remove ? error_set(err, ERROR_TRY_AGAIN, "the lock is held") : 0;
}

int guards_check(const struct plan *plan, const struct terms *terms, struct error *err)
{
    kernel.terms = *terms;
    kernel.checked++;
    remember_plan(plan);
    return kernel.lacks_guards ? error_set(err, ERROR_GUARD_MISSING, "eni0: no guard") : 0;
}

/* One call and what came of it. */
struct call {
    int code;
    char *out; /* as written */
    size_t out_length;
    char *log;
    size_t log_length;
    cJSON *answer; /* NULL if nothing was written */
};

static inline void cleanup_call(struct call *call)
{
    free(call->out);
    free(call->log);
    cJSON_Delete(call->answer);
}

static inline int input_of(const char *text)
{
    int fd = memfd_create("input", MFD_CLOEXEC);
    size_t length = strlen(text);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

static inline struct call run_environment(char *const environment[], const char *input)
{
    cleanup(close_fd) int in = input_of(input);
    struct call call = {0};
    struct span written;
    struct error err;
    FILE *out = open_memstream(&call.out, &call.out_length);
    FILE *log = open_memstream(&call.log, &call.log_length);

    call.code = cni_run(environment, in, out, log);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(fclose(log), 0);
    written = (struct span){.start = call.out, .length = call.out_length};
    if (call.out_length > 0)
        assert_int_equal(json_parse(written, &call.answer, &err), 0);
    return call;
}

static inline struct call run(const char *command, const char *input)
{
    char variable[64];
    char *environment[] = {variable,
                           (char[]){"CNI_CONTAINERID=4f3c"},
                           (char[]){"CNI_NETNS=/run/netns/x"},
                           (char[]){"CNI_IFNAME=eth0"},
                           (char[]){"CNI_ARGS=K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0"},
                           (char[]){"CNI_PATH=/opt/cni/bin"},
                           NULL};

    snprintf(variable, sizeof(variable), "CNI_COMMAND=%s", command);
    return run_environment(environment, input);
}

static inline const char *string_of(const struct call *call, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call->answer, key));
    return text ? text : "";
}

static inline void expect_error(const struct call *call, enum error_code code, const char *part)
{
    assert_int_equal(call->code, 1);
    assert_non_null(call->answer);
    if (cJSON_GetNumberValue(cJSON_GetObjectItem(call->answer, "code")) != code ||
        !strstr(string_of(call, "msg"), part))
        fail_msg("%s\nis not %d: %s", call->out, code, part);
    assert_true(cni_version_find(string_of(call, "cniVersion")) >= 0);
    assert_int_equal(call->log_length, 0);
}

static inline void expect_silence(const struct call *call)
{
    assert_int_equal(call->code, 0);
    assert_int_equal(call->out_length, 0);
    assert_int_equal(call->log_length, 0);
}

static inline int forget(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof(kernel));
    return 0;
}

#endif
