#include "cni/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* NULL is expected where CNI_ARGS says nothing that could be used. */
static void expect(const char *text, const char *namespace, const char *name)
{
    cleanup(args) struct args args = {0};
    struct error err;

    assert_int_equal(args_parse(text, &args, &err), 0);
    if (namespace)
        assert_string_equal(args.namespace, namespace);
    else
        assert_null(args.namespace);
    if (name)
        assert_string_equal(args.name, name);
    else
        assert_null(args.name);
}

static void reads_what_kubernetes_passes(void **state)
{
    (void)state;
    expect("IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;"
           "K8S_POD_INFRA_CONTAINER_ID=4f3c;K8S_POD_UID=1-2",
           "default", "web-0");
    expect("K8S_POD_NAME=web-0;K8S_POD_NAMESPACE=default;", "default", "web-0");
    expect("K8S_POD_NAME=a=b", NULL, "a=b");
}

static void ignores_what_is_malformed(void **state)
{
    (void)state;
    expect(NULL, NULL, NULL);
    expect("", NULL, NULL);
    expect(";;=;K8S_POD_NAMESPACE;K8S_POD_NAMESPACES=x;XK8S_POD_NAME=y", NULL, NULL);
    expect("K8S_POD_NAMESPACE", NULL, NULL);
    expect("K8S_POD_NAMESPACE=;K8S_POD_NAME=", NULL, NULL);
    expect(" K8S_POD_NAMESPACE=a;k8s_pod_name=b", NULL, NULL);
    expect("nonsense;K8S_POD_NAMESPACE=a;;K8S_POD_NAME=b", "a", "b");
}

static void believes_nothing_that_is_said_twice(void **state)
{
    (void)state;
    expect("K8S_POD_NAMESPACE=default;K8S_POD_NAME=x;K8S_POD_NAMESPACE=kube-system", NULL, "x");
    expect("K8S_POD_NAMESPACE=a;K8S_POD_NAMESPACE=a", NULL, NULL);
    expect("K8S_POD_NAMESPACE=;K8S_POD_NAMESPACE=kube-system", NULL, NULL);
}

static void bounds_the_length(void **state)
{
    char longest[ARGS_NAME_MAX + 2];
    char text[ARGS_NAME_MAX + 64];

    (void)state;
    memset(longest, 'n', sizeof(longest));
    longest[ARGS_NAME_MAX] = '\0';
    snprintf(text, sizeof(text), "K8S_POD_NAME=%s;K8S_POD_NAMESPACE=a", longest);
    expect(text, "a", longest);
    snprintf(text, sizeof(text), "K8S_POD_NAME=%sn;K8S_POD_NAMESPACE=a", longest);
    expect(text, "a", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_kubernetes_passes),
        cmocka_unit_test(ignores_what_is_malformed),
        cmocka_unit_test(believes_nothing_that_is_said_twice),
        cmocka_unit_test(bounds_the_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
