# What the kernel of a private world holds: our guards, and everybody else's rules. Sourced by
# world.bash, where its functions are listed.

# Our guards as the kernel's own tools show them, but for those that have a part of a second left, sorted,
# one a line:
#   BACKEND FAMILIES in INTERFACE drop|reject|pass PACKETS TAG…
# A guard of the iptables backend is two lines, for family 4 and for family 6.
guards() {
    local names
    {
        guards_nftables
        # Looking at a table that is not there would make it.
        for names in $(on_node grep -slx mangle /proc/net/ip{,6}_tables_names); do
            case $names in
            */ip_tables_names) guards_iptables 4 ;;
            *) guards_iptables 6 ;;
            esac
        done
    } | sort
}

# Those of one pod (or of another network: NETWORK).
guards_of() { # POD
    local guard owner
    owner=${NETWORK:-aws-cni}/$(pod_container "$1")/
    while read -r guard; do
        [[ $guard != *" $owner"* ]] || echo "$guard"
    done < <(guards)
}

guards_nftables() {
    # Of others' tables some nft(8) say more than JSON.
    { on_node nft -j list table inet imds_guard 2>/dev/null || true; } | jq -r '[.nftables[].map
        | select(. and .name == "guards")][].elem // [] | .[]
        | .[0].elem as $key | select($key.timeout != 0) | .[1] as $verdict
        | ($verdict.goto.target // ($verdict | keys[0])) as $target
        | ["nftables", "46", "in", $key.val,
           {refuse: "reject", accept: "pass", return: "pass"}[$target] // $target,
           $key.counter.packets // "-", $key.comment // "-"] | join(" ")'
}

guards_iptables() { # FAMILY
    local tool=iptables
    [ "$1" = 4 ] || tool=ip6tables
    on_node "$tool-legacy-save" -c -t mangle | sed -n -E '
        s/^\[([0-9]+):[0-9]+\] -A IMDS-GUARD -i ([^ ]+) .*--comment "([^"]*)".* -j ([A-Z]+)$/in \2 \4 \1 \3/
        T; s/^/iptables '"$1"' /; s/ DROP / drop /; s/ RETURN / pass /; p'
}

# Packets that hit the guards of a pod, by verdict (a pattern).
guard_hits() { # POD drop|reject|pass
    local verdict packets sum=0
    while read -r _ _ _ _ verdict packets _; do
        # shellcheck disable=SC2254 # a pattern
        [[ ! $verdict =~ ^($2)$ ]] || sum=$((sum + ${packets/-/0}))
    done < <(guards_of "$1")
    echo "$sum"
}

# Every rule on the node that is not ours, without counters.
others_rules() {
    on_node nft --stateless list ruleset 2>/dev/null |
        awk '/^table inet imds_guard/ { ours = 1 } !ours { print } /^}/ { ours = 0 }'
    others_rules_legacy 4
    others_rules_legacy 6
}

others_rules_legacy() { # FAMILY
    local tool=iptables names=ip_tables_names table
    [ "$1" = 4 ] || tool=ip6tables names=ip6_tables_names
    while read -r table; do
        on_node "$tool-legacy-save" -t "$table" | sed -n -E "/IMDS-GUARD/d; /^:.* ACCEPT /d
            s/^:([^ ]+ [^ ]+).*/$1 $table :\1/p; s/^-A/$1 $table -A/p"
    done < <(on_node cat "/proc/net/$names" 2>/dev/null)
}

# Packets that hit the rule for who has no guard, over all backends and families.
others_hits() {
    {
        on_node nft -j list ruleset | jq -r '.nftables[].rule
            | select(. and .table == "imds_guard" and .chain == "judge").expr[].counter.packets // empty'
        for tool in iptables ip6tables; do
            ! on_node grep -qsx mangle "/proc/net/${tool/tables/_tables}_names" ||
                on_node "$tool-legacy-save" -c -t mangle |
                sed -n -E 's/^\[([0-9]+):[0-9]+\] -A IMDS-GUARD -j [A-Z]+$/\1/p'
        done
    } | awk '{ sum += $1 } END { print sum + 0 }'
}
