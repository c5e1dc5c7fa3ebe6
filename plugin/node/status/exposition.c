#include "node/status/exposition.h"

#include "node/text.h"

#include <inttypes.h>
#include <stdarg.h>

void exposition_head(const char *name, const char *type, const char *help, FILE *out)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_sample(FILE *out, uint64_t value, const char *name, ...)
{
    const char *separator = "{";
    va_list labels;

    fputs(name, out);
    va_start(labels, name);
    for (const char *label; (label = va_arg(labels, const char *)); separator = ",") {
        fprintf(out, "%s%s=", separator, label);
        text_quote(va_arg(labels, const char *), out);
    }
    va_end(labels);
    fprintf(out, "%s %" PRIu64 "\n", separator[0] == ',' ? "}" : "", value);
}

void exposition_one(const char *name, const char *type, const char *help, uint64_t value, FILE *out)
{
    exposition_head(name, type, help, out);
    exposition_sample(out, value, name, NULL);
}
