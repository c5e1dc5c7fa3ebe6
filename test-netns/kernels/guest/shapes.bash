#!/bin/bash
# Every shape of pod, before the guard and with it, on both backends: wired once, guarded by one backend
# and then by the other. The whole chain, with sync and DEL, for one of them.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"

wired() { # SHAPE
    case $1 in branch-*) needs_module 8021q ;; esac
    node_new
    conflist_plain "$1"
    pod_add a
    assert_imds_answers a
}

guarded() { # SHAPE
    conflist "$1"
    plugin ADD a
    assert_guards a drop
    assert_imds_silent a
    the_rest_answers
    assert_quiet plugin CHECK a
    assert_quiet plugin DEL a
    assert_no_guards
    on_node "$IMDS_GUARD" flush --yes
}

the_rest_answers() {
    case $(pod_addresses a) in
    *.*.*.*) reaches a 203.0.113.10 ;;
    *) reaches a 2001:db8:1::10 ;;
    esac
}

whole_chain() {
    local others
    node_new
    others=$(others_rules)
    conflist regular
    pod_add a
    assert_guards a drop
    pod_check a
    on_node "$IMDS_GUARD" flush --yes
    on_node "$IMDS_GUARD" sync
    assert_guards a drop
    assert_imds_silent a
    pod_check a
    pod_del a
    assert_no_guards
    [ "$(others_rules)" = "$others" ]
}

world_start
load_legacy
[ -z "${SHAPES:-}" ] || IFS=, read -ra world_shapes <<<"$SHAPES"
for shape in "${world_shapes[@]}"; do
    BACKEND=none holds "$shape" wired "$shape" && each_backend holds "$shape" guarded "$shape"
done
each_backend holds chain whole_chain
ended
