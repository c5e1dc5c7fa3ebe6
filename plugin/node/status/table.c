#include "node/status/status.h"

#include <inttypes.h>
#include <string.h>

#define SHORT_ID  12 /* of a container id, as crictl and docker show it */
#define CELL_SIZE 300

enum column { POD, INTERFACE, VERDICT, PACKETS, BYTES, BACKEND, CONTAINER, COLUMNS };

typedef char cells[COLUMNS][CELL_SIZE];

static const char *const titles[COLUMNS] = {
    "NAMESPACE/POD", "INTERFACE", "VERDICT", "PACKETS", "BYTES", "BACKEND", "CONTAINER",
};

static void fill_pod(const struct status_row *row, cells out)
{
    if (row->pod[0] != '\0')
        snprintf(out[POD], CELL_SIZE, "%s/%s", row->namespace, row->pod);
    else
        snprintf(out[POD], CELL_SIZE, "%s/%s", row->network, row->ifname);
}

static void fill_guard(const struct status_guard *guard, cells out)
{
    snprintf(out[INTERFACE], CELL_SIZE, "%s%s", guard->guard.interface,
             guard->guard.direction == DIRECTION_OUT ? " (out)" : "");
    if (!guard->backend)
        return;
    snprintf(out[VERDICT], CELL_SIZE, "%s", verdict_name(guard->guard.verdict));
    snprintf(out[PACKETS], CELL_SIZE, "%" PRIu64, guard->packets);
    snprintf(out[BYTES], CELL_SIZE, "%" PRIu64, guard->bytes);
    snprintf(out[BACKEND], CELL_SIZE, "%s", guard->backend);
}

/* Line `line` of a row: its guards one below the other, the pod's name before the first. */
static void fill(const struct status_row *row, size_t line, cells out)
{
    for (int column = 0; column < COLUMNS; column++)
        snprintf(out[column], CELL_SIZE, "-");
    out[POD][0] = '\0';
    if (line == 0)
        fill_pod(row, out);
    snprintf(out[CONTAINER], CELL_SIZE, "%.*s", SHORT_ID, row->container_id);
    if (line < row->guard_count)
        fill_guard(&row->guards[line], out);
    if (row->state == STATUS_STATE_UNGUARDED)
        snprintf(out[VERDICT], CELL_SIZE, "UNGUARDED");
    if (row->state == STATUS_STATE_LEFTOVER)
        snprintf(out[VERDICT], CELL_SIZE, "leftover");
}

static size_t line_count(const struct status_row *row)
{
    return row->guard_count > 0 ? row->guard_count : 1;
}

static void measure(const struct status *status, int widths[static COLUMNS])
{
    cells line;

    for (int column = 0; column < COLUMNS; column++)
        widths[column] = (int)strlen(titles[column]);
    for (size_t i = 0; i < status->row_count; i++)
        for (size_t j = 0; j < line_count(&status->rows[i]); j++) {
            fill(&status->rows[i], j, line);
            for (int column = 0; column < COLUMNS; column++)
                if ((int)strlen(line[column]) > widths[column])
                    widths[column] = (int)strlen(line[column]);
        }
}

static void print_line(const int widths[static COLUMNS], cells line, FILE *out)
{
    for (int column = 0; column < COLUMNS; column++) {
        bool number = column == PACKETS || column == BYTES;
        int width = column == CONTAINER ? 0 : widths[column];

        fprintf(out, "%s%*s", column > 0 ? "  " : "", number ? width : -width, line[column]);
    }
}

static void print_row(const struct status_row *row, const int widths[static COLUMNS], bool color,
                      FILE *out)
{
    const char *begin = !color                                 ? ""
                        : row->state == STATUS_STATE_UNGUARDED ? "\033[1;31m"
                        : row->state == STATUS_STATE_LEFTOVER  ? "\033[2m"
                                                               : "";
    const char *end = begin[0] != '\0' ? "\033[0m" : "";
    cells line;

    for (size_t i = 0; i < line_count(row); i++) {
        fill(row, i, line);
        fputs(begin, out);
        print_line(widths, line, out);
        fprintf(out, "%s\n", end);
    }
    if (row->reason[0] != '\0')
        fprintf(out, "%s    %s%s\n", begin, row->reason, end);
}

static void print_summary(const struct status *status, bool color, FILE *out)
{
    size_t guarded = status_count(status, STATUS_STATE_GUARDED);
    size_t unguarded = status_count(status, STATUS_STATE_UNGUARDED);
    size_t leftover = status_count(status, STATUS_STATE_LEFTOVER);
    uint64_t dropped = 0;

    for (size_t i = 0; i < status->row_count; i++)
        for (size_t j = 0; j < status->rows[i].guard_count; j++)
            if (status->rows[i].guards[j].guard.verdict == VERDICT_DROP)
                dropped += status->rows[i].guards[j].packets;
    fprintf(out, "%zu guarded, %s%zu unguarded%s, %zu leftover; %" PRIu64 " packets dropped%s\n",
            guarded, color && unguarded > 0 ? "\033[1;31m" : "", unguarded,
            color && unguarded > 0 ? "\033[0m" : "", leftover, dropped,
            status->complete ? "" : "; not everything could be read");
}

void status_print_table(const struct status *status, bool color, FILE *out)
{
    int widths[COLUMNS];
    cells line;

    measure(status, widths);
    for (int column = 0; column < COLUMNS; column++)
        snprintf(line[column], CELL_SIZE, "%s", titles[column]);
    if (status->row_count > 0) {
        print_line(widths, line, out);
        fputc('\n', out);
    }
    for (size_t i = 0; i < status->row_count; i++)
        print_row(&status->rows[i], widths, color, out);
    for (size_t i = 0; i < status->problems.count; i++)
        fprintf(out, "note: %s\n", status->problems.items[i].text);
    print_summary(status, color, out);
}
