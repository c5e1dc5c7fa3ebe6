/*
 * The tag, read back from a kernel into which others write too. Input: five lines, network,
 * container id, ifname, the pod's namespace and name; or, in one line, a tag.
 */
#include "fuzz.h"

#include "guard/owner.h"

/* Text that is taken for a tag is to the byte what tag_write makes of its parts. */
static void read_tag(const char *text)
{
    struct tag tag;
    const char *slash = NULL;
    char again[TAG_SIZE];

    if (!tag_parse(text, &tag)) {
        must(tag_guards(text) == 0);
        must(!tags_have_same_owner(text, text));
        return;
    }
    must(owner_fits(&tag.owner));
    must(tag.guards > 0 && tag.guards <= OWNER_GUARDS_MAX && tag.guards == tag_guards(text));
    must(tags_have_same_owner(text, text));
    slash = strchr(tag.pod, '/');
    if (slash) {
        char namespace[TAG_SIZE] = "";

        memcpy(namespace, tag.pod, (size_t)(slash - tag.pod));
        tag_write(&tag.owner, tag.guards, namespace, slash + 1, again);
    } else { /* unknown, or the namespace is cut */
        tag_write(&tag.owner, tag.guards, strcmp(tag.pod, "-") == 0 ? NULL : tag.pod, "", again);
    }
    must(strcmp(again, text) == 0);
}

/* Whatever a pod is called, its tag leads back to its owner, and to no other. */
static void write_tag(const struct owner *owner, unsigned guards, const char *namespace,
                      const char *pod)
{
    char text[TAG_SIZE];
    char again[TAG_SIZE];
    struct tag tag;

    if (!name_is_network(owner->network) || !name_is_container_id(owner->container_id) ||
        !name_is_interface(owner->ifname) || !owner_fits(owner))
        return;
    tag_write(owner, guards, namespace, pod, text);
    must(tag_parse(text, &tag));
    must(strcmp(tag.owner.network, owner->network) == 0);
    must(strcmp(tag.owner.container_id, owner->container_id) == 0);
    must(strcmp(tag.owner.ifname, owner->ifname) == 0);
    must(tag.guards == guards);
    tag_write(owner, guards, NULL, NULL, again);
    must(tags_have_same_owner(text, again));
    must(tag_parse(again, &tag) && strcmp(tag.pod, "-") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span input = fuzz_span(data, size);
    cleanup(free_text) char *network = fuzz_line(&input);
    cleanup(free_text) char *container_id = fuzz_line(&input);
    cleanup(free_text) char *ifname = fuzz_line(&input);
    cleanup(free_text) char *namespace = fuzz_line(&input);
    cleanup(free_text) char *pod = fuzz_line(&input);
    struct owner owner = {network, container_id, ifname};

    read_tag(network);
    write_tag(&owner, (unsigned)(size % OWNER_GUARDS_MAX) + 1, namespace, pod);
    return 0;
}
