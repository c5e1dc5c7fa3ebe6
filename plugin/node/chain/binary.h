/*
 * A binary of ours, judged without running it: no command runs another program.
 */
#ifndef IMDS_GUARD_CHAIN_BINARY_H
#define IMDS_GUARD_CHAIN_BINARY_H

#include <stdbool.h>

#define BINARY_VERSION_SIZE 32

/*
 * Whether `fd` is a whole program of ours for this machine that everybody may run; then *version is
 * what `imds-guard version` would say. `self` is the running one.
 */
bool binary_works(int fd, int self, char version[static BINARY_VERSION_SIZE]);

#endif
