#include "guard/config.h"
#include "node/chain/change.h"
#include "node/chain/directory.h"
#include "node/chain/install.h"
#include "node/chain/replace.h"

#include <fcntl.h>
#include <string.h>

static int take_out(const struct change *change, const struct conflist *conflist, char **text,
                    struct error *err)
{
    if (conflist->inline_count > 0)
        return change_take_out(change, conflist, "", text, err);
    if (conflist->makes_pods)
        notes_add(&change->report->notes, NOTE_SKIPPED, "%s: had no entry", conflist->path);
    return 0;
}

static bool is_any(const char *name)
{
    return name[0] != '.';
}

/* Of every network, also those that no list here makes any more. */
static int remove_drop_ins(const struct change *change, struct error *err)
{
    const char *conf_dir = change->options->conf_dir;
    cleanup(names) struct names networks = {0};

    if (names_read(conf_dir, true, is_any, &networks, err) < 0)
        return -1;
    for (size_t i = 0; i < networks.count; i++) {
        cleanup(drop_ins) struct drop_ins drop_ins = {0};
        struct error why;

        if (drop_ins_load(conf_dir, networks.items[i], &drop_ins, &why) < 0 ||
            change_remove_drop_ins(change, networks.items[i], &drop_ins, NULL, &why) < 0)
            change_fail(change, why.msg);
    }
    return 0;
}

static int look_for_us(const struct change *change, const struct conflist *conflist, char **text,
                       struct error *err)
{
    bool unread = !conflist->text && S_ISREG(conflist->stat.st_mode);

    (void)text;
    (void)err;
    /* Also one that a killed installer has made and left empty; it stays if others have something in it. */
    if (conflist->makes_pods && conflist->network)
        unlinkat(change->directory, conflist->network, AT_REMOVEDIR);
    change->report->lists += conflist->makes_pods;
    if (!unread && !conflist_names_us(conflist))
        return 0;
    change->report->named++;
    notes_add(&change->report->notes, NOTE_PROBLEM, "%s %s " CONFIG_PLUGIN_TYPE ": %s",
              conflist->path, unread ? "may name" : "still names",
              conflist->problem ? conflist->problem
                                : "take it out by hand (Multus: the delegate's plugins)");
    return 0;
}

static int take_out_everywhere(struct change *change, struct error *err)
{
    cleanup(names) struct names names = {0};

    if (directory_names(change->options->conf_dir, true, &names, err) < 0)
        return -1;
    change_files(change, &names, take_out);
    if (remove_drop_ins(change, err) < 0)
        return -1;
    change_files(change, &names, look_for_us);
    return notes_complete(&change->report->notes, err);
}

int uninstall_entry(const struct install_options *options, struct install_report *report,
                    struct error *err)
{
    struct change change = {.options = options, .report = report};

    return change_run(&change, take_out_everywhere, err);
}
