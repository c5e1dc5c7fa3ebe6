/*
 * The configuration in force: our entry of the conflist that the runtime would use, and the name of
 * the network that the conflist makes.
 */
#ifndef IMDS_GUARD_CHAIN_SETTINGS_H
#define IMDS_GUARD_CHAIN_SETTINGS_H

#include "guard/cleanup.h"
#include "guard/config.h"
#include "guard/error.h"
#include "kernel/backend.h"

struct settings {
    struct config config;
    char *network; /* the conflist's name: only its attachments are ours to guard */
    char *path;    /* of the file that the keys came from */
};

/*
 * `config_file`: keys from there and not from the conflist; NULL: our entry's. Errors:
 * ERROR_NOT_AVAILABLE if there is no conflist, or no entry of ours in it (says to run install);
 * what conflist_load, config_check_keys (of `config_file`) and config_parse say. The result is for
 * settings_free.
 */
must_use int settings_load(const char *conf_dir, const char *config_file, struct settings *out,
                           struct error *err);
void settings_free(struct settings *settings);

/* What the backends shall have of it, exactly; borrowed. */
struct terms settings_terms(const struct settings *settings);

static inline void cleanup_settings(struct settings *settings)
{
    settings_free(settings);
}

#endif
