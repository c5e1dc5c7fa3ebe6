#include "kernel/fence/stand.h"

#include <errno.h>
#include <string.h>

void stand_close(struct stand *stand)
{
    maps_close(&stand->maps);
}

/* The program at `i`; one that has gone meanwhile is nobody's. */
static int look_at_program(struct stand *stand, uint32_t i, struct error *err)
{
    cleanup(close_fd) int program = bpf_open_program(stand->tcx.ids[i]);
    struct bpf_prog_info info;
    uint32_t no_maps = 0;

    if (program < 0 && errno == ENOENT)
        return 0;
    if (program < 0 || bpf_program_info(program, &info, NULL, &no_maps) < 0)
        return bpf_failed("look at a link's egress program", err);
    if (!program_is_ours(info.name))
        return 0;
    stand->ours[i] = true;
    if (stand->count++ > 0)
        return 0;
    stand->place = i + 1;
    memcpy(stand->name, info.name, sizeof(stand->name));
    stand->name[sizeof(stand->name) - 1] = '\0';
    return maps_of(program, &stand->maps, err);
}

bool stand_is_possible(void)
{
    struct tcx tcx;

    return tcx_query(LOOPBACK, &tcx) == 0 || !tcx_is_missing(errno);
}

int stand_need(struct error *err)
{
    if (stand_is_possible())
        return 0;
    return error_set(err, ERROR_KERNEL,
                     "the kernel has no tcx, which an exit fence needs: Linux 6.6 or newer has it");
}

int stand_look(const struct uplink *link, struct stand *out, struct error *err)
{
    cleanup(stand) struct stand stand = {0};

    if (tcx_query(link->index, &stand.tcx) < 0) {
        stand.gone = errno == ENODEV;
        if (!stand.gone) {
            bpf_failed("list a link's egress programs", err);
            return error_context(err, "exit fence on %s", link->name);
        }
    }
    for (uint32_t i = 0; i < stand.tcx.count; i++)
        if (look_at_program(&stand, i, err) < 0)
            return error_context(err, "exit fence on %s", link->name);
    *out = steal(&stand);
    return 0;
}

bool stand_is_right(const struct stand *stand, const struct uplink *link)
{
    struct program_kind kind;

    return stand->place == 1 && stand->count == 1 &&
           program_is_current(stand->name, link->ethernet, &kind);
}

static int detach(int link, uint32_t id, struct error *err)
{
    cleanup(close_fd) int program = bpf_open_program(id);

    if ((program >= 0 && tcx_detach(link, program) == 0) || errno == ENOENT || errno == ENODEV)
        return 0;
    return bpf_failed("take the exit fence's program away", err);
}

/* Attaches what has been loaded; the place that is replaced is the first. */
static int attach(const struct stand *stand, int program, bool *lost, struct error *err)
{
    cleanup(close_fd) int replaced = -1;

    *lost = false;
    if (stand->place == 1) {
        replaced = bpf_open_program(stand->tcx.ids[0]);
        *lost = replaced < 0 && errno == ENOENT;
        if (*lost)
            return 0;
        if (replaced < 0)
            return bpf_failed("find the exit fence's program", err);
    }
    if (tcx_attach(&stand->tcx, program, replaced) == 0)
        return 0;
    *lost = errno == ESTALE || errno == ENOENT || errno == ENODEV;
    return *lost ? 0 : bpf_failed("attach the exit fence's program", err);
}

int stand_put(const struct stand *stand, const struct uplink *link, const struct maps *maps,
              bool *lost, struct error *err)
{
    cleanup(close_fd) int program = -1;

    if (program_load(link->ethernet, maps, &program, err) < 0 ||
        attach(stand, program, lost, err) < 0)
        return -1;
    for (uint32_t i = stand->place == 1 ? 1 : 0; i < stand->tcx.count && !*lost; i++)
        if (stand->ours[i] && detach(stand->tcx.link, stand->tcx.ids[i], err) < 0)
            return -1;
    return 0;
}

int stand_remove(const struct stand *stand, struct error *err)
{
    for (uint32_t i = 0; i < stand->tcx.count; i++)
        if (stand->ours[i] && detach(stand->tcx.link, stand->tcx.ids[i], err) < 0)
            return -1;
    return 0;
}
