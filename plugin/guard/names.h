/*
 * What a name may be. Pure; every name from outside passes one of these before it is used, and the
 * kernel room asks again before a name goes into a rule.
 */
#ifndef IMDS_GUARD_NAMES_H
#define IMDS_GUARD_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/* Linux: IFNAMSIZ of linux/if.h, 15 bytes and a NUL. */
#define INTERFACE_NAME_SIZE 16

/* CNI specification 1.1.0, "Parameters": ^[a-zA-Z0-9][a-zA-Z0-9_.\-]*$ for containers
 * and networks. */
bool name_is_container_id(const char *name);
bool name_is_network(const char *name);

/* libcni utils.ValidateInterfaceName and Linux dev_valid_name(): 1 to 15 bytes, not "." or "..", no
 * '/', ':' or white space. */
bool name_is_interface(const char *name);

/* The length of such a name at the start of a text, up to the first byte that none can have; 0 if that
 * is no name. */
size_t name_identifier_span(const char *text);
size_t name_interface_span(const char *text);

/* How many bytes of the text, from the first, are such as container ids may have: [A-Za-z0-9_.-]. Not
 * strspn(3), which makes a table of them for each call. */
size_t name_span(const char *text);

#endif
