/*
 * No name in our table is a word of nft(8)'s grammar, of whatever version: nft prints names bare, and
 * an nft that takes one for a word refuses the node's whole ruleset when it is loaded again.
 */
#include "kernel/netlink/attributes.h"
#include "kernel/nftables/elements.h"
#include "kernel/nftables/reply.h"
#include "kernel/nftables/skeleton.h"

#include <ctype.h>
#include <linux/netfilter/nf_tables.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool is_word(const char *name)
{
    FILE *words = fopen(TEST_DATA "/nft/words", "re");
    char line[256];
    bool found = false;

    assert_non_null(words);
    while (!found && fgets(line, sizeof(line), words) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        found = strcmp(line, name) == 0;
    }
    fclose(words);
    return found;
}

/* A name that every nft reads as one: a letter, then letters, digits and some signs. */
static bool is_plain(const char *name)
{
    if (!isalpha((unsigned char)name[0]))
        return false;
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static void the_list_is_one(void **state)
{
    (void)state;
    assert_true(is_word("in")); /* as version 0.1.0 had called its maps */
    assert_true(is_word("out"));
    assert_true(is_word("missing"));
    assert_false(is_word(""));
    assert_false(is_word("imds-guard"));
}

/* Calls the table, and every chain, set and map, by their names. */
static unsigned check_names(const struct netlink_messages *messages)
{
    static const struct {
        int type;
        unsigned name;
    } objects[] = {{NFT_MSG_NEWTABLE, NFTA_TABLE_NAME},
                   {NFT_MSG_NEWCHAIN, NFTA_CHAIN_NAME},
                   {NFT_MSG_NEWSET, NFTA_SET_NAME}};
    unsigned count = 0;

    netlink_messages_each(message, messages)
    {
        struct attributes attributes;

        nft_reply_attributes(message, &attributes);
        for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++) {
            const char *name = attribute_text(&attributes, objects[i].name);

            if (nft_reply_type(message) != objects[i].type)
                continue;
            count++;
            assert_non_null(name);
            if (is_word(name) || !is_plain(name))
                fail_msg("no nft since 0.9.3 must take \"%s\" for anything but a name", name);
        }
    }
    return count;
}

static void no_name_of_ours_is_in_it(void **state)
{
    cleanup(netlink_messages) struct netlink_messages messages = {0};
    const struct terms terms = {0};
    const struct others others = {.verdict = VERDICT_REJECT};

    (void)state;
    skeleton_make(&messages, &terms, &(struct shape){.others = others, .refusing = true});
    /* the table, three chains, the map */
    assert_int_equal(check_names(&messages), 1 + 3 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_is_one),
        cmocka_unit_test(no_name_of_ours_is_in_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
