/*
 * A CNI verb if a runtime calls, an operator's command if a person does. The only place that exits.
 */
#include "cni/cni.h"
#include "node/commands/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* The most that glibc takes for it (HEAP_MAX_SIZE, malloc/arena.c). */
#define MMAP_AT_LEAST (32 << 20)

/*
 * A standard descriptor that the caller has closed would go to the next file or netlink socket we
 * open, and a result meant for the runtime would be written into it. Opened the wrong way round it
 * fails every read and write, as a closed one does.
 */
static bool standard_descriptors_are_taken(void)
{
    struct pollfd standard[] = {{.fd = STDIN_FILENO}, {.fd = STDOUT_FILENO}, {.fd = STDERR_FILENO}};

    if (poll(standard, 3, 0) < 0)
        return false;
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if ((standard[fd].revents & POLLNVAL) &&
            open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            return false;
    }
    return true;
}

/*
 * Set-uid, a user could choose the namespace, the configuration and the lock file. The kernel has
 * told each program who it is when it started it (getauxval(3)). Not AT_SECURE: a change of SELinux
 * domain sets that too, which is how some runtimes start plugins.
 */
static bool is_set_uid(void)
{
    return getauxval(AT_UID) != getauxval(AT_EUID) || getauxval(AT_GID) != getauxval(AT_EGID);
}

/* People try options before they read. */
static const char *command_name(const char *argument)
{
    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0)
        return "help";
    return strcmp(argument, "--version") == 0 ? "version" : argument;
}

/* Not success: whoever called without saying what for must not believe that it was done. */
static int explain(void)
{
    fputs("imds-guard is a CNI plugin: container runtimes call it, with CNI_COMMAND set, to keep\n"
          "pods from the EC2 instance metadata service. For what you can do with it: imds-guard "
          "help\n",
          stderr);
    return EXIT_USAGE;
}

/* What stdio could not write on the way is lost, even if the rest goes through. */
static bool said_it_all(void)
{
    bool lost = ferror(stdout) != 0;

    if (fflush(stdout) == 0 && !lost)
        return true;
    fprintf(stderr, "imds-guard: write to standard output: %s\n",
            lost ? "a part of the answer is lost" : strerror(errno));
    return false;
}

static int run_command(int argc, char **argv)
{
    const struct command *command = command_find(command_name(argv[1]));
    int code;

    if (!command) {
        fprintf(stderr, "imds-guard: there is no command \"%s\"; see imds-guard help\n", argv[1]);
        return EXIT_USAGE;
    }
    code = command->run(argc - 1, argv + 1, stdout, stderr);
    return said_it_all() || code != EXIT_OK ? code : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    if (!standard_descriptors_are_taken())
        return EXIT_FAILED;
    if (is_set_uid()) {
        fputs("imds-guard: refuses to run set-uid or set-gid\n", stderr);
        return EXIT_FAILED;
    }
    /* A reader that has gone away is an error of write(2), after which ADD undoes its guard. */
    signal(SIGPIPE, SIG_IGN);
    if (cni_is_called(environ, argc > 1)) {
        /* An answer is one line and goes out at once; with a buffer of its own choice, stdio would
         * look first what it writes to (setbuf(3)), and lose what a signal interrupts. */
        setvbuf(stdout, NULL, _IONBF, 0);
        /* A verb is over in a moment. What it has freed is used again: to hand pages back and take new
         * ones is dear, and a legacy table of a thousand rules has hundreds. */
        mallopt(M_MMAP_THRESHOLD, MMAP_AT_LEAST);
        mallopt(M_TRIM_THRESHOLD, INT_MAX);
        return cni_run(environ, STDIN_FILENO, stdout, stderr);
    }
    return argc > 1 ? run_command(argc, argv) : explain();
}
