#include "guard/utf8.h"

#include <string.h>

/* RFC 3629, section 4: what the second byte may be after each first byte; the rest is 80 to BF. */
static const struct {
    unsigned char first_low, first_high, second_low, second_high;
    size_t length;
} sequences[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

size_t utf8_length(const char *text, size_t available)
{
    const unsigned char *bytes = (const unsigned char *)text;

    if (available == 0)
        return 0;
    if (bytes[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(sequences) / sizeof(sequences[0]); i++) {
        if (bytes[0] < sequences[i].first_low || bytes[0] > sequences[i].first_high)
            continue;
        if (available < sequences[i].length || bytes[1] < sequences[i].second_low ||
            bytes[1] > sequences[i].second_high)
            return 0;
        for (size_t at = 2; at < sequences[i].length; at++)
            if ((bytes[at] & 0xC0) != 0x80)
                return 0;
        return sequences[i].length;
    }
    return 0;
}

void utf8_scrub(char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t length = utf8_length(text, left);

        if (length == 0) {
            *text = '?';
            length = 1;
        }
        text += length;
        left -= length;
    }
}
