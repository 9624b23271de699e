/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * libporch: connections whose handshake porch has completed in XDP, accepted
 * and served over AF_XDP.
 *
 * One struct porch per thread; no call may be made on it, its listeners or its
 * connections by another thread at the same time. Nothing blocks but
 * porch_poll() with a timeout. Handles are not valid in a child after fork().
 *
 * Functions return 0 or a count, or a negative errno value; on failure what
 * `ret` points to is untouched. -EBADF: the handle is closed; -ECHILD: it
 * belongs to the parent of this process. Ports in struct sockaddr in network order, as
 * everywhere; times in the unit their name ends with.
 *
 *	struct porch *p;  struct porch_listener *l;  struct porch_conn *c;
 *	porch_open(&p, NULL);
 *	porch_listen(p, (struct sockaddr *)&addr, sizeof(addr), 128, &l);
 *	for (;;) {
 *		int n = porch_poll(p, events, 64, -1);
 *		for (i = 0; i < n; i++)
 *			if (events[i].events & PORCH_ACCEPT)
 *				while (!porch_accept(events[i].listener, &c)) ...
 */
#ifndef PORCH_H
#define PORCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct porch;
struct porch_listener;
struct porch_conn;

/* Zero is the default of every field. */
struct porch_open_opts {
	size_t size;			/* sizeof(struct porch_open_opts) */
	const char *socket;		/* porchd's; NULL: $PORCH_SOCKET, else /run/porch/porchd.sock */
	const char *name;		/* shown by `porch queues`; NULL: the program's */
	uint32_t flags;			/* PORCH_OPEN_* */
	uint32_t queue;			/* with PORCH_OPEN_QUEUE: the one RX queue this worker serves */
	uint32_t credit;		/* connections handed to it before it accepts them; default 64, at most 1024 */
	uint32_t max_conns;		/* default 65536; more are refused with RST */
	size_t memory;			/* octets of buffers for all connections together; default 256 MiB */
	size_t recv_buffer;		/* octets per connection at most; default 1 MiB, 2 KiB to 64 MiB */
	size_t send_buffer;		/* octets per connection at most; default 1 MiB, 2 KiB to 64 MiB */
};
/* Serve one RX queue only. The one worker of a queue owns its rings and needs
 * porchd for nothing but new connections. */
#define PORCH_OPEN_QUEUE 0x01
/* porch_poll() returns, with EOWNERDEAD once, when porchd dies; the default is
 * to go on, to reconnect, and to tell by porch_state(). */
#define PORCH_OPEN_TELL 0x02

/*
 * Registers with porchd. -ENOENT, -ECONNREFUSED: no porchd; -EACCES: this uid
 * is not listed; -EUSERS: no worker number or socket is left; -ENODEV: no
 * interface with an afxdp listener; -EPROTO: porchd speaks another version;
 * -ETIMEDOUT.
 */
int porch_open(struct porch **ret, const struct porch_open_opts *opts);
/*
 * Ends the worker. Its connections are closed as by porch_conn_close(), and what
 * their peers have not acknowledged yet porchd sends and finishes, up to
 * handback-memory of porch.conf for all of them; what is beyond that, or with
 * porchd gone, is reset, and so are connections not yet accepted. exit() does the
 * same for contexts that the exiting thread used last; a process that is killed,
 * or calls _exit(), leaves resets. Waits for porchd's answer, two seconds at
 * most. NULL is allowed.
 */
void porch_close(struct porch *p);
/* Readable when porch_poll() has something to do or to say; level-triggered,
 * for the application's own poll or epoll. Lives as long as `p`. */
int porch_fd(const struct porch *p);

enum porch_session_state {
	PORCH_ATTACHED = 0,
	PORCH_DETACHED = 1,		/* porchd is gone: connections go on, nothing new is accepted */
	PORCH_REATTACHED = 2,		/* it is back; connections and listeners are as they were */
	PORCH_LOST = 3,			/* it is back and knows nothing of us: all connections were aborted */
};
int porch_state(const struct porch *p);

/*
 * `addr` must be covered by a listener with deliver=afxdp (porch listen), else
 * -EADDRNOTAVAIL. The queue takes backlog + 1 connections, as the kernel's
 * does; at most what porchd allows. Several workers may listen on one address.
 */
int porch_listen(struct porch *p, const struct sockaddr *addr, socklen_t len, int backlog,
		 struct porch_listener **ret);
/* What was handed over and not accepted is reset. */
void porch_listener_close(struct porch_listener *l);
void porch_listener_set_user(struct porch_listener *l, void *user);
void *porch_listener_user(const struct porch_listener *l);

/* -EAGAIN: none is waiting. The connection is the caller's until porch_conn_close() or _abort(). */
int porch_accept(struct porch_listener *l, struct porch_conn **ret);

#define PORCH_ACCEPT 0x01		/* porch_accept() has one */
#define PORCH_IN 0x02			/* porch_recv() returns data, or 0 at the end */
#define PORCH_OUT 0x04			/* porch_send() takes data */
#define PORCH_HUP 0x08			/* both directions are at their end */
#define PORCH_ERR 0x10			/* porch_conn_info() says which */

struct porch_event {
	uint32_t events;		/* PORCH_* */
	uint32_t reserved;
	struct porch_listener *listener;	/* of PORCH_ACCEPT, else NULL */
	struct porch_conn *conn;	/* of everything else, else NULL */
	void *user;			/* of that listener or connection */
};

/*
 * Receives, answers, runs timers, sends what was queued; then reports who is
 * ready. Level-triggered: what was not taken is reported again. PORCH_OUT only
 * after porch_send() has said -EAGAIN or less than asked, until it is met.
 * timeout_ms: -1 for ever, 0 not at all (with nothing to report it then yields
 * the CPU, unless porch_fd() is used). Returns the number of events, 0 after
 * the timeout, -EINTR.
 */
int porch_poll(struct porch *p, struct porch_event *events, int n, int timeout_ms);

/* -EAGAIN: nothing there; 0: the peer has closed its side; -ECONNRESET,
 * -ETIMEDOUT, -EHOSTUNREACH: the connection has ended, and why. */
ssize_t porch_recv(struct porch_conn *c, void *buf, size_t n);
/* Copies into the send buffer; less than n when it fills up, -EAGAIN when it is
 * full; -EPIPE after porch_shutdown(SHUT_WR); errors of the connection as above.
 * It leaves with the next porch_poll() or porch_flush(). */
ssize_t porch_send(struct porch_conn *c, const void *buf, size_t n);
/* Sends now what porch_send(), porch_recv() and closes have left to be sent. */
int porch_flush(struct porch *p);

/*
 * Without a copy. porch_recv_zc() fills up to n pieces of the receive buffer,
 * in order, and returns how many; they stay the caller's until as many octets
 * are given back by porch_recv_done(). porch_send_zc_get() lends memory for at
 * least `want` octets (*got says how many), porch_send_zc_commit() sends the
 * first n of them; nothing else may be sent on the connection in between.
 */
struct porch_piece {
	void *data;
	size_t length;
};
ssize_t porch_recv_zc(struct porch_conn *c, struct porch_piece *pieces, int n);
ssize_t porch_recv_done(struct porch_conn *c, size_t octets);
ssize_t porch_send_zc_get(struct porch_conn *c, size_t want, struct porch_piece *ret);
ssize_t porch_send_zc_commit(struct porch_conn *c, size_t octets);

/* SHUT_RD, SHUT_WR, SHUT_RDWR. */
int porch_shutdown(struct porch_conn *c, int how);
/* Orderly: what was sent still arrives, then FIN. Unread data, or data that
 * comes later, is answered with RST (RFC 1122 4.2.2.13). The handle is gone. */
void porch_conn_close(struct porch_conn *c);
/* RST now. The handle is gone. */
void porch_conn_abort(struct porch_conn *c);
void porch_conn_set_user(struct porch_conn *c, void *user);
void *porch_conn_user(const struct porch_conn *c);
/* Which of PORCH_IN and PORCH_OUT porch_poll() reports for it, until told
 * otherwise: both at first. PORCH_HUP and PORCH_ERR always are. For who cannot
 * take more just now. */
int porch_conn_want(struct porch_conn *c, uint32_t events);

enum porch_option {
	PORCH_NODELAY = 1,		/* 1: no Nagle (RFC 9293 3.7.4); default 0 */
	PORCH_KEEPALIVE = 2,		/* seconds of silence before the first probe; 0 (default): none */
	PORCH_USER_TIMEOUT = 3,		/* milliseconds unacknowledged before -ETIMEDOUT; 0: as RFC 9293 */
	PORCH_CORK = 4,			/* 1: only full segments, or what is 200 ms old */
	PORCH_CONGESTION = 5,		/* 0 (default): CUBIC (RFC 9438); 1: NewReno (RFC 5681) */
	PORCH_KEEPALIVE_INTERVAL = 6,	/* seconds between probes; 0 (default): as PORCH_KEEPALIVE, 75 at most */
	PORCH_KEEPALIVE_PROBES = 7,	/* unanswered ones before -ETIMEDOUT; 0 (default): 9 */
};
int porch_conn_set(struct porch_conn *c, enum porch_option option, uint32_t value);

struct porch_conn_info {
	size_t size;			/* in: sizeof(struct porch_conn_info) */
	struct sockaddr_storage remote, local;
	int32_t error;			/* 0, or the negative errno it ended with */
	uint32_t state;			/* as TCP_ESTABLISHED ... of netinet/tcp.h */
	uint64_t queued_ns;		/* in the accept queue */
	uint64_t handover_ns;		/* from the proof in XDP to porch_accept() */
	uint32_t rx_queue;
	uint32_t mss;			/* for sending, octets of payload */
	uint32_t srtt_us;
	uint32_t rttvar_us;
	uint32_t rto_us;
	uint32_t cwnd;			/* octets */
	uint32_t ssthresh;		/* octets */
	uint32_t snd_wnd;		/* octets */
	uint32_t rcv_wnd;		/* octets */
	uint32_t unsent;		/* octets in the send buffer, not yet sent */
	uint32_t unacked;		/* octets sent, not yet acknowledged */
	uint32_t unread;		/* octets to be received */
	uint32_t retransmits;		/* segments */
	uint32_t segments_in, segments_out;
	uint64_t octets_in, octets_out;
	uint8_t timestamps, sack, wscale_snd, wscale_rcv;
};
int porch_conn_info(const struct porch_conn *c, struct porch_conn_info *ret);

/* Of one worker. */
struct porch_stats_info {
	size_t size;			/* in: sizeof(struct porch_stats_info) */
	uint64_t frames_in, frames_out;
	uint64_t refused_checksum;	/* TCP checksum wrong */
	uint64_t refused_unknown;	/* segment of a connection nobody has announced */
	uint64_t refused_frame;		/* record or lengths that contradict each other */
	uint64_t refused_ring;		/* ring index or entry that is impossible */
	uint64_t no_memory;		/* dropped for want of buffers */
	uint64_t tx_full;		/* found no frame or no room in the TX ring, waited */
	uint64_t accepted;
	uint64_t leases_lost, leases_taken;
	uint32_t conns;
	uint32_t zero_copy;		/* areas in zero-copy mode */
	uint32_t areas;
	uint32_t leased;
	uint64_t memory;		/* octets of buffers in use */
};
int porch_stats_get(const struct porch *p, struct porch_stats_info *ret);

/*
 * Every frame received and sent is written to `fd` as pcap (libpcap's format,
 * link type Ethernet), at most `snaplen` octets of each. fd -1: no more. The fd
 * stays the caller's. `porch capture` does this to a running worker.
 */
int porch_capture(struct porch *p, int fd, uint32_t snaplen);

#ifdef __cplusplus
}
#endif

#endif /* PORCH_H */
