#include "node/text.h"

static char printable(char c)
{
    return c < 0x20 || c > 0x7e ? '?' : c;
}

void text_make_printable(char *text)
{
    for (; *text; text++)
        *text = printable(*text);
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
