/*
 * Prometheus text exposition format 0.0.4, piece by piece. Names and units:
 * prometheus.io/docs/practices/naming.
 */
#ifndef IMDS_GUARD_STATUS_EXPOSITION_H
#define IMDS_GUARD_STATUS_EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

/* Before a family's samples. `type`: "counter", "gauge". */
void exposition_head(const char *name, const char *type, const char *help, FILE *out);

/* One sample: names and values of its labels in turn, NULL behind them. */
void exposition_print(FILE *out, uint64_t value, const char *name, const char *const labels[]);
#define exposition_sample(out, value, name, ...)                                                   \
    exposition_print(out, value, name, (const char *const[]){__VA_ARGS__, NULL})

/* A family of one sample without labels. */
void exposition_one(const char *name, const char *type, const char *help, uint64_t value,
                    FILE *out);

#endif
