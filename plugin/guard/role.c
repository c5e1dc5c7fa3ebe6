#include "guard/role.h"

enum role interface_role(const struct result_interface *interface)
{
    if (interface->sandbox[0] == '/')
        return ROLE_CONTAINER;
    if (!name_is_interface(interface->name))
        return ROLE_DUMMY;
    return interface->sandbox[0] == '\0' ? ROLE_HOST : ROLE_FOREIGN;
}
