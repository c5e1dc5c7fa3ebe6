/*
 * At egress of an uplink, for every packet that leaves through it. A packet is the node's own if the
 * node did not receive it through another link and its socket is of the node's network namespace:
 * that goes on at once. So does what is not for an endpoint. What is left is judged by the link that
 * it came in through, and counted.
 *
 * The destination is read from the frame as it will be sent, and not from where the stack says that
 * headers are (skb->protocol, skb->network_header): whoever sends through a packet(7) socket says
 * that as he likes, and a frame may be so short or so fragmented that the stack guesses wrong. It is
 * read with bpf_skb_load_bytes, which does not mind in how many pieces the frame is in memory;
 * bpf_skb_load_bytes_relative and direct access do.
 */
#include "kernel/fence/program.h"

#include <endian.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum label {
    NOWHERE,
    OTHERS_PACKET, /* not the node's own */
    ETHERTYPE,     /* R7: where the Ethernet type is in the frame */
    TAG,           /* an 802.1Q or 802.1ad tag: the type is further on */
    IPV4,          /* R7: 2 bytes before the IP header; its first 20 bytes are at HEADER */
    IPV6,          /* R7: the same */
    LOOK_UP,       /* the key is at KEY */
    COUNT,         /* R7: the verdict */
    FIRST,         /* of its uplink and its incoming link: nothing to count in yet */
    ADD,           /* R0: what to count in */
    PASSED,
    DROP,
    NEXT,
    LABELS,
};

/* An instruction, or a place to jump to. */
struct line {
    struct bpf_insn instruction;
    enum label to; /* of a jump */
    enum label at; /* no instruction */
    bool map;      /* the instruction's imm is an enum map */
};

/* The stack, in bytes below its end. */
#define KEY     (-24) /* struct endpoint_key */
#define ADDRESS (-16) /* its address */
#define TYPE    (-46) /* the frame from its Ethernet type on: 22 bytes */
#define HEADER  (-44) /* from its IP header on */
#define TO_IPV4 (-28) /* the IPv4 header's destination */
#define COUNTED (-56) /* struct count_key */
#define ZEROES  (-72) /* struct fence_count */

#define HEADER_SIZE 20 /* of IPv4, without options */
#define TO_IPV6     24 /* the destination in an IPv6 header */
#define TYPE_AT     12 /* in an Ethernet header */
#define TYPE_SIZE   2
#define VLAN_SIZE   4
#define VLANS_MAX   2 /* 802.1ad within 802.1Q; more than that nobody sends on */

#define R(n)       (n)
#define SKB(field) ((short)offsetof(struct __sk_buff, field))
/* 16 bits as the machine loads them from the wire; htons(3) is no constant. */
#define WIRE(bits) (BYTE_ORDER == LITTLE_ENDIAN ? ((bits)&0xff) << 8 | (bits) >> 8 : (bits))

/* One line each, in the order of struct bpf_insn: code, dst_reg, src_reg, off, imm. */
#define INSTRUCTION(code, dst, src, off, imm)                                                      \
    {                                                                                              \
        .instruction = { code, dst, src, off, imm }                                                \
    }
#define JUMP_LINE(code, dst, src, imm, label)                                                      \
    {                                                                                              \
        .instruction = {code, dst, src, 0, imm}, .to = label                                       \
    }
#define AT(label)                                                                                  \
    {                                                                                              \
        .at = label                                                                                \
    }

#define SET(dst, value)            INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define COPY(dst, src)             INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define INCREASE(dst, value)       INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define SHIFT(dst, bits)           INSTRUCTION(BPF_ALU64 | BPF_RSH | BPF_K, dst, 0, 0, bits)
#define LOAD(size, dst, src, off)  INSTRUCTION(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STORE(size, dst, off, src) INSTRUCTION(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define PUT(size, dst, off, value) INSTRUCTION(BPF_ST | BPF_MEM | (size), dst, 0, off, value)
#define ADD_TO(dst, off, src)      INSTRUCTION(BPF_STX | BPF_ATOMIC | BPF_DW, dst, src, off, BPF_ADD)
#define CALL(function)             INSTRUCTION(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##function)
#define RETURN                     INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define STACK(dst, off)            COPY(dst, R(10)), INCREASE(dst, off)

#define JUMP(label)                   JUMP_LINE(BPF_JMP | BPF_JA, 0, 0, 0, label)
#define IF_EQUAL(dst, value, label)   JUMP_LINE(BPF_JMP | BPF_JEQ | BPF_K, dst, 0, value, label)
#define IF_NOT(dst, value, label)     JUMP_LINE(BPF_JMP | BPF_JNE | BPF_K, dst, 0, value, label)
#define IF_AT_MOST(dst, value, label) JUMP_LINE(BPF_JMP | BPF_JLE | BPF_K, dst, 0, value, label)
#define IF_SAME(dst, src, label)      JUMP_LINE(BPF_JMP | BPF_JEQ | BPF_X, dst, src, 0, label)

/* 64 bits are two instructions: a map itself, or the address of its only element. */
#define MAP_OF(dst, which, source)                                                                 \
    {.instruction = {BPF_LD | BPF_IMM | BPF_DW, dst, source, 0, which}, .map = true},              \
        INSTRUCTION(0, 0, 0, 0, 0)
#define MAP(dst, which)     MAP_OF(dst, which, BPF_PSEUDO_MAP_FD)
#define ELEMENT(dst, which) MAP_OF(dst, which, BPF_PSEUDO_MAP_VALUE)

/* --- whose packet? ------------------------------------------------------------------------------ */

static const struct line received[] = {
    COPY(R(6), R(1)),                              /* R6: the packet */
    LOAD(BPF_W, R(8), R(6), SKB(ingress_ifindex)), /* R8: the link it came in through, or 0 */
    IF_NOT(R(8), 0, OTHERS_PACKET),
};

/* Without this, all packets that the node has not received are its own. */
static const struct line sockets[] = {
    LOAD(BPF_DW, R(1), R(6), SKB(sk)),
    IF_EQUAL(R(1), 0, OTHERS_PACKET), /* nobody's: a copy that a pod's rules have made, say */
    COPY(R(1), R(6)),
    CALL(get_netns_cookie),
    ELEMENT(R(1), MAP_SETTINGS),
    LOAD(BPF_DW, R(1), R(1), offsetof(struct fence_settings, cookie)),
    IF_SAME(R(0), R(1), NEXT),
};

static const struct line no_sockets[] = {
    JUMP(NEXT),
};

/* --- where to? ---------------------------------------------------------------------------------- */

static const struct line in_ethernet[] = {
    AT(OTHERS_PACKET),
    SET(R(7), TYPE_AT),
    AT(ETHERTYPE),
    COPY(R(1), R(6)), /* bpf_skb_load_bytes(packet, R7, TYPE, ...) */
    COPY(R(2), R(7)),
    STACK(R(3), TYPE),
    SET(R(4), TYPE_SIZE + HEADER_SIZE),
    CALL(skb_load_bytes),
    IF_NOT(R(0), 0, NEXT), /* too short for any IP header */
    LOAD(BPF_H, R(1), R(10), TYPE),
    IF_EQUAL(R(1), WIRE(ETH_P_IP), IPV4),
    IF_EQUAL(R(1), WIRE(ETH_P_IPV6), IPV6),
    IF_EQUAL(R(1), WIRE(ETH_P_8021Q), TAG),
    IF_NOT(R(1), WIRE(ETH_P_8021AD), NEXT),
    AT(TAG),
    INCREASE(R(7), VLAN_SIZE),
    IF_AT_MOST(R(7), TYPE_AT + VLANS_MAX * VLAN_SIZE, ETHERTYPE),
    JUMP(NEXT),
};

static const struct line in_ip[] = {
    AT(OTHERS_PACKET),
    SET(R(7), -TYPE_SIZE),
    COPY(R(1), R(6)), /* bpf_skb_load_bytes(packet, 0, HEADER, ...) */
    SET(R(2), 0),
    STACK(R(3), HEADER),
    SET(R(4), HEADER_SIZE),
    CALL(skb_load_bytes),
    IF_NOT(R(0), 0, NEXT),
    LOAD(BPF_B, R(1), R(10), HEADER),
    SHIFT(R(1), 4), /* the version */
    IF_EQUAL(R(1), 4, IPV4),
    IF_EQUAL(R(1), 6, IPV6),
    JUMP(NEXT),
};

/* --- to an endpoint, and may it? ---------------------------------------------------------------- */

static const struct line judgement[] = {
    AT(IPV4),
    PUT(BPF_W, R(10), KEY + 4, FAMILY_IPV4),
    LOAD(BPF_W, R(1), R(10), TO_IPV4),
    STORE(BPF_W, R(10), ADDRESS, R(1)),
    PUT(BPF_W, R(10), ADDRESS + 4, 0),
    PUT(BPF_DW, R(10), ADDRESS + 8, 0),
    JUMP(LOOK_UP),

    AT(IPV6),
    PUT(BPF_W, R(10), KEY + 4, FAMILY_IPV6),
    COPY(R(1), R(6)), /* bpf_skb_load_bytes(packet, R7 + ..., ADDRESS, 16) */
    COPY(R(2), R(7)),
    INCREASE(R(2), TYPE_SIZE + TO_IPV6),
    STACK(R(3), ADDRESS),
    SET(R(4), 16),
    CALL(skb_load_bytes),
    IF_NOT(R(0), 0, NEXT),

    AT(LOOK_UP),
    PUT(BPF_W, R(10), KEY, ENDPOINT_KEY_BITS(128)),
    MAP(R(1), MAP_ENDPOINTS),
    STACK(R(2), KEY),
    CALL(map_lookup_elem),
    IF_EQUAL(R(0), 0, NEXT), /* not for an endpoint */

    LOAD(BPF_W, R(1), R(6), SKB(ifindex)), /* this uplink */
    STORE(BPF_W, R(10), COUNTED, R(1)),
    STORE(BPF_W, R(10), COUNTED + 4, R(8)),
    ELEMENT(R(7), MAP_SETTINGS),
    LOAD(BPF_DW, R(7), R(7), offsetof(struct fence_settings, others)),
    MAP(R(1), MAP_VERDICTS),
    STACK(R(2), COUNTED + 4),
    CALL(map_lookup_elem),
    IF_EQUAL(R(0), 0, COUNT),
    LOAD(BPF_W, R(7), R(0), 0), /* the link's own verdict, not that for others */

    AT(COUNT),
    MAP(R(1), MAP_COUNTS),
    STACK(R(2), COUNTED),
    CALL(map_lookup_elem),
    IF_EQUAL(R(0), 0, FIRST),
    AT(ADD),
    SET(R(1), 1),
    IF_EQUAL(R(7), VERDICT_PASS, PASSED),
    ADD_TO(R(0), offsetof(struct fence_count, stopped), R(1)),
    AT(DROP),
    SET(R(0), TCX_ACTION_DROP),
    RETURN,
    AT(PASSED),
    ADD_TO(R(0), offsetof(struct fence_count, passed), R(1)),
    AT(NEXT),
    SET(R(0), TCX_ACTION_NEXT),
    RETURN,

    AT(FIRST),
    PUT(BPF_DW, R(10), ZEROES, 0),
    PUT(BPF_DW, R(10), ZEROES + 8, 0),
    MAP(R(1), MAP_COUNTS),
    STACK(R(2), COUNTED),
    STACK(R(3), ZEROES),
    SET(R(4), BPF_NOEXIST), /* another processor may be first */
    CALL(map_update_elem),
    MAP(R(1), MAP_COUNTS),
    STACK(R(2), COUNTED),
    CALL(map_lookup_elem),
    IF_NOT(R(0), 0, ADD),
    IF_EQUAL(R(7), VERDICT_PASS, NEXT), /* no room: judged all the same */
    JUMP(DROP),
};

/* --- putting it together ------------------------------------------------------------------------ */

struct listing_of_lines {
    const struct line *lines[4 * PROGRAM_INSTRUCTIONS_MAX];
    size_t count;
};

static void append(struct listing_of_lines *all, const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        all->lines[all->count++] = lines + i;
}

#define APPEND(all, lines) append(all, lines, sizeof(lines) / sizeof((lines)[0]))

size_t program_write(const struct program_kind *kind, const int map_fds[MAPS],
                     struct bpf_insn out[static PROGRAM_INSTRUCTIONS_MAX])
{
    struct listing_of_lines all = {.count = 0};
    size_t places[LABELS] = {0};
    size_t count = 0;

    APPEND(&all, received);
    if (kind->sockets)
        APPEND(&all, sockets);
    else
        APPEND(&all, no_sockets);
    if (kind->ethernet)
        APPEND(&all, in_ethernet);
    else
        APPEND(&all, in_ip);
    APPEND(&all, judgement);

    for (size_t i = 0; i < all.count; i++) {
        if (all.lines[i]->at != NOWHERE)
            places[all.lines[i]->at] = count;
        else
            count++;
    }
    count = 0;
    for (size_t i = 0; i < all.count; i++) {
        const struct line *line = all.lines[i];

        if (line->at != NOWHERE)
            continue;
        out[count] = line->instruction;
        if (line->to != NOWHERE)
            out[count].off = (short)((long)places[line->to] - (long)count - 1);
        if (line->map && map_fds != NULL)
            out[count].imm = map_fds[line->instruction.imm];
        count++;
    }
    return count;
}

/* --- its name ----------------------------------------------------------------------------------- */

#define NAME_START "imds_guard"

void program_name(const struct program_kind *kind, char out[static BPF_OBJ_NAME_LEN])
{
    struct bpf_insn instructions[PROGRAM_INSTRUCTIONS_MAX];
    size_t size = program_write(kind, NULL, instructions) * sizeof(instructions[0]);
    const unsigned char *bytes = (const unsigned char *)instructions;
    uint32_t hash = 2166136261U; /* FNV-1a, folded to 20 bits */

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619U;
    snprintf(out, BPF_OBJ_NAME_LEN, NAME_START "%05x", (hash ^ hash >> 20) & 0xfffffU);
}

bool program_is_ours(const char *name)
{
    return strncmp(name, NAME_START, strlen(NAME_START)) == 0;
}

bool program_is_current(const char *name, bool ethernet, struct program_kind *kind)
{
    for (int with_sockets = 1; with_sockets >= 0; with_sockets--) {
        const struct program_kind candidate = {.ethernet = ethernet, .sockets = with_sockets};
        char expected[BPF_OBJ_NAME_LEN];

        program_name(&candidate, expected);
        if (strcmp(name, expected) == 0) {
            *kind = candidate;
            return true;
        }
    }
    return false;
}

int program_load(bool ethernet, const struct maps *maps, int *out, struct error *err)
{
    for (int with_sockets = 1; with_sockets >= 0; with_sockets--) {
        const struct program_kind kind = {.ethernet = ethernet, .sockets = with_sockets};
        struct bpf_insn instructions[PROGRAM_INSTRUCTIONS_MAX];
        size_t count = program_write(&kind, maps->fds, instructions);
        char name[BPF_OBJ_NAME_LEN];
        int program;

        program_name(&kind, name);
        program = bpf_load(name, instructions, count);
        if (program >= 0) {
            *out = program;
            return 0;
        }
        if (errno != EINVAL) /* what the verifier says of a helper that it does not let tc have */
            break;
    }
    return bpf_failed("load the exit fence's program", err);
}
