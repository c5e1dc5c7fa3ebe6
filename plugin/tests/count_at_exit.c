/*
 * For the build that measures coverage: counts are written by exit(3), and so would be lost where
 * the program ends with _exit(2). Linked with --wrap=_exit.
 */
#include <stdlib.h>

void __gcov_dump(void); /* gcc's libgcov */
void __real__exit(int status) __attribute__((noreturn));
void __wrap__exit(int status) __attribute__((noreturn));

void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
