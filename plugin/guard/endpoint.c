#include "guard/endpoint.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned address_bits(const struct endpoint *endpoint)
{
    return endpoint->family == FAMILY_IPV4 ? 32 : 128;
}

static void clear_host_bits(struct endpoint *endpoint)
{
    for (unsigned byte = 0; byte < sizeof(endpoint->address); byte++) {
        if (byte * 8 >= endpoint->prefix)
            endpoint->address[byte] = 0;
        else if (endpoint->prefix - byte * 8 < 8)
            endpoint->address[byte] &= (uint8_t)(0xFF00 >> (endpoint->prefix - byte * 8));
    }
}

/* Decimal, without sign or leading zero, from 1 to what the family has. */
static bool parse_prefix(const char *text, struct endpoint *out)
{
    size_t digits = strspn(text, "0123456789");
    unsigned prefix = 0;

    if (digits == 0 || digits > 3 || text[digits] != '\0' || text[0] == '0')
        return false;
    for (const char *digit = text; *digit != '\0'; digit++)
        prefix = prefix * 10 + (unsigned)(*digit - '0');
    if (prefix > address_bits(out))
        return false;
    out->prefix = prefix;
    return true;
}

/* ::ffff:0:0/96, RFC 4291 section 2.5.5.2. */
static bool is_ipv4_mapped(const struct endpoint *endpoint)
{
    static const uint8_t mapped[12] = {[10] = 0xFF, [11] = 0xFF};

    return endpoint->family == FAMILY_IPV6 &&
           memcmp(endpoint->address, mapped, sizeof(mapped)) == 0;
}

int endpoint_parse(const char *text, struct endpoint *out, struct error *err)
{
    struct endpoint parsed = {.prefix = 0};
    struct endpoint network = {.prefix = 0};
    size_t length = strcspn(text, "/");
    char address[INET6_ADDRSTRLEN] = "";
    char meant[ENDPOINT_TEXT_SIZE] = "";

    if (length < sizeof(address))
        memcpy(address, text, length);
    if (inet_pton(AF_INET, address, parsed.address) == 1)
        parsed.family = FAMILY_IPV4;
    else if (inet_pton(AF_INET6, address, parsed.address) == 1)
        parsed.family = FAMILY_IPV6;
    else
        return error_set(err, ERROR_INVALID_CONFIG, "\"%.80s\" is no IPv4 or IPv6 address or CIDR",
                         text);
    parsed.prefix = address_bits(&parsed);
    if (text[length] == '/' && !parse_prefix(text + length + 1, &parsed))
        return error_set(err, ERROR_INVALID_CONFIG, "the prefix of \"%.80s\" is not 1 to %u", text,
                         address_bits(&parsed));
    if (is_ipv4_mapped(&parsed))
        return error_set(err, ERROR_INVALID_CONFIG,
                         "\"%.80s\" is an IPv4-mapped IPv6 address, which no packet carries: write "
                         "the IPv4 address",
                         text);
    network = parsed;
    clear_host_bits(&network);
    if (memcmp(network.address, parsed.address, sizeof(network.address)) != 0) {
        endpoint_text(&network, meant);
        return error_set(err, ERROR_INVALID_CONFIG,
                         "\"%.80s\" has bits set behind its prefix: the network is %s", text,
                         meant);
    }
    *out = parsed;
    return 0;
}

void endpoint_text(const struct endpoint *endpoint, char out[static ENDPOINT_TEXT_SIZE])
{
    size_t length = 0;

    inet_ntop(endpoint->family == FAMILY_IPV4 ? AF_INET : AF_INET6, endpoint->address, out,
              ENDPOINT_TEXT_SIZE);
    length = strlen(out);
    if (endpoint->prefix < address_bits(endpoint))
        snprintf(out + length, ENDPOINT_TEXT_SIZE - length, "/%u", endpoint->prefix);
}

static int compare(const void *left, const void *right)
{
    const struct endpoint *a = left;
    const struct endpoint *b = right;
    int order = 0;

    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    order = memcmp(a->address, b->address, sizeof(a->address));
    if (order != 0)
        return order;
    return a->prefix < b->prefix ? -1 : a->prefix > b->prefix;
}

bool endpoint_contains(const struct endpoint *outer, const struct endpoint *inner)
{
    struct endpoint network = *inner;

    if (outer->family != inner->family || outer->prefix > inner->prefix)
        return false;
    network.prefix = outer->prefix;
    clear_host_bits(&network);
    return memcmp(outer->address, network.address, sizeof(network.address)) == 0;
}

bool endpoints_contain(const struct endpoint *endpoints, size_t count, const struct endpoint *inner)
{
    for (size_t i = 0; i < count; i++)
        if (endpoint_contains(&endpoints[i], inner))
            return true;
    return false;
}

size_t endpoints_normalise(struct endpoint *endpoints, size_t count)
{
    size_t kept = 0;

    if (count > 0)
        qsort(endpoints, count, sizeof(*endpoints), compare);
    /* Networks nest or are apart, and an outer one sorts first: looking at the last is enough. */
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !endpoint_contains(&endpoints[kept - 1], &endpoints[i]))
            endpoints[kept++] = endpoints[i];
    }
    return kept;
}
