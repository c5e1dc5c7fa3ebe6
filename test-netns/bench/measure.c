/*
 * Times processes from just before they are started until they have ended.
 *
 *     measure [--at-once] ROUNDS <SCRIPT
 *
 * The script says what to run, a word and a value a line, each kind of line about what is above it:
 *
 *     contender NAME
 *     netns FILE      the network namespace that all its processes run in
 *     step NAME       one process of the contender; of several in a row with the same name, each
 *                     counts, or with --at-once all are started together and timed as one
 *     run ARGUMENT    first the program's path, then its arguments
 *     env NAME=VALUE  it gets these and no others
 *     input FILE      its standard input, through a pipe, as a runtime gives it
 *
 * In each round every contender has one turn, in which it takes all its steps; who begins changes
 * from round to round, so that what else the machine does hits all alike. A round before the first
 * is not counted, but for --at-once, where there is none. A process that fails ends it all, and
 * what it said is told.
 *
 * Prints a line a contender and step, tab-separated: contender, step, microseconds (median, 95th
 * percentile, least), and the medians for one process: peak resident KiB, page faults, microseconds
 * in user and in system mode.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define ARGUMENTS_MAX  8
#define VARIABLES_MAX  12
#define STEPS_MAX      512
#define CONTENDERS_MAX 16
#define GROUPS_MAX     8

#define BETWEEN_TURNS_NS 5000000

enum { TIME, RESIDENT, FAULTS, USER, SYSTEM, KINDS };

/* Samples of the steps with one name. */
struct group {
    const char *name;
    int64_t *samples[KINDS];
    size_t count;
    size_t room;
};

struct step {
    struct group *group;
    char *arguments[ARGUMENTS_MAX + 1];
    char *variables[VARIABLES_MAX + 1];
    char *input;
    size_t input_length;
    pid_t process;
    int answer;
};

struct contender {
    char *name;
    int netns; /* -1: measure's own */
    struct step *steps[STEPS_MAX];
    size_t step_count;
    struct group groups[GROUPS_MAX];
    size_t group_count;
};

static struct contender contenders[CONTENDERS_MAX];
static size_t contender_count;

static void die(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void misread(const char *line)
{
    fprintf(stderr, "measure: not understood, or too much of it: %s\n", line);
    exit(2);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory)
        die("calloc");
    return memory;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* --- the script
 * ----------------------------------------------------------------------------------- */

static void load_input(struct step *step, const char *path)
{
    struct stat about;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &about) < 0)
        die(path);
    step->input = allocate((size_t)about.st_size + 1);
    if (read(fd, step->input, (size_t)about.st_size) != about.st_size)
        die(path);
    step->input_length = (size_t)about.st_size;
    close(fd);
}

static struct group *find_group(struct contender *contender, const char *name)
{
    for (size_t i = 0; i < contender->group_count; i++)
        if (strcmp(contender->groups[i].name, name) == 0)
            return &contender->groups[i];
    if (contender->group_count == GROUPS_MAX)
        misread(name);
    contender->groups[contender->group_count].name = strdup(name);
    return &contender->groups[contender->group_count++];
}

static void append(char **list, size_t max, const char *value)
{
    size_t count = 0;

    while (list[count])
        count++;
    if (count == max)
        misread(value);
    list[count] = strdup(value);
}

static void read_line(const char *word, const char *value, const char *line)
{
    struct contender *contender = contender_count ? &contenders[contender_count - 1] : NULL;
    struct step *step =
        contender && contender->step_count ? contender->steps[contender->step_count - 1] : NULL;

    if (strcmp(word, "contender") == 0 && contender_count < CONTENDERS_MAX) {
        contenders[contender_count++] = (struct contender){.name = strdup(value), .netns = -1};
    } else if (strcmp(word, "netns") == 0 && contender) {
        contender->netns = open(value, O_RDONLY | O_CLOEXEC);
        if (contender->netns < 0)
            die(value);
    } else if (strcmp(word, "step") == 0 && contender && contender->step_count < STEPS_MAX) {
        step = contender->steps[contender->step_count++] = allocate(sizeof(*step));
        step->group = find_group(contender, value);
    } else if (strcmp(word, "run") == 0 && step) {
        append(step->arguments, ARGUMENTS_MAX, value);
    } else if (strcmp(word, "env") == 0 && step) {
        append(step->variables, VARIABLES_MAX, value);
    } else if (strcmp(word, "input") == 0 && step) {
        load_input(step, value);
    } else {
        misread(line);
    }
}

static void read_script(FILE *in)
{
    char line[LINE_MAX_BYTES];

    while (fgets(line, sizeof(line), in)) {
        char *value;

        line[strcspn(line, "\n")] = '\0';
        value = strchr(line, ' ');
        if (!value)
            misread(line);
        *value++ = '\0';
        read_line(line, value, line);
    }
}

/* --- one process
 * ---------------------------------------------------------------------------------- */

/* What the step reads: whole in a pipe, before it starts. */
static int give_input(const struct step *step)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        die("pipe2");
    if (write(ends[1], step->input, step->input_length) != (ssize_t)step->input_length)
        die("write to a pipe");
    close(ends[1]);
    return ends[0];
}

static void start(struct step *step)
{
    posix_spawn_file_actions_t actions;
    int input = give_input(step);
    int problem;

    step->answer = memfd_create("answer", MFD_CLOEXEC);
    if (step->answer < 0)
        die("memfd_create");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, step->answer, STDOUT_FILENO);
    problem = posix_spawn(&step->process, step->arguments[0], &actions, NULL, step->arguments,
                          step->variables);
    if (problem) {
        errno = problem;
        die(step->arguments[0]);
    }
    posix_spawn_file_actions_destroy(&actions);
    close(input);
}

static void tell_failure(const struct contender *contender, const struct step *step, int status)
{
    char text[4096];
    ssize_t length = pread(step->answer, text, sizeof(text) - 1, 0);

    text[length > 0 ? length : 0] = '\0';
    fprintf(stderr, "measure: %s, %s: wait status %#x: %s\n", contender->name, step->group->name,
            (unsigned)status, text);
    exit(1);
}

static void await(const struct contender *contender, struct step *step, struct rusage *usage)
{
    int status;

    if (wait4(step->process, &status, 0, usage) < 0)
        die("wait4");
    if (status != 0)
        tell_failure(contender, step, status);
    close(step->answer);
}

/* --- rounds
 * --------------------------------------------------------------------------------------- */

static int64_t microseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

static void note(struct group *group, int64_t time, const struct rusage *usage)
{
    int64_t values[KINDS] = {time, usage->ru_maxrss, usage->ru_minflt,
                             microseconds(&usage->ru_utime), microseconds(&usage->ru_stime)};

    if (group->count == group->room) {
        group->room = group->room ? group->room * 2 : 64;
        for (int kind = 0; kind < KINDS; kind++) {
            group->samples[kind] =
                realloc(group->samples[kind], group->room * sizeof(*group->samples[kind]));
            if (!group->samples[kind])
                die("realloc");
        }
    }
    for (int kind = 0; kind < KINDS; kind++)
        group->samples[kind][group->count] = values[kind];
    group->count++;
}

/* Takes `count` steps together; what is noted beside the time is the last one's. */
static void take_steps(struct contender *contender, struct step **steps, size_t count, bool counts)
{
    struct rusage usage;
    int64_t began = now_ns();
    int64_t ended;

    for (size_t i = 0; i < count; i++)
        start(steps[i]);
    for (size_t i = 0; i < count; i++)
        await(contender, steps[i], &usage);
    ended = now_ns();
    if (counts)
        note(steps[0]->group, ended - began, &usage);
}

/* Long enough for what the one before has let go to be gone; awake, as if there were none. */
static void pass_time(void)
{
    int64_t until = now_ns() + BETWEEN_TURNS_NS;

    while (now_ns() < until)
        ;
}

static void take_turn(struct contender *contender, bool at_once, bool counts)
{
    pass_time();
    if (contender->netns >= 0 && setns(contender->netns, CLONE_NEWNET) < 0)
        die("setns");
    for (size_t i = 0, count; i < contender->step_count; i += count) {
        count = 1;
        while (at_once && i + count < contender->step_count &&
               contender->steps[i + count]->group == contender->steps[i]->group)
            count++;
        take_steps(contender, contender->steps + i, count, counts);
    }
}

/* --- the report
 * ----------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

static void report(const struct contender *contender, const struct group *group)
{
    size_t middle = group->count / 2;
    size_t high = group->count * 95 / 100;

    for (int kind = 0; kind < KINDS; kind++)
        qsort(group->samples[kind], group->count, sizeof(*group->samples[kind]), compare);
    printf("%s\t%s", contender->name, group->name);
    for (size_t at = 0; at < 3; at++)
        printf("\t%.1f", (double)group->samples[TIME][(size_t[]){middle, high, 0}[at]] / 1000);
    for (int kind = RESIDENT; kind < KINDS; kind++)
        printf("\t%lld", (long long)group->samples[kind][middle]);
    putchar('\n');
}

int main(int argc, char **argv)
{
    bool at_once = argc == 3 && strcmp(argv[1], "--at-once") == 0;
    long rounds = argc >= 2 ? atol(argv[argc - 1]) : 0;

    if (rounds <= 0 || (argc != 2 && !at_once)) {
        fputs("usage: measure [--at-once] ROUNDS <SCRIPT\n", stderr);
        return 2;
    }
    read_script(stdin);
    for (long round = at_once ? 1 : 0; round <= rounds; round++)
        for (size_t i = 0; i < contender_count; i++)
            take_turn(&contenders[(i + (size_t)round) % contender_count], at_once, round > 0);
    for (size_t i = 0; i < contender_count; i++)
        for (size_t j = 0; j < contenders[i].group_count; j++)
            report(&contenders[i], &contenders[i].groups[j]);
    return 0;
}
