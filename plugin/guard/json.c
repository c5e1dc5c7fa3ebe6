#include "guard/json.h"

#include "guard/utf8.h"

#include <ctype.h>
#include <string.h>

/* cJSON copies a number into a buffer of 64 bytes and would misread what is longer. */
#define NUMBER_LENGTH_MAX 63

#define DIGITS "0123456789"

/*
 * One pass over the text, which may end anywhere: there is no NUL behind it. Each scan_* starts at
 * `at` on what its name says, and leaves `at` behind it; on failure `at` is the byte that is wrong
 * and `wrong` says why.
 */
struct scanner {
    const char *text;
    size_t length;
    size_t at;
    unsigned depth;
    const char *wrong;
    /*
     * Where the text is being copied for cJSON, or NULL. Escapes that are JSON but no character of
     * a C string, \u0000 and a surrogate without its other half, become \ufffd there, as Go's
     * encoding/json does with the latter. cJSON would end the string at the first, and refuse the
     * second. Refusing them here would let the author of a pod, through an annotation, make every
     * DEL of that pod fail, and with it the DEL of the plugins before us.
     */
    char *copy;
};

static bool scan_value(struct scanner *s);

static bool fail(struct scanner *s, const char *wrong)
{
    s->wrong = s->at < s->length ? wrong : "the text ends too early";
    return false;
}

/* The byte at `at`, or NUL behind the end, which no rule of JSON allows anywhere. */
static char peek(const struct scanner *s)
{
    return s->at < s->length ? s->text[s->at] : '\0';
}

static bool accept(struct scanner *s, char byte)
{
    if (s->at >= s->length || s->text[s->at] != byte)
        return false;
    s->at++;
    return true;
}

static void skip_space(struct scanner *s)
{
    while (s->at < s->length && json_is_space(s->text[s->at]))
        s->at++;
}

static size_t skip_digits(struct scanner *s)
{
    size_t start = s->at;

    while (s->at < s->length && memchr(DIGITS, s->text[s->at], strlen(DIGITS)) != NULL)
        s->at++;
    return s->at - start;
}

/* The four hexadecimal digits of a \u escape at `at`; false if they are not. Moves nothing. */
static bool read_hex4(const struct scanner *s, size_t at, unsigned *out)
{
    unsigned value = 0;

    if (at > s->length || s->length - at < 4)
        return false;
    for (size_t i = at; i < at + 4; i++) {
        unsigned char digit = (unsigned char)s->text[i];

        if (!isxdigit(digit))
            return false;
        value = value * 16 + (unsigned)(isdigit(digit) ? digit - '0' : tolower(digit) - 'a' + 10);
    }
    *out = value;
    return true;
}

/* Whether a \u escape for a low surrogate (RFC 8259, section 7) stands at `at`. */
static bool is_low_surrogate(const struct scanner *s, size_t at)
{
    unsigned value = 0;

    return at + 2 <= s->length && s->text[at] == '\\' && s->text[at + 1] == 'u' &&
           read_hex4(s, at + 2, &value) && value >= 0xDC00 && value <= 0xDFFF;
}

/* At the digits behind "\u". */
static bool scan_unicode_escape(struct scanner *s)
{
    unsigned value = 0;
    bool has_pair = false;

    if (!read_hex4(s, s->at, &value))
        return fail(s, "\\u without four hexadecimal digits");
    if (value >= 0xD800 && value <= 0xDBFF)
        has_pair = is_low_surrogate(s, s->at + 4);
    if (s->copy != NULL && (value == 0 || (value >= 0xD800 && value <= 0xDFFF && !has_pair)))
        memcpy(s->copy + s->at, "fffd", 4);
    s->at += has_pair ? 10 : 4;
    return true;
}

/* At the byte behind a backslash. */
static bool scan_escape(struct scanner *s)
{
    if (accept(s, 'u'))
        return scan_unicode_escape(s);
    if (peek(s) == '\0' || strchr("\"\\/bfnrt", peek(s)) == NULL)
        return fail(s, "unknown escape in a string");
    s->at++;
    return true;
}

/* What most strings are made of, or in most of their length. */
static void skip_plain(struct scanner *s)
{
    while (s->at < s->length && s->text[s->at] >= 0x20 && s->text[s->at] < 0x7F &&
           s->text[s->at] != '"' && s->text[s->at] != '\\')
        s->at++;
}

static bool scan_string(struct scanner *s)
{
    if (!accept(s, '"'))
        return fail(s, "a string must start here");
    for (skip_plain(s); !accept(s, '"'); skip_plain(s)) {
        size_t length = utf8_length(s->text + s->at, s->length - s->at);

        if (accept(s, '\\')) {
            if (!scan_escape(s))
                return false;
            continue;
        }
        if (length == 0)
            return fail(s, "invalid UTF-8");
        if (length == 1 && (unsigned char)s->text[s->at] < 0x20)
            return fail(s, "a control character in a string must be escaped");
        s->at += length;
    }
    return true;
}

static bool scan_number(struct scanner *s)
{
    size_t start = s->at;

    accept(s, '-');
    if (!accept(s, '0') && skip_digits(s) == 0)
        return fail(s, "a digit must stand here");
    if (accept(s, '.') && skip_digits(s) == 0)
        return fail(s, "a digit must stand here");
    if (accept(s, 'e') || accept(s, 'E')) {
        if (!accept(s, '+'))
            accept(s, '-');
        if (skip_digits(s) == 0)
            return fail(s, "a digit must stand here");
    }
    if (s->at - start > NUMBER_LENGTH_MAX) {
        s->at = start;
        return fail(s, "the number has more than 63 characters");
    }
    return true;
}

static bool scan_literal(struct scanner *s, const char *literal)
{
    size_t length = strlen(literal);

    if (s->length - s->at < length || memcmp(s->text + s->at, literal, length) != 0)
        return fail(s, "a value must start here");
    s->at += length;
    return true;
}

/* A member's key and colon; `key`, if not NULL, becomes the key's place with its quotes. */
static bool scan_key(struct scanner *s, struct span *key)
{
    size_t start = 0;

    skip_space(s);
    start = s->at;
    if (!scan_string(s))
        return false;
    if (key != NULL)
        *key = (struct span){.start = s->text + start, .length = s->at - start};
    skip_space(s);
    return accept(s, ':') || fail(s, "':' must stand here");
}

/* An object or an array, at its bracket. */
static bool scan_nested(struct scanner *s)
{
    const bool is_object = peek(s) == '{';
    const char end = is_object ? '}' : ']';

    if (s->depth == JSON_DEPTH_MAX)
        return fail(s, "arrays and objects are nested too deeply");
    s->at++;
    skip_space(s);
    if (accept(s, end))
        return true;
    s->depth++;
    do {
        if ((is_object && !scan_key(s, NULL)) || !scan_value(s))
            return false;
    } while (accept(s, ','));
    s->depth--;
    return accept(s, end) ||
           fail(s, is_object ? "',' or '}' must stand here" : "',' or ']' must stand here");
}

/* One value with the white space around it. */
static bool scan_value(struct scanner *s)
{
    bool good = false;

    skip_space(s);
    switch (peek(s)) {
    case '{':
    case '[':
        good = scan_nested(s);
        break;
    case '"':
        good = scan_string(s);
        break;
    case 't':
        good = scan_literal(s, "true");
        break;
    case 'f':
        good = scan_literal(s, "false");
        break;
    case 'n':
        good = scan_literal(s, "null");
        break;
    default:
        good = peek(s) == '-' || isdigit((unsigned char)peek(s))
                   ? scan_number(s)
                   : fail(s, "a value must start here");
    }
    if (good)
        skip_space(s);
    return good;
}

int json_parse(struct span text, cJSON **out, struct error *err)
{
    struct scanner s = {.text = text.start, .length = text.length};
    cleanup(free_text) char *copy = NULL;
    cJSON *tree = NULL;

    skip_space(&s);
    if (s.at == s.length)
        return error_set(err, ERROR_DECODING, "the JSON text is empty");
    copy = malloc(text.length);
    if (copy == NULL)
        return error_no_memory(err);
    memcpy(copy, text.start, text.length);
    s.copy = copy;
    if (!scan_value(&s) || (s.at < s.length && !fail(&s, "something follows the JSON value")))
        return error_set(err, ERROR_DECODING, "not JSON at byte %zu: %s", s.at, s.wrong);
    /* What the scanner has accepted cJSON takes, too, as long as there is memory. */
    tree = cJSON_ParseWithLength(copy, text.length);
    if (tree == NULL)
        return error_no_memory(err);
    *out = tree;
    return 0;
}

/* Whether a key as it stands in a text, quotes and escapes included, is `key`. */
static bool key_is(struct span written, const char *key)
{
    cleanup(json) cJSON *tree = NULL;
    struct error ignored;

    if (memchr(written.start, '\\', written.length) == NULL)
        return strlen(key) == written.length - 2 &&
               memcmp(written.start + 1, key, written.length - 2) == 0;
    return json_parse(written, &tree, &ignored) == 0 && cJSON_IsString(tree) &&
           strcmp(cJSON_GetStringValue(tree), key) == 0;
}

/* Scans the value at `at` into `out`, without the white space around it. */
static bool take_value(struct scanner *s, struct span *out)
{
    size_t start = 0;
    size_t end = 0;

    skip_space(s);
    start = s->at;
    if (!scan_value(s))
        return false;
    end = s->at;
    while (json_is_space(s->text[end - 1]))
        end--;
    *out = (struct span){.start = s->text + start, .length = end - start};
    return true;
}

bool json_member(struct span object, const char *key, struct span *out)
{
    struct scanner s = {.text = object.start, .length = object.length};
    struct span written = {.start = NULL};
    struct span value = {.start = NULL};

    skip_space(&s);
    if (!accept(&s, '{'))
        return false;
    do {
        if (!scan_key(&s, &written) || !take_value(&s, &value))
            return false;
        if (key_is(written, key)) {
            *out = value;
            return true;
        }
    } while (accept(&s, ','));
    return false;
}

bool json_next(struct span *rest, struct span *out)
{
    struct scanner s = {.text = rest->start, .length = rest->length};

    skip_space(&s);
    if (!(accept(&s, '[') || accept(&s, ',')) || !take_value(&s, out))
        return false;
    *rest = (struct span){rest->start + s.at, rest->length - s.at};
    return true;
}
