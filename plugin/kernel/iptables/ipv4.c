/* What is different for IPv4; the rest is in family.inc. */
#include <libiptc/libiptc.h>

#define FAMILY     iptables_ipv4
#define FAMILY_BIT FAMILY_IPV4
#define TC(name)   iptc_##name
#define ENTRY      struct ipt_entry
#define IP         ip
#define COMMAND    "iptables"
#define MODULES    "ip_tables, iptable_mangle and xt_comment"
#define LIVE       "/proc/self/net/ip_tables_names"
#define EVIDENCE   NULL

#include "kernel/iptables/family.inc"
