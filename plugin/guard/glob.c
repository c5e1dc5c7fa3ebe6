#include "guard/glob.h"

#include <stddef.h>

/* How many bytes of the glob stand for the one byte; 0: it has to be another. */
static size_t stand_for(const char *glob, char byte)
{
    if (glob[0] == '?')
        return 1;
    if (glob[0] == '\\' && glob[1] != '\0')
        return glob[1] == byte ? 2 : 0;
    return glob[0] == byte ? 1 : 0;
}

/*
 * Only the last * is ever tried again, with one byte more: what the ones before it took is as
 * little as they could, and if the rest does not fit behind that, it fits nowhere further on.
 */
bool glob_matches(const char *glob, const char *text)
{
    const char *behind_star = NULL;
    const char *taken = NULL; /* where what the * takes ends */

    while (*text != '\0') {
        size_t length = *glob == '*' ? 0 : stand_for(glob, *text);

        if (*glob == '*') {
            behind_star = ++glob;
            taken = text;
        } else if (length > 0) {
            glob += length;
            text++;
        } else if (behind_star != NULL) {
            glob = behind_star;
            text = ++taken;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return *glob == '\0';
}
