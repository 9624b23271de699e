/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the engine's files share. One block per file that defines it. */
#ifndef PORCH_TCP_INTERNAL_H
#define PORCH_TCP_INTERNAL_H

#include <errno.h>
#include <string.h>

#include "tcp/csum.h"
#include "tcp/tcp.h"

/* On the wire. */
#define TCP_FLAG_FIN	   0x001
#define TCP_FLAG_SYN	   0x002
#define TCP_FLAG_RST	   0x004
#define TCP_FLAG_PSH	   0x008
#define TCP_FLAG_ACK	   0x010
#define TCP_FLAG_URG	   0x020
#define TCP_FLAG_ECE	   0x040
#define TCP_FLAG_CWR	   0x080

#define TCP_HAS_TIMESTAMPS 0x01
#define TCP_HAS_SACK	   0x02

/* porch/maps.h, which this engine does not include: it knows no map. */
#define TCP_OPT_TIMESTAMPS 0x01
#define TCP_OPT_SACK	   0x02
#define TCP_OPT_WSCALE	   0x04
#define TCP_OPT_ECN	   0x08

#define TCP_TAG_NONE	   0xffff

/* As in netinet/tcp.h, which cannot be included beside our names. */
enum tcp_conn_state {
	TCP_STATE_ESTABLISHED = 1,
	TCP_STATE_FIN_WAIT1 = 4,
	TCP_STATE_FIN_WAIT2 = 5,
	TCP_STATE_TIME_WAIT = 6,
	TCP_STATE_CLOSED = 7,
	TCP_STATE_CLOSE_WAIT = 8,
	TCP_STATE_LAST_ACK = 9,
	TCP_STATE_CLOSING = 11,
};

/* tcp_conn.flags */
#define TCP_CONN_NODELAY     (1u << 0)
#define TCP_CONN_CORK	     (1u << 1)
#define TCP_CONN_FIN_QUEUED  (1u << 2) /* our side is at its end: FIN at snd_end */
#define TCP_CONN_FIN_SENT    (1u << 3)
#define TCP_CONN_FIN_SEEN    (1u << 4) /* rcv_fin is known */
#define TCP_CONN_FIN_TAKEN   (1u << 5) /* and everything before it has come */
#define TCP_CONN_READ_SHUT   (1u << 6)
#define TCP_CONN_ORPHAN	     (1u << 7) /* the application has closed it */
#define TCP_CONN_DONE	     (1u << 8)
#define TCP_CONN_OUT_WANTED  (1u << 9)	/* tcp_send() was refused */
#define TCP_CONN_ACK_NOW     (1u << 10) /* an ACK is owed and is not to wait */
#define TCP_CONN_ACK_OWED    (1u << 11) /* an ACK is owed */
#define TCP_CONN_RESET_OWED  (1u << 12)
#define TCP_CONN_PROBE_OWED  (1u << 13) /* a window or keepalive probe */
#define TCP_CONN_LENT	     (1u << 14) /* tcp_send_piece() without its commit */
#define TCP_CONN_TLP	     (1u << 15) /* loss probe in flight, up to tlp_end */
#define TCP_CONN_TLP_RESENT  (1u << 16) /* and it was a retransmission */
#define TCP_CONN_RESET_BARE  (1u << 17) /* RST without ACK: it answers a segment, whose ACK is its number */
#define TCP_CONN_TLP_OWED    (1u << 18)
#define TCP_CONN_CWND_FULL   (1u << 19) /* cwnd was what held data back */
#define TCP_CONN_INTERACTIVE (1u << 20) /* answers carry our ACKs: no quick ones */
#define TCP_CONN_FRTO	     (1u << 21) /* RFC 5682: is this timeout spurious? */
#define TCP_CONN_UNCORKED    (1u << 22) /* for this once: TCP_CORKED is over */
#define TCP_CONN_ECN_OK	     (1u << 23)
#define TCP_CONN_ECN_ECE     (1u << 24) /* we owe ECE until CWR */
#define TCP_CONN_ECN_CWR     (1u << 25) /* next data segment carries CWR */

/* tcp_record.flags */
#define TCP_RECORD_SACKED 0x01
#define TCP_RECORD_LOST	  0x02
#define TCP_RECORD_RESENT 0x04 /* since it was lost, and in flight again */
#define TCP_RECORD_FIN	  0x08
#define TCP_RECORD_EVER	  0x10 /* sent more than once: no RTT sample (Karn) */

enum tcp_recovery {
	TCP_RECOVERY_NONE,
	TCP_RECOVERY_CWR, /* told by ECN */
	TCP_RECOVERY_FAST,
	TCP_RECOVERY_TIMEOUT,
};

/* What TCP_DEADLINE_SEND is set for. */
enum tcp_send_kind {
	TCP_SEND_RETRANSMIT,
	TCP_SEND_LOSS_PROBE,
	TCP_SEND_REORDER,
	TCP_SEND_WINDOW_PROBE,
	TCP_SEND_CORKED,
};

#define TCP_NEVER	      UINT64_MAX
#define TCP_MS		      1000000ull
#define TCP_SECOND	      1000000000ull

#define TCP_MSS_MIN	      48 /* below, a peer makes us spend packets, not data */
#define TCP_MSS_DEFAULT	      536
#define TCP_INITIAL_WINDOW    10 /* segments, RFC 6928 */
#define TCP_RTO_INITIAL_US    1000000u
#define TCP_RTO_MIN_US	      200000u
#define TCP_RTO_MAX_US	      120000000u
#define TCP_RETRIES	      15
#define TCP_RETRIES_ORPHAN    8
#define TCP_DELAYED_ACK	      (40 * TCP_MS)
#define TCP_DELAYED_ACK_MAX   (200 * TCP_MS) /* what peers do */
#define TCP_FIN_TIMEOUT	      (60 * TCP_SECOND)
#define TCP_CHALLENGE_MS      500
#define TCP_QUICK_ACKS	      16
#define TCP_MIN_RTT_S	      300
#define TCP_CORKED	      (200 * TCP_MS) /* a cork holds no longer */
#define TCP_KEEPALIVE_PROBES  9
#define TCP_RANGES_MAX	      255
#define TCP_PAWS_DAYS_MS      (24u * 24 * 3600 * 1000)
#define TCP_SSTHRESH_INFINITE 0x7fffffffu

static inline bool seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline bool seq_after(uint32_t a, uint32_t b)
{
	return seq_before(b, a);
}

static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? b : a;
}

static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
	return seq_before(a, b) ? a : b;
}

static inline uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t max_u32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static inline uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint32_t clock_ms(const struct tcp_stack *stack)
{
	return (uint32_t)(stack->now / TCP_MS);
}

/* ---- wheel.c ---- */
void wheel_init(struct tcp_wheel *wheel, uint64_t now);
void wheel_add(struct tcp_wheel *wheel, struct tcp_timer *timer, uint64_t when);
void wheel_del(struct tcp_wheel *wheel, struct tcp_timer *timer);
/* Takes everything due at `now` off; a list through ->next. */
struct tcp_timer *wheel_run(struct tcp_wheel *wheel, uint64_t now);
uint64_t wheel_next(const struct tcp_wheel *wheel);

/* ---- timers.c ---- */
void deadline_set(struct tcp_stack *stack, struct tcp_conn *conn, enum tcp_deadline which, uint64_t when);
static inline void deadline_clear(struct tcp_conn *conn, enum tcp_deadline which)
{
	conn->deadline[which] = TCP_NEVER; /* the wheel finds out when it gets there */
}
void timers_stop(struct tcp_stack *stack, struct tcp_conn *conn);
void timers_expired(struct tcp_stack *stack, struct tcp_conn *conn);
/* After something was sent or acknowledged: what the send timer is for now, and when. */
void send_timer(struct tcp_stack *stack, struct tcp_conn *conn);
void send_timer_as_is(struct tcp_stack *stack, struct tcp_conn *conn);

/* ---- stack.c ---- */
/* On the list of those that tcp_stack_flush() goes through. */
void stack_pend(struct tcp_stack *stack, struct tcp_conn *conn);
void stack_unpend(struct tcp_stack *stack, struct tcp_conn *conn);
void conn_notify(struct tcp_stack *stack, struct tcp_conn *conn);

/* ---- buffer.c ---- */
struct tcp_block *block_new(struct tcp_stack *stack, uint32_t base);
void blocks_free(struct tcp_stack *stack, struct tcp_block *block); /* and all behind it */
/* Payload that begins at rcv_nxt, into place; its partial checksum. False: no memory. */
bool receive_append(struct tcp_stack *stack, struct tcp_conn *conn, const uint8_t *data, uint32_t n,
		    uint32_t *sum);
void receive_trim(struct tcp_stack *stack, struct tcp_conn *conn); /* blocks that have been read */
/* Octets from `seq` on out of the send buffer to `to`; their partial checksum. */
uint32_t send_copy(struct tcp_block *block, uint32_t seq, void *to, uint32_t n);
void send_copy_only(struct tcp_block *block, uint32_t seq, void *to, uint32_t n); /* without the sum */
struct tcp_block *send_block(struct tcp_conn *conn, uint32_t seq);
void send_trim(struct tcp_stack *stack, struct tcp_conn *conn); /* blocks that are acknowledged */

static inline uint32_t receive_unread(const struct tcp_conn *conn)
{
	return conn->rcv_nxt - conn->rcv_read - !!(conn->flags & TCP_CONN_FIN_TAKEN);
}

/* ---- reassembly.c ---- */
struct tcp_range {
	uint32_t from, to;
	struct tcp_block *last; /* holds the octet before `to` */
};
_Static_assert(sizeof(struct tcp_range) == 16, "a block full of them");
/* Payload beyond rcv_nxt, checksum already found right. False: dropped. */
bool reassembly_add(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t seq, const uint8_t *data,
		    uint32_t n);
uint32_t reassembly_find(const struct tcp_conn *conn, uint32_t seq);
void reassembly_join(struct tcp_stack *stack, struct tcp_conn *conn); /* rcv_nxt has moved */

/* ---- window.c ---- */
/* The window field of the segment about to be sent; moves the promised edge. */
uint16_t window_announce(struct tcp_stack *stack, struct tcp_conn *conn);
/* The application has read n octets: grow, and owe an update if it helps the peer. */
void window_read(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t n);
void window_segment(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg);

/* ---- record.c ---- */
static inline struct tcp_record *record_at(const struct tcp_conn *conn, uint32_t i)
{
	if (conn->rec_level == 0)
		return (struct tcp_record *)&conn->rec_inline[i % TCP_INLINE_RECORDS];
	if (conn->rec_level == 1)
		return (struct tcp_record *)conn->rec_memory + i % (TCP_BLOCK / sizeof(struct tcp_record));
	return ((struct tcp_record **)conn->rec_memory)[i / (TCP_BLOCK / sizeof(struct tcp_record)) %
							(TCP_BLOCK / sizeof(void *))] +
	       i % (TCP_BLOCK / sizeof(struct tcp_record));
}
struct tcp_record *record_add(struct tcp_stack *stack,
			      struct tcp_conn *conn); /* at rec_tail; NULL: no memory */
void record_drop_head(struct tcp_stack *stack, struct tcp_conn *conn);
void records_free(struct tcp_stack *stack, struct tcp_conn *conn);
void record_sent(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t i); /* newest in order of sending */
void record_unlink(struct tcp_conn *conn, uint32_t i);
uint32_t record_find(const struct tcp_conn *conn, uint32_t seq); /* first that ends after seq */

/* ---- ack.c ---- */
/* Everything an acceptable segment's ACK and window say. False: drop the segment. */
bool ack_input(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg);
static inline uint32_t conn_flight(const struct tcp_conn *conn)
{
	return conn->snd_nxt - conn->snd_una;
}
/* Data or FIN that was never sent. */
static inline bool conn_unsent(const struct tcp_conn *conn)
{
	return !(conn->flags & TCP_CONN_FIN_SENT) &&
	       (conn->snd_end != conn->snd_nxt || conn->flags & TCP_CONN_FIN_QUEUED);
}
/* RFC 6675's pipe. */
static inline uint32_t conn_pipe(const struct tcp_conn *conn)
{
	return conn_flight(conn) - conn->sacked - conn->lost + conn->resent;
}

/* ---- sack.c ---- */
struct tcp_delivery {		      /* of one ACK */
	uint32_t acked;		      /* octets cumulatively */
	uint32_t sacked;	      /* newly, by SACK */
	uint32_t lost;		      /* newly marked */
	uint64_t rtt_first, rtt_last; /* ns; 0: no sample */
	uint64_t sent;		      /* greatest `sent` of what was delivered */
	uint32_t sent_end;
	bool dsack;
	bool echo; /* tsecr is there */
	uint32_t tsecr;
	bool any_resent;    /* something delivered had been sent again */
	bool head_original; /* something sent once was delivered below `recover` */
	bool reneged;
};
void delivered(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_record *record,
	       struct tcp_delivery *d);
void sack_input(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_segment *seg,
		struct tcp_delivery *d);
void record_lose(struct tcp_conn *conn, uint32_t i);

/* ---- rack.c ---- */
void rack_update(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_delivery *d);
/* Marks what is lost by now; returns nanoseconds until the next may be, 0: none. */
uint64_t rack_detect(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_delivery *d);

/* ---- recovery.c ---- */
void recovery_ack(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_delivery *d, bool duplicate,
		  uint32_t prior_una, uint32_t prior_sacked, const struct tcp_segment *seg);
void recovery_timeout(struct tcp_stack *stack, struct tcp_conn *conn);
void recovery_enter(struct tcp_stack *stack, struct tcp_conn *conn, enum tcp_recovery how);
void recovery_reordered(struct tcp_stack *stack, struct tcp_conn *conn);

/* ---- cc.c ---- */
struct tcp_cc {
	const char *name;
	void (*init)(struct tcp_conn *conn);
	uint32_t (*reduce)(struct tcp_stack *stack, struct tcp_conn *conn); /* ssthresh after a loss */
	void (*grow)(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t acked); /* beyond slow start */
	void (*undo)(struct tcp_conn *conn);
	void (*restart)(struct tcp_conn *conn); /* after idleness */
};
extern const struct tcp_cc tcp_cc_newreno, tcp_cc_cubic;
void cc_acked(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t acked);
void cc_idle(struct tcp_stack *stack, struct tcp_conn *conn);
void cc_after_output(struct tcp_stack *stack, struct tcp_conn *conn);
uint32_t cc_initial(const struct tcp_conn *conn);
uint64_t cc_pace_rate(const struct tcp_conn *conn); /* octets a second; 0: not paced */

/* ---- hystart.c ---- */
void hystart_init(struct tcp_conn *conn);
void hystart_sample(struct tcp_conn *conn, uint32_t rtt_us);
uint32_t hystart_grow(struct tcp_conn *conn, uint32_t acked); /* what to add to cwnd in slow start */

/* ---- rtt.c ---- */
void rtt_sample(struct tcp_stack *stack, struct tcp_conn *conn, uint64_t ns);
static inline uint64_t rtt_rto(const struct tcp_conn *conn)
{
	uint64_t rto = (uint64_t)conn->rto_us << (conn->backoff < 12 ? conn->backoff : 12);

	return min_u64(rto, TCP_RTO_MAX_US) * 1000;
}

/* ---- output.c ---- */
/* Sends what may go. False: a frame was wanting, come again. */
bool output(struct tcp_stack *stack, struct tcp_conn *conn);
bool output_ack(struct tcp_stack *stack, struct tcp_conn *conn);
bool output_probe(struct tcp_stack *stack, struct tcp_conn *conn);
bool output_loss_probe(struct tcp_stack *stack, struct tcp_conn *conn);
bool output_reset(struct tcp_stack *stack, struct tcp_conn *conn);
void ack_challenge(struct tcp_stack *stack, struct tcp_conn *conn);
/* Something may go: the next tcp_stack_flush() looks. */
static inline void output_later(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (!conn->flush_pprev)
		stack_pend(stack, conn);
}

/* ---- frame.c ---- */
struct tcp_frame {
	uint32_t seq;
	uint16_t flags;
	uint16_t length;	 /* of payload */
	struct tcp_block *block; /* where it begins */
	bool sack;		 /* say what came out of order */
	uint8_t ecn;
	const uint8_t *octet; /* instead of a block: */
};
bool frame_output(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_frame *f);
uint32_t frame_room(const struct tcp_conn *conn); /* octets of headers in front of the payload, options too */
uint32_t frame_link(void *frame, const uint8_t *mac, const uint16_t *tags, uint16_t ethertype);

/* ---- close.c ---- */
void conn_done(struct tcp_stack *stack, struct tcp_conn *conn, int error);
void conn_time_wait(struct tcp_stack *stack, struct tcp_conn *conn);
void conn_reset(struct tcp_stack *stack, struct tcp_conn *conn, int error); /* RST, then done */
void close_fin_acked(struct tcp_stack *stack, struct tcp_conn *conn);
void close_fin_received(struct tcp_stack *stack, struct tcp_conn *conn);

/* ---- pmtu.c ---- */
void mtu_set(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t mtu);
uint32_t mtu_probe_length(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t queued);
void mtu_probe_passed(struct tcp_stack *stack, struct tcp_conn *conn);
bool mtu_probe_lost(struct tcp_stack *stack, struct tcp_conn *conn, const struct tcp_record *record);
void mtu_timeout(struct tcp_stack *stack, struct tcp_conn *conn);
uint32_t mtu_payload(const struct tcp_conn *conn, uint32_t mtu);

#endif /* PORCH_TCP_INTERNAL_H */
