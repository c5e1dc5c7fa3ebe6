#include "cni/request.h"

#include "cni/attachments.h"
#include "cni/input.h"
#include "guard/cni_version.h"

#include <stdio.h>
#include <string.h>

#define INPUT_BYTES_MAX ((size_t)4 * 1024 * 1024)
#define INPUT_SECONDS   30 /* a runtime writes at once; the machine may be short of time for it */

static int version_error(struct error *err, const char *complaint)
{
    return error_set(err, ERROR_INCOMPATIBLE_VERSION,
                     "%s; imds-guard supports the CNI versions " IMDS_GUARD_CNI_VERSIONS,
                     complaint);
}

static int read_version(const struct needs *needs, struct request *request, int *cni_version,
                        struct error *err)
{
    const cJSON *value = NULL;
    int position = -1;

    if (json_find(request->tree, "cniVersion", &value, err) != 0)
        return -1;
    if (!value) /* the specification before 0.2.0 had no such key */
        return version_error(err, "the network configuration has no cniVersion");
    if (!cJSON_IsString(value))
        return error_set(err, ERROR_INVALID_CONFIG, "cniVersion is not a string");
    position = cni_version_find(value->valuestring);
    if (position < 0) {
        char complaint[128];

        snprintf(complaint, sizeof(complaint), "cniVersion \"%.64s\" is not supported",
                 value->valuestring);
        return version_error(err, complaint);
    }
    *cni_version = request->cni_version = position;
    if (needs->since && position < cni_version_find(needs->since))
        return error_set(err, ERROR_INCOMPATIBLE_VERSION,
                         "cniVersion %s does not have this verb: it needs %s or newer",
                         value->valuestring, needs->since);
    return 0;
}

static int read_network(struct request *request, struct error *err)
{
    const cJSON *value = NULL;

    if (json_find(request->tree, "name", &value, err) != 0)
        return -1;
    if (!value)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "the network configuration has no \"name\" of the network");
    if (!cJSON_IsString(value) || !name_is_network(value->valuestring))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "name \"%.64s\" is no network name: it must be a letter or digit, then "
                         "letters, digits, '_', '.' or '-'",
                         cJSON_IsString(value) ? value->valuestring : "(not a string)");
    request->attachment.owner.network = value->valuestring;
    return 0;
}

static int read_config(struct request *request, struct error *err)
{
    const cJSON *type = NULL;

    return json_find(request->tree, "type", &type, err) != 0
               ? -1
               : config_parse(request->tree, &request->config, err);
}

/*
 * The result's version need not be the configuration's: what we read of a result is the same in all
 * that we support, and it is handed on as it came.
 */
static int read_prev_result(struct span text, struct request *request, struct error *err)
{
    cleanup(result) struct result result = {0};
    const cJSON *tree = NULL;
    const cJSON *version = NULL;

    if (json_find(request->tree, "prevResult", &tree, err) != 0)
        return -1;
    if (!tree || cJSON_IsNull(tree))
        return 0;
    if (result_parse(tree, &result, err) != 0)
        return -1;
    if (json_find(tree, "cniVersion", &version, err) != 0)
        return error_context(err, "prevResult");
    /* One that we do not know may keep its interfaces where we would not see them. */
    if (version && (!cJSON_IsString(version) || cni_version_find(version->valuestring) < 0))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "prevResult.cniVersion \"%.64s\" is none of " IMDS_GUARD_CNI_VERSIONS,
                         cJSON_IsString(version) ? version->valuestring : "(not a string)");
    if (!json_member(text, "prevResult", &request->prev_result)) /* the tree has it */
        return error_no_memory(err);
    request->attachment.result = steal(&result);
    request->has_prev_result = true;
    return 0;
}

/* What the annotations say is the pod's author's, and pod_is_exempt's to judge: no reason to
 * refuse. */
static int read_annotations(struct request *request, struct error *err)
{
    const cJSON *runtime_config = NULL;
    const cJSON *annotations = NULL;

    if (json_find(request->tree, "runtimeConfig", &runtime_config, err) != 0)
        return -1;
    if (!runtime_config || cJSON_IsNull(runtime_config))
        return 0;
    if (!cJSON_IsObject(runtime_config))
        return error_set(err, ERROR_INVALID_CONFIG, "runtimeConfig is not an object");
    if (json_find(runtime_config, CONFIG_ANNOTATIONS_CAPABILITY, &annotations, err) != 0)
        return error_context(err, "runtimeConfig");
    if (!annotations || cJSON_IsNull(annotations))
        return 0;
    if (!cJSON_IsObject(annotations))
        return error_set(err, ERROR_INVALID_CONFIG, "runtimeConfig.\"%s\" is not an object",
                         CONFIG_ANNOTATIONS_CAPABILITY);
    request->attachment.pod.annotations = annotations;
    return 0;
}

/* For a verb that makes a plan. */
static int read_strictly(const struct environment *environment, struct span text,
                         struct request *request, struct error *err)
{
    const struct owner *owner = &request->attachment.owner;

    if (!owner_fits(owner))
        return error_set(err, ERROR_INVALID_ENVIRONMENT,
                         "CNI_CONTAINERID (%zu bytes), CNI_IFNAME (%zu) and the network's name "
                         "(%zu) together are longer than %d bytes",
                         strlen(owner->container_id), strlen(owner->ifname), strlen(owner->network),
                         OWNER_BYTES_MAX);
    if (read_config(request, err) != 0 || read_prev_result(text, request, err) != 0)
        return -1;
    if (!request->has_prev_result)
        return error_set(err, ERROR_INVALID_CONFIG,
                         "there is no prevResult: imds-guard must come after another plugin in the "
                         "chain, the one that makes the pod's interface");
    if (args_parse(environment->args, &request->args, err) != 0)
        return -1;
    request->attachment.pod.namespace = request->args.namespace;
    request->attachment.pod.name = request->args.name;
    return read_annotations(request, err);
}

/* For a verb that must not fail because somebody has edited the configuration since ADD. */
static int read_forgivingly(struct span text, struct request *request, struct error *err)
{
    struct error forgiven;

    if (read_prev_result(text, request, &forgiven) != 0)
        request->has_prev_result = false;
    return read_config(request, &forgiven) == 0 ? 0 : config_parse(NULL, &request->config, err);
}

int request_parse(const struct environment *environment, struct span text,
                  const struct needs *needs, struct request *out, int *cni_version,
                  struct error *err)
{
    cleanup(request) struct request request = {
        .attachment = {.owner = {.container_id = environment->container_id,
                                 .ifname = environment->ifname},
                       .netns = environment->netns},
    };

    if (json_parse(text, &request.tree, err) != 0)
        return error_context(err, "network configuration on standard input");
    if (!cJSON_IsObject(request.tree))
        return error_set(err, ERROR_DECODING,
                         "the network configuration on standard input is not a JSON object");
    if (read_version(needs, &request, cni_version, err) != 0 || read_network(&request, err) != 0)
        return -1;
    if ((needs->plan        ? read_strictly(environment, text, &request, err)
         : needs->forgiving ? read_forgivingly(text, &request, err)
                            : read_config(&request, err)) != 0)
        return -1;
    if (needs->attachments && attachments_parse(request.tree, request.attachment.owner.network,
                                                &request.valid, &request.valid_count, err) != 0)
        return -1;
    *out = steal(&request);
    return 0;
}

int request_read(const struct environment *environment, int fd, const struct needs *needs,
                 struct request *out, int *cni_version, struct error *err)
{
    cleanup(free_text) char *text = NULL;
    struct span input = {0};

    if (environment_check(environment, needs->variables, err) != 0 ||
        input_read(fd, INPUT_BYTES_MAX, INPUT_SECONDS, &text, &input.length, err) != 0)
        return -1;
    input.start = text;
    if (request_parse(environment, input, needs, out, cni_version, err) != 0)
        return -1;
    out->text = steal(&text);
    return 0;
}

void request_free(struct request *request)
{
    result_free(&request->attachment.result);
    config_free(&request->config);
    free(request->valid);
    args_free(&request->args);
    cJSON_Delete(request->tree);
    free(request->text);
    *request = (struct request){0};
}
