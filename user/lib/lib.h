/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libporch: what its parts share.
 *
 * A frame's way: rx.c (descriptor, record, connection) -> the engine (user/tcp)
 * -> tx.c. A connection's way: accept.c -> conn.c -> stream.c -> finish.c. Beside
 * it: control.c and session.c (the conversation with porchd), area.c and frames.c
 * (AF_XDP rings and who owns which frame), listen.c, poll.c (the loop).
 *
 * Nothing here is locked: one struct porch, one thread. Whatever other processes
 * write is copied once and checked before it is used.
 */
#ifndef PORCH_LIB_LIB_H
#define PORCH_LIB_LIB_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <porch/maps.h>
#pragma GCC visibility push(default)
#include <porch/porch.h>
#pragma GCC visibility pop
#include <porch/wire.h>

#include "lib/limits.h"
#include "lib/list.h"
#include "lib/xsk.h"
#include "tcp/tcp.h"

/* ---- areas ---- */

struct area {
	bool told, mapped, bound;	/* AREA and SOCKET seen; rings mapped; may send */
	bool can_lease, leased;
	bool zero_copy;
	bool kick;			/* TX ring holds what the kernel has not been told of */
	uint32_t number, ifindex, queue;
	uint32_t told_mtu;		/* of the interface */
	uint32_t mtu;			/* or what a frame holds, if that is less */
	uint32_t frame_size, rx_frames, fill_entries, completion_entries;
	uint32_t tx_metadata;		/* octets in front of frames for sending, for requests to the kernel; 0: none */
	uint32_t rx_entries, tx_entries, tx_first, tx_frames;
	int group, owner, xsk;		/* fds; all are sent again in REJOIN */
	struct {
		uint64_t group_size, head, umem, umem_size;
	} place;
	void *head_map, *umem_map;
	size_t head_map_size, umem_map_size;
	struct porch_area_head *head;
	uint8_t *umem;
	struct xsk_ring rx, tx, fill, completion;
	struct porch_ring_end give, back;
	uint32_t *tx_free;		/* stack of frame numbers */
	uint32_t n_tx_free;
	uint8_t *tx_out;		/* by frame number less tx_first: 1 while the kernel has it */
	uint64_t *spent;		/* RX frames read, on their way to FILL or `back` */
	uint32_t n_spent;
	uint32_t back_since;		/* frames put into `back` since porchd was last woken */
};

/* ---- connections ---- */

enum conn_state {
	CONN_FREE = 0,
	CONN_WAITING,			/* in its listener's queue */
	CONN_OPEN,			/* the application has the handle */
	CONN_DETACHED,			/* the handle is gone, the engine goes on */
};

struct porch_conn {
	struct tcp_conn tcp;		/* tcp.user: the application's */
	struct list link;		/* fresh, ready or free */
	struct porch *porch;
	uint32_t flow, serial;		/* its name towards porchd and XDP */
	uint32_t ifindex;
	uint16_t rx_queue;
	uint8_t state;			/* enum conn_state */
	uint8_t ready : 1;		/* in porch->ready, else fresh or nowhere */
	uint8_t known : 1;		/* in the table of flows */
	uint8_t over : 1;		/* the engine is done; its finish entry is posted or queued */
	uint8_t unposted : 1;		/* waits for room in the finish ring */
	uint8_t no_in : 1, no_out : 1;	/* not wanted by the application */
	uint8_t lost : 1;		/* porchd forgot us: -ECONNRESET, whatever the engine says */
	uint32_t next;			/* in the queue of the unposted: index + 1 */
	uint32_t queued;		/* time in the accept queue, in units of 16 ns */
	uint64_t handover_ns;		/* until porch_accept(): time of the proof */
};

struct flow_entry {
	uint32_t flow;
	uint32_t conn;			/* index + 1; 0: free */
};

/* ---- listeners ---- */

enum listener_state {
	LISTENER_WANTED = 1,		/* LISTEN is to be sent */
	LISTENER_ASKED,			/* LISTEN was sent */
	LISTENER_UP,
	LISTENER_CLOSING,		/* UNLISTEN was sent, the handle is not free yet */
};

struct porch_listener {
	struct porch *porch;
	void *user;
	uint8_t address[16];
	uint16_t port;
	uint8_t state;
	bool gone;			/* the application closed it */
	int error;			/* of the last answer */
	uint32_t backlog;		/* asked for */
	uint32_t handle;		/* PORCH_WORKER_LISTENERS: none */
	uint64_t retry;			/* LISTENER_WANTED: not before */
	uint64_t accepted, granted;	/* as last published */
	struct porch_conn **queue;	/* handed, not accepted; ring of queue_mask + 1 */
	uint32_t queue_mask, head, tail;
};

/* ---- the worker ---- */

enum phase {
	PHASE_NONE,			/* no connection to porchd */
	PHASE_HELLO,			/* WELCOME is expected */
	PHASE_AREAS,			/* AREA, SOCKET ... */
	PHASE_BOUND,			/* BOUND ..., READY */
	PHASE_REJOIN,			/* our messages are on their way; READY is expected */
	PHASE_READY,
};

/* In a page of its own that a fork() leaves zeroed in the child. */
struct fork_mark {
	uint32_t ours;
};

struct capture {
	int fd;				/* -1: off */
	bool owned;			/* a pipe of `porch capture`: closed by us */
	uint32_t ifindex;		/* 0: every interface */
	uint32_t snaplen;
	uint32_t used;
	uint64_t wall;			/* CLOCK_REALTIME less CLOCK_MONOTONIC, ns */
	uint8_t *buffer;		/* PIPE_BUF octets: a write this long is never torn */
};

struct porch {
	struct tcp_stack stack;
	struct fork_mark *mark;

	/* as asked for */
	uint32_t flags, want_queue, credit, max_conns;
	char name[32];
	char path[108];

	/* memory.c */
	struct porch_conn *conns;	/* max_conns of them, touched as they are needed */
	size_t conns_size;
	uint32_t conns_touched, conns_used;
	struct list free, buried;	/* buried: free again at the next porch_poll() */
	struct flow_entry *table;
	uint32_t table_shift, table_mask, table_used;
	uint8_t *blocks;
	size_t blocks_size;
	uint32_t blocks_touched, blocks_used, blocks_max;
	void *block_free;

	/* who has something to say */
	struct list fresh, ready;
	uint32_t unposted_head, unposted_tail;	/* index + 1 */

	/* porchd */
	enum phase phase;
	uint8_t state;			/* enum porch_session_state */
	bool tell_death;
	bool lost_pending;		/* somebody wrote nonsense: drop everything */
	bool ever_ready;
	int control, epoll, timer, wake_worker, wake_daemon, session_fd;
	int failure;			/* why the conversation ended, while in porch_open() */
	char refused[176];		/* porchd's words */
	uint64_t step_deadline, retry_at;
	uint32_t worker, areas_expected, areas_told;
	uint32_t rejoin_sent;		/* messages of REJOIN, AREA, SOCKET already sent */
	uint64_t generation;
	struct porch_session *session;
	size_t session_size;
	struct porch_ring_end accept, inject, finish;
	struct area *areas[PORCH_AREAS_MAX];
	uint32_t n_areas;		/* highest number in use, and one */
	struct porch_listener *listeners[PORCH_WORKER_LISTENERS];	/* in no order */
	struct porch_listener *by_handle[PORCH_WORKER_LISTENERS];
	uint32_t n_listeners;		/* highest place in use, and one */
	struct porch_listener *asked;	/* LISTEN was sent; one at a time, so that the answer is known */

	/* poll.c */
	bool uses_fd;			/* porch_fd() was called: it must tell the truth */
	uint64_t armed;			/* timerfd: 0 off, 1 already readable, else when */
	uint64_t looked;		/* last look at the control socket and wake_worker */
	uint64_t kick_at;		/* LIB_NEVER: porchd has nothing to hear */
	uint32_t finished_unkicked;
	uint32_t first_area;		/* to begin the next turn with */
	bool unseen, waited;		/* somebody was accepted who has data; sending has waited for it once */
	uint64_t starved;		/* ns: something could not be sent, look again after so long; 0: nothing */
	bool nap;			/* so much comes that it is cheaper to let it gather */
	bool worked;			/* since the last one */
	uint64_t nap_since, nap_accepted;
	uint64_t beat;

	/* the end: handback.c, exit.c */
	uint64_t handback;		/* octets that porchd takes back; 0: nothing */
	pthread_t thread;		/* that used it last */
	struct porch *next_open;

	struct capture capture;
	struct porch_stats_info count;	/* the counters of it; the rest is filled in when asked */
};

static inline struct porch *porch_of(struct tcp_stack *stack)
{
	return list_of(stack, struct porch, stack);
}

static inline struct porch_conn *conn_of(struct tcp_conn *tcp)
{
	return list_of(tcp, struct porch_conn, tcp);
}

/* False in a child after fork(), where every page of the mark reads as zero. */
static inline bool porch_is_ours(const struct porch *p)
{
	return p && p->mark->ours;
}

/* ---- memory.c ---- */
int memory_open(struct porch *p, size_t memory);
void memory_close(struct porch *p);
struct porch_conn *memory_conn(struct porch *p);	/* zeroed; NULL: max_conns are in use */
void memory_bury(struct porch *p, struct porch_conn *c);
void memory_unbury(struct porch *p);
void *memory_block(struct tcp_stack *stack);
void memory_block_put(struct tcp_stack *stack, void *block);
struct porch_conn *flow_find(const struct porch *p, uint32_t flow);
bool flow_room(struct porch *p);
void flow_add(struct porch *p, struct porch_conn *c);
void flow_remove(struct porch *p, struct porch_conn *c);

/* ---- control.c ---- */
int control_connect(const char *path);
/* All or nothing; -EAGAIN: no room in the socket. */
int control_send(int fd, const struct porch_msg *msg, const int *fds, unsigned int n_fds);
/* 0, or -EAGAIN, -ECONNRESET (the end), -EPROTO (not a message). Fds are the caller's, *n_fds at most 3. */
int control_receive(int fd, struct porch_msg *msg, int fds[3], unsigned int *n_fds);

/* ---- session.c, hello.c, rejoin.c ---- */
int session_start(struct porch *p);			/* connects and says HELLO */
void session_input(struct porch *p);			/* reads what porchd has sent */
void session_run(struct porch *p);			/* deadlines, retries */
uint64_t session_next(const struct porch *p);		/* of these, the next */
void session_fail(struct porch *p, int error);		/* the conversation ended */
void session_lose(struct porch *p);			/* drops what porchd does not know any more */
void session_drop(struct porch *p);			/* memory, areas, fds of the session */
int session_expect(struct porch *p);			/* a new step begins: its deadline. 0 */
int session_connect(struct porch *p);
int hello_welcome(struct porch *p, const struct porch_msg *msg, int fds[3]);
int rejoin_start(struct porch *p);
int rejoin_send(struct porch *p);

/* ---- area.c ---- */
int area_told(struct porch *p, const struct porch_msg *msg, int fds[3]);
int area_socket(struct porch *p, const struct porch_msg *msg, int fds[3]);
void area_drop(struct porch *p, uint32_t number);
/* Where frames of this connection go out; NULL: nowhere at present. */
struct area *area_of(struct porch *p, struct porch_conn *c);

/* ---- frames.c ---- */
void frames_spent(struct porch *p, struct area *a, uint64_t address);
/* FILL or `back`, COMPLETION or `give`; true: something moved. */
bool frames_move(struct porch *p, struct area *a, bool completions);

/* ---- rx.c, tx.c ---- */
uint32_t rx_area(struct porch *p, struct area *a);
void input_frame(struct porch *p, const struct porch_record *r, const uint8_t *frame, uint32_t length,
		 struct area *a);
void *tx_get(struct tcp_stack *stack, struct tcp_conn *conn);
void tx_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length);
void tx_kick(struct porch *p);

/* ---- accept.c ---- */
uint32_t accept_take(struct porch *p);
uint32_t inject_take(struct porch *p);

/* ---- listen.c, listener.c ---- */
int listen_answer(struct porch *p, const struct porch_msg *msg);
void listen_run(struct porch *p);
uint64_t listen_next(const struct porch *p);
void listen_lost(struct porch *p);			/* handles mean nothing any more; ask again */
void listen_detached(struct porch *p);
void listen_grant(struct porch *p, struct porch_listener *l);
uint32_t listen_waiting(const struct porch_listener *l);
struct porch_conn *listen_head(struct porch_listener *l);	/* live ones only; NULL: empty */
void listen_undo(struct porch_listener *l);		/* UNLISTEN */
void listen_free(struct porch_listener *l);

/* ---- conn.c ---- */
void lib_conn_notify(struct tcp_stack *stack, struct tcp_conn *conn);
void lib_conn_set_ready(struct porch_conn *c);
void lib_conn_fresh(struct porch *p);			/* what notify has collected */
uint32_t lib_conn_events(const struct porch_conn *c);	/* PORCH_* */
void lib_conn_over(struct porch_conn *c);			/* the engine is done with it */
void lib_conn_free(struct porch_conn *c);
void lib_conn_detach(struct porch_conn *c);
void lib_conn_drop(struct porch_conn *c);			/* RST; the handle, if any, is gone */
int lib_conn_check(const struct porch_conn *c);
void lib_conn_neighbour(struct porch *p, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6]);

/* ---- finish.c ---- */
void finish_post(struct porch_conn *c);
bool finish_entry(struct porch *p, const struct porch_finish_entry *entry);
void finish_run(struct porch *p);

/* ---- turn.c ---- */
uint32_t turn_take(struct porch *p);			/* what has come: handled; how much it was */
void turn_send(struct porch *p);			/* what is to go */
bool turn_pending(const struct porch *p);		/* in the rings that have no file descriptor */

/* ---- poll.c ---- */
uint64_t poll_clock(void);
void poll_hot(struct porch *p);				/* porch_fd() becomes readable, if it is used */
void poll_wake_daemon(struct porch *p);

/* ---- handback.c, exit.c ---- */
void handback(struct porch *p);				/* every connection ends; see porch_close() */
void exit_add(struct porch *p);
void exit_remove(struct porch *p);

/* ---- capture.c ---- */
int capture_start(struct porch *p, const struct porch_msg *msg, int *fd);
void capture_stop(struct porch *p);
void capture_frame(struct porch *p, uint32_t ifindex, const void *frame, uint32_t length);
void capture_flush(struct porch *p);

#endif /* PORCH_LIB_LIB_H */
