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

/* Where the parts of a tag end. */
struct ends {
    size_t network;
    size_t container_id;
    size_t ifname;
    size_t guards;
};

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

/* The number at the start of the text, as tag_write writes it; 0 if there is none. *length: its digits. */
static unsigned read_guards(const char *text, size_t *length)
{
    unsigned guards = 0;
    size_t i = 0;

    if (text[0] == '0')
        return 0;
    for (; text[i] >= '0' && text[i] <= '9'; i++) {
        guards = guards * 10 + (unsigned)(text[i] - '0');
        if (guards > OWNER_GUARDS_MAX)
            return 0;
    }
    *length = i;
    return guards;
}

/* Goes on by a part of that length, which must end with the byte. */
static bool pass(const char *text, size_t *at, size_t length, char end)
{
    *at += length;
    return length > 0 && text[*at] == end;
}

/*
 * The number of guards that the tag announces; 0 if the text is none: what tag_write cannot write is found
 * without writing it anew. It is asked of each rule of a legacy table, so it copies nothing and goes
 * through the text once, which must end, but for NUL may have any bytes.
 */
static unsigned read_tag(const char *text, struct ends *ends)
{
    size_t at = 0;
    size_t length = 0;
    unsigned guards = 0;

    if (!pass(text, &at, name_identifier_span(text), '/'))
        return 0;
    ends->network = at++;
    if (!pass(text, &at, name_identifier_span(text + at), '/'))
        return 0;
    ends->container_id = at++;
    if (!pass(text, &at, name_interface_span(text + at), ' '))
        return 0;
    ends->ifname = at++;
    if (ends->ifname - strlen("//") > OWNER_BYTES_MAX)
        return 0;
    guards = read_guards(text + at, &length);
    if (!pass(text, &at, length, ' '))
        return 0;
    ends->guards = at++;
    return is_pod_field(text + at, at) ? guards : 0;
}

bool tag_parse(const char *text, struct tag *out)
{
    struct ends ends = {0};
    unsigned guards = read_tag(text, &ends);

    if (guards == 0)
        return false;
    strcpy(out->text, text);
    out->text[ends.network] = '\0';
    out->text[ends.container_id] = '\0';
    out->text[ends.ifname] = '\0';
    out->owner = (struct owner){
        .network = out->text,
        .container_id = out->text + ends.network + 1,
        .ifname = out->text + ends.container_id + 1,
    };
    out->pod = out->text + ends.guards + 1;
    out->guards = guards;
    return true;
}

unsigned tag_guards(const char *text)
{
    struct ends ends;

    return read_tag(text, &ends);
}

/* The owner ends with the first space. Tags are parsed only where the same bytes are there already: among a
 * thousand, for one. */
bool tags_have_same_owner(const char *a, const char *b)
{
    return strncmp(a, b, strcspn(b, " ") + 1) == 0 && tag_guards(a) > 0 &&
           (strcmp(a, b) == 0 || tag_guards(b) > 0);
}
