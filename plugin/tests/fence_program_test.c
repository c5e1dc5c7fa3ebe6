/* The program as text: what the verifier would say of it on any kernel, and what tells it apart. */
#include "kernel/fence/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct program_kind kinds[] = {
    {.ethernet = true, .sockets = true},
    {.ethernet = true, .sockets = false},
    {.ethernet = false, .sockets = true},
    {.ethernet = false, .sockets = false},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const int fds[MAPS] = {11, 12, 13, 14};

struct text {
    struct bpf_insn lines[PROGRAM_INSTRUCTIONS_MAX];
    size_t count;
};

static struct text text_of(const struct program_kind *kind)
{
    struct text text = {.count = 0};

    text.count = program_write(kind, fds, text.lines);
    return text;
}

static bool is_jump(const struct bpf_insn *line)
{
    return BPF_CLASS(line->code) == BPF_JMP && BPF_OP(line->code) != BPF_CALL &&
           BPF_OP(line->code) != BPF_EXIT;
}

static bool is_wide(const struct bpf_insn *line)
{
    return line->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static size_t calls_of(const struct text *text, int function)
{
    size_t count = 0;

    for (size_t i = 0; i < text->count; i++)
        count += text->lines[i].code == (BPF_JMP | BPF_CALL) && text->lines[i].imm == function;
    return count;
}

static void ends_and_jumps_to_itself(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct text text = text_of(&kinds[k]);
        const struct bpf_insn *last = &text.lines[text.count - 1];

        assert_in_range(text.count, 50, PROGRAM_INSTRUCTIONS_MAX);
        assert_true(last->code == (BPF_JMP | BPF_EXIT) || last->code == (BPF_JMP | BPF_JA));
        for (size_t i = 0; i < text.count; i++) {
            long to = (long)i + 1 + text.lines[i].off;

            if (!is_jump(&text.lines[i]))
                continue;
            assert_in_range(to, 0, text.count - 1);
            assert_false(to > 0 && is_wide(&text.lines[to - 1])); /* into half an instruction */
            assert_int_not_equal(text.lines[i].off, -1);          /* to itself */
        }
    }
}

static void every_line_is_reached(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct text text = text_of(&kinds[k]);
        bool reached[PROGRAM_INSTRUCTIONS_MAX + 1] = {true};

        for (int pass = 0; pass < 4; pass++) { /* there are few jumps back */
            for (size_t i = 0; i < text.count; i++) {
                const struct bpf_insn *line = &text.lines[i];

                if (!reached[i])
                    continue;
                if (is_jump(line))
                    reached[(long)i + 1 + line->off] = true;
                if (line->code != (BPF_JMP | BPF_JA) && line->code != (BPF_JMP | BPF_EXIT))
                    reached[i + 1] = true;
            }
        }
        for (size_t i = 0; i < text.count; i++)
            if (!reached[i])
                fail_msg("kind %zu: nothing leads to line %zu", k, i);
    }
}

/* Writing below the stack's end only, and each size where it is aligned. */
static void keeps_to_its_stack(void **state)
{
    static const int sizes[] = {
        [BPF_W >> 3] = 4, [BPF_H >> 3] = 2, [BPF_B >> 3] = 1, [BPF_DW >> 3] = 8};

    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct text text = text_of(&kinds[k]);

        for (size_t i = 0; i < text.count; i++) {
            const struct bpf_insn *line = &text.lines[i];
            bool writes = BPF_CLASS(line->code) == BPF_STX || BPF_CLASS(line->code) == BPF_ST;
            bool reads = BPF_CLASS(line->code) == BPF_LDX;
            int size = sizes[BPF_SIZE(line->code) >> 3];

            if (!(writes && line->dst_reg == 10) && !(reads && line->src_reg == 10))
                continue;
            assert_in_range(-line->off, size, 512);
            assert_int_equal(-line->off % size, 0);
        }
    }
}

static void every_map_is_used(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct text text = text_of(&kinds[k]);

        for (size_t map = 0; map < MAPS; map++) {
            size_t uses = 0;

            for (size_t i = 0; i < text.count; i++)
                uses += is_wide(&text.lines[i]) && text.lines[i].imm == fds[map];
            if (uses == 0)
                fail_msg("kind %zu does not use map %zu", k, map);
        }
    }
}

static void only_one_kind_asks_about_sockets(void **state)
{
    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct text text = text_of(&kinds[k]);

        assert_int_equal(calls_of(&text, BPF_FUNC_get_netns_cookie), kinds[k].sockets);
        assert_true(calls_of(&text, BPF_FUNC_skb_load_bytes) >= 2);
    }
}

/* What every packet of the node's own pays for where the kernel tells nothing about sockets. */
static void the_nodes_own_packets_go_on_at_once(void **state)
{
    static const struct program_kind kind = {.ethernet = true};
    struct text text = text_of(&kind);
    const struct bpf_insn *at = &text.lines[3];

    (void)state;
    assert_int_equal(text.lines[2].code, BPF_JMP | BPF_JNE | BPF_K);
    assert_int_equal(at->code, BPF_JMP | BPF_JA);
    at += 1 + at->off;
    assert_int_equal(at[0].code, BPF_ALU64 | BPF_MOV | BPF_K);
    assert_int_equal(at[0].imm, TCX_ACTION_NEXT);
    assert_int_equal(at[1].code, BPF_JMP | BPF_EXIT);
}

static void a_name_tells_version_and_kind(void **state)
{
    char names[KINDS][BPF_OBJ_NAME_LEN];

    (void)state;
    for (size_t k = 0; k < KINDS; k++) {
        struct program_kind found = {0};

        program_name(&kinds[k], names[k]);
        assert_int_equal(strlen(names[k]), BPF_OBJ_NAME_LEN - 1);
        assert_int_equal(strspn(names[k], "abcdefghijklmnopqrstuvwxyz0123456789_"),
                         BPF_OBJ_NAME_LEN - 1); /* what the kernel takes */
        assert_true(program_is_ours(names[k]));
        assert_true(program_is_current(names[k], kinds[k].ethernet, &found));
        assert_int_equal(found.sockets, kinds[k].sockets);
        assert_false(program_is_current(names[k], !kinds[k].ethernet, &found));
        for (size_t other = 0; other < k; other++)
            assert_string_not_equal(names[k], names[other]);
    }
    assert_true(program_is_ours("imds_guard00000"));
    assert_false(program_is_current("imds_guard", true, &(struct program_kind){0}));
    assert_false(program_is_ours("cil_to_netdev"));
    assert_false(program_is_ours(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_and_jumps_to_itself),
        cmocka_unit_test(every_line_is_reached),
        cmocka_unit_test(keeps_to_its_stack),
        cmocka_unit_test(every_map_is_used),
        cmocka_unit_test(only_one_kind_asks_about_sockets),
        cmocka_unit_test(the_nodes_own_packets_go_on_at_once),
        cmocka_unit_test(a_name_tells_version_and_kind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
