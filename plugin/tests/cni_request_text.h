/* For tests of requests: what most of them have in common, and who they are asked for. */
#ifndef IMDS_GUARD_TESTS_CNI_REQUEST_TEXT_H
#define IMDS_GUARD_TESTS_CNI_REQUEST_TEXT_H

#include "cni/request.h"

#include "guard/cni_version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEAD        "\"cniVersion\": \"1.0.0\", \"name\": \"aws-cni\", \"type\": \"imds-guard\""
#define RESULT      "\"prevResult\": {\"cniVersion\": \"1.0.0\", \"interfaces\": [{\"name\": \"eni0\"}]}"
#define ANNOTATIONS "\"io.kubernetes.cri.pod-annotations\""

static const struct needs for_plan = {.plan = true};
static const struct needs for_del = {.forgiving = true};
static const struct needs for_gc = {.since = "1.1.0", .attachments = true};
static const struct needs for_status = {.since = "1.1.0"};

static const struct environment environment = {
    .container_id = "4f3c",
    .netns = "/run/netns/x",
    .ifname = "eth0",
    .args = "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0",
    .path = "/opt/cni/bin",
};

static inline int parse_for(const struct environment *given, const char *text,
                            const struct needs *needs, struct request *out, struct error *err)
{
    struct span span = {.start = text, .length = strlen(text)};
    int cni_version = -1;

    return request_parse(given, span, needs, out, &cni_version, err);
}

static inline void expect_refusal(const char *text, const struct needs *needs, enum error_code code,
                                  const char *part)
{
    struct request request = {0};
    struct error err = {.code = ERROR_NONE};

    assert_int_equal(parse_for(&environment, text, needs, &request, &err), -1);
    if (err.code != code || !strstr(err.msg, part))
        fail_msg("%s\ngave %d: %s\nnot %d: %s", text, err.code, err.msg, code, part);
    assert_null(request.tree);
}

static inline void expect_acceptance(const char *text, const struct needs *needs,
                                     struct request *out)
{
    struct error err = {.code = ERROR_NONE, .msg = ""};

    if (parse_for(&environment, text, needs, out, &err) != 0)
        fail_msg("%s\ngave %d: %s", text, err.code, err.msg);
}

#endif
