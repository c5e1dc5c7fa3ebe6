#include "guard/owner.h"

#include <stdio.h>
#include <string.h>

bool owner_fits(const struct owner *owner)
{
    return strlen(owner->network) + strlen(owner->container_id) + strlen(owner->ifname) <=
           OWNER_BYTES_MAX;
}

int owner_compare(const struct owner *a, const struct owner *b)
{
    int order = strcmp(a->network, b->network);

    if (order == 0)
        order = strcmp(a->container_id, b->container_id);
    return order != 0 ? order : strcmp(a->ifname, b->ifname);
}

/* Where the pod's field ends of a tag that is `used` bytes long before it. */
static size_t pod_end(size_t used)
{
    return used < TAG_POD_END ? TAG_POD_END : used + 1;
}

/* Appends what of a text fits before `end`. */
static void append(char tag[static TAG_SIZE], size_t *used, size_t end, const char *text)
{
    size_t length = strnlen(text, end - *used);

    memcpy(tag + *used, text, length);
    *used += length;
}

/* The same with '_' for bytes that a pod's field must not have. */
static void append_pod_text(char tag[static TAG_SIZE], size_t *used, size_t end, const char *text)
{
    size_t start = *used;

    append(tag, used, end, text);
    tag[*used] = '\0';
    for (start += name_span(tag + start); start < *used; start += name_span(tag + start))
        tag[start] = '_';
}

void tag_write(const struct owner *owner, unsigned guards, const char *namespace, const char *pod,
               char out[static TAG_SIZE])
{
    const char *texts[] = {owner->network, "/", owner->container_id, "/", owner->ifname};
    char number[16];
    size_t used = 0;
    size_t end = TAG_SIZE - 1;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        append(out, &used, end, texts[i]);
    snprintf(number, sizeof(number), " %u ", guards);
    append(out, &used, end, number);
    end = pod_end(used);
    append_pod_text(out, &used, end, namespace != NULL && pod != NULL ? namespace : "-");
    if (namespace == NULL || pod == NULL)
        return;
    append(out, &used, end, "/");
    append_pod_text(out, &used, end, pod);
}

/* As strsep(3), which would look for one of several. */
static char *cut(char **rest, char separator)
{
    char *field = *rest;
    char *end = field != NULL ? strchr(field, separator) : NULL;

    if (end != NULL)
        *end++ = '\0';
    *rest = end;
    return field;
}

static bool split_owner(char **rest, struct owner *owner)
{
    owner->network = cut(rest, '/');
    owner->container_id = cut(rest, '/');
    owner->ifname = cut(rest, ' ');
    return owner->container_id != NULL && owner->ifname != NULL &&
           name_is_network(owner->network) && name_is_container_id(owner->container_id) &&
           name_is_interface(owner->ifname) && owner_fits(owner);
}

/* 0 if it is not a number as tag_write writes it. */
static unsigned read_guards(const char *number)
{
    unsigned guards = 0;

    if (number[0] == '0')
        return 0;
    for (; *number != '\0'; number++) {
        if (*number < '0' || *number > '9')
            return 0;
        guards = guards * 10 + (unsigned)(*number - '0');
        if (guards > OWNER_GUARDS_MAX)
            return 0;
    }
    return guards;
}

/* Whether tag_write can have written this behind `used` bytes; without a '/' it is cut. */
static bool is_pod_field(const char *field, size_t used)
{
    size_t room = pod_end(used) - used;
    size_t length = name_span(field);

    if (strcmp(field, "-") == 0)
        return true;
    if (field[length] == '\0')
        return length == room;
    if (field[length++] != '/')
        return false;
    length += name_span(field + length);
    return length <= room && field[length] == '\0';
}

/* For each rule of a legacy table: what tag_write cannot write is found without writing it anew. */
bool tag_parse(const char *text, struct tag *out)
{
    const char *number = NULL;
    unsigned guards = 0;
    char *rest = NULL;

    if (strnlen(text, TAG_SIZE) == TAG_SIZE)
        return false;
    rest = strcpy(out->text, text);
    if (!split_owner(&rest, &out->owner))
        return false;
    number = cut(&rest, ' ');
    if (number == NULL || rest == NULL)
        return false;
    out->pod = rest;
    guards = read_guards(number);
    if (guards == 0 || !is_pod_field(rest, (size_t)(rest - out->text)))
        return false;
    out->guards = guards;
    return true;
}

unsigned tag_guards(const char *text)
{
    struct tag tag;

    return tag_parse(text, &tag) ? tag.guards : 0;
}

/* The owner ends with the first space. Tags are parsed only where the same bytes are there already: among a
 * thousand, for one. */
bool tags_have_same_owner(const char *a, const char *b)
{
    struct tag tag;

    return strncmp(a, b, strcspn(b, " ") + 1) == 0 && tag_parse(a, &tag) &&
           (strcmp(a, b) == 0 || tag_parse(b, &tag));
}
