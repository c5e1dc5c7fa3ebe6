#include "guard/glob.h"
#include "node/status/row.h"

#include <string.h>

uint64_t status_denied(const struct status_row *row)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < row->guard_count; i++)
        if (verdict_denies(row->guards[i].guard.verdict))
            sum += row->guards[i].packets;
    return sum;
}

static bool is_named(const struct status_row *row, char *const *names, int count)
{
    cleanup(free_text) char *name = NULL;

    if (asprintf(&name, "%s/%s", row->namespace, row->pod) < 0) {
        name = NULL;
        return true;
    }
    for (int i = 0; i < count; i++)
        if (glob_matches(names[i], strchr(names[i], '/') ? name : row->pod))
            return true;
    return false;
}

static void keep(struct status *status,
                 bool (*wanted)(const struct status_row *row, char *const *names, int count),
                 char *const *names, int count)
{
    size_t kept = 0;

    for (size_t i = 0; i < status->row_count; i++)
        if (wanted(&status->rows[i], names, count))
            status->rows[kept++] = status->rows[i];
        else
            status_row_free(&status->rows[i]);
    status->row_count = kept;
}

void status_keep_named(struct status *status, char *const *names, int count)
{
    keep(status, is_named, names, count);
}

static bool is_denied(const struct status_row *row, char *const *names, int count)
{
    (void)names;
    (void)count;
    return status_denied(row) > 0;
}

static int by_denied(const void *left, const void *right)
{
    uint64_t a = status_denied(left), b = status_denied(right);

    return a > b ? -1 : a < b;
}

void status_keep_denied(struct status *status)
{
    keep(status, is_denied, NULL, 0);
    if (status->row_count > 0)
        qsort(status->rows, status->row_count, sizeof(*status->rows), by_denied);
}
