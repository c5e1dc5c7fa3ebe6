# A Service of IPVS that leads to IMDS, and whether a pod gets there. Sourced, after checks.bash.
#
# A Service is an address of the node; what comes there IPVS sends on from the INPUT hook, past FORWARD.

service4=10.100.0.1
service6=fd00:100::1

ipvs_services() {
    needs_module ip_vs ip_vs_rr
    type -P ipvsadm >/dev/null || lacks ipvsadm
    on_node ip address add "$service4/32" dev lo
    on_node ip address add "$service6/128" dev lo nodad
    on_node ipvsadm --restore <<END
-A -t $service4:80 -s rr
-a -t $service4:80 -r $imds4:80 -m
-A -t [$service6]:80 -s rr
-a -t [$service6]:80 -r [$imds6]:80 -m
END
}

services_lead_to_imds() {
    local address
    for address in $(routed_addresses); do
        reaches a "$(service_of "$address")" "$address" || fail "the Service does not lead to IMDS"
    done
}

services_are_closed() {
    local before address service
    before=$(arrived)
    for address in $(routed_addresses); do
        service=$(service_of "$address")
        ! in_pod a curl --silent --output /dev/null --max-time 1 --interface "$address" \
            "$(url "$service")" || fail "IMDS answers through the Service at $service"
    done
    [ "$(arrived)" = "$before" ] || fail "packets arrive through the Service"
    # The node's own requests are nobody's business, through the Service as without it.
    for address in "$imds4" "$imds6" "$service4" "$service6"; do
        on_node curl --silent --fail --output /dev/null --max-time "$packets_patience" \
            --interface "$(node_address "$address")" "$(url "$address")" ||
            fail "the node itself does not reach $address"
    done
}

# What the node sends from to IMDS. (To an address of its own it would send from that.)
node_address() { # ADDRESS
    local imds=$imds4
    [[ $1 != *:* ]] || imds=$imds6
    on_node ip -o route get "$imds" | sed -n 's/.* src \([^ ]*\) .*/\1/p'
}

# Those that are not translated: IPVS leaves what it sends to no NAT.
routed_addresses() {
    pod_addresses a | grep -v -e '^169\.254\.' -e '^fd00:'
}

service_of() { # ADDRESS: the Service of its family
    case $1 in
    *:*) echo "$service6" ;;
    *) echo "$service4" ;;
    esac
}
