/*
 * The text of our entry in a list of plugins, checked before anything is done with it.
 */
#ifndef IMDS_GUARD_CHAIN_ENTRY_H
#define IMDS_GUARD_CHAIN_ENTRY_H

#include "guard/cleanup.h"
#include "guard/config.h"
#include "guard/error.h"

/* What a node gets whose operator says nothing. The capability makes the runtime hand over the
 * pod's annotations (containerd, docs/cri/config.md), which exemptions may ask for. */
#define ENTRY_TYPE         "\"type\":\"" CONFIG_PLUGIN_TYPE "\""
#define ENTRY_CAPABILITIES "\"capabilities\":{\"" CONFIG_ANNOTATIONS_CAPABILITY "\":true}"
#define ENTRY_DEFAULT      "{" ENTRY_TYPE "," ENTRY_CAPABILITIES "}"

/*
 * Reads the operator's file: one JSON object with keys of the configuration (config.h), complete
 * with `type` and `capabilities` where it leaves them out. *out is the caller's to free. Errors,
 * naming the file: as file_read, json_parse, config_check_keys and config_parse, and
 * ERROR_INVALID_CONFIG for another `type`.
 */
must_use int entry_read(const char *path, char **out, struct error *err);

/* Whether the plugin could work with this entry. Errors: as config_parse. */
must_use int entry_check(const cJSON *entry, struct error *err);

#endif
