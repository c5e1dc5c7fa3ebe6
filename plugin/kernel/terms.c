#include "kernel/backend.h"

struct terms terms_of(const struct config *config)
{
    return (struct terms){
        .endpoints = config->endpoints,
        .endpoint_count = config->endpoint_count,
        .others = config_others(config),
        .lock_timeout_seconds = config->lock_timeout_seconds,
    };
}
