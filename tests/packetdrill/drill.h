/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * porch as packetdrill sees it: a host whose listeners are all deliver=afxdp,
 * with XDP, porchd and one worker in one process and in virtual time.
 *
 *   clock.c      time, and who waits for what
 *   wire.c       packets in and out
 *   listener.c   which addresses and ports are porch's
 *   handshake.c  SYN to proof, TIME-WAIT: a plain model of bpf/
 *   xdp.c        the same by the programs themselves; xdp_world.c: their maps
 *   flow.c       from the proof on
 *   socket.c     socket, bind, listen, accept, close, shutdown, fcntl, ioctl
 *   stream.c     what moves data
 *   option.c     socket options; info.c: TCP_INFO
 *   ready.c      poll and epoll; pipe.c: pipe and splice
 *   interpose.c  the one call that does not come through the interface
 *   flags.c      --so_flags
 *   adapter.c    all of it as a struct packetdrill_interface
 *
 * One lock. Only netdev_receive(), usleep() and, by a microsecond a call,
 * gettimeofday() move the clock, so a script runs the same way every time.
 */
#ifndef PORCH_PACKETDRILL_DRILL_H
#define PORCH_PACKETDRILL_DRILL_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <porch/maps.h>

#include "tcp/internal.h"

#define DRILL_MTU	1500 /* of the interface, unless said otherwise */
#define DRILL_MTU_MAX	9000
#define DRILL_FRAME	9216
#define DRILL_ETH	14
#define DRILL_FD_FIRST	64 /* lower ones are the process's own */
#define DRILL_FDS	256
#define DRILL_LISTENERS 64
#define DRILL_BUFFER	(1u << 20)
#define DRILL_SYNACKS	5 /* repeated so often: porch.conf's synack-retries */
#define DRILL_NEVER	UINT64_MAX
#define DRILL_TIME_WAIT (60 * TCP_SECOND)
#define DRILL_START	(1000 * TCP_SECOND) /* of the clock */
#define DRILL_WALL	1700000000ull	    /* seconds, when the clock was 0 */
#define DRILL_TCP_INQ	36 /* TCP_INQ and TCP_CM_INQ of linux/tcp.h, which does not go beside the engine */

struct drill;
struct sock;

enum backend {
	BACKEND_AUTO,
	BACKEND_MODEL,
	BACKEND_BPF,
};

enum flow_state {
	FLOW_HALF_OPEN,
	FLOW_OPEN,
	FLOW_TIME_WAIT, /* nothing but what tcp_finish() said */
	FLOW_OVER,
};

struct listener {
	uint8_t address[16]; /* as in maps.h */
	bool any;
	uint16_t port;
	struct sock *sock; /* NULL: nobody listens now */
};

struct options {
	uint32_t rcvbuf, sndbuf; /* octets; 0: the default */
	uint32_t keepalive, keepidle, keepintvl, keepcnt,
		user_timeout;			    /* keepintvl, keepcnt: 0 is the engine's */
	uint32_t maxseg, congestion, notsent_lowat; /* the last: 0 is none */
	bool reuse, nodelay, cork;
	struct linger linger;
};

/* A handshake, a connection, or what is left of it. */
struct flow {
	struct flow *next;
	enum flow_state state;
	struct tcp_start start;
	uint32_t tsval; /* of our SYN-ACK */
	uint64_t born;
	uint32_t sent;		/* SYN-ACKs repeated */
	uint16_t announced;	/* MSS */
	struct sock *listener;	/* while not accepted */
	uint32_t index, serial; /* with xdp: in porch_flows */
	struct flow *queue_next;
	bool queued;
	/* from FLOW_OPEN on */
	struct drill *drill;
	struct tcp_stack stack; /* its own, for its settings are */
	struct tcp_conn conn;
	struct options settings; /* as the engine has them */
	bool opened, finished;
	struct tcp_finish finish;
	uint64_t expires;
	struct sock *sock;
};

enum sock_kind {
	SOCK_FREE,
	SOCK_NEW,
	SOCK_LISTEN,
	SOCK_CONN,
	SOCK_EPOLL,
	SOCK_PIPE,
};

struct watch {
	int fd;
	struct epoll_event event;
	uint64_t seen; /* edge-triggered: its signature when last reported */
	bool spent;    /* one-shot */
};

struct pipe_buffer {
	uint32_t users, used;
	uint8_t data[65536];
};

struct sock {
	enum sock_kind kind;
	int fd;
	bool nonblock, bound, error_taken, inq;
	bool was_writable;
	uint64_t edges; /* times it became writable */
	int family;
	struct sockaddr_storage local;
	struct options o;
	/* SOCK_LISTEN */
	uint32_t listener; /* in drill.listeners */
	uint32_t backlog, depth;
	uint64_t arrivals;
	struct flow *queue, **queue_tail;
	/* SOCK_CONN */
	struct flow *flow;
	/* SOCK_EPOLL */
	struct watch *watches;
	/* SOCK_PIPE */
	struct pipe_buffer *pipe;
	bool pipe_writes;
};

struct sent {
	struct sent *next;
	uint64_t at;
	uint32_t length;
	uint8_t packet[];
};

struct waiter {
	struct waiter *next;
	uint64_t deadline, seen;
};

struct drill {
	pthread_mutex_t lock;
	pthread_cond_t changed, settled;
	pthread_t owner; /* who moves the clock */
	uint64_t generation;
	struct waiter *waiters;
	uint64_t now;
	uint32_t isn;
	uint32_t congestion;
	uint32_t synack_retries;
	uint16_t mtu;
	enum backend backend;
	struct flow *flows;
	struct xdp *xdp;			    /* NULL: the model answers */
	struct listener listeners[DRILL_LISTENERS]; /* [0] unused */
	uint32_t listeners_used;
	struct sent *out, **out_tail;
	uint8_t frame[DRILL_FRAME];
	struct sock socks[DRILL_FDS];
};

/* ---- clock.c ---- */
void drill_lock(struct drill *d);
void drill_unlock(struct drill *d);
/* Sends what is owed, and lets those who wait look again. */
void drill_changed(struct drill *d);
/* Until something has changed or the clock is at `deadline` (false then). Whoever
 * moves the clock does so here too, else he would wait for himself. */
bool drill_wait(struct drill *d, uint64_t deadline);
void drill_advance(struct drill *d, uint64_t until);
/* Next time at which anything happens on its own. */
uint64_t drill_next(struct drill *d);

/* To be asked when a call returns: the time it did so, once, if it had to wait. */
uint64_t drill_returned(void);

/* ---- flags.c ---- */
void flags_read(struct drill *d, const char *flags);

/* ---- interpose.c ---- */
/* The program's calls of `name` become calls of `function`; how many places say so. */
int interpose(const char *name, void *function);

/* ---- wire.c ---- */
void wire_sent(struct drill *d, const void *packet, uint32_t length);
int wire_in(struct drill *d, const void *packet, size_t n);
int wire_out(struct drill *d, void *packet, size_t *n, long long *usecs);
void wire_free(struct drill *d);

/* ---- listener.c ---- */
/* Index of the one that has this address and port, 0: none. */
uint32_t listener_find(struct drill *d, const uint8_t local[16], uint16_t port);
/* Its socket, if it has one now. */
struct sock *listener_of(struct drill *d, const uint8_t local[16], uint16_t port);
int listener_add(struct drill *d, struct sock *s);
void listener_gone(struct drill *d, struct sock *s);

/* ---- handshake.c ---- */
/* A frame whose segment belongs to no connection that is open. */
void handshake_segment(struct drill *d, struct flow *f, const uint8_t *frame, uint32_t length, uint32_t l4,
		       const struct tcp_segment *seg, const uint8_t remote[16], const uint8_t local[16]);
/* SYN-ACKs that are to be said again, and when. */
void handshake_run(struct drill *d);
uint64_t handshake_next(const struct flow *f);
/* What the kernel does with TCP that is not porch's. */
void handshake_nobody(struct drill *d, const uint8_t *frame, uint32_t length, uint32_t l4);

/* ---- xdp.c ---- */
/* 0, or -errno: the programs cannot be loaded here, and stderr says why. */
int xdp_open(struct drill *d);
void xdp_close(struct drill *d);
void xdp_listeners(struct drill *d); /* there is another one */
void xdp_frame(struct drill *d, const uint8_t *frame, uint32_t length);
bool xdp_half_open(struct drill *d, const struct flow *f); /* is it still? */
void xdp_over(struct flow *f, bool time_wait);

/* ---- flow.c ---- */
struct flow *flow_new(struct drill *d);
struct flow *flow_find(struct drill *d, const uint8_t remote[16], const uint8_t local[16],
		       uint16_t remote_port, uint16_t local_port);
/* f->start and f->listener are filled; into the accept queue, with what `seg` carries. */
void flow_open(struct drill *d, struct flow *f, const struct tcp_segment *seg);
void flow_finished(struct flow *f);
void flow_forget(struct flow *f);
void flows_tidy(struct drill *d);
void flows_free(struct drill *d);
void conn_settings(struct flow *f, const struct options *o);

/* ---- socket.c ---- */
struct sock *sock_of(struct drill *d, int fd); /* NULL and errno */
struct sock *sock_new(struct drill *d, enum sock_kind kind);
void sock_forget(struct drill *d, struct sock *s);
void address_of(const struct sockaddr *sa, uint8_t ret[16], uint16_t *port);
void address_to(int family, const uint8_t address[16], uint16_t port, struct sockaddr *sa, socklen_t *length);

/* ---- info.c ---- */
int info_get(struct drill *d, struct sock *s, void *value, socklen_t *length);

/* ---- ready.c ---- */
uint32_t sock_ready(struct drill *d, struct sock *s);
uint32_t sock_room(const struct sock *s);
bool sock_writable(const struct sock *s);
/* Whoever became writable since the last look: what EPOLLET is about. */
void socks_look(struct drill *d);
int sock_pending_error(struct sock *s);
void watches_forget(struct drill *d, int fd);

/* ---- the calls, locked by adapter.c; -errno ---- */
int do_socket(struct drill *d, int domain, int type, int protocol);
int do_bind(struct drill *d, struct sock *s, const struct sockaddr *a, socklen_t n);
int do_listen(struct drill *d, struct sock *s, int backlog);
int do_accept(struct drill *d, struct sock *s, struct sockaddr *a, socklen_t *n);
int do_close(struct drill *d, struct sock *s);
int do_shutdown(struct drill *d, struct sock *s, int how);
int do_fcntl(struct drill *d, struct sock *s, int command, long arg);
int do_ioctl(struct drill *d, struct sock *s, unsigned long request, void *arg);
ssize_t do_recv(struct drill *d, struct sock *s, const struct iovec *iov, size_t count, int flags);
ssize_t do_send(struct drill *d, struct sock *s, const struct iovec *iov, size_t count, int flags);
int do_getsockopt(struct drill *d, struct sock *s, int level, int name, void *value, socklen_t *n);
int do_setsockopt(struct drill *d, struct sock *s, int level, int name, const void *value, socklen_t n);
int do_poll(struct drill *d, struct pollfd *fds, nfds_t n, int timeout);
int do_epoll_ctl(struct drill *d, struct sock *ep, int op, int fd, const struct epoll_event *event);
int do_epoll_wait(struct drill *d, struct sock *ep, struct epoll_event *events, int most, int timeout);
int do_pipe(struct drill *d, int fds[2]);
int do_splice(struct drill *d, struct sock *in, struct sock *out, size_t n, unsigned int flags);

#endif /* PORCH_PACKETDRILL_DRILL_H */
