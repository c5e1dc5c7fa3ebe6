/*
 * Library functions and system calls, any one of which can be made to fail: for tests that have
 * every call fail once. Without faulty.at they do what they always do.
 */
#ifndef IMDS_GUARD_TESTS_FAULTY_CALLS_H
#define IMDS_GUARD_TESTS_FAULTY_CALLS_H

#include "failing_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FAULT_PARTLY = -1 }; /* reading and writing take a part of what they should */

static struct {
    unsigned long calls; /* so far, that the error can happen to */
    unsigned long at;    /* this one fails, counted from 1; 0: none */
    int error;           /* with this errno; ENOMEM where memory is asked for */
    bool happened;
} faulty;

static inline void faulty_from_now(unsigned long at, int error)
{
    faulty.calls = 0;
    faulty.at = at;
    faulty.error = error;
    faulty.happened = false;
}

static inline bool faulty_turn(void)
{
    if (++faulty.calls != faulty.at)
        return false;
    faulty.happened = true;
    return true;
}

/* Whether this call fails, and then errno says why. */
static inline bool faulty_call(void)
{
    if (faulty.error == EINTR || faulty.error == FAULT_PARTLY || !faulty_turn())
        return false;
    errno = faulty.error;
    return true;
}

/* The same for one that a signal can interrupt. */
static inline bool faulty_wait(void)
{
    if (faulty.error == FAULT_PARTLY || !faulty_turn())
        return false;
    errno = faulty.error;
    return true;
}

static bool memory_fails(void)
{
    bool fails = faulty_call();

    if (fails)
        errno = ENOMEM;
    return fails;
}

static inline size_t faulty_part(size_t length)
{
    if (faulty.error != FAULT_PARTLY || length < 2 || !faulty_turn())
        return length;
    return length / 2;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return faulty_call() ? -1 : __real_open(path, flags, mode);
}

int __real_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return faulty_call() ? -1 : __real_openat(directory, path, flags, mode);
}

int __real_fstat(int fd, struct stat *out);
int __wrap_fstat(int fd, struct stat *out);
int __wrap_fstat(int fd, struct stat *out)
{
    return faulty_call() ? -1 : __real_fstat(fd, out);
}

int __real_lstat(const char *path, struct stat *out);
int __wrap_lstat(const char *path, struct stat *out);
int __wrap_lstat(const char *path, struct stat *out)
{
    return faulty_call() ? -1 : __real_lstat(path, out);
}

int __real_fstatat(int directory, const char *path, struct stat *out, int flags);
int __wrap_fstatat(int directory, const char *path, struct stat *out, int flags);
int __wrap_fstatat(int directory, const char *path, struct stat *out, int flags)
{
    return faulty_call() ? -1 : __real_fstatat(directory, path, out, flags);
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
    return faulty_call() ? -1 : __real_access(path, mode);
}

int __real_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode)
{
    return faulty_call() ? -1 : __real_fchmod(fd, mode);
}

/* No test pulls the plug, and to wait for the disk thousands of times takes minutes. */
int __wrap_fsync(int fd);
int __wrap_fsync(int fd)
{
    (void)fd;
    return faulty_call() ? -1 : 0;
}

int __real_mkdirat(int directory, const char *path, mode_t mode);
int __wrap_mkdirat(int directory, const char *path, mode_t mode);
int __wrap_mkdirat(int directory, const char *path, mode_t mode)
{
    return faulty_call() ? -1 : __real_mkdirat(directory, path, mode);
}

int __real_unlinkat(int directory, const char *path, int flags);
int __wrap_unlinkat(int directory, const char *path, int flags);
int __wrap_unlinkat(int directory, const char *path, int flags)
{
    return faulty_call() ? -1 : __real_unlinkat(directory, path, flags);
}

int __real_renameat(int from, const char *old, int to, const char *new_name);
int __wrap_renameat(int from, const char *old, int to, const char *new_name);
int __wrap_renameat(int from, const char *old, int to, const char *new_name)
{
    return faulty_call() ? -1 : __real_renameat(from, old, to, new_name);
}

int __real_renameat2(int from, const char *old, int to, const char *new_name, unsigned flags);
int __wrap_renameat2(int from, const char *old, int to, const char *new_name, unsigned flags);
int __wrap_renameat2(int from, const char *old, int to, const char *new_name, unsigned flags)
{
    return faulty_call() ? -1 : __real_renameat2(from, old, to, new_name, flags);
}

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
    return faulty_wait() ? -1 : __real_flock(fd, operation);
}

ssize_t __real_read(int fd, void *bytes, size_t length);
ssize_t __wrap_read(int fd, void *bytes, size_t length);
ssize_t __wrap_read(int fd, void *bytes, size_t length)
{
    return faulty_wait() ? -1 : __real_read(fd, bytes, faulty_part(length));
}

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
    return faulty_wait() ? -1 : __real_write(fd, bytes, faulty_part(length));
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
    return faulty_call() ? NULL : __real_opendir(path);
}

struct dirent *__real_readdir(DIR *directory);
struct dirent *__wrap_readdir(DIR *directory);
struct dirent *__wrap_readdir(DIR *directory)
{
    return faulty_call() ? NULL : __real_readdir(directory);
}

#endif
