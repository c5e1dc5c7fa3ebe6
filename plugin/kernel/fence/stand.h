/*
 * What of the fence stands at one link, and putting it right there.
 */
#ifndef IMDS_GUARD_FENCE_STAND_H
#define IMDS_GUARD_FENCE_STAND_H

#include "guard/error.h"
#include "kernel/fence/bpf.h"
#include "kernel/fence/maps.h"
#include "kernel/fence/program.h"
#include "kernel/fence/uplinks.h"

#include <stdbool.h>

struct stand {
    struct tcx tcx;
    bool ours[TCX_PROGRAMS_MAX]; /* which of its programs */
    unsigned count;              /* how many of them */
    unsigned place;              /* of the first of ours, counted from 1; 0: none */
    char name[BPF_OBJ_NAME_LEN]; /* its name */
    struct maps maps;            /* that it uses, if they are of this version's shape */
    bool gone;                   /* there is no such link any more, nor any packet through it */
};

/* Whether the kernel has such places (tcx) at all, and who needs one. Errors: ERROR_KERNEL. */
bool stand_is_possible(void);
must_use int stand_need(struct error *err);

/* Looks. *out is for stand_close. Errors: ERROR_KERNEL, with the link's name. */
must_use int stand_look(const struct uplink *link, struct stand *out, struct error *err);
void stand_close(struct stand *stand);

/* Ours is first, alone, and of this version. */
bool stand_is_right(const struct stand *stand, const struct uplink *link);

/*
 * Puts a program of this version that uses `maps` first, in the place of ours if ours is first, and
 * then takes away what else of ours stands there: at no moment is there none. *lost: somebody else
 * has changed something since the look; nothing was done, and one has to look again.
 */
must_use int stand_put(const struct stand *stand, const struct uplink *link,
                       const struct maps *maps, bool *lost, struct error *err);

/* Takes all of ours away. */
must_use int stand_remove(const struct stand *stand, struct error *err);

CLEANUP_BY(stand, stand_close);

#endif
