#include "node/status/exposition.h"

#include "node/text.h"

#include <inttypes.h>

void exposition_head(const char *name, const char *type, const char *help, FILE *out)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void exposition_print(FILE *out, uint64_t value, const char *name, const char *const labels[])
{
    const char *separator = "{";

    fputs(name, out);
    for (; *labels; labels += 2, separator = ",") {
        fprintf(out, "%s%s=", separator, labels[0]);
        text_quote(labels[1], out);
    }
    fprintf(out, "%s %" PRIu64 "\n", separator[0] == ',' ? "}" : "", value);
}

void exposition_one(const char *name, const char *type, const char *help, uint64_t value, FILE *out)
{
    exposition_head(name, type, help, out);
    exposition_print(out, value, name, (const char *const[]){NULL});
}
