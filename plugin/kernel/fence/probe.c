#include "kernel/fence/fence.h"

#include "kernel/fence/maps.h"
#include "kernel/fence/program.h"
#include "kernel/fence/stand.h"

int fence_probe(struct error *why)
{
    cleanup(maps) struct maps maps = MAPS_NONE;
    cleanup(close_fd) int program = -1;
    cleanup(close_fd) int found = -1;

    if (stand_need(why) < 0 || maps_create(VERDICT_DROP, &maps, why) < 0 ||
        program_load(true, &maps, &program, why) < 0)
        return -1;
    found = bpf_open_map(maps.id);
    return found < 0 ? bpf_failed("find a map of the exit fence", why) : 0;
}
