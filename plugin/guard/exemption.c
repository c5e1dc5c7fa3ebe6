#include "guard/exemption.h"

#include "guard/array.h"
#include "guard/config_key.h"
#include "guard/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int copy(const char *text, char **out, struct error *err)
{
    *out = strdup(text);
    return *out != NULL ? 0 : error_no_memory(err);
}

static bool is_glob(const cJSON *value)
{
    return cJSON_IsString(value) && strlen(value->valuestring) <= GLOB_LENGTH_MAX;
}

/* A glob that matches nothing but a name nobody has is a mistake. */
static bool is_name_glob(const cJSON *value)
{
    return is_glob(value) && value->valuestring[0] != '\0';
}

static int parse_annotation(const cJSON *annotations, const cJSON *member, const char *place,
                            struct annotation_match *out, struct error *err)
{
    const cJSON *only = NULL;

    if (member->string[0] == '\0')
        return config_refuse(place, annotations, "without an empty key", err);
    if (json_find(annotations, member->string, &only, err) < 0)
        return error_context(err, "config key \"%s\"", place);
    if (!is_glob(member))
        return config_refuse(place, annotations,
                             "an object whose values are globs of at most 253 bytes", err);
    if (copy(member->string, &out->key, err) < 0)
        return -1;
    return copy(member->valuestring, &out->value, err);
}

static int parse_annotations(const cJSON *entry, const char *parent, struct exemption *exemption,
                             struct error *err)
{
    char place[CONFIG_PLACE_SIZE] = "";
    const cJSON *annotations = NULL;
    const cJSON *member = NULL;

    snprintf(place, sizeof(place), "%.40s.annotation", parent);
    if (json_find(entry, "annotation", &annotations, err) < 0)
        return error_context(err, "config key \"%s\"", parent);
    if (annotations == NULL)
        return 0;
    /* An empty object would ask for nothing, where somebody has meant to ask for something. */
    if (!cJSON_IsObject(annotations) || annotations->child == NULL)
        return config_refuse(place, annotations, "an object of annotations and globs", err);
    cJSON_ArrayForEach(member, annotations)
    {
        struct annotation_match *added =
            array_add(&exemption->annotations, &exemption->annotation_count);

        if (added == NULL)
            return error_no_memory(err);
        if (parse_annotation(annotations, member, place, added, err) < 0)
            return -1;
    }
    return 0;
}

static int parse_name(const cJSON *entry, const char *parent, const char *key, bool required,
                      char **out, struct error *err)
{
    char place[CONFIG_PLACE_SIZE] = "";
    const cJSON *value = NULL;

    snprintf(place, sizeof(place), "%.40s.%s", parent, key);
    if (json_find(entry, key, &value, err) < 0)
        return error_context(err, "config key \"%s\"", parent);
    if (value == NULL && required)
        return config_refuse(parent, entry, "an object with a \"namespace\"", err);
    if (value == NULL)
        return 0;
    if (!is_name_glob(value))
        return config_refuse(place, value, "a glob of 1 to 253 bytes", err);
    return copy(value->valuestring, out, err);
}

static int check_keys(const cJSON *entry, const char *place, struct error *err)
{
    const cJSON *member = NULL;

    cJSON_ArrayForEach(member, entry)
    {
        if (strcmp(member->string, "namespace") != 0 && strcmp(member->string, "pod") != 0 &&
            strcmp(member->string, "annotation") != 0)
            return config_refuse(
                place, entry, "without keys other than \"namespace\", \"pod\" and \"annotation\"",
                err);
    }
    return 0;
}

static int parse_exemption(const cJSON *entry, size_t index, struct exemption *out,
                           struct error *err)
{
    char place[CONFIG_PLACE_SIZE] = "";

    snprintf(place, sizeof(place), "exempt[%zu]", index);
    if (!cJSON_IsObject(entry))
        return config_refuse(place, entry, "an object with a \"namespace\"", err);
    if (check_keys(entry, place, err) < 0 ||
        parse_name(entry, place, "namespace", true, &out->namespace, err) < 0 ||
        parse_name(entry, place, "pod", false, &out->pod, err) < 0)
        return -1;
    return parse_annotations(entry, place, out, err);
}

int exemptions_parse(const cJSON *entry, struct exemption **out, size_t *out_count,
                     struct error *err)
{
    struct exemption *exemptions = NULL;
    const cJSON *list = NULL;
    const cJSON *one = NULL;
    size_t count = 0;

    if (json_find(entry, "exempt", &list, err) < 0)
        return -1;
    if (list != NULL && !cJSON_IsArray(list))
        return config_refuse("exempt", list, "a list of objects with a \"namespace\" each", err);
    cJSON_ArrayForEach(one, list)
    {
        struct exemption *added = array_add(&exemptions, &count);

        if (added == NULL ? error_no_memory(err) < 0
                          : parse_exemption(one, count - 1, added, err) < 0) {
            exemptions_free(exemptions, count);
            return -1;
        }
    }
    *out = exemptions;
    *out_count = count;
    return 0;
}

void exemptions_free(struct exemption *exemptions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < exemptions[i].annotation_count; j++) {
            free(exemptions[i].annotations[j].key);
            free(exemptions[i].annotations[j].value);
        }
        free(exemptions[i].annotations);
        free(exemptions[i].namespace);
        free(exemptions[i].pod);
    }
    free(exemptions);
}
