/*
 * Chains as text and edits carried out on them, for the tests of what is to be edited. One rule a
 * word, words parted by spaces:
 *
 *     eni1=a        guard of eni1, drop, owner a        eni1~a        the same, but it may pass
 *     *=            the rule for others, drop           *~            the same, but they may pass
 *     >169.254.169.254   jump for the endpoint          x, or any other word: a foreign rule
 *
 * Each rule gets its place in the text, from 1, as its packets, and is printed with ":<packets>".
 */
#ifndef IMDS_GUARD_KERNEL_IPTABLES_CHAINS_H
#define IMDS_GUARD_KERNEL_IPTABLES_CHAINS_H

#include "kernel/iptables/edits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static inline void write_tag(const char *container, char out[static TAG_SIZE])
{
    struct owner owner = {.network = "net", .container_id = container, .ifname = "eth0"};

    tag_write(&owner, 1, NULL, NULL, out);
}

/* Where a rule has its tag while it stands, which is over with the rule. */
static inline char *new_tag(const char *text)
{
    static char tags[4096][TAG_SIZE];
    static size_t used;
    char *tag = tags[used++ % (sizeof(tags) / sizeof(*tags))];

    strcpy(tag, text);
    return tag;
}

static inline void end_tag(const struct rule *rule)
{
    if (rule->kind == RULE_GUARD)
        strcpy((char *)(uintptr_t)rule->tag, "of a rule that is gone");
}

static inline struct rule placed(const struct rule *rule)
{
    struct rule copy = *rule;

    copy.tag = rule->kind == RULE_GUARD ? new_tag(rule->tag) : NULL;
    return copy;
}

static inline struct rule parse_rule(char *word)
{
    struct rule rule = {.kind = RULE_FOREIGN};
    size_t name = strcspn(word, "=~");
    char tag[TAG_SIZE];
    struct error err;

    if (word[0] == '>') {
        rule.kind = RULE_JUMP;
        assert_int_equal(endpoint_parse(word + 1, &rule.endpoint, &err), 0);
        return rule;
    }
    if (word[name] == '\0')
        return rule;
    rule.guard.verdict = word[name] == '=' ? VERDICT_DROP : VERDICT_PASS;
    rule.kind = word[0] == '*' ? RULE_OTHERS : RULE_GUARD;
    if (rule.kind == RULE_GUARD) {
        memcpy(rule.guard.interface, word, name);
        write_tag(word + name + 1, tag);
        rule.tag = new_tag(tag);
    }
    return rule;
}

/* NULL: the chain does not exist. */
static inline struct chain parse_chain(const char *text)
{
    struct chain chain = {.exists = text != NULL};
    char *copy = strdup(text ? text : "");

    chain.rules = calloc(32, sizeof(*chain.rules));
    for (char *word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        chain.rules[chain.rule_count] = parse_rule(word);
        chain.rules[chain.rule_count].packets = chain.rule_count + 1;
        chain.rule_count++;
    }
    free(copy);
    return chain;
}

static inline void print_rule(const struct rule *rule, FILE *out)
{
    char text[ENDPOINT_TEXT_SIZE];
    char verdict = rule->guard.verdict == VERDICT_DROP ? '=' : '~';
    struct tag tag;

    switch (rule->kind) {
    case RULE_FOREIGN:
        fprintf(out, "x");
        break;
    case RULE_JUMP:
        endpoint_text(&rule->endpoint, text);
        fprintf(out, ">%s", text);
        break;
    case RULE_OTHERS:
        fprintf(out, "*%c", verdict);
        break;
    case RULE_GUARD:
        assert_true(tag_parse(rule->tag, &tag));
        fprintf(out, "%s%c%s", rule->guard.interface, verdict, tag.owner.container_id);
        break;
    }
    fprintf(out, ":%ju", (uintmax_t)rule->packets);
}

static inline void assert_chain(const struct chain *chain, const char *expected)
{
    cleanup(free_text) char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    for (size_t i = 0; i < chain->rule_count; i++) {
        fprintf(out, i > 0 ? " " : "%s", "");
        print_rule(&chain->rules[i], out);
    }
    fclose(out);
    assert_string_equal(text, expected);
}

static inline struct chain *chain_of(struct snapshot *snapshot, const char *name)
{
    if (strcmp(name, "FORWARD") == 0)
        return &snapshot->hook;
    if (strcmp(name, "IMDS-GUARD") == 0)
        return &snapshot->own;
    if (strcmp(name, "POSTROUTING") == 0)
        return &snapshot->old_hook;
    if (strcmp(name, "IMDS-GUARD-OUT") == 0)
        return &snapshot->old;
    fail_msg("no chain %s", name);
    return NULL;
}

/* As libiptc would: what it would refuse fails the test. */
static inline void carry_out(struct snapshot *snapshot, const struct edits *edits)
{
    for (size_t i = 0; i < edits->count; i++) {
        const struct edit *edit = &edits->items[i];
        struct chain *chain = chain_of(snapshot, edit->chain);
        struct rule *at = &chain->rules[edit->position];
        size_t behind = chain->rule_count - edit->position;

        assert_int_equal(chain->exists, edit->kind != EDIT_CREATE_CHAIN);
        assert_true(edit->position <= chain->rule_count);
        switch (edit->kind) {
        case EDIT_CREATE_CHAIN:
            chain->exists = true;
            break;
        case EDIT_DELETE_RULE:
            assert_true(behind > 0);
            end_tag(at);
            memmove(at, at + 1, (behind - 1) * sizeof(*at));
            chain->rule_count--;
            break;
        case EDIT_INSERT_RULE:
            assert_true(chain->rule_count < 32);
            memmove(at + 1, at, behind * sizeof(*at));
            *at = placed(&edit->rule);
            chain->rule_count++;
            break;
        case EDIT_FLUSH_CHAIN:
            chain->rule_count = 0;
            break;
        case EDIT_DELETE_CHAIN:
            assert_int_equal(chain->rule_count, 0);
            chain->exists = false;
            break;
        }
    }
}

#endif
