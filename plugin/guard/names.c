#include "guard/names.h"

#include <limits.h>

static const bool name_bytes[UCHAR_MAX + 1] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['_'] = true,         ['.'] = true,         ['-'] = true,
};

/* All but NUL, '/', ':' and white space: '\t' to '\r', ' ' and, as the kernel's lib/ctype.c is Latin-1,
 * 0xA0. */
static const bool interface_bytes[UCHAR_MAX + 1] = {
    [0x01 ... '\t' - 1] = true,   ['\r' + 1 ... ' ' - 1] = true, [' ' + 1 ... '/' - 1] = true,
    ['/' + 1 ... ':' - 1] = true, [':' + 1 ... 0x9F] = true,     [0xA1 ... UCHAR_MAX] = true,
};

static size_t span(const bool *bytes, const char *text)
{
    size_t length = 0;

    while (bytes[(unsigned char)text[length]])
        length++;
    return length;
}

size_t name_span(const char *text)
{
    return span(name_bytes, text);
}

size_t name_identifier_span(const char *text)
{
    return text[0] == '_' || text[0] == '.' || text[0] == '-' ? 0 : name_span(text);
}

size_t name_interface_span(const char *text)
{
    size_t length = span(interface_bytes, text);
    bool only_dots = length <= 2 && text[0] == '.' && text[length - 1] == '.';

    return length < INTERFACE_NAME_SIZE && !only_dots ? length : 0;
}

/* Whether a span is a name, and all of the text. */
static bool is_all(const char *text, size_t length)
{
    return length > 0 && text[length] == '\0';
}

bool name_is_container_id(const char *name)
{
    return is_all(name, name_identifier_span(name));
}

bool name_is_network(const char *name)
{
    return is_all(name, name_identifier_span(name));
}

bool name_is_interface(const char *name)
{
    return is_all(name, name_interface_span(name));
}
