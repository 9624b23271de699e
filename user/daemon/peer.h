/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One connection on the control socket, as a state machine (wire.h has the
 * messages). Whatever is not the one message that the state waits for ends it,
 * and so does the time for the step.
 *
 *   NEW -> HELLO   -> (WAITING: an earlier run's workers may come back first, or a queue is made anew) -> OFFERED
 *                  -> MAPPED -> BINDING -> READY
 *       -> REJOIN  -> REJOINING: AREA, SOCKET ... -> MAPPED -> READY
 *       -> CAPTURE -> its end
 */
#ifndef PORCH_DAEMON_PEER_H
#define PORCH_DAEMON_PEER_H

#include "daemon/daemon.h"
#include "daemon/loop.h"
#include "daemon/message.h"

enum peer_state {
	PEER_NEW,
	PEER_WAITING,
	PEER_OFFERED,
	PEER_BINDING,
	PEER_READY,
	PEER_REJOINING,
	PEER_DEAD,
};

struct peer {
	struct peer *next;
	struct daemon *d;
	int fd;
	enum peer_state state;
	uint32_t pid, uid;
	bool stranger;		/* its uid is not listed: its first message is answered with that */
	struct worker *worker;	/* NULL: none yet, or no more */
	struct loop_timer timer;
	uint64_t since;		/* CLOCK_MONOTONIC ns of the connection */
	struct porch_msg hello;	/* WAITING, REJOINING: what it said first */
	struct worker_area *rejoining;	/* REJOINING: AREA has come, SOCKET has not */
};

/* A connection from now on; takes `fd`. 0 or -errno. */
int peer_new(struct daemon *d, int fd, uint32_t pid, uint32_t uid, struct peer **ret);
/* Its worker, if any, is reaped at the end of the turn. The memory is freed by peers_sweep(). `why`: a literal. */
void peer_close(struct peer *p, const char *why);
/* REFUSED with a line of text, then the end. */
void peer_refuse(struct peer *p, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A message that must arrive: a peer whose buffer is full does not read, and is closed. 0 or -errno. */
int peer_send(struct peer *p, struct porch_msg *m, const int *fds, int n_fds);
/* The next step has PORCH_STEP_MS. */
void peer_step(struct peer *p, enum peer_state state);

/* For tests: one message as if it had come. */
void peer_message(struct peer *p, struct message *m);

/* What areas tell the peer of a worker. */
void peer_bound(struct daemon *d, struct worker_area *wa);
void peer_bind_failed(struct daemon *d, struct worker_area *wa, int error);
void peer_area_down(struct daemon *d, struct worker_area *wa);
int peer_area_new(struct daemon *d, struct worker_area *wa);
/* worker_reap(): says goodbye, if anybody is there. */
void peer_worker_gone(struct daemon *d, struct worker *w, const char *why);
/* All its areas are bound: from now on connections may be handed to it. */
void peer_ready(struct peer *p);

/* A next hop has another MAC: to every worker. */
void peers_broadcast_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6]);

#endif /* PORCH_DAEMON_PEER_H */
