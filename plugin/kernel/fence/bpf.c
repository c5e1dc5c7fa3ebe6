#include "kernel/fence/bpf.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* enum bpf_attach_type, and flags of BPF_PROG_ATTACH. */
#define TCX_EGRESS  47
#define TCX_REPLACE (1U << 2)
#define TCX_BEFORE  (1U << 3)

/* The part of union bpf_attr that BPF_PROG_ATTACH and BPF_PROG_DETACH use. */
struct attach_attr {
    uint32_t target_ifindex;
    uint32_t attach_bpf_fd;
    uint32_t attach_type;
    uint32_t attach_flags;
    uint32_t replace_bpf_fd;
    uint32_t relative_fd; /* 0: BEFORE means before all */
    uint64_t expected_revision;
};

/* The part that BPF_PROG_QUERY uses. */
struct query_attr {
    uint32_t target_ifindex;
    uint32_t attach_type;
    uint32_t query_flags;
    uint32_t attach_flags;
    uint64_t prog_ids;
    uint32_t count;
    uint32_t unused;
    uint64_t prog_attach_flags;
    uint64_t link_ids;
    uint64_t link_attach_flags;
    uint64_t revision;
};

static int bpf(enum bpf_cmd command, void *attr, size_t size)
{
    return (int)syscall(SYS_bpf, command, attr, size);
}

static uint64_t address(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

int bpf_create(const struct map_shape *shape)
{
    union bpf_attr attr = {.map_type = shape->type,
                           .key_size = shape->key_size,
                           .value_size = shape->value_size,
                           .max_entries = shape->max_entries,
                           .map_flags = shape->flags};

    strncpy(attr.map_name, shape->name, sizeof(attr.map_name) - 1);
    return bpf(BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int element(enum bpf_cmd command, int map, const void *key, const void *value,
                   uint64_t flags)
{
    union bpf_attr attr = {
        .map_fd = (uint32_t)map, .key = address(key), .value = address(value), .flags = flags};

    return bpf(command, &attr, sizeof(attr));
}

int bpf_lookup(int map, const void *key, void *value)
{
    return element(BPF_MAP_LOOKUP_ELEM, map, key, value, 0);
}

int bpf_update(int map, const void *key, const void *value, uint64_t flags)
{
    return element(BPF_MAP_UPDATE_ELEM, map, key, value, flags);
}

int bpf_delete(int map, const void *key)
{
    return element(BPF_MAP_DELETE_ELEM, map, key, NULL, 0);
}

int bpf_read(int map, void *keys, void *values, uint32_t *count)
{
    char next[BPF_KEY_MAX] = {0}; /* where the kernel would go on; it wants to say so */
    union bpf_attr attr = {.batch = {.map_fd = (uint32_t)map,
                                     .keys = address(keys),
                                     .values = address(values),
                                     .count = *count,
                                     .out_batch = address(next)}};

    if (bpf(BPF_MAP_LOOKUP_BATCH, &attr, sizeof(attr)) == 0)
        errno = E2BIG;
    if (errno != ENOENT)
        return -1;
    *count = attr.batch.count;
    return 0;
}

int bpf_load(const char *name, const struct bpf_insn *instructions, size_t count)
{
    union bpf_attr attr = {.prog_type = BPF_PROG_TYPE_SCHED_CLS,
                           .insns = address(instructions),
                           .insn_cnt = (uint32_t)count,
                           .license = address("GPL")};

    strncpy(attr.prog_name, name, sizeof(attr.prog_name) - 1);
    return bpf(BPF_PROG_LOAD, &attr, sizeof(attr));
}

int bpf_open_program(uint32_t id)
{
    union bpf_attr attr = {.prog_id = id};

    return bpf(BPF_PROG_GET_FD_BY_ID, &attr, sizeof(attr));
}

int bpf_open_map(uint32_t id)
{
    union bpf_attr attr = {.map_id = id};

    return bpf(BPF_MAP_GET_FD_BY_ID, &attr, sizeof(attr));
}

static int object_info(int fd, void *out, size_t size)
{
    union bpf_attr attr = {
        .info = {.bpf_fd = (uint32_t)fd, .info_len = (uint32_t)size, .info = address(out)}};

    return bpf(BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr));
}

int bpf_program_info(int program, struct bpf_prog_info *out, uint32_t *map_ids, uint32_t *map_count)
{
    memset(out, 0, sizeof(*out));
    out->map_ids = address(map_ids);
    out->nr_map_ids = *map_count;
    if (object_info(program, out, sizeof(*out)) < 0)
        return -1;
    *map_count = out->nr_map_ids;
    return 0;
}

int bpf_map_info(int map, struct bpf_map_info *out)
{
    memset(out, 0, sizeof(*out));
    return object_info(map, out, sizeof(*out));
}

int tcx_query(int link, struct tcx *out)
{
    struct tcx tcx = {.link = link};
    struct query_attr attr = {.target_ifindex = (uint32_t)link,
                              .attach_type = TCX_EGRESS,
                              .prog_ids = address(tcx.ids),
                              .count = TCX_PROGRAMS_MAX};

    if (bpf(BPF_PROG_QUERY, &attr, sizeof(attr)) < 0)
        return -1;
    tcx.count = attr.count < TCX_PROGRAMS_MAX ? attr.count : TCX_PROGRAMS_MAX;
    tcx.revision = attr.revision;
    *out = tcx;
    return 0;
}

int tcx_attach(const struct tcx *seen, int program, int replaced)
{
    struct attach_attr attr = {.target_ifindex = (uint32_t)seen->link,
                               .attach_bpf_fd = (uint32_t)program,
                               .attach_type = TCX_EGRESS,
                               .attach_flags = replaced < 0 ? TCX_BEFORE : TCX_REPLACE,
                               .replace_bpf_fd = replaced < 0 ? 0 : (uint32_t)replaced,
                               .expected_revision = seen->revision};

    return bpf(BPF_PROG_ATTACH, &attr, sizeof(attr));
}

int tcx_detach(int link, int program)
{
    struct attach_attr attr = {.target_ifindex = (uint32_t)link,
                               .attach_bpf_fd = (uint32_t)program,
                               .attach_type = TCX_EGRESS};

    return bpf(BPF_PROG_DETACH, &attr, sizeof(attr));
}

int bpf_failed(const char *what, struct error *err)
{
    int error = errno;

    error_set(
        err, ERROR_KERNEL, "cannot %s: %s%s", what, strerror(error),
        error == EPERM || error == EACCES
            ? "; it takes CAP_SYS_ADMIN in the initial user namespace, and a kernel that is not "
              "locked down"
            : "");
    errno = error;
    return -1;
}
