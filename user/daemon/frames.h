/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the RX frames of an area are, and getting back those of a worker that is
 * gone: what lay in its rings at once, what it had in its hands after two looks.
 *
 * A look reads FILL, the RX rings, `back` and `give` in the order frames travel
 * in, so one that moves meanwhile is seen twice rather than not at all. What both
 * looks have missed is held by nobody that reads; with other workers alive it may
 * be in their hands, so then only frames count that the RX ring of the gone one
 * still shows and theirs do not. The rest stays lost until the last one leaves.
 * In copy mode the kernel itself keeps one frame at most between packets, and
 * only after it found an RX ring full: then the second look waits for a packet.
 * In zero-copy mode the driver holds any number, so nothing can be told: the
 * area is bound anew before the next first worker.
 */
#ifndef PORCH_DAEMON_FRAMES_H
#define PORCH_DAEMON_FRAMES_H

#include "daemon/daemon.h"

#define FRAMES_LOOK_NS 8000000ull	/* between the looks */
#define FRAMES_WAIT_NS 250000000ull	/* for a packet */

struct umem_account {
	uint32_t fill, daemon_rx, worker_rx, departed_rx, back, give;	/* seen there */
	uint32_t missing;	/* seen nowhere */
	uint32_t twice;		/* seen more than once: a move in between, or garbage */
};

/* Fills a->seen. 0; -EPROTO: indices that cannot be; -ENOMEM. */
int umem_account(struct area *a, struct umem_account *ret);

/*
 * A worker has left: what its rings hold goes back to FILL, and its socket and RX
 * ring are ours from now on, to be looked at and closed. porchd holds the lease.
 */
void frames_depart(struct daemon *d, struct worker_area *wa);
/* The second look, if it is time. */
void frames_look(struct daemon *d, struct area *a);
/* Closes what departed left; nothing is looked for any more. */
void frames_forget(struct area *a);

#endif /* PORCH_DAEMON_FRAMES_H */
