#include "guard/names.h"

#include <limits.h>
#include <string.h>

static const bool name_bytes[UCHAR_MAX + 1] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true,
    ['_'] = true,         ['.'] = true,         ['-'] = true,
};

size_t name_span(const char *text)
{
    size_t length = 0;

    while (name_bytes[(unsigned char)text[length]])
        length++;
    return length;
}

static bool is_identifier(const char *name)
{
    /* The empty string has its NUL where there must be none of these. */
    return strchr("_.-", name[0]) == NULL && name[name_span(name)] == '\0';
}

bool name_is_container_id(const char *name)
{
    return is_identifier(name);
}

bool name_is_network(const char *name)
{
    return is_identifier(name);
}

bool name_is_interface(const char *name)
{
    size_t length = strnlen(name, INTERFACE_NAME_SIZE);

    if (length == 0 || length >= INTERFACE_NAME_SIZE)
        return false;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    /* 0xA0 is white space to the kernel (lib/ctype.c is Latin-1), whatever the locale here. */
    return name[strcspn(name, "/: \t\n\v\f\r\xA0")] == '\0';
}
