/* Whether IPVS may send packets from here, which it does past the FORWARD hook. */
#ifndef IMDS_GUARD_IPVS_H
#define IMDS_GUARD_IPVS_H

#include <stdbool.h>

/*
 * True while ip_vs is loaded: it then lists its Services, be there any or not, in a file of each network
 * namespace (net/netfilter/ipvs/ip_vs_ctl.c, ip_vs_control_net_init). Nobody tells of a Service that
 * comes; a module seldom comes.
 */
bool ipvs_is_loaded(void);

#endif
