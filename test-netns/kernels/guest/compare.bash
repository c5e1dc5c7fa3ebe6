#!/bin/bash
# What AWS's rules leave reachable on this kernel, and what the guard does: ../../compare.sh, as it is.
# shellcheck source=checks.bash
. "$(dirname "$0")/checks.bash"

compared() {
    bash "$BATS_TEST_DIRNAME/compare.sh" >/run/table
    sed 's/^/none compare says: /' /run/table >&9
    grep -qF '**reachable** |' /run/table || fail "nothing is reachable anywhere: this proves nothing"
    ! grep -vE '(^\| pod .*|^\| ---.*|\| blocked \| blocked \|)$' /run/table || fail "reachable with the guard"
}

load_legacy
BACKEND=none
holds compare compared
ended
