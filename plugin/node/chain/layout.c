#include "node/chain/layout.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct span layout_blanks_before(const char *start, const char *end)
{
    const char *first = end;

    while (first > start && is_blank(first[-1]))
        first--;
    return (struct span){first, (size_t)(end - first)};
}

/* Index of the first byte after the string that begins at `index`. */
static size_t after_string(struct span text, size_t index)
{
    for (index++; index < text.length && text.start[index] != '"'; index++)
        if (text.start[index] == '\\')
            index++;
    return index + 1;
}

static size_t after_blanks(struct span text, size_t index)
{
    while (index < text.length && is_blank(text.start[index]))
        index++;
    return index;
}

/* The last line break of the white space at `newline`, with the indentation that follows it. */
static struct span indentation(struct span text, const char *newline)
{
    size_t end = after_blanks(text, (size_t)(newline - text.start));
    const char *begin = memrchr(newline, '\n', end - (size_t)(newline - text.start));

    if (begin > text.start && begin[-1] == '\r')
        begin--;
    return (struct span){begin, (size_t)(text.start + end - begin)};
}

static bool has_blank_after_colon(struct span text)
{
    for (size_t i = 0; i + 1 < text.length; i++) {
        if (text.start[i] == '"')
            i = after_string(text, i) - 1;
        else if (text.start[i] == ':')
            return text.start[i + 1] == ' ';
    }
    return false;
}

struct layout layout_of(struct span value)
{
    struct layout layout = {.newline = {value.start, 0}, .unit = {"  ", 2}};
    /* No string of JSON holds a raw line break, so each one found is white space. */
    const char *first = memchr(value.start, '\n', value.length);
    const char *last = memrchr(value.start, '\n', value.length);
    struct span member;

    layout.spaced = has_blank_after_colon(value);
    if (!first)
        return layout;
    member = indentation(value, first);
    layout.newline = indentation(value, last);
    if (member.length > layout.newline.length &&
        memcmp(member.start, layout.newline.start, layout.newline.length) == 0) {
        layout.unit.start = member.start + layout.newline.length;
        layout.unit.length = member.length - layout.newline.length;
    }
    return layout;
}

static void begin_line(FILE *out, const struct layout *layout, unsigned depth)
{
    if (layout->newline.length == 0)
        return;
    fwrite(layout->newline.start, 1, layout->newline.length, out);
    for (; depth > 0; depth--)
        fwrite(layout->unit.start, 1, layout->unit.length, out);
}

/* Writes the token at `index`, and the white space that follows it in this layout. */
static size_t write_token(FILE *out, struct span text, size_t index, const struct layout *layout,
                          unsigned *depth)
{
    char c = text.start[index];
    size_t next = c == '"' ? after_string(text, index) : index + 1;
    size_t token = after_blanks(text, next);

    if (c == '}' || c == ']')
        begin_line(out, layout, --*depth);
    fwrite(text.start + index, 1, next - index, out);
    if (c == ':' && layout->spaced)
        fputc(' ', out);
    else if (c == ',' && layout->newline.length > 0)
        begin_line(out, layout, *depth);
    else if (c == ',' && layout->spaced)
        fputc(' ', out);
    else if (c == '{' || c == '[') {
        if (text.start[token] == '}' || text.start[token] == ']') {
            fputc(text.start[token], out);
            return token + 1;
        }
        begin_line(out, layout, ++*depth);
    }
    return next;
}

void layout_write(FILE *out, struct span value, const struct layout *layout)
{
    unsigned depth = 0;

    for (size_t i = after_blanks(value, 0); i < value.length; i = after_blanks(value, i))
        i = write_token(out, value, i, layout, &depth);
}
