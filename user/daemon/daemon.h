/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * porchd: what its parts share. One thread runs everything but closing sockets
 * (reap.h), so nothing here is locked; what other processes write is only ever
 * reached through porch/ring.h and the functions of lease.h and session.h.
 *
 * In the order of a connection: area -> admit -> accept_queue -> handover ->
 * (forward) -> finish. Beside it: control, peer, session, listen (who may have
 * connections), retransmit, neighbour, watch, heartbeat (what the world does).
 */
#ifndef PORCH_DAEMON_H
#define PORCH_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include <porch/maps.h>
#include <porch/wire.h>

#include "core/config.h"
#include "core/tables.h"
#include "daemon/moved.h"

struct loop;		/* loop.h: epoll, pollers, timers */
struct opener;		/* opener.h: the privileged side */
struct peer;		/* peer.h: one control connection */
struct flow_row;	/* flowtab.h: what porchd knows of a flow, beside the maps */
struct accept_queue;	/* accept_queue.h */
struct control;		/* control.h: every peer */
struct finishing;	/* finishing.h: connections that applications left behind */
struct departed;	/* frames.h */
struct worker;
struct worker_area;

#define DAEMON_INTERFACES_MAX 16

struct daemon_listener;

/* The AF_XDP side of one interface: a trust group. */
struct trust_group {
	uint32_t ifindex;
	char name[16];
	uint32_t queues;	/* RX queues */
	uint32_t base;		/* first slot in porch_xsks */
	uint32_t mtu;
	uint32_t frame_size;
	int memfd;
	void *memory;		/* the whole memfd, mapped */
	size_t size;
	struct area *areas;	/* queues of them */
	bool up;		/* interface up, our program on it */
};

/* Our end of an XSK's four rings (linux/if_xdp.h). */
struct xsk_ring {
	uint32_t *producer, *consumer, *flags;
	void *descs;
	uint32_t mask;		/* entries - 1 */
	uint32_t own;		/* our index, ahead of the shared one until published; where the ring is ours */
	uint32_t peer;		/* the other side's, as last read and found possible */
	void *map;
	size_t map_size;
};

/* One RX queue of one interface. */
struct area {
	struct trust_group *group;
	uint32_t index;		/* over all groups: the number in AREA messages is per worker, see struct worker_area */
	uint32_t queue;
	int xsk;		/* porchd's socket, -1: not bound yet (nobody has registered) */
	bool bound;
	bool zero_copy;		/* obtained */
	uint32_t tx_metadata;	/* octets in front of each frame for sending, as registered: wire.h */
	struct xsk_ring rx, fill, completion;	/* fill.map NULL: cannot be ours (before 6.4, after a restart) */
	struct porch_area_head *head;
	uint8_t *umem;		/* address 0 of descriptors */
	size_t umem_size;
	uint32_t frame_size, rx_frames, tx_frames;	/* tx_frames: per worker slice */
	uint32_t slices;	/* worker slices */
	uint64_t slices_used;	/* bit per slice */
	uint32_t workers;	/* registered on it */
	uint64_t frames_in, given_back;
	/* the lease as porchd last set it: the shared word is only compared with this (lease.h) */
	uint16_t lease_owner;
	uint32_t lease_generation;
	uint64_t low_since, low_beat;	/* stall detection: since when the holder lets the rings run dry */
	uint64_t starved_since;	/* since when FILL is low, whoever moves */
	uint64_t said_ns;	/* when it was last said that the queue is not free */
	struct worker_area *holders[64];	/* by slice; NULL: free */
	uint64_t slice_freed[64];	/* when; its last frames may still be in COMPLETION */
	struct departed *departed;	/* frames.h: workers that are gone, their frames being counted */
	uint8_t *absent, *seen;		/* frames.h: one octet per RX frame */
	uint32_t lost;			/* RX frames whose holder cannot be told (frames.h) */
	uint64_t look_ns;		/* frames.h: when to look for the second time; 0: nothing is looked for */
	uint32_t look_received;		/* frames.h: frames that all sockets had received at the first look */
	uint64_t full;			/* frames.h: refusals for want of room in an RX ring, at the last look */
	uint64_t busy_since;		/* lease.h: since when a holder that is to give it back is at work */
	bool unsettled;			/* area.h: the lease is to go somewhere else */
	uint64_t bind_since;		/* area.h: since when binding is tried; 0: it is not */
	bool late_map;			/* FILL and COMPLETION can be mapped after bind (Linux 6.4) */
	bool dirty;			/* zero copy, and a worker died: bind anew before the next */
	const char *broken;		/* why it is to be torn down at the end of this turn */
	uint64_t down_ns;		/* torn down since; 0: it is not */
#ifdef PORCH_DEBUG_FRAMES
	uint8_t *owners;		/* umem.h: one octet per frame */
#endif
};

struct worker_area {
	struct area *area;	/* NULL: unused */
	struct worker *worker;
	uint32_t number;	/* in messages and in porch_session.area[] */
	bool told;		/* AREA and SOCKET were sent, MAPPED has not come */
	uint64_t told_ns;
	bool down;		/* AREA_DOWN was sent; it comes back under the same number */
	bool stalled;		/* lost the lease for not going on; has it back when `beat` has moved */
	uint64_t stalled_beat;
	uint32_t given;		/* frames in `give` since the worker was last woken for them */
	int xsk;		/* a duplicate of the worker's; -1 */
	struct xsk_ring rx;	/* mapped as well, to empty it when the worker is gone */
	uint32_t slice;
	bool mapped, bound, can_lease;
	struct porch_ring_end give, back;	/* our ends */
	uint32_t slot;		/* in porch_xsks */
};

struct worker {
	uint16_t number;	/* 1 .. PORCH_WORKERS_MAX - 1 */
	bool ready;		/* registered; connections may be handed to it */
	bool gone;		/* being reaped */
	struct peer *peer;
	uint32_t pid, uid;
	char name[32];
	int session_fd, wake_worker, wake_daemon;
	struct porch_session *session;	/* untrusted memory */
	size_t session_size;
	struct porch_ring_end accept, inject, finish;
	struct worker_area areas[PORCH_AREAS_MAX];
	uint32_t n_areas;
	struct {
		struct daemon_listener *listener;	/* NULL: free handle */
		uint64_t handed;	/* own count of what was handed for this handle */
		uint64_t granted;	/* last value read that was possible */
	} listens[PORCH_WORKER_LISTENERS];
	uint64_t beat, beat_seen_ns;	/* stall detection */
	uint64_t starved_ns;	/* when an area was torn down because it kept its frames */
	uint32_t flows;		/* steered to it */
	uint32_t queue;		/* the RX queue it serves, or PORCH_QUEUE_ANY */
	const char *condemned;	/* worker.h: reaped at the end of this turn, and why */
};

/* An afxdp listener of porch_listeners that somebody listens on. */
struct daemon_listener {
	uint32_t index;		/* in porch_listeners */
	uint32_t limit;		/* min(backlog, configured) */
	uint32_t workers;
	uint8_t overflow;	/* enum porch_overflow */
	struct accept_queue *queue;
	struct porch_queue *shared;	/* porch_queues[index] */
	uint32_t turn;		/* round robin over workers with equal claims */
};

struct daemon {
	struct porch_daemon_config config;
	struct porch_tables tables;	/* tables.steer, .queues, .slots, .ifaces mapped; .xsks_fd */
	struct loop *loop;
	struct opener *opener;
	uint64_t now;		/* CLOCK_MONOTONIC ns, set once per turn of the loop */
	uint64_t generation;	/* random: this run */
	struct trust_group groups[DAEMON_INTERFACES_MAX];
	uint32_t n_groups;
	struct worker *workers[PORCH_WORKERS_MAX];	/* by number; [0] unused */
	struct daemon_listener listeners[PORCH_LISTENERS_MAX];	/* by index; .queue NULL: nobody listens */
	struct flow_row *rows;	/* tables.n_flows of them */
	struct connections *connections;	/* flowtab.h */
	struct finishing *finishing;
	int control_fd;
	struct control *control;	/* control.h */
	bool work_left;		/* something is condemned or broken: the end of this turn sees to it */
	bool stopping;
	struct raw *raw;		/* raw.h: AF_PACKET sockets */
	struct retransmit *retransmit;
	struct parked *parked;
	struct watch *watch;
	struct neighbour *neighbour;
	struct moved moved;
	struct {
		uint64_t admitted, handed, forwarded, forward_full, resets, stale_finish, bad_finish, bad_frame,
			unknown_record, leases_taken, leases_given, areas_rebuilt, workers_reaped, rejoined,
			synacks_again, early_dropped, handed_back, bad_handback, not_handed_back;
	} count;
};

/* ---- what each part offers the others; all on the daemon's thread ---- */

/* area.c: every area's RX ring; returns frames handled. Registered as a poller. */
int areas_poll(struct daemon *d);
/* area.c: binds what has its first worker; called by peer.c. 0 or -errno. */
int area_bind(struct daemon *d, struct area *a);
/* area.c: the interface went away, lost our program or changed its queues / is as it should be again. */
void group_down(struct daemon *d, struct trust_group *g, const char *why);
void group_up(struct daemon *d, struct trust_group *g);
/* area.c: groups for all interfaces that are attached; keeps those already there. */
int groups_refresh(struct daemon *d);

/* admit.c: one frame from porchd's own socket of `a`, record in front. The frame is the caller's again on return. */
void admit_frame(struct daemon *d, struct area *a, const struct porch_record *record, const uint8_t *frame, uint32_t length);

/* handover.c: hands queued connections of a listener (all listeners) to workers with credit, as far as it goes. */
void handover_listener(struct daemon *d, struct daemon_listener *l);
void handover_all(struct daemon *d);

/* finish.c: reads the worker's finish ring. -EPROTO: it wrote nonsense, reap it. */
int finish_worker(struct daemon *d, struct worker *w);

/* forward.c: a frame for a worker that reached porchd. */
void forward_frame(struct daemon *d, struct worker *w, const struct porch_record *record, const uint8_t *frame, uint32_t length);

/* rebuild.c: at start, what the flow table says; and what becomes of flows whose worker never came back. */
void rebuild(struct daemon *d);
void rebuild_expire(struct daemon *d);
/* rebuild.c: a worker number is taken by flows of an earlier run until that is over. */
bool rebuild_expects(const struct daemon *d, uint16_t worker);

/* session.c: publish rings and wake the worker if it sleeps. */
void worker_wake(struct daemon *d, struct worker *w);
/* session.c: the worker is gone or has broken the protocol: slots cleared, frames and leases taken back, then
 * worker_flows_gone(), then sockets closed in the background. `why` for the log; reset: its flows get RST. */
void worker_reap(struct daemon *d, struct worker *w, const char *why);
/* handover.c: flows of a worker that is no more; accept entries it had not read go back to their queue's head. */
void worker_flows_gone(struct daemon *d, struct worker *w);

/* listen.c: for peer.c. Returns the handle or -errno. */
int listen_add(struct daemon *d, struct worker *w, const uint8_t address[16], uint16_t port, uint32_t backlog, uint32_t *limit);
int listen_del(struct daemon *d, struct worker *w, uint32_t handle);
/* listen.c: porch changed a listener (overflow, backlog, deleted): called each second. */
void listen_refresh(struct daemon *d);

/* raw.c: an Ethernet frame out of an interface by AF_PACKET. 0 or -errno. */
int raw_send(struct daemon *d, uint32_t ifindex, const void *frame, uint32_t length);

/* retransmit.c: a flow that is proven and found its queue full: SYN-ACKs go on until it proves again or is forgotten. */
void parked_add(struct daemon *d, uint32_t flow, uint32_t serial);
void parked_del(struct daemon *d, uint32_t flow, uint32_t serial);

/* log.c: one line on stderr with a journald prefix. level: LOG_ERR ... of syslog.h */
void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The steer word of a flow, stored last and with release. */
static inline void steer_store(struct daemon *d, uint32_t flow, uint32_t serial, uint8_t phase, uint16_t worker)
{
	__atomic_store_n(&d->tables.steer[flow].word, PORCH_STEER(serial, phase, worker), __ATOMIC_RELEASE);
}

#endif /* PORCH_DAEMON_H */
