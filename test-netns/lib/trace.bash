# Before each command bats notes where it is, for its message of what has failed. In our helpers that takes
# more time than all they do, and the line of the test that has called one is enough. Sourced by bats files.

if declare -F bats_setup_tracing >/dev/null; then
    eval "bats_$(declare -f bats_setup_tracing)"
    bats_setup_tracing() {
        bats_bats_setup_tracing
        # Now only functions that are marked inherit the trap: the test's own, and who calls them. Not every
        # version of bats has all of these.
        set +o functrace
        declare -ft bats_perform_test bats_test_begin bats_teardown_trap \
            "$BATS_TEST_NAME" setup teardown 2>/dev/null || true
    }
fi
