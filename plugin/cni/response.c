#include "cni/response.h"

#include "guard/cni_version.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <string.h>

/*
 * A half-written object at process exit would be worse than none: what out did not take is dropped.
 */
static int write_line(FILE *out, const char *text, size_t length, struct error *err)
{
    errno = 0;
    if (fwrite(text, 1, length, out) == length && fputc('\n', out) != EOF && fflush(out) == 0)
        return 0;
    error_set(err, ERROR_IO, "write to standard output: %s", strerror(errno));
    __fpurge(out);
    return -1;
}

static int write_object(FILE *out, const cJSON *object, struct error *err)
{
    cleanup(free_text) char *text = cJSON_PrintUnformatted(object);
    return text ? write_line(out, text, strlen(text), err) : error_no_memory(err);
}

int response_result(FILE *out, struct span result, struct error *err)
{
    return write_line(out, result.start, result.length, err);
}

int response_error(FILE *out, int cni_version, const struct error *failure, struct error *err)
{
    cleanup(json) cJSON *object = cJSON_CreateObject();
    char version[CNI_VERSION_SIZE];

    cni_version_text(cni_version, version);
    if (!cJSON_AddStringToObject(object, "cniVersion", version) ||
        !cJSON_AddNumberToObject(object, "code", failure->code) ||
        !cJSON_AddStringToObject(object, "msg", failure->msg) ||
        (*failure->details && !cJSON_AddStringToObject(object, "details", failure->details)))
        return error_no_memory(err);
    return write_object(out, object, err);
}

/* The array is the object's; NULL if there was no memory for it. */
static bool add_versions(cJSON *array)
{
    for (int position = 0; array && position <= cni_version_newest(); position++) {
        char version[CNI_VERSION_SIZE];

        cni_version_text(position, version);
        if (!cJSON_AddItemToArray(array, cJSON_CreateString(version)))
            return false;
    }
    return array != NULL;
}

int response_version(FILE *out, struct error *err)
{
    cleanup(json) cJSON *object = cJSON_CreateObject();
    char newest[CNI_VERSION_SIZE];

    cni_version_text(cni_version_newest(), newest);
    if (!cJSON_AddStringToObject(object, "cniVersion", newest) ||
        !add_versions(cJSON_AddArrayToObject(object, "supportedVersions")))
        return error_no_memory(err);
    return write_object(out, object, err);
}
