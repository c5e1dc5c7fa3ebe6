/*
 * A kernel of the test's own behind bpf(2): maps, programs, and what is attached at the egress of two
 * uplinks and a pod's veth. Any of its calls can be made to fail, and others can be at it meanwhile.
 * Everything that has an id lives as long as the test.
 */
#ifndef IMDS_GUARD_TESTS_FAKE_BPF_H
#define IMDS_GUARD_TESTS_FAKE_BPF_H

#include "kernel/fence/bpf.h"
#include "kernel/fence/fence.h"
#include "kernel/fence/maps.h"
#include "kernel/fence/program.h"
#include "kernel/fence/uplinks.h"
#include "kernel/links/reply.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

long __wrap_syscall(long number, ...);
int __wrap_links_all(struct link_reply **out, size_t *count, struct error *err);
int __wrap_uplinks_of_routes(const struct terms *terms, const struct plan *plans, size_t plan_count,
                             struct uplink **out, size_t *count, struct error *err);
int __wrap_uplinks_of_node(const struct known_links *known, const struct terms *terms,
                           const struct plan *plans, size_t plan_count, struct uplink **out,
                           size_t *count, struct error *err);

enum { ETH0 = 2, TUN0 = 3, POD = 4, FAKE_LINKS = 5, FAKE_OBJECTS = 64, FAKE_ELEMENTS = 32 };

struct fake_element {
    bool used;
    _Alignas(8) unsigned char key[32];
    _Alignas(8) unsigned char value[32];
};

/* A map or a program; its id is its place and FIRST_ID. */
struct fake_object {
    bool is_program;
    char name[BPF_OBJ_NAME_LEN];
    uint32_t type, key_size, value_size, max_entries;
    struct fake_element elements[FAKE_ELEMENTS];
    uint32_t map_ids[16], map_count;
    bool asks_sockets; /* calls bpf_get_netns_cookie */
};

#define FIRST_ID 100

static struct {
    struct fake_object objects[FAKE_OBJECTS];
    uint32_t object_count;
    int owners[1024]; /* which object a descriptor is of; 0: none; else its place and 1 */
    struct fake_place {
        bool exists;
        uint32_t ids[TCX_PROGRAMS_MAX], count;
        uint64_t revision;
    } places[FAKE_LINKS];
    bool without_tcx;
    bool without_sockets;
    bool without_rights;
    unsigned long calls;
    unsigned long fails_at; /* this call, counted from 1; 0: none */
    int fails_with;
    enum bpf_cmd failed;     /* which command it was */
    void (*meanwhile)(void); /* before the next attach, once */
    unsigned loads, attaches, updates;
} fake;

static inline int fake_open(uint32_t object)
{
    int fd = dup(STDERR_FILENO);

    assert_in_range(fd, 1, 1023);
    fake.owners[fd] = (int)object + 1;
    return fd;
}

static inline struct fake_object *fake_behind(uint32_t fd)
{
    assert_in_range(fd, 1, 1023);
    assert_true(fake.owners[fd] > 0);
    return &fake.objects[fake.owners[fd] - 1];
}

static inline uint32_t fake_id(const struct fake_object *object)
{
    return FIRST_ID + (uint32_t)(object - fake.objects);
}

static inline struct fake_object *fake_new(const char *name)
{
    assert_true(fake.object_count < FAKE_OBJECTS);
    struct fake_object *object = &fake.objects[fake.object_count++];
    snprintf(object->name, sizeof(object->name), "%s", name);
    return object;
}

static inline int fake_error(int error)
{
    errno = error;
    return -1;
}

/* --- elements ----------------------------------------------------------------------------------- */

static inline bool fake_covers(const unsigned char *stored, const unsigned char *asked)
{
    const struct endpoint_key *outer = (const void *)stored;
    const struct endpoint_key *inner = (const void *)asked;

    if (outer->bits > inner->bits)
        return false;
    for (uint32_t bit = 0; bit < outer->bits; bit++)
        if (((stored[4 + bit / 8] ^ asked[4 + bit / 8]) >> (7 - bit % 8)) & 1)
            return false;
    return true;
}

static inline struct fake_element *fake_find(struct fake_object *map, const void *key, bool to_read)
{
    for (size_t i = 0; i < FAKE_ELEMENTS; i++) {
        struct fake_element *element = &map->elements[i];

        if (!element->used)
            continue;
        if (to_read && map->type == BPF_MAP_TYPE_LPM_TRIE
                ? fake_covers(element->key, key)
                : memcmp(element->key, key, map->key_size) == 0)
            return element;
    }
    return NULL;
}

static inline struct fake_element *fake_unused(struct fake_object *map)
{
    for (size_t i = 0; i < FAKE_ELEMENTS; i++)
        if (!map->elements[i].used)
            return &map->elements[i];
    fail_msg("no room in %s", map->name);
    return NULL;
}

static inline int fake_element(enum bpf_cmd command, const union bpf_attr *attr)
{
    struct fake_object *map = fake_behind(attr->map_fd);
    const void *key = (const void *)(uintptr_t)attr->key;
    void *value = (void *)(uintptr_t)attr->value;
    struct fake_element *element = fake_find(map, key, command == BPF_MAP_LOOKUP_ELEM);

    if (command == BPF_MAP_UPDATE_ELEM) {
        fake.updates++;
        if (element != NULL && attr->flags == BPF_NOEXIST)
            return fake_error(EEXIST);
        if (element == NULL)
            element = fake_unused(map);
        element->used = true;
        memcpy(element->key, key, map->key_size);
        memcpy(element->value, value, map->value_size);
        return 0;
    }
    if (element == NULL && map->type != BPF_MAP_TYPE_ARRAY)
        return fake_error(ENOENT);
    if (command == BPF_MAP_DELETE_ELEM)
        element->used = false;
    else if (element == NULL)
        memset(value, 0, map->value_size);
    else
        memcpy(value, element->value, map->value_size);
    return 0;
}

static inline int fake_lookup_batch(union bpf_attr *attr)
{
    struct fake_object *map = fake_behind(attr->batch.map_fd);
    unsigned char *keys = (void *)(uintptr_t)attr->batch.keys;
    unsigned char *values = (void *)(uintptr_t)attr->batch.values;
    uint32_t room = attr->batch.count;

    assert_int_equal(attr->batch.in_batch, 0);
    assert_int_not_equal(attr->batch.out_batch, 0);
    attr->batch.count = 0;
    for (size_t i = 0; i < FAKE_ELEMENTS; i++) {
        const struct fake_element *element = &map->elements[i];
        uint32_t at = attr->batch.count;

        if (!element->used)
            continue;
        if (at == room)
            return 0;
        memcpy(keys + at * map->key_size, element->key, map->key_size);
        memcpy(values + at * map->value_size, element->value, map->value_size);
        attr->batch.count++;
    }
    return fake_error(ENOENT);
}

/* --- objects ------------------------------------------------------------------------------------ */

static inline int fake_create(const union bpf_attr *attr)
{
    struct fake_object *map = fake_new(attr->map_name);

    map->type = attr->map_type;
    map->key_size = attr->key_size;
    map->value_size = attr->value_size;
    map->max_entries = attr->max_entries;
    return fake_open((uint32_t)(map - fake.objects));
}

static inline void fake_use(struct fake_object *program, uint32_t map_id)
{
    for (uint32_t i = 0; i < program->map_count; i++)
        if (program->map_ids[i] == map_id)
            return;
    program->map_ids[program->map_count++] = map_id;
}

static inline int fake_load(const union bpf_attr *attr)
{
    const struct bpf_insn *lines = (const void *)(uintptr_t)attr->insns;
    struct fake_object loaded = {.is_program = true};

    fake.loads++;
    for (uint32_t i = 0; i < attr->insn_cnt; i++) {
        if (lines[i].code == (BPF_LD | BPF_IMM | BPF_DW))
            fake_use(&loaded, fake_id(fake_behind((uint32_t)lines[i].imm)));
        if (lines[i].code == (BPF_JMP | BPF_CALL) && lines[i].imm == BPF_FUNC_get_netns_cookie)
            loaded.asks_sockets = true;
    }
    if (loaded.asks_sockets && fake.without_sockets)
        return fake_error(EINVAL);
    struct fake_object *program = fake_new(attr->prog_name);
    memcpy(loaded.name, program->name, sizeof(loaded.name));
    *program = loaded;
    return fake_open((uint32_t)(program - fake.objects));
}

static inline int fake_open_id(uint32_t id)
{
    if (id < FIRST_ID || id >= FIRST_ID + fake.object_count)
        return fake_error(ENOENT);
    return fake_open(id - FIRST_ID);
}

static inline int fake_info(const union bpf_attr *attr)
{
    const struct fake_object *object = fake_behind(attr->info.bpf_fd);

    if (object->is_program) {
        struct bpf_prog_info *info = (void *)(uintptr_t)attr->info.info;
        uint32_t *ids = (void *)(uintptr_t)info->map_ids;

        for (uint32_t i = 0; i < object->map_count && i < info->nr_map_ids; i++)
            ids[i] = object->map_ids[i];
        info->nr_map_ids = object->map_count;
        memcpy(info->name, object->name, sizeof(info->name));
    } else {
        struct bpf_map_info *info = (void *)(uintptr_t)attr->info.info;

        *info = (struct bpf_map_info){.id = fake_id(object),
                                      .type = object->type,
                                      .key_size = object->key_size,
                                      .value_size = object->value_size};
        memcpy(info->name, object->name, sizeof(info->name));
    }
    return 0;
}

/* --- places ------------------------------------------------------------------------------------- */

/* As the kernel lays them out (linux/bpf.h of 6.6). */
struct fake_attach {
    uint32_t link, program, type, flags, replaced, relative;
    uint64_t revision;
};

struct fake_query {
    uint32_t link, type, query_flags, attach_flags;
    uint64_t ids;
    uint32_t count, unused;
    uint64_t others[3], revision;
};

static inline struct fake_place *fake_place(uint32_t link)
{
    return link < FAKE_LINKS && fake.places[link].exists ? &fake.places[link] : NULL;
}

static inline uint32_t fake_position(const struct fake_place *place, uint32_t id)
{
    uint32_t i = 0;

    while (i < place->count && place->ids[i] != id)
        i++;
    return i;
}

static inline void fake_insert_first(struct fake_place *place, uint32_t id)
{
    memmove(place->ids + 1, place->ids, place->count * sizeof(place->ids[0]));
    place->ids[0] = id;
    place->count++;
    place->revision++;
}

static inline int fake_attach(const struct fake_attach *attr)
{
    struct fake_place *place = fake_place(attr->link);
    uint32_t id = fake_id(fake_behind(attr->program));

    assert_int_equal(attr->type, 47);
    if (fake.meanwhile != NULL) {
        void (*meanwhile)(void) = fake.meanwhile;

        fake.meanwhile = NULL;
        meanwhile();
    }
    if (place == NULL)
        return fake_error(ENODEV);
    if (attr->revision != place->revision)
        return fake_error(ESTALE);
    fake.attaches++;
    if (attr->flags == 4) { /* BPF_F_REPLACE */
        uint32_t i = fake_position(place, fake_id(fake_behind(attr->replaced)));

        if (i == place->count)
            return fake_error(ENOENT);
        place->ids[i] = id;
        place->revision++;
        return 0;
    }
    assert_int_equal(attr->flags, 8); /* BPF_F_BEFORE */
    assert_int_equal(attr->relative, 0);
    if (fake_position(place, id) < place->count)
        return fake_error(EEXIST);
    fake_insert_first(place, id);
    return 0;
}

static inline int fake_detach(const struct fake_attach *attr)
{
    struct fake_place *place = fake_place(attr->link);
    uint32_t i;

    assert_int_equal(attr->type, 47);
    if (place == NULL)
        return fake_error(ENODEV);
    i = fake_position(place, fake_id(fake_behind(attr->program)));
    if (i == place->count)
        return fake_error(ENOENT);
    place->count--;
    memmove(place->ids + i, place->ids + i + 1, (place->count - i) * sizeof(place->ids[0]));
    place->revision++;
    return 0;
}

static inline int fake_query(struct fake_query *attr)
{
    const struct fake_place *place = attr->link == 1 ? &fake.places[0] : fake_place(attr->link);

    assert_int_equal(attr->type, 47);
    if (fake.without_tcx)
        return fake_error(EINVAL);
    if (place == NULL)
        return fake_error(ENODEV);
    assert_in_range(place->count, 0, attr->count);
    memcpy((void *)(uintptr_t)attr->ids, place->ids, place->count * sizeof(place->ids[0]));
    attr->count = place->count;
    attr->revision = place->revision;
    return 0;
}

static inline int fake_bpf(enum bpf_cmd command, void *attr)
{
    union bpf_attr *common = attr;

    if (fake.without_rights)
        return fake_error(EPERM);
    if (++fake.calls == fake.fails_at) {
        fake.failed = command;
        return fake_error(fake.fails_with);
    }
    switch ((int)command) {
    case BPF_MAP_CREATE:
        return fake_create(common);
    case BPF_MAP_LOOKUP_ELEM:
    case BPF_MAP_UPDATE_ELEM:
    case BPF_MAP_DELETE_ELEM:
        return fake_element(command, common);
    case BPF_MAP_LOOKUP_BATCH:
        return fake_lookup_batch(common);
    case BPF_PROG_LOAD:
        return fake_load(common);
    case BPF_PROG_GET_FD_BY_ID:
        return fake_open_id(common->prog_id);
    case BPF_MAP_GET_FD_BY_ID:
        return fake_open_id(common->map_id);
    case BPF_OBJ_GET_INFO_BY_FD:
        return fake_info(common);
    case BPF_PROG_QUERY:
        return fake_query(attr);
    case BPF_PROG_ATTACH:
        return fake_attach(attr);
    case BPF_PROG_DETACH:
        return fake_detach(attr);
    default:
        fail_msg("nobody expects bpf(2) command %d", (int)command);
        return -1;
    }
}

long __wrap_syscall(long number, ...)
{
    va_list args;
    int command;
    void *attr;

    va_start(args, number);
    command = va_arg(args, int);
    attr = va_arg(args, void *);
    va_end(args);
    assert_int_equal(number, SYS_bpf);
    return fake_bpf((enum bpf_cmd)command, attr);
}

/* --- links -------------------------------------------------------------------------------------- */

static const char *const fake_names[FAKE_LINKS] = {"", "lo", "eth0", "tun0", "eni1"};

int __wrap_links_all(struct link_reply **out, size_t *count, struct error *err)
{
    struct link_reply *links = calloc(FAKE_LINKS, sizeof(*links));

    (void)err;
    assert_non_null(links);
    *count = 0;
    for (int i = 2; i < FAKE_LINKS; i++)
        if (fake.places[i].exists)
            links[(*count)++].link.index = i;
    *out = links;
    return 0;
}

static inline int fake_uplinks(int first, int last, struct uplink **out, size_t *count)
{
    struct uplink *links = calloc(FAKE_LINKS, sizeof(*links));

    assert_non_null(links);
    *count = 0;
    for (int i = first; i <= last; i++) {
        if (!fake.places[i].exists)
            continue;
        links[*count] =
            (struct uplink){.index = i, .ethernet = i != TUN0, .wanted = i == ETH0 || i == TUN0};
        strcpy(links[(*count)++].name, fake_names[i]);
    }
    *out = links;
    return 0;
}

/* All endpoints are behind eth0. */
int __wrap_uplinks_of_routes(const struct terms *terms, const struct plan *plans, size_t plan_count,
                             struct uplink **out, size_t *count, struct error *err)
{
    (void)terms, (void)plans, (void)plan_count, (void)err;
    return fake_uplinks(ETH0, ETH0, out, count);
}

int __wrap_uplinks_of_node(const struct known_links *known, const struct terms *terms,
                           const struct plan *plans, size_t plan_count, struct uplink **out,
                           size_t *count, struct error *err)
{
    (void)known, (void)terms, (void)plans, (void)plan_count, (void)err;
    return fake_uplinks(ETH0, POD, out, count);
}

/* --- what a test starts with -------------------------------------------------------------------- */

static inline int fresh_kernel(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    for (int i = 2; i < FAKE_LINKS; i++)
        fake.places[i] = (struct fake_place){.exists = true, .revision = 1};
    return 0;
}

/* Another's program, before all that stand there. */
static inline uint32_t others_first(int link)
{
    struct fake_object *program = fake_new("others");

    program->is_program = true;
    fake_insert_first(&fake.places[link], fake_id(program));
    return fake_id(program);
}

static inline const struct fake_object *program_at(int link, uint32_t place)
{
    assert_true(place < fake.places[link].count);
    return &fake.objects[fake.places[link].ids[place] - FIRST_ID];
}

static inline bool ours_at(int link, uint32_t place)
{
    return place < fake.places[link].count && program_is_ours(program_at(link, place)->name);
}

static inline struct fake_object *map_at(int link, const char *name)
{
    const struct fake_object *program = program_at(link, 0);

    for (uint32_t i = 0; i < program->map_count; i++)
        if (strcmp(fake.objects[program->map_ids[i] - FIRST_ID].name, name) == 0)
            return &fake.objects[program->map_ids[i] - FIRST_ID];
    fail_msg("%s uses no %s", program->name, name);
    return NULL;
}

static inline size_t elements_of(const struct fake_object *map)
{
    size_t count = 0;

    for (size_t i = 0; i < FAKE_ELEMENTS; i++)
        count += map->elements[i].used;
    return count;
}

/* -1 if the link has none. */
static inline int verdict_at(int link, int index)
{
    uint32_t key = (uint32_t)index;
    const struct fake_element *element = fake_find(map_at(link, "imds_verdicts"), &key, true);
    uint32_t verdict;

    if (element == NULL)
        return -1;
    memcpy(&verdict, element->value, sizeof(verdict));
    return (int)verdict;
}

static inline struct fence_settings settings_at(int link)
{
    struct fence_settings settings;

    memcpy(&settings, map_at(link, "imds_settings")->elements[0].value, sizeof(settings));
    return settings;
}

#endif
