#include "node/chain/drop_ins.h"

#include "guard/array.h"
#include "node/chain/conflist.h"
#include "node/chain/names.h"
#include "node/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SUFFIX ".conf"

static bool is_drop_in(const char *name)
{
    return name_ends(name, SUFFIX);
}

static int note_last(struct drop_ins *drop_ins, const char *name, const cJSON *tree,
                     struct error *err)
{
    const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(tree, "type"));

    free(drop_ins->last);
    free(drop_ins->last_type);
    drop_ins->last_type = type ? strdup(type) : NULL;
    drop_ins->last = strdup(name);
    return drop_ins->last ? 0 : error_no_memory(err);
}

static void cleanup_drop_in(struct drop_in *drop_in)
{
    free(drop_in->name);
    free(drop_in->text);
    cJSON_Delete(drop_in->tree);
}

/* What is no JSON cannot be said to be ours, and is the runtime's to complain about. */
static int load(const char *directory, const char *name, struct drop_ins *drop_ins,
                struct error *err)
{
    cleanup(drop_in) struct drop_in drop_in = {.name = strdup(name)};
    cleanup(free_text) char *path = NULL;
    struct span text = {0};
    struct drop_in *ours;
    struct stat status;
    struct error why;

    if (!drop_in.name || asprintf(&path, "%s/%s", directory, name) < 0) {
        path = NULL;
        return error_no_memory(err);
    }
    if (file_read(AT_FDCWD, path, FILE_LINK_FOLLOW, &drop_in.text, &text.length, err) < 0)
        return errno == ENOENT ? 0 : -1;
    if (stat(path, &status) == 0)
        drop_in.written = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
    text.start = drop_in.text;
    if (json_parse(text, &drop_in.tree, &why) < 0 && why.code != ERROR_DECODING) {
        *err = why;
        return -1;
    }
    if (!conflist_is_ours(drop_in.tree))
        return note_last(drop_ins, name, drop_in.tree, err);
    ours = array_add(&drop_ins->ours, &drop_ins->count);
    if (!ours)
        return error_no_memory(err);
    *ours = steal(&drop_in);
    return 0;
}

int drop_ins_load(const char *conf_dir, const char *network, struct drop_ins *out,
                  struct error *err)
{
    cleanup(drop_ins) struct drop_ins drop_ins = {0};
    cleanup(free_text) char *directory = NULL;
    cleanup(names) struct names names = {0};

    if (asprintf(&directory, "%s/%s", conf_dir, network) < 0) {
        directory = NULL;
        return error_no_memory(err);
    }
    if (names_read(directory, false, is_drop_in, &names, err) < 0)
        return -1;
    for (size_t i = 0; i < names.count; i++)
        if (load(directory, names.items[i], &drop_ins, err) < 0)
            return -1;
    *out = steal(&drop_ins);
    return 0;
}

void drop_ins_free(struct drop_ins *drop_ins)
{
    for (size_t i = 0; i < drop_ins->count; i++)
        cleanup_drop_in(&drop_ins->ours[i]);
    free(drop_ins->ours);
    free(drop_ins->last);
    free(drop_ins->last_type);
    *drop_ins = (struct drop_ins){0};
}

/* Behind a name as it is without its suffix any letter sorts after it: '.' comes before them all. */
int drop_ins_last_name(const struct drop_ins *drop_ins, char **out, struct error *err)
{
    const bool is_last = !drop_ins->last || strcmp(DROP_IN_NAME, drop_ins->last) > 0;
    const char *before = is_last ? SUFFIX : drop_ins->last;
    char *name = NULL;

    if (asprintf(&name, "%.*s" DROP_IN_NAME, (int)(strlen(before) - strlen(SUFFIX)), before) < 0)
        return error_no_memory(err);
    *out = name;
    return 0;
}

bool drop_ins_are_followed(const struct drop_ins *drop_ins)
{
    return drop_ins->count > 0 && drop_ins->last &&
           strcmp(drop_ins->ours[drop_ins->count - 1].name, drop_ins->last) < 0;
}
