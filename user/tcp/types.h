/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a struct tcp_stack and a struct tcp_conn hold. Defined here so that a
 * caller can embed them; but for the fields said to be the caller's, they are
 * the engine's alone.
 *
 * Sequence numbers in host order. Times in nanoseconds unless the name ends with
 * _us or _ms. Counts of data in octets.
 */
#ifndef PORCH_TCP_TYPES_H
#define PORCH_TCP_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tcp_ops;
struct tcp_conn;
struct tcp_stack;
struct tcp_cc;

#define TCP_BLOCK 4096			/* what tcp_ops.block_get returns, aligned to 64 octets at least */
#define TCP_INLINE_RECORDS 2		/* segments in flight before a block is taken for them */

/* Data of one direction: a list of these, in the order of the stream. */
struct tcp_block {
	struct tcp_block *next;
	uint32_t base;			/* sequence number of data[0] */
	uint32_t used;			/* sending: octets filled */
	uint8_t data[TCP_BLOCK - 16];
};
#define TCP_BLOCK_DATA (TCP_BLOCK - 16)

/* A segment in flight. */
struct tcp_record {
	uint64_t sent;			/* last time */
	struct tcp_block *block;	/* where its data begins; NULL: a FIN alone */
	uint32_t seq;
	uint16_t length;		/* of the sequence space: payload, and 1 for FIN */
	uint8_t flags;			/* TCP_RECORD_* */
	uint8_t times;			/* sent again, up to 255 */
	uint32_t older, newer;		/* neighbours in order of `sent`; itself: none */
};
_Static_assert(sizeof(struct tcp_record) == 32, "128 of them in a block");

struct tcp_timer {
	struct tcp_timer *next, **pprev;
	uint64_t expires;		/* wheel tick */
};

/* Deadlines of a connection; the earliest of them is on the wheel. */
enum tcp_deadline {
	TCP_DEADLINE_SEND,		/* retransmission, loss probe, reordering or window probe: conn->send_kind */
	TCP_DEADLINE_ACK,		/* delayed ACK */
	TCP_DEADLINE_PACE,		/* next burst */
	TCP_DEADLINE_KEEP,		/* keepalive; FIN-WAIT-2 of a connection nobody owns */
	TCP_DEADLINES,
};

/* Where the receiver's window ends, and how it grows (window.c). */
struct tcp_autotune {
	uint64_t since;			/* start of this measurement */
	uint32_t copied;		/* read by the application since then */
	uint32_t space;			/* most that was read in one round trip */
	uint32_t rtt_us;		/* as the receiver sees it; 0: not yet */
	uint32_t mark;			/* without timestamps a round trip ends when this arrives; with: last TSecr */
	uint64_t mark_time;
};

/* Private to the congestion control in use. */
union tcp_cc_state {
	struct {
		uint32_t acked;		/* of a congestion window, in congestion avoidance */
	} newreno;
	struct {
		uint64_t epoch;		/* start of congestion avoidance; 0: none yet */
		uint32_t w_max;		/* octets */
		uint32_t w_last;	/* w_max before, for fast convergence */
		uint32_t k_ms;		/* time to w_max */
		uint32_t w_est;		/* what Reno would have, octets */
		uint32_t acked;
		uint32_t est_acked;
		uint32_t undo_w_max, undo_w_last;
	} cubic;
};

/* RFC 9406. */
struct tcp_hystart {
	uint32_t window_end;		/* round ends when this is acknowledged */
	uint32_t last_min_us, now_min_us;
	uint32_t base_min_us;		/* of the round that began CSS */
	uint8_t samples;
	uint8_t css_rounds;
	bool css, done;
};

struct tcp_conn {
	/* ---- the caller's ---- */
	void *user;
	uint32_t area;			/* where frames go; the engine only passes it on */
	bool notified;			/* set by the engine with ops->notify, cleared by the caller */

	/* ---- for the caller to read ---- */
	uint8_t state;			/* as in netinet/tcp.h */
	uint8_t family;			/* 4 or 6 */
	uint8_t options;		/* PORCH_OPT_* */
	uint8_t remote[16], local[16];
	uint16_t remote_port, local_port;
	uint8_t local_mac[6], remote_mac[6];	/* of the latest segment in the window */
	uint16_t tags[2];

	/* ---- the engine's: receiving ---- */
	uint32_t rcv_nxt;
	uint32_t rcv_adv;		/* right edge of the window, as promised */
	uint32_t rcv_read;		/* next octet the application reads */
	uint32_t rcv_acked;		/* rcv_nxt of our last segment */
	uint32_t rcv_fin;		/* sequence number of the peer's FIN, with TCP_CONN_FIN_SEEN */
	uint32_t rcv_limit;		/* octets buffered at most, at present */
	uint32_t ts_recent;
	uint32_t ts_recent_ms;		/* when */
	uint32_t flags;			/* TCP_CONN_* */
	uint16_t rcv_mss;		/* of the peer's segments, as seen */
	uint16_t ranges;		/* in *range */
	struct tcp_block *rcv_head, *rcv_tail;
	struct tcp_range *range;	/* out of order; a block */
	uint8_t quick;			/* ACKs still to be sent without delay */
	uint8_t wscale_snd, wscale_rcv;
	bool dsack;			/* dsack_from, dsack_to go with the next ACK */
	uint32_t dsack_from, dsack_to;
	uint32_t sack_recent[4];	/* sequence numbers within the ranges changed last, newest first */
	uint32_t challenge_ms;		/* last challenge ACK; 0: none yet */

	/* ---- sending ---- */
	uint32_t snd_una, snd_nxt;
	uint32_t snd_end;		/* behind the last octet queued; FIN would have this number */
	uint32_t snd_wnd, snd_wl1;
	uint32_t snd_max_wnd;		/* greatest window seen */
	uint32_t snd_small;		/* end of the last segment below mss (Nagle, Minshall) */
	uint32_t out_mark;		/* with TCP_CONN_OUT_WANTED: room again when no more than this is queued */
	uint32_t ts_offset;		/* TSval less clock in ms */
	struct tcp_block *snd_head, *snd_tail;
	struct tcp_block *snd_cursor;	/* holds snd_nxt; NULL: look for it */
	uint32_t pseudo;		/* checksum of addresses, ports, protocol */
	uint16_t mss;			/* payload of a full segment, options deducted */
	uint16_t peer_mss;		/* as in its SYN */
	uint16_t mtu;			/* of the path, as known */
	uint16_t mtu_link;		/* of the interface */
	int error;			/* negative errno */

	/* ---- segments in flight ---- */
	uint32_t rec_head, rec_tail;	/* indices run freely */
	uint32_t rec_oldest, rec_newest;	/* order of sending, of those neither SACKed nor lost */
	uint32_t rec_resend;		/* nothing lost is below */
	uint8_t rec_level;		/* record.c */
	bool rec_any;			/* rec_oldest is valid */
	uint8_t recovery;		/* enum tcp_recovery */
	uint8_t backoff;		/* timeouts in a row */
	void *rec_memory;
	struct tcp_record rec_inline[TCP_INLINE_RECORDS];
	uint32_t sacked, lost, resent;	/* octets in flight so marked */
	uint32_t sack_seen[4][2];	/* blocks of the latest ACK, already gone through */

	/* ---- congestion ---- */
	uint32_t cwnd;
	const struct tcp_cc *cc;
	uint32_t ssthresh;
	uint32_t recover;		/* snd_nxt when recovery began */
	uint32_t prior_cwnd, prior_ssthresh;	/* for undo */
	int32_t undo_resent;		/* segments sent again and not found needless; -1: no undo */
	uint32_t prr_delivered, prr_out, prr_flight;
	uint32_t resend_ts;		/* TSval of the first retransmission */
	uint32_t duplicates;		/* ACKs in a row, of a peer without SACK */
	uint32_t cwnd_used;		/* most in flight in this round trip */
	uint32_t cwnd_mark;		/* which ends when this is acknowledged */
	uint64_t last_sent;		/* data */
	uint64_t pace_next;		/* not before */
	union tcp_cc_state cc_state;
	struct tcp_hystart hystart;

	/* ---- round trips, RACK ---- */
	uint32_t srtt_us, rttvar_us, rto_us, min_rtt_us;
	uint32_t min_rtt_s;		/* clock in seconds: when that was */
	uint64_t rack_sent;		/* of the latest segment delivered */
	uint32_t rack_end, rack_rtt_us;
	uint32_t rack_round;		/* D-SACK counted until this is acknowledged */
	uint32_t rack_fack;		/* highest sequence number delivered */
	uint32_t tlp_end;		/* of the loss probe in flight, with TCP_CONN_TLP */
	uint8_t rack_multiplier, rack_persist;
	bool rack_reordered;
	bool unreachable;		/* an ICMP error said so, and nothing was acknowledged since */

	/* ---- timers ---- */
	struct tcp_timer timer;
	uint64_t deadline[TCP_DEADLINES];	/* UINT64_MAX: off */
	uint64_t stalled;		/* since when nothing was acknowledged, for the user timeout */
	uint64_t rto_base;		/* the retransmission timer counts from here */
	uint64_t last_heard;
	uint8_t send_kind;		/* what TCP_DEADLINE_SEND is for */
	uint8_t probes;			/* window or keepalive probes unanswered */
	uint16_t mtu_probe;		/* packet of this size is in flight, to see whether it passes; 0: none */
	uint32_t mtu_probe_seq;		/* first octet of it */
	uint32_t mtu_probe_s;		/* clock in seconds: not before */
	uint32_t keepalive_s, user_timeout_ms;
	uint16_t keepalive_interval_s;	/* between probes; 0: as long as the silence before them, 75 at most */
	uint8_t keepalive_probes;	/* unanswered, before it gives up; 0: TCP_KEEPALIVE_PROBES */
	uint32_t retransmits;
	struct tcp_conn *flush_next, **flush_pprev;

	struct tcp_autotune tune;
	uint32_t segments_in, segments_out;
	uint64_t octets_in, octets_out;
};
_Static_assert(sizeof(struct tcp_conn) <= 768, "state of an idle connection");

/* What a stack has counted; for the caller to read. */
struct tcp_counters {
	uint64_t segments_in, segments_out;
	uint64_t refused_checksum;
	uint64_t no_memory;		/* segments dropped for want of a block */
	uint64_t tx_full;		/* frame_get() had none */
	uint64_t retransmits;		/* segments */
	uint64_t timeouts;		/* retransmission timer */
	uint64_t fast_recoveries, undone, loss_probes;
	uint64_t out_of_order, duplicates;	/* segments received */
	uint64_t challenge_acks;
	uint64_t resets_in, resets_out;
	uint64_t acks_delayed, acks_bare;
	uint64_t paws;
	uint64_t window_probes;
	uint64_t icmp;			/* believed */
};

#define TCP_WHEEL_LEVELS 6
#define TCP_WHEEL_SLOTS 64
#define TCP_WHEEL_SHIFT 16		/* a tick is 65,536 ns */

struct tcp_wheel {
	uint64_t tick;			/* everything before it has run */
	uint64_t busy[TCP_WHEEL_LEVELS];	/* slots that hold timers */
	struct tcp_timer *slot[TCP_WHEEL_LEVELS][TCP_WHEEL_SLOTS];
};

struct tcp_stack {
	/* ---- the caller's ---- */
	void *user;
	uint64_t now;
	const struct tcp_ops *ops;
	uint32_t frame_size;
	/* Set by frame_get() for the frame it returns: who sends it makes the sum over TCP header and payload.
	 * Its field then holds the sum of the pseudo-header, not inverted. False again: the next frame_get(). */
	bool leave_sum;
	/* ---- for the caller to read ---- */
	struct tcp_counters counters;
	/* ---- the engine's ---- */
	uint32_t recv_buffer, send_buffer;
	const struct tcp_cc *cc;
	struct tcp_conn *flush_head, **flush_tail;
	struct tcp_wheel wheel;
};

#endif /* PORCH_TCP_TYPES_H */
