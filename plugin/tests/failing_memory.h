/*
 * Whatever our objects ask for memory with, refused whenever `memory_fails` says so, which whoever
 * includes this has before it. The linker hands our objects the __wrap_ functions (CMakeLists.txt).
 */
#ifndef IMDS_GUARD_TESTS_FAILING_MEMORY_H
#define IMDS_GUARD_TESTS_FAILING_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

static bool memory_fails(void);

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return memory_fails() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size)
{
    return memory_fails() ? NULL : __real_realloc(memory, size);
}

void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return memory_fails() ? NULL : __real_reallocarray(memory, count, size);
}

char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__wrap_strdup(const char *text)
{
    return memory_fails() ? NULL : __real_strdup(text);
}

char *__real_strndup(const char *text, size_t length);
char *__wrap_strndup(const char *text, size_t length);
char *__wrap_strndup(const char *text, size_t length)
{
    return memory_fails() ? NULL : __real_strndup(text, length);
}

int __real_vasprintf(char **out, const char *format, va_list args);
int __wrap_vasprintf(char **out, const char *format, va_list args);
int __wrap_vasprintf(char **out, const char *format, va_list args)
{
    return memory_fails() ? -1 : __real_vasprintf(out, format, args);
}

FILE *__real_open_memstream(char **out, size_t *length);
FILE *__wrap_open_memstream(char **out, size_t *length);
FILE *__wrap_open_memstream(char **out, size_t *length)
{
    return memory_fails() ? NULL : __real_open_memstream(out, length);
}

int __wrap_asprintf(char **out, const char *format, ...);
int __wrap_asprintf(char **out, const char *format, ...)
{
    va_list args;
    int length;

    va_start(args, format);
    length = __wrap_vasprintf(out, format, args);
    va_end(args);
    return length;
}

#endif
