/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What porchd knows of a flow, beside the maps: one row per entry of the flow
 * table, so that no connection costs an allocation. Every row that is in use is
 * in exactly one list, by its links; what the row means is its `state`:
 *
 *   QUEUED   in its listener's accept queue; phase PENDING
 *   WAITING  PENDING since an earlier run of porchd, until somebody listens again
 *   PARKED   proven, met a full queue with overflow=drop; PENDING, waits outside (parked.c repeats its SYN-ACK)
 *   STEERED  handed to `worker`; phase STEERED. Worker 0: porchd finishes it (finishing.h)
 *   CLOSING  nobody's any more; what still comes is answered with RST (closing.h)
 *
 * A row belongs to the flow with its serial. The entry may get another owner
 * behind our back (`porch listen del`, eviction), so whoever takes a row looks
 * first whether it is of today: flow_is(), flow_row_of().
 */
#ifndef PORCH_DAEMON_FLOWTAB_H
#define PORCH_DAEMON_FLOWTAB_H

#include "daemon/daemon.h"
#include "daemon/loop.h"

#define FLOW_NONE	     PORCH_NO_FLOW
#define LISTENER_MEMBERS_MAX 128 /* handles of all workers on one listener */
#define CONNECTIONS_TICK_NS  (100 * NS_PER_MS)

enum flow_row_state {
	ROW_NONE = 0,
	ROW_QUEUED,
	ROW_WAITING,
	ROW_PARKED,
	ROW_STEERED,
	ROW_CLOSING,
};

struct early_frame;

struct flow_row {
	uint64_t since_ns; /* QUEUED, WAITING, PARKED: of admission; CLOSING, worker 0: of that */
	union {
		struct early_frame *early; /* QUEUED; early.h */
		uint32_t turn;		   /* STEERED: index in the accept ring, of worker 0 in finishing.c's
					    * table; CLOSING: which list */
	};
	uint32_t serial;
	uint32_t next, previous; /* flows, FLOW_NONE at the ends */
	uint8_t state;		 /* enum flow_row_state */
	uint8_t listener;
	union {
		uint16_t challenged; /* QUEUED: time of the last challenge ACK (pending.c), 0: none */
		struct {	     /* STEERED */
			uint8_t worker;
			uint8_t handle; /* of the worker */
		};
	};
};
_Static_assert(sizeof(struct flow_row) == 32, "an idle connection costs us so much");

struct flow_list {
	uint32_t first, last, n;
};

/* A listener's accept queue. It outlives those who listen: a worker may come back. */
struct accept_queue {
	struct flow_list queued;
	struct flow_list parked;
	/* the listener as it was when somebody came: porch may give its index to another */
	uint8_t address[16];
	uint16_t port;
	bool any;
	bool narrow; /* some members listen on one address only, though the listener is `*` */
	bool fresh;
	uint32_t n_members;
	struct {
		struct worker *worker;
		uint32_t handle;
		uint32_t served; /* l->turn when it was last handed one */
	} members[LISTENER_MEMBERS_MAX];
	uint64_t accepted_gone; /* by members that have left */
};

/* One porch_listen(). What the session memory says is only for the worker. */
struct listen_handle {
	bool used;
	bool any;
	uint16_t port;
	uint32_t index; /* of the listener; 0: none covers it at present */
	uint32_t backlog;
	uint8_t address[16];
	uint64_t accepted_before; /* by the handle when it joined its listener */
};

enum closing_list {
	CLOSING_FIRST,	  /* a probe is due at once, */
	CLOSING_SECOND,	  /* once more, */
	CLOSING_LAST,	  /* and nothing more */
	CLOSING_ANSWERED, /* it got its RST; lingers, for that may be lost */
	CLOSING_LISTS,
};

struct connections {
	struct accept_queue queues[PORCH_LISTENERS_MAX];
	struct listen_handle handles[PORCH_WORKERS_MAX][PORCH_WORKER_LISTENERS];
	struct flow_list steered[PORCH_WORKERS_MAX];
	struct {
		uint32_t consumed; /* of its accept ring, as last seen */
		uint64_t since_ns; /* at which it moved, or had nothing to read */
	} pace[PORCH_WORKERS_MAX];
	struct flow_list waiting;
	uint32_t parked; /* of all listeners */
	struct flow_list closing[CLOSING_LISTS];
	uint32_t active[PORCH_LISTENERS_MAX]; /* indices of listeners that have members */
	uint32_t n_active;
	uint32_t fresh[PORCH_LISTENERS_MAX]; /* of those whose queue has grown since it was last looked at */
	uint32_t n_fresh;
	struct loop_timer timer;
	size_t early_memory; /* in use */
	uint64_t second;     /* what the two below count in */
	uint32_t resets, challenges;
	uint32_t sweep; /* next flow to be looked at */
	/* rebuild.c */
	uint64_t started_ns;
	uint64_t expected; /* bit per worker number */
	uint64_t given_up;
	bool settled;	      /* the time for coming back is over */
	uint64_t found_again; /* flows whose record never came */
	uint64_t vanished;    /* rows whose flow was taken away */
};

/* d->rows and d->connections; with a loop, poller and timer as well. 0 or -errno. */
int flowtab_open(struct daemon *d);
void flowtab_close(struct daemon *d);

/* A poller: hands over what this turn has admitted. Returns how many were looked at. */
int connections_poll(struct daemon *d);
/* What time brings, every CONNECTIONS_TICK_NS. Bounded work. */
void connections_tick(struct daemon *d);

/* Is entry `flow` still the flow with this serial, and ours? */
static inline bool flow_is(const struct daemon *d, uint32_t flow, uint32_t serial)
{
	return __atomic_load_n(&d->tables.flows[flow].state, __ATOMIC_ACQUIRE) == PORCH_FLOW_HANDED &&
	       d->tables.steer[flow].serial == serial;
}

/* Has porchd ever stored a phase for this flow? */
static inline bool flow_noted(const struct daemon *d, uint32_t flow, uint32_t serial)
{
	return PORCH_STEER_SERIAL(d->tables.steer[flow].word) == serial;
}

/* The row, ready to be used for this serial: what an earlier owner left is detached. */
struct flow_row *flow_row_of(struct daemon *d, uint32_t flow, uint32_t serial);
/* Out of its list, uncounted, early frames freed: ROW_NONE. The word is not touched. */
void flow_detach(struct daemon *d, uint32_t flow);
/* Detached, and over: phase TIME_WAIT (its numbers are stored already) or TOMBSTONE, for the time a cookie
 * lives. */
void flow_over(struct daemon *d, uint32_t flow, uint32_t serial, uint8_t phase);

void flow_list_init(struct flow_list *list);
void flow_list_append(struct daemon *d, struct flow_list *list, uint32_t flow);
void flow_list_prepend(struct daemon *d, struct flow_list *list, uint32_t flow);
void flow_list_remove(struct daemon *d, struct flow_list *list, uint32_t flow);

#endif /* PORCH_DAEMON_FLOWTAB_H */
