#include "node/status/exposition.h"

#include <inttypes.h>

void exposition_head(const char *name, const char *type, const char *help, FILE *out)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and newline are escaped in a label's value. Ours have no newline. */
void exposition_label(const char *name, const char *value, bool first, FILE *out)
{
    fprintf(out, "%s%s=\"", first ? "{" : ",", name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            fputc('\\', out);
        fputc(*value, out);
    }
    fputc('"', out);
}

static void print(const char *name, const char *type, const char *help, uint64_t value, FILE *out)
{
    exposition_head(name, type, help, out);
    fprintf(out, "%s %" PRIu64 "\n", name, value);
}

void exposition_gauge(const char *name, const char *help, uint64_t value, FILE *out)
{
    print(name, "gauge", help, value, out);
}

void exposition_counter(const char *name, const char *help, uint64_t value, FILE *out)
{
    print(name, "counter", help, value, out);
}
