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

static void fill_counters(const char *backend, uint64_t packets, uint64_t bytes, cells out)
{
    snprintf(out[PACKETS], CELL_SIZE, "%" PRIu64, packets);
    snprintf(out[BYTES], CELL_SIZE, "%" PRIu64, bytes);
    snprintf(out[BACKEND], CELL_SIZE, "%s", backend);
}

/* What stands for the verdict where the row is not simply guarded; NULL where it is. */
static const char *word_for(const struct status_row *row, size_t line)
{
    static const char *const words[STATUS_STATES] = {
        [STATUS_STATE_DETACHED] = "no interface",
        [STATUS_STATE_LEFTOVER] = "leftover",
        [STATUS_STATE_UNGUARDED] = "no guard",
        [STATUS_STATE_WRONG] = "WRONG",
        [STATUS_STATE_OPEN] = "OPEN",
    };
    const bool held = line < row->guard_count && row->guards[line].backend;

    return row->state == STATUS_STATE_UNGUARDED && held ? NULL : words[row->state];
}

static void clear(cells out)
{
    for (int column = 0; column < COLUMNS; column++)
        snprintf(out[column], CELL_SIZE, "-");
}

/* Line `line` of a row: its guards one below the other, the pod's name before the first. */
static void fill(const struct status_row *row, size_t line, cells out)
{
    clear(out);
    out[POD][0] = '\0';
    if (line == 0)
        fill_pod(row, out);
    snprintf(out[CONTAINER], CELL_SIZE, "%.*s", SHORT_ID, row->container_id);
    if (line < row->guard_count) {
        const struct status_guard *guard = &row->guards[line];

        snprintf(out[INTERFACE], CELL_SIZE, "%s", guard->guard.interface);
        if (guard->backend) {
            snprintf(out[VERDICT], CELL_SIZE, "%s", verdict_name(guard->guard.verdict));
            fill_counters(guard->backend, guard->packets, guard->bytes, out);
        }
    }
    if (word_for(row, line))
        snprintf(out[VERDICT], CELL_SIZE, "%s", word_for(row, line));
}

static void fill_others(const struct status_others *others, cells out)
{
    clear(out);
    snprintf(out[POD], CELL_SIZE, "(others)");
    snprintf(out[INTERFACE], CELL_SIZE, "any other");
    snprintf(out[VERDICT], CELL_SIZE, "%s",
             others->in_force ? verdict_name(others->others.verdict) : "DAMAGED");
    fill_counters(others->backend, others->others.packets, others->others.bytes, out);
}

#define BRIGHT_RED "\033[1;31m"
#define YELLOW     "\033[33m"
#define DIM        "\033[2m"
#define PLAIN      "\033[0m"

/* What ends a text that `begin` has begun. */
static const char *end_of(const char *begin)
{
    return begin[0] != '\0' ? PLAIN : "";
}

/* Without `out` it only says how wide the columns have to be. */
static void print_line(int widths[static COLUMNS], cells line, const char *begin, FILE *out)
{
    for (int column = 0; column < COLUMNS && !out; column++)
        if ((int)strlen(line[column]) > widths[column])
            widths[column] = (int)strlen(line[column]);
    if (!out)
        return;
    fputs(begin, out);
    for (int column = 0; column < COLUMNS; column++) {
        bool number = column == PACKETS || column == BYTES;
        int width = column == CONTAINER ? 0 : widths[column];

        fprintf(out, "%s%*s", column > 0 ? "  " : "", number ? width : -width, line[column]);
    }
    fprintf(out, "%s\n", end_of(begin));
}

static void print_row(const struct status_row *row, int widths[static COLUMNS], bool color,
                      FILE *out)
{
    static const char *const colors[STATUS_STATES] = {
        [STATUS_STATE_GUARDED] = "",       [STATUS_STATE_DETACHED] = DIM,
        [STATUS_STATE_LEFTOVER] = DIM,     [STATUS_STATE_UNGUARDED] = YELLOW,
        [STATUS_STATE_WRONG] = BRIGHT_RED, [STATUS_STATE_OPEN] = BRIGHT_RED,
    };
    const char *begin = color ? colors[row->state] : "";
    cells line;

    for (size_t i = 0; i < row->guard_count || i == 0; i++) {
        fill(row, i, line);
        print_line(widths, line, begin, out);
    }
    if (out && row->reason[0] != '\0')
        fprintf(out, "%s    %s%s\n", begin, row->reason, end_of(begin));
}

static void print_lines(const struct status *status, int widths[static COLUMNS], bool color,
                        FILE *out)
{
    cells line;

    for (int column = 0; column < COLUMNS; column++)
        snprintf(line[column], CELL_SIZE, "%s", titles[column]);
    if (status->row_count + status->others_count > 0)
        print_line(widths, line, "", out);
    for (size_t i = 0; i < status->row_count; i++)
        print_row(&status->rows[i], widths, color, out);
    for (size_t i = 0; i < status->others_count; i++) {
        fill_others(&status->others[i], line);
        print_line(widths, line, "", out);
    }
}

/* Packets that did not get through, whoever's. */
static uint64_t denied(const struct status *status)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < status->row_count; i++)
        sum += status_denied(&status->rows[i]);
    for (size_t i = 0; i < status->others_count; i++)
        if (verdict_denies(status->others[i].others.verdict))
            sum += status->others[i].others.packets;
    for (size_t i = 0; i < status->fence.listing.uplink_count; i++)
        sum += status->fence.listing.uplinks[i].stopped;
    return sum;
}

/* Nothing where it is off and nothing is left of it. */
static void print_fence(const struct status_fence *fence, FILE *out)
{
    if (fence->wanted == EXIT_FENCE_OFF && !fence->listing.stands)
        return;
    if (fence->reason && !fence->listing.stands)
        fprintf(out, "no exit fence: %s\n", fence->reason);
    for (size_t i = 0; i < fence->listing.uplink_count && fence->listing.stands; i++) {
        const struct fence_uplink *uplink = &fence->listing.uplinks[i];

        fprintf(out, "exit fence on %s: ", uplink->name);
        if (uplink->place == 0)
            fprintf(out, "not there\n");
        else
            fprintf(out, "%s%s%s; %" PRIu64 " packets stopped, %" PRIu64 " passed\n",
                    uplink->place == 1 ? "first" : "behind another program",
                    uplink->current ? "" : ", of another version",
                    uplink->sockets ? "" : ", blind to macvlan and ipvlan", uplink->stopped,
                    uplink->passed);
    }
    for (size_t i = 0; i < fence->listing.incoming_count; i++) {
        const struct fence_incoming *incoming = &fence->listing.incoming[i];

        if (incoming->stopped > 0 || incoming->passed > 0)
            fprintf(out, "    through %s: %" PRIu64 " packets stopped, %" PRIu64 " passed\n",
                    incoming->index == 0        ? "macvlan, ipvlan and the like"
                    : incoming->name[0] != '\0' ? incoming->name
                                                : "an interface that is gone",
                    incoming->stopped, incoming->passed);
    }
}

/* What they have asked before nobody knows. */
static void print_unchained(const struct status *status, FILE *out)
{
    const char *before = "started without imds-guard in their chain: ";
    cells line;

    for (size_t i = 0; i < status->row_count; i++) {
        if (!status->rows[i].unchained)
            continue;
        fill_pod(&status->rows[i], line);
        fprintf(out, "%s%s", before, line[POD]);
        before = ", ";
    }
    if (before[0] == ',')
        fputc('\n', out);
}

/* Of guarded and open ones it says how many there are, of others only if there are any. */
static void print_summary(const struct status *status, bool color, FILE *out)
{
    for (int i = 0; i < STATUS_STATES; i++) {
        enum status_state state = (enum status_state)i;
        size_t count = status_count(status, state);
        const char *begin = color && count > 0 && state >= STATUS_STATE_WRONG ? BRIGHT_RED : "";

        if (count > 0 || state == STATUS_STATE_GUARDED || state == STATUS_STATE_OPEN)
            fprintf(out, "%s%s%zu %s%s", i > 0 ? ", " : "", begin, count, status_state_name(state),
                    end_of(begin));
    }
    fprintf(out, "; %" PRIu64 " packets denied%s\n", denied(status),
            status->complete ? "" : "; not everything could be read");
}

void status_print_table(const struct status *status, bool color, FILE *out)
{
    int widths[COLUMNS] = {0};

    print_lines(status, widths, color, NULL);
    print_lines(status, widths, color, out);
    print_fence(&status->fence, out);
    print_unchained(status, out);
    for (size_t i = 0; i < status->problems.count; i++)
        fprintf(out, "note: %s\n", status->problems.items[i].text);
    print_summary(status, color, out);
}
