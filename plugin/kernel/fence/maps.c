#include "kernel/fence/maps.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/* Far more than the links of a node and the pairs of an uplink and a link that sends to endpoints. A
 * full one fails the ADD that needs room, and has the program judge without counting. */
#define LINKS_MAX 4096

/* Elements are made when they are needed, so that room costs nothing; a tree has no other way. */
const struct map_shape map_shapes[MAPS] = {
    [MAP_SETTINGS] = {"imds_settings", BPF_MAP_TYPE_ARRAY, sizeof(uint32_t),
                      sizeof(struct fence_settings), 1, 0},
    [MAP_ENDPOINTS] = {"imds_endpoints", BPF_MAP_TYPE_LPM_TRIE, sizeof(struct endpoint_key),
                       sizeof(uint32_t), LINKS_MAX, BPF_F_NO_PREALLOC},
    [MAP_VERDICTS] = {"imds_verdicts", BPF_MAP_TYPE_HASH, sizeof(uint32_t), sizeof(uint32_t),
                      LINKS_MAX, BPF_F_NO_PREALLOC},
    [MAP_COUNTS] = {"imds_counts", BPF_MAP_TYPE_HASH, sizeof(struct count_key),
                    sizeof(struct fence_count), LINKS_MAX, BPF_F_NO_PREALLOC},
};

void maps_close(struct maps *maps)
{
    for (size_t i = 0; i < MAPS; i++)
        if (maps->fds[i] > 0)
            cleanup_close_fd(&maps->fds[i]);
    *maps = (struct maps){0};
}

enum verdict maps_verdict(enum verdict verdict)
{
    return verdict_denies(verdict) ? VERDICT_DROP : VERDICT_PASS;
}

/* --- the set ------------------------------------------------------------------------------------ */

int maps_create(enum verdict others, struct maps *out, struct error *err)
{
    cleanup(maps) struct maps maps = {0};
    cleanup(close_fd) int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct fence_settings settings = {.others = maps_verdict(others)};
    socklen_t size = sizeof(settings.cookie);
    struct bpf_map_info info;
    uint32_t first = 0;

    if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &settings.cookie, &size) < 0)
        return error_set(err, ERROR_KERNEL, "cannot ask for the network namespace's cookie: %m");
    for (size_t i = 0; i < MAPS; i++) {
        maps.fds[i] = bpf_create(&map_shapes[i]);
        if (maps.fds[i] < 0)
            return bpf_failed("make a map of the exit fence", err);
    }
    if (bpf_update(maps.fds[MAP_SETTINGS], &first, &settings, BPF_ANY) < 0 ||
        bpf_map_info(maps.fds[MAP_SETTINGS], &info) < 0)
        return bpf_failed("fill a map of the exit fence", err);
    maps.id = info.id;
    *out = steal(&maps);
    return 0;
}

static bool is_shaped(const struct bpf_map_info *info, const struct map_shape *shape)
{
    return strncmp(info->name, shape->name, BPF_OBJ_NAME_LEN) == 0 && info->type == shape->type &&
           info->key_size == shape->key_size && info->value_size == shape->value_size;
}

/* Takes the map if it is one of the set. */
static int take_map(uint32_t id, struct maps *maps, size_t *found, struct error *err)
{
    cleanup(close_fd) int fd = bpf_open_map(id);
    struct bpf_map_info info;

    if (fd < 0 || bpf_map_info(fd, &info) < 0)
        return bpf_failed("find a map of the exit fence", err);
    for (size_t i = 0; i < MAPS; i++) {
        if (maps->fds[i] > 0 || !is_shaped(&info, &map_shapes[i]))
            continue;
        maps->fds[i] = steal_fd(&fd);
        ++*found;
        if (i == 0)
            maps->id = id;
        return 0;
    }
    return 0;
}

int maps_of(int program, struct maps *out, struct error *err)
{
    cleanup(maps) struct maps maps = {0};
    struct bpf_prog_info info;
    uint32_t ids[2 * MAPS];
    uint32_t count = 2 * MAPS;
    size_t found = 0;

    if (bpf_program_info(program, &info, ids, &count) < 0)
        return bpf_failed("look at the program of the exit fence", err);
    for (uint32_t i = 0; i < count && i < 2 * MAPS; i++)
        if (take_map(ids[i], &maps, &found, err) < 0)
            return -1;
    *out = found == MAPS ? steal(&maps) : (struct maps){0};
    return 0;
}

/* --- what is in it ------------------------------------------------------------------------------ */

struct writing {
    const struct maps *maps;
    enum maps_how how;
    size_t changes;
};

static int put(struct writing *writing, enum map map, const void *key, const void *value)
{
    writing->changes++;
    return writing->how == MAPS_LOOK ? 0 : bpf_update(writing->maps->fds[map], key, value, BPF_ANY);
}

int maps_settings(const struct maps *maps, struct fence_settings *out, struct error *err)
{
    uint32_t first = 0;

    return bpf_lookup(maps->fds[MAP_SETTINGS], &first, out) < 0
               ? bpf_failed("read the settings of the exit fence", err)
               : 0;
}

/* Two that write at once write the same, or one of them is sync, which has the last word. */
static int write_others(struct writing *writing, enum verdict others, struct error *err)
{
    struct fence_settings settings;
    uint32_t first = 0;

    if (maps_settings(writing->maps, &settings, err) < 0)
        return -1;
    if (settings.others == others || (writing->how != MAPS_SET && !verdict_denies(others)))
        return 0;
    settings.others = others;
    if (put(writing, MAP_SETTINGS, &first, &settings) < 0)
        return bpf_failed("set the verdict for others of the exit fence", err);
    return 0;
}

static struct endpoint_key key_of(const struct endpoint *endpoint)
{
    struct endpoint_key key = {.bits = ENDPOINT_KEY_BITS(endpoint->prefix),
                               .family = endpoint->family};

    memcpy(key.address, endpoint->address, sizeof(key.address));
    return key;
}

static struct endpoint endpoint_of(const struct endpoint_key *key)
{
    struct endpoint endpoint = {.family = key->family, .prefix = key->bits - ENDPOINT_KEY_BITS(0)};

    memcpy(endpoint.address, key->address, sizeof(endpoint.address));
    return endpoint;
}

/* All of a map: keys, and the values in the same order. */
struct elements {
    void *keys;
    void *values;
    uint32_t count;
};

static void cleanup_elements(struct elements *elements)
{
    free(elements->keys);
    free(elements->values);
}

static int read_map(const struct maps *maps, enum map map, struct elements *out, struct error *err)
{
    const size_t room = LINKS_MAX + 1; /* by which the kernel can tell that there are no more */
    cleanup(elements) struct elements elements = {.keys = calloc(room, map_shapes[map].key_size),
                                                  .values =
                                                      calloc(room, map_shapes[map].value_size),
                                                  .count = (uint32_t)room};

    if (elements.keys == NULL || elements.values == NULL)
        return error_no_memory(err);
    if (bpf_read(maps->fds[map], elements.keys, elements.values, &elements.count) < 0)
        return bpf_failed("read a map of the exit fence", err);
    *out = steal(&elements);
    return 0;
}

int maps_endpoints(const struct maps *maps, struct endpoint **out, size_t *count, struct error *err)
{
    cleanup(elements) struct elements elements = {0};
    struct endpoint *endpoints = NULL;

    if (read_map(maps, MAP_ENDPOINTS, &elements, err) < 0)
        return -1;
    endpoints = calloc(elements.count + 1, sizeof(*endpoints));
    if (endpoints == NULL)
        return error_no_memory(err);
    for (size_t i = 0; i < elements.count; i++)
        endpoints[i] = endpoint_of((const struct endpoint_key *)elements.keys + i);
    *out = endpoints;
    *count = elements.count;
    return 0;
}

static bool is_among(const struct endpoint *endpoints, size_t count, const struct endpoint *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (endpoints[i].prefix == wanted->prefix && endpoint_contains(&endpoints[i], wanted))
            return true;
    return false;
}

static int write_endpoints(struct writing *writing, const struct terms *terms, struct error *err)
{
    const int map = writing->maps->fds[MAP_ENDPOINTS];
    const bool exactly = writing->how == MAPS_SET;
    cleanup(free_memory) struct endpoint *standing = NULL;
    uint32_t nothing = 0;
    size_t count = 0;

    if (exactly && maps_endpoints(writing->maps, &standing, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < terms->endpoint_count; i++) {
        struct endpoint_key key = key_of(&terms->endpoints[i]);

        /* One that is within another one needs no element of its own, unless that one goes. */
        if (exactly ? is_among(standing, count, &terms->endpoints[i])
                    : bpf_lookup(map, &key, &nothing) == 0)
            continue;
        if (!exactly && errno != ENOENT)
            return bpf_failed("look for an endpoint of the exit fence", err);
        if (put(writing, MAP_ENDPOINTS, &key, &nothing) < 0)
            return bpf_failed("add an endpoint of the exit fence", err);
    }
    for (size_t i = 0; i < count; i++) {
        struct endpoint_key key = key_of(&standing[i]);

        if (is_among(terms->endpoints, terms->endpoint_count, &standing[i]))
            continue;
        if (bpf_delete(map, &key) < 0 && errno != ENOENT)
            return bpf_failed("take away an endpoint of the exit fence", err);
        writing->changes++;
    }
    return 0;
}

static int write_verdict(struct writing *writing, const struct guard *guard, struct error *err)
{
    uint32_t key = (uint32_t)guard->index;
    uint32_t verdict = maps_verdict(guard->verdict);
    uint32_t standing;

    if (bpf_lookup(writing->maps->fds[MAP_VERDICTS], &key, &standing) == 0) {
        if (standing == verdict)
            return 0;
    } else if (errno != ENOENT) {
        return bpf_failed("look for a link's verdict of the exit fence", err);
    }
    return put(writing, MAP_VERDICTS, &key, &verdict) < 0
               ? bpf_failed("set a link's verdict of the exit fence", err)
               : 0;
}

int maps_write(const struct maps *maps, enum maps_how how, const struct terms *terms,
               const struct plan *plans, size_t plan_count, size_t *changes, struct error *err)
{
    struct writing writing = {.maps = maps, .how = how};

    if (write_endpoints(&writing, terms, err) < 0)
        return -1;
    for (size_t i = 0; i < plan_count; i++)
        for (size_t j = 0; j < plans[i].guard_count; j++)
            if (write_verdict(&writing, &plans[i].guards[j], err) < 0)
                return -1;
    if (write_others(&writing, maps_verdict(terms->others), err) < 0)
        return -1;
    *changes += writing.changes;
    return 0;
}

int maps_read(const struct maps *maps, struct maps_contents *out, struct error *err)
{
    cleanup(elements) struct elements verdicts = {0}, counts = {0};

    if (read_map(maps, MAP_VERDICTS, &verdicts, err) < 0 ||
        read_map(maps, MAP_COUNTS, &counts, err) < 0)
        return -1;
    *out = (struct maps_contents){.links = steal(&verdicts.keys),
                                  .verdicts = steal(&verdicts.values),
                                  .link_count = verdicts.count,
                                  .pairs = steal(&counts.keys),
                                  .counts = steal(&counts.values),
                                  .pair_count = counts.count};
    return 0;
}

void maps_contents_free(struct maps_contents *contents)
{
    free(contents->links);
    free(contents->verdicts);
    free(contents->pairs);
    free(contents->counts);
    *contents = (struct maps_contents){0};
}

int maps_copy_verdicts(const struct maps *from, const struct maps *to, struct error *err)
{
    cleanup(maps_contents) struct maps_contents contents = {0};

    if (maps_read(from, &contents, err) < 0)
        return -1;
    for (size_t i = 0; i < contents.link_count; i++)
        if (bpf_update(to->fds[MAP_VERDICTS], &contents.links[i], &contents.verdicts[i],
                       BPF_NOEXIST) < 0 &&
            errno != EEXIST)
            return bpf_failed("copy a link's verdict of the exit fence", err);
    return 0;
}
