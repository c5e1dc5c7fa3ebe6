/*
 * ADD. What it asks of the kernel on a healthy node: the system calls of a pod's ADD after others,
 * in a static build. test-netns/bench.sh counts them, and fails where it finds others than these.
 *
 *     nftables  iptables
 *           14        14  starting: the program, its libraries, the heap, the stack's guard
 *            1         1  standard descriptors are open: no socket takes a closed one's place
 *            1         1  a runtime that has gone away is an error, not a death
 *            4         4  the request: a bounded wait, then what is there, up to its end
 *            6         6  capabilities that are not needed (any more) go
 *            1         1  CNI_NETNS is there
 *            9         9  links: the number of the pod's namespace, and those in it and the host's
 *            -         2  the xtables lock
 *            -        13  legacy tables: read, and written whole, IPv4 and IPv6
 *           14         7  nf_tables: what is there, and one transaction
 *            2         2  the result, and the end
 *
 * That is without the exit fence, which takes some thirty more where it stands already: the routes to the
 * endpoints, the links they lead through, and what there is at each.
 *
 * All links are asked for at once, as are the pod's guards and the skeleton. Two of
 * an nf_tables socket's calls make its answers complete and short. Of the backend that is not in use
 * nothing is asked where nftables is in use, but for a pod that may pass, which must in both; and one
 * look where iptables is.
 */
#include "cni/response.h"
#include "cni/verbs.h"
#include "kernel/backends.h"
#include "kernel/fence/fence.h"

/*
 * Where the answer cannot be given, the guard stays: the runtime owes a failed ADD its DEL, and until
 * then a guard too many is the harmless side.
 */
int verb_add(const struct request *request, FILE *out, FILE *log, struct error *err)
{
    cleanup(plan) struct plan plan = {0};
    struct terms terms = terms_of(&request->config);
    const enum exit_fence fence = request->config.exit_fence;
    struct error why;

    (void)log;
    if (verb_plan(request, &plan, err) != 0)
        return -1;
    if (plan.guard_count == 0) /* host networking: nothing to guard */
        return response_result(out, request->prev_result, err);
    if (fence != EXIT_FENCE_OFF && fence_add(&terms, &plan, &why) != 0 &&
        fence == EXIT_FENCE_REQUIRE) {
        *err = why;
        return error_context(err, "exitFence is \"require\"");
    }
    if (verb_leave_fence(request, err) != 0 ||
        guards_add(&request->config, &plan, &terms, err) != 0)
        return -1;
    return response_result(out, request->prev_result, err);
}
