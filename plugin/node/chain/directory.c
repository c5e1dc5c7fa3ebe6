#include "node/chain/directory.h"

#include "node/chain/entry.h"
#include "node/chain/replace.h"

#include <string.h>

/* What libcni's ConfFiles takes: by the part after the last dot, hidden or not, but
 * no directory. */
static bool is_loaded(const char *name)
{
    return name_ends(name, ".conf") || name_ends(name, ".conflist") || name_ends(name, ".json");
}

static bool is_not_temporary(const char *name)
{
    return strcmp(name, REPLACE_TEMPORARY) != 0;
}

int directory_names(const char *conf_dir, bool everything, struct names *out, struct error *err)
{
    return names_read(conf_dir, false, everything ? is_not_temporary : is_loaded, out, err);
}

int directory_load(const char *conf_dir, const struct names *networks, struct directory *out,
                   struct error *err)
{
    cleanup(directory) struct directory directory = {0};
    cleanup(names) struct names names = {0};

    if (directory_names(conf_dir, false, &names, err) < 0)
        return -1;
    directory.files = calloc(names.count + 1, sizeof(*directory.files));
    if (!directory.files)
        return error_no_memory(err);
    for (size_t i = 0; i < names.count; i++) {
        bool found = false;

        if (conflist_load(conf_dir, names.items[i], networks, &directory.files[directory.count],
                          &found, err) < 0)
            return -1;
        directory.count += found;
    }
    *out = steal(&directory);
    return 0;
}

void directory_free(struct directory *directory)
{
    for (size_t i = 0; i < directory->count; i++)
        conflist_free(&directory->files[i]);
    free(directory->files);
    *directory = (struct directory){0};
}

/* Or it is when those before it go. */
static bool is_in_force(const struct conflist *list)
{
    return list->makes_pods && !list->problem;
}

const struct conflist *directory_first(const struct directory *directory)
{
    for (size_t i = 0; i < directory->count; i++)
        if (is_in_force(&directory->files[i]))
            return &directory->files[i];
    return NULL;
}

const struct conflist *directory_entry(const struct directory *directory, const char *origin)
{
    const struct conflist *first = directory_first(directory);

    for (const struct conflist *list = directory->files; list < directory->files + directory->count;
         list++) {
        struct error ignored;

        if (is_in_force(list) && list->entry && entry_check(list->entry, &ignored) == 0 &&
            (list == first || !origin || strcmp(list->entry_path, origin) == 0))
            return list;
    }
    return NULL;
}
