/* Dropping privileges, as the kernel tells of it: in children, because nothing brings them back. */
#include "kernel/privileges.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A number of /proc/self/status (proc(5)) in that base, or UINT64_MAX. */
static uint64_t status(const char *key, int base)
{
    FILE *file = fopen("/proc/self/status", "re");
    uint64_t value = UINT64_MAX;
    char line[256];

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            value = strtoull(line + strlen(key) + 1, NULL, base);
    if (file)
        fclose(file);
    return value;
}

static uint64_t capabilities(const char *set)
{
    return status(set, 16);
}

/* 0 if the child ends up with exactly those of its capabilities that are in the set. */
static int keep(uint64_t kept)
{
    uint64_t had = capabilities("CapPrm");
    struct error err;

    if (had == UINT64_MAX || privileges_keep(kept, &err) < 0)
        return 1;
    if (capabilities("CapPrm") != (had & kept) || capabilities("CapEff") != (had & kept))
        return 2;
    if (capabilities("CapInh") != 0 || capabilities("CapAmb") != 0)
        return 3;
    return status("NoNewPrivs", 10) == 1 ? 0 : 4;
}

static int in_child(uint64_t first, uint64_t second)
{
    int state = -1;
    pid_t child = fork();

    assert_int_not_equal(child, -1);
    if (child == 0) {
        int code = keep(first);

        _exit(code != 0 ? code : keep(second));
    }
    assert_int_equal(waitpid(child, &state, 0), child);
    assert_true(WIFEXITED(state));
    return WEXITSTATUS(state);
}

static void keeps_what_is_asked_for_and_no_more(void **state)
{
    (void)state;
    assert_int_equal(in_child(PRIVILEGES_FENCE | PRIVILEGES_POD, PRIVILEGES_RULES), 0);
    assert_int_equal(in_child(PRIVILEGES_RULES, 0), 0);
}

static void brings_nothing_back(void **state)
{
    (void)state;
    assert_int_equal(in_child(0, PRIVILEGES_POD), 0);
}

static void knows_both_halves(void **state)
{
    (void)state;
    assert_int_equal(
        in_child(PRIVILEGE(CAP_SYSLOG) | PRIVILEGE(CAP_NET_RAW), PRIVILEGE(CAP_SYSLOG)),
        0); /* 34 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_is_asked_for_and_no_more),
        cmocka_unit_test(brings_nothing_back),
        cmocka_unit_test(knows_both_halves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
