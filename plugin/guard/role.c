#include "guard/role.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VLAN_ID_MAX 4094 /* IEEE 802.1Q: 0 and 4095 are reserved */

enum role interface_role(const struct result_interface *interface)
{
    if (interface->sandbox[0] == '/')
        return ROLE_CONTAINER;
    if (!name_is_interface(interface->name))
        return ROLE_DUMMY;
    return interface->sandbox[0] == '\0' ? ROLE_HOST : ROLE_FOREIGN;
}

/* Decimal, without sign or leading zero; 0 if the text is no id. */
static uint16_t parse_vlan_id(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    unsigned id = 0;

    if (digits == 0 || digits > 4 || text[digits] != '\0' || text[0] == '0')
        return 0;
    for (; *text != '\0'; text++)
        id = id * 10 + (unsigned)(*text - '0');
    return id <= VLAN_ID_MAX ? (uint16_t)id : 0;
}

bool interface_vlan_link(const struct result_interface *interface,
                         char out[static INTERFACE_NAME_SIZE])
{
    uint16_t id = parse_vlan_id(interface->mac);

    if (interface_role(interface) != ROLE_DUMMY || id == 0)
        return false;
    snprintf(out, INTERFACE_NAME_SIZE, "vlan.eth.%" PRIu16, id);
    return true;
}
