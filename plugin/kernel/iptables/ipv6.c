/* What is different for IPv6; the rest is in family.inc. */
#include <libiptc/libip6tc.h>

#define FAMILY     iptables_ipv6
#define FAMILY_BIT FAMILY_IPV6
#define TC(name)   ip6tc_##name
#define ENTRY      struct ip6t_entry
#define IP         ipv6
#define COMMAND    "ip6tables"
#define MODULES    "ip6_tables, ip6table_mangle and xt_comment"
#define LIVE       "/proc/self/net/ip6_tables_names"
#define EVIDENCE   "/proc/self/net/if_inet6"

#include "kernel/iptables/family.inc"
