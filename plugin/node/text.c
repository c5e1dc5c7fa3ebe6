#include "node/text.h"

#include <string.h>

static char printable(char c)
{
    return c < 0x20 || c > 0x7e ? '?' : c;
}

void text_make_printable(char *text)
{
    for (; *text; text++)
        *text = printable(*text);
}

char *text_printable(const char *text)
{
    char *copy = strdup(text ? text : "");

    if (copy)
        text_make_printable(copy);
    return copy;
}

void text_quote(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            fputc('\\', out);
        fputc(printable(*text), out);
    }
    fputc('"', out);
}

void text_member(const char *key, const char *value, FILE *out)
{
    fprintf(out, ",\"%s\":", key);
    if (value)
        text_quote(value, out);
    else
        fputs("null", out);
}
