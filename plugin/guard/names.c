#include "guard/names.h"

#include <string.h>

#define LETTERS_AND_DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

static bool is_identifier(const char *name)
{
    /* The empty string has its NUL where a letter or digit has to be. */
    return name[0] != '\0' && strchr(LETTERS_AND_DIGITS, name[0]) != NULL &&
           name[strspn(name, LETTERS_AND_DIGITS "_.-")] == '\0';
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
