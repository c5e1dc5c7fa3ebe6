#include "cni/response.h"

#include "guard/cni_version.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

/*
 * The line goes in one piece, so that a reader never sees half of it and takes that for the answer.
 * What out did not take is dropped: a half-written object at process exit would be worse than none.
 */
static int write_line(FILE *out, const char *text, size_t length, struct error *err)
{
    cleanup(free_text) char *line = malloc(length + 1);
    size_t written = 0;

    if (!line)
        return error_no_memory(err);
    memcpy(line, text, length);
    line[length] = '\n';
    do {
        errno = 0;
        clearerr(out);
        written += fwrite(line + written, 1, length + 1 - written, out);
    } while (written <= length && errno == EINTR);
    if (written > length && fflush(out) == 0)
        return 0;
    error_set(err, ERROR_IO, "write to standard output: %m");
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

    if (!cJSON_AddStringToObject(object, "cniVersion", cni_versions[cni_version]) ||
        !cJSON_AddNumberToObject(object, "code", failure->code) ||
        !cJSON_AddStringToObject(object, "msg", failure->msg) ||
        (*failure->details && !cJSON_AddStringToObject(object, "details", failure->details)))
        return error_no_memory(err);
    return write_object(out, object, err);
}

/* The array is the object's; NULL if there was no memory for it. */
static bool add_versions(cJSON *array)
{
    for (int i = 0; array && i <= CNI_VERSION_NEWEST; i++)
        if (!cJSON_AddItemToArray(array, cJSON_CreateString(cni_versions[i])))
            return false;
    return array != NULL;
}

int response_version(FILE *out, struct error *err)
{
    cleanup(json) cJSON *object = cJSON_CreateObject();

    if (!cJSON_AddStringToObject(object, "cniVersion", cni_versions[CNI_VERSION_NEWEST]) ||
        !add_versions(cJSON_AddArrayToObject(object, "supportedVersions")))
        return error_no_memory(err);
    return write_object(out, object, err);
}
