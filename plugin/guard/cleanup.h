/*
 * Cleanup attributes: whoever declares a resource says beside it how it goes away, so that every
 * way out of a function releases it. A variable with a cleanup is always initialised.
 *
 *     cleanup(free_text) char *text = NULL;
 *     cleanup(close_fd) int fd = -1;
 *     ...
 *     *out = steal(&text);          // hands ownership on; the cleanup then sees NULL
 */
#ifndef IMDS_GUARD_CLEANUP_H
#define IMDS_GUARD_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define cleanup(function) __attribute__((cleanup(cleanup_##function)))

/* cleanup(stand) is stand_close, where this says so; and plan_free, of a type that has that. */
#define CLEANUP_BY(type, function)                                                                 \
    static inline void cleanup_##type(struct type *variable)                                       \
    {                                                                                              \
        function(variable);                                                                        \
    }                                                                                              \
    struct type /* for the semicolon */
#define CLEANUP_FREE(type) CLEANUP_BY(type, type##_free)

#define must_use __attribute__((warn_unused_result))

/* free(3) for any pointer variable. Takes the variable's address, hence void *. */
static inline void cleanup_free_text(char **text)
{
    free(*text);
}

static inline void cleanup_free_memory(void *pointer)
{
    free(*(void **)pointer);
}

/* close(2) that leaves errno as it was, so that a cleanup never hides why a function failed. */
static inline void cleanup_close_fd(int *fd)
{
    if (*fd >= 0) {
        int saved = errno;
        close(*fd);
        errno = saved;
    }
}

/* fclose(3) for what was read: nothing is left to be written. */
static inline void cleanup_close_file(FILE **file)
{
    if (*file != NULL) {
        int saved = errno;
        fclose(*file);
        errno = saved;
    }
}

static inline void cleanup_close_directory(DIR **directory)
{
    if (*directory != NULL) {
        int saved = errno;
        closedir(*directory);
        errno = saved;
    }
}

/* Takes what it holds out of a variable with a cleanup, a pointer or a struct; zeros are left. */
#define steal(variable)                                                                            \
    ({                                                                                             \
        __typeof__(variable) stolen_from = (variable);                                             \
        __typeof__(*stolen_from) stolen = *stolen_from;                                            \
        memset(stolen_from, 0, sizeof(*stolen_from));                                              \
        stolen;                                                                                    \
    })

/* The same for a file descriptor. */
static inline int steal_fd(int *fd)
{
    int stolen = *fd;
    *fd = -1;
    return stolen;
}

#endif
