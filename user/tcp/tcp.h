/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The TCP engine: RFC 9293 from ESTABLISHED on. No clock, no file descriptor, no
 * allocation of its own: time, frames and memory are arguments, so that it runs
 * offline and the same way every time.
 *
 * A struct tcp_stack is one thread's: its clock, its frames, its memory, its
 * timers, its counters. A struct tcp_conn is one connection; it lies in memory
 * of the caller, who embeds it, and belongs to one stack.
 *
 * Time is CLOCK_MONOTONIC in nanoseconds, in stack->now, set by the caller before
 * each call into the engine and never going back. Sequence numbers, ports and
 * lengths in host order; addresses in network order, IPv4 as ::ffff:a.b.c.d.
 *
 * Used by user/lib (workers) and user/daemon (what an application handed back).
 * It includes nothing of either.
 */
#ifndef PORCH_TCP_H
#define PORCH_TCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tcp/types.h"	/* struct tcp_stack, struct tcp_conn: fields are the engine's, but for those said to be the caller's */

/* ---- stack ---- */

/* What the caller lends to the engine. */
struct tcp_ops {
	/* A frame of at least stack->frame_size octets to be filled, or NULL: none
	 * now (TX full is no loss; the engine remembers that it owes, and goes on at
	 * the next tcp_flush()). `conn` says where it will go: conn->area. */
	void *(*frame_get)(struct tcp_stack *stack, struct tcp_conn *conn);
	/* (stack->leave_sum: tcp_frame_l4() says where the header is that wants a sum) */
	/* That frame, from its first octet (Ethernet) on; sent in the order of calls. */
	void (*frame_send)(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length);
	/* The connection has new events (tcp_events()) or is over (TCP_EVENT_DONE).
	 * Called at most once until the caller clears conn->notified. Must not call
	 * the engine. */
	void (*notify)(struct tcp_stack *stack, struct tcp_conn *conn);
	/* A block of TCP_BLOCK octets for buffered data, or NULL; and back. */
	void *(*block_get)(struct tcp_stack *stack);
	void (*block_put)(struct tcp_stack *stack, void *block);
};

/* Offset of the TCP header in the frames of this connection. */
static inline uint32_t tcp_frame_l4(const struct tcp_conn *conn)
{
	return 14 + 4 * (conn->tags[0] != 0xffff) + 4 * (conn->tags[1] != 0xffff) + (conn->family == 4 ? 20 : 40);
}

enum tcp_congestion {
	TCP_CONGESTION_CUBIC = 0,	/* RFC 9438 */
	TCP_CONGESTION_NEWRENO = 1,	/* RFC 5681 */
};

struct tcp_settings {
	uint32_t frame_size;	/* octets of a frame to send, Ethernet included */
	uint32_t recv_buffer;	/* octets per connection at most */
	uint32_t send_buffer;
	uint64_t seed;		/* reserved: the engine draws no lots */
	uint32_t congestion;	/* enum tcp_congestion */
};

void tcp_stack_init(struct tcp_stack *stack, const struct tcp_ops *ops, const struct tcp_settings *settings, uint64_t now);

/* Runs the timers that are due at stack->now. O(1) per timer. */
void tcp_stack_run(struct tcp_stack *stack);
/* Nanoseconds (CLOCK_MONOTONIC) of the next timer, UINT64_MAX: none. May be early, never late. */
uint64_t tcp_stack_next(const struct tcp_stack *stack);
/* After a batch of tcp_input() or application calls: sends ACKs that the batch
 * owes and data that may go, of all connections that have something. */
void tcp_stack_flush(struct tcp_stack *stack);

/* ---- input ---- */

/* A segment of a frame, found and checked by tcp_parse(). Points into the frame. */
/* In the place of a tag's DEI: its TPID is 0x88a8 (802.1ad), not 0x8100. */
#define TCP_TAG_8021AD 0x1000

struct tcp_segment {
	uint32_t seq, ack;
	uint32_t length;	/* octets of payload */
	uint16_t flags;		/* TCP_FLAG_*, nine bits */
	uint16_t window;	/* not scaled */
	const uint8_t *payload;
	const uint8_t *mac;	/* of the frame: destination, source, 12 octets */
	uint16_t tags[2];	/* outer first, host order; 0xffff: none, TCP_TAG_8021AD */
	uint8_t options;	/* TCP_HAS_*: which of the following were there */
	uint8_t sack_blocks;
	uint8_t ecn;		/* of the IP header */
	uint8_t checked;	/* the sum over header and payload was right */
	uint32_t tsval, tsecr;
	uint32_t sack[4][2];
	uint32_t pseudo;	/* sum over pseudo-header and TCP header, folded by the engine with the payload's while it copies */
};

/*
 * `frame` of `length` octets with the IP header at l3, the TCP header at l4 and
 * `octets` from there on, as a porch_record or porch_inject_entry says; nothing
 * of it is believed. 0, or -EBADMSG: not a well-formed segment.
 */
int tcp_parse(const void *frame, uint32_t length, uint32_t l3, uint32_t l4, uint32_t octets, struct tcp_segment *ret);

/*
 * One segment of this connection. Payload is copied into blocks, with its
 * checksum in the same pass; -EBADMSG: the checksum was wrong and nothing has
 * changed. `frame` can be reused when this returns. ACKs are owed, not sent:
 * see tcp_stack_flush(); out-of-order segments and those RFC 5961 answers are
 * answered at once.
 */
int tcp_input(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg);

/* ICMP error that quotes a segment of this connection (RFC 1122 4.2.3.9, RFC 1191, 8201; checked by RFC 5927 4.1). */
void tcp_icmp(struct tcp_stack *stack, struct tcp_conn *conn, const void *frame, uint32_t length, uint32_t l3, uint32_t l4);

/*
 * RST for a segment of no connection (RFC 9293 3.10.7.1), or an ACK that a
 * closed one owes; built from the segment alone into `frame`, of `size` octets.
 * Returns its length, 0 when the segment deserves none (it is an RST).
 */
uint32_t tcp_reset_for(const void *received, uint32_t length, uint32_t l3, uint32_t l4, uint32_t octets,
		       void *frame, uint32_t size);

/* ---- a connection ---- */

/* What the handshake agreed on: a porch_accept_entry says it all. */
struct tcp_start {
	uint8_t remote[16], local[16];
	uint16_t remote_port, local_port;
	uint8_t remote_mac[6], local_mac[6];
	uint16_t tags[2];
	uint32_t irs, iss;
	uint32_t ts_recent, ts_ecr;	/* of the proving segment; ours goes on from ts_ecr */
	uint64_t proven;		/* time of the proof */
	uint32_t rtt_us;		/* round trip of the handshake; 0: not known */
	uint16_t mss;			/* client's */
	uint16_t window;		/* of the proving segment, not scaled */
	uint16_t mtu;			/* of the interface, octets above Ethernet and tags */
	uint8_t options;		/* PORCH_OPT_* of porch/maps.h */
	uint8_t wscale_snd, wscale_rcv;	/* client's, ours */
	uint32_t rcv_wnd;		/* what our SYN-ACK announced */
};

/* ESTABLISHED. Nothing is sent. `conn` is all the engine's; embed it zeroed. */
void tcp_open(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_start *start);

#define TCP_EVENT_IN 0x01	/* data, or the end, or an error, can be read */
#define TCP_EVENT_OUT 0x02	/* room after a refusal */
#define TCP_EVENT_HUP 0x04	/* both directions are at their end */
#define TCP_EVENT_ERR 0x08	/* conn has an error, tcp_error() */
#define TCP_EVENT_DONE 0x10	/* CLOSED or TIME-WAIT: nothing more is sent by the engine, see tcp_finish() */
uint32_t tcp_events(const struct tcp_conn *conn);

ssize_t tcp_recv(struct tcp_stack *stack, struct tcp_conn *conn, void *buf, size_t n);
ssize_t tcp_send(struct tcp_stack *stack, struct tcp_conn *conn, const void *buf, size_t n);
struct tcp_piece {
	void *data;
	size_t length;
};
/* As porch_recv_zc() and so on in porch/porch.h. */
int tcp_recv_pieces(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_piece *pieces, int n);
ssize_t tcp_recv_done(struct tcp_stack *stack, struct tcp_conn *conn, size_t octets);
ssize_t tcp_send_piece(struct tcp_stack *stack, struct tcp_conn *conn, size_t want, struct tcp_piece *ret);
ssize_t tcp_send_commit(struct tcp_stack *stack, struct tcp_conn *conn, size_t octets);

/* SHUT_RD, SHUT_WR, SHUT_RDWR. 0 or -errno. */
int tcp_shutdown(struct tcp_stack *stack, struct tcp_conn *conn, int how);
/* The application is gone from it: FIN after what is queued; RST if data is
 * unread or still comes. TCP_EVENT_DONE says when it is over. */
void tcp_close(struct tcp_stack *stack, struct tcp_conn *conn);
/* RST, now, and CLOSED. */
void tcp_abort(struct tcp_stack *stack, struct tcp_conn *conn);
/* CLOSED without a word, blocks back, timers off. The memory is the caller's again. */
void tcp_release(struct tcp_stack *stack, struct tcp_conn *conn);

/* 0, or the negative errno the connection ended with. */
int tcp_error(const struct tcp_conn *conn);
/* As in netinet/tcp.h: TCP_ESTABLISHED 1, TCP_FIN_WAIT1 4, ... */
int tcp_state(const struct tcp_conn *conn);
/* After TCP_EVENT_DONE: 1 if TIME-WAIT is to be kept by somebody, with the
 * numbers that answer a repeated FIN; 0 if not. */
struct tcp_finish {
	uint32_t snd_nxt, rcv_nxt;
	uint32_t ts_offset;	/* TSval less CLOCK_MONOTONIC in milliseconds */
};
int tcp_finish(const struct tcp_conn *conn, struct tcp_finish *ret);

/* ---- a connection goes on in another stack, of another process ---- */

/* Numbers alone; what is queued to be sent goes beside it. */
struct tcp_handback {
	struct tcp_start start;		/* but for iss, irs, window, rcv_wnd, as at its beginning */
	uint32_t snd_una, snd_nxt, snd_end, snd_wnd, snd_max_wnd;
	uint32_t rcv_nxt, rcv_adv;
	uint32_t ts_offset;
	uint32_t srtt_us, rttvar_us, rto_us;
	uint16_t mtu;
	uint8_t state;
	uint8_t reserved;
	uint32_t flags;			/* TCP_HANDBACK_* */
};
#define TCP_HANDBACK_FIN_QUEUED 0x01
#define TCP_HANDBACK_FIN_SENT 0x02
#define TCP_HANDBACK_FIN_TAKEN 0x04
#define TCP_HANDBACK_ORPHAN 0x08	/* tcp_close() was called */

/* *ret and the octets from snd_una on, to `data`; returns how many. -EMSGSIZE: more
 * than `size`; -ENOTCONN: it is over; -EBUSY: data is unread, or a piece is lent.
 * `conn` is as it was: tcp_release() it. */
ssize_t tcp_export(const struct tcp_conn *conn, struct tcp_handback *ret, void *data, size_t size);
/* From what tcp_export() said, none of it believed: -EINVAL; -ENOMEM. Data in
 * flight counts as sent now, once more than once; what had come out of order is
 * forgotten (RFC 2018 8). */
int tcp_import(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_handback *from, const void *data,
	       size_t octets);

enum tcp_option {
	TCP_OPTION_NODELAY = 1,
	TCP_OPTION_KEEPALIVE = 2,	/* seconds, 0: off */
	TCP_OPTION_USER_TIMEOUT = 3,	/* milliseconds, 0: the RFC's */
	TCP_OPTION_CORK = 4,		/* full segments alone, for 200 ms at most */
	TCP_OPTION_CONGESTION = 5,	/* enum tcp_congestion */
	TCP_OPTION_KEEPALIVE_INTERVAL = 6,	/* seconds between probes, up to 32767; 0: as long as the silence before them, 75 at most */
	TCP_OPTION_KEEPALIVE_PROBES = 7,	/* unanswered ones before it gives up, up to 127; 0: nine */
};
int tcp_set(struct tcp_stack *stack, struct tcp_conn *conn, enum tcp_option option, uint32_t value);

struct tcp_info_out {
	uint32_t mss, srtt_us, rttvar_us, rto_us, cwnd, ssthresh, snd_wnd, rcv_wnd;
	uint32_t unsent, unacked, unread, retransmits, segments_in, segments_out;
	uint64_t octets_in, octets_out;
};
void tcp_info_get(const struct tcp_conn *conn, struct tcp_info_out *ret);

#endif /* PORCH_TCP_H */
