#include "node/chain/names.h"

#include "guard/array.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

bool name_ends(const char *name, const char *suffix)
{
    size_t length = strlen(name);

    return length >= strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0;
}

/* Some file systems do not tell in the directory; a link to a directory is none (libcni). */
static bool is_directory(int directory, const struct dirent *entry)
{
    struct stat status;

    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    return fstatat(directory, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISDIR(status.st_mode);
}

int names_add(struct names *names, const char *name, struct error *err)
{
    char **added = array_add(&names->items, &names->count);

    return added && (*added = strdup(name)) ? 0 : error_no_memory(err);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int names_read(const char *path, bool directories, bool (*wanted)(const char *name),
               struct names *out, struct error *err)
{
    cleanup(close_directory) DIR *directory = opendir(path);
    cleanup(names) struct names names = {0};

    if (!directory && errno != ENOENT && errno != ENOTDIR)
        return error_set(err, ERROR_IO, "cannot open %s: %m", path);
    while (directory) {
        const struct dirent *entry = (errno = 0, readdir(directory));

        if (!entry && errno != 0)
            return error_set(err, ERROR_IO, "cannot list %s: %m", path);
        if (!entry)
            break;
        if (wanted(entry->d_name) && is_directory(dirfd(directory), entry) == directories &&
            names_add(&names, entry->d_name, err) < 0)
            return -1;
    }
    if (names.count > 0)
        qsort(names.items, names.count, sizeof(*names.items), compare);
    *out = steal(&names);
    return 0;
}

bool names_have(const struct names *names, const char *name)
{
    for (size_t i = 0; names && i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct names){0};
}
