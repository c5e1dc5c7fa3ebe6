/*
 * Prometheus text exposition format 0.0.4, piece by piece. Names and units:
 * prometheus.io/docs/practices/naming.
 */
#ifndef IMDS_GUARD_STATUS_EXPOSITION_H
#define IMDS_GUARD_STATUS_EXPOSITION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Before a family's samples. `type`: "counter", "gauge". */
void exposition_head(const char *name, const char *type, const char *help, FILE *out);

/* `{name="value"`, or with a comma if it is not the first. The closing brace is the caller's. */
void exposition_label(const char *name, const char *value, bool first, FILE *out);

/* A family of one sample without labels. */
void exposition_gauge(const char *name, const char *help, uint64_t value, FILE *out);
void exposition_counter(const char *name, const char *help, uint64_t value, FILE *out);

#endif
