/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One connection of the TCP engine and the hand that plays its peer: segments go
 * in by peer_in(), what the engine sends is kept and asked for with sent(). The
 * numbers are relative: our first octet and the peer's are 1.
 */
#ifndef PORCH_TESTS_TCP_PEER_H
#define PORCH_TESTS_TCP_PEER_H

#include "tests/unit/unit.h"

#include "tcp/internal.h"

#define PEER_ISS  5000u
#define PEER_IRS  1000u
#define PEER_SENT 512

struct peer_sent {
	uint32_t seq, ack, length, tsval, tsecr, frame_length;
	uint16_t flags, window;
	uint8_t sack_blocks;
	uint32_t sack[4][2];
	uint8_t frame[2048];
	const uint8_t *payload;
	uint64_t at;
};

struct peer {
	struct tcp_stack stack;
	struct tcp_conn conn;
	struct tcp_settings settings;
	struct tcp_start start;
	uint16_t window;       /* the peer's, in its next segment */
	uint32_t tsval, tsecr; /* the peer's */
	uint8_t mac[12];
	uint16_t tags[2];
	uint32_t sack[4][2];
	uint8_t sack_blocks;
	bool no_frames, no_blocks;
	bool leave_sum; /* who sends makes the sum, as a device does */
	uint32_t blocks, notified;
	uint32_t made, taken;
	struct peer_sent out[PEER_SENT];
	uint8_t frame[4096], data[65536];
};

static inline void *peer_frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct peer *p = stack->user;

	stack->leave_sum = p->leave_sum;
	return p->no_frames ? NULL : p->frame;
}

/* Over everything from the TCP header on, what lies in its sum field included. */
static inline void peer_make_sum(uint8_t *tcp, uint32_t octets)
{
	uint16_t sum = csum_fold(tcp_csum_scalar(tcp, octets));

	memcpy(tcp + 16, &sum, 2);
}

static inline void peer_frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame,
				   uint32_t length)
{
	struct peer *p = stack->user;
	struct peer_sent *o = &p->out[p->made++];
	uint32_t l3 = conn->tags[0] == TCP_TAG_NONE ? 14 : conn->tags[1] == TCP_TAG_NONE ? 18 : 22;
	uint32_t l4 = l3 + (conn->family == 4 ? 20 : 40);
	struct tcp_segment s;

	assert_in_range(p->made, 1, PEER_SENT);
	assert_int_equal(tcp_frame_l4(conn), l4);
	if (p->leave_sum)
		peer_make_sum((uint8_t *)frame + l4, length - l4);
	assert_int_equal(tcp_parse(frame, length, l3, l4, length - l4, &s), 0);
	assert_int_equal(csum_fold(csum_add(s.pseudo, tcp_csum_scalar(s.payload, s.length))), 0);
	if (conn->family == 4)
		assert_int_equal(csum_fold(csum_words((uint8_t *)frame + l3, 5)), 0);
	assert_in_range(length, 1, sizeof(o->frame));
	memcpy(o->frame, frame, length);
	o->frame_length = length;
	o->payload = o->frame + (s.payload - (uint8_t *)frame);
	o->seq = s.seq - PEER_ISS;
	o->ack = s.ack - PEER_IRS;
	o->length = s.length;
	o->flags = s.flags;
	o->window = s.window;
	o->tsval = s.tsval;
	o->tsecr = s.tsecr;
	o->sack_blocks = s.sack_blocks;
	memcpy(o->sack, s.sack, sizeof(s.sack));
	o->at = stack->now;
}

static inline void peer_notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
	((struct peer *)stack->user)->notified++;
}

static inline void *peer_block_get(struct tcp_stack *stack)
{
	struct peer *p = stack->user;

	if (p->no_blocks)
		return NULL;
	p->blocks++;
	return aligned_alloc(64, TCP_BLOCK);
}

static inline void peer_block_put(struct tcp_stack *stack, void *block)
{
	((struct peer *)stack->user)->blocks--;
	free(block);
}

/* Timestamps, SACK and window scaling by `options`; change p->start and call peer_reopen() for more. */
static inline void peer_reopen(struct peer *p)
{
	static const struct tcp_ops ops = { peer_frame_get, peer_frame_send, peer_notify, peer_block_get,
					    peer_block_put };

	p->stack.user = p;
	tcp_stack_init(&p->stack, &ops, &p->settings, 1000 * TCP_SECOND);
	p->start.proven = p->stack.now;
	tcp_open(&p->stack, &p->conn, &p->start);
}

static inline void peer_open(struct peer *p, uint8_t options)
{
	memset(p, 0, offsetof(struct peer, out));
	p->settings = (struct tcp_settings){
		.frame_size = 2048,
		.recv_buffer = 1 << 20,
		.send_buffer = 1 << 20,
		.congestion = TCP_CONGESTION_NEWRENO,
	};
	p->start = (struct tcp_start){
		.remote = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
		.local = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 2 },
		.remote_port = 40000,
		.local_port = 80,
		.remote_mac = { 2, 0, 0, 0, 0, 1 },
		.local_mac = { 2, 0, 0, 0, 0, 2 },
		.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
		.irs = PEER_IRS,
		.iss = PEER_ISS,
		.ts_recent = 100,
		.ts_ecr = 7000,
		.mss = 1460,
		.window = 65535,
		.mtu = 1500,
		.options = options,
		.rcv_wnd = 65535,
	};
	p->window = 65535;
	p->tsval = 100;
	p->tsecr = 7000;
	memcpy(p->mac, "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
	p->tags[0] = p->tags[1] = TCP_TAG_NONE;
	for (uint32_t i = 0; i < sizeof(p->data); i++)
		p->data[i] = (uint8_t)(i % 32768 * 7 + i % 32768 / 251);
	p->made = p->taken = 0;
	peer_reopen(p);
}

static inline void peer_close(struct peer *p)
{
	tcp_release(&p->stack, &p->conn);
	assert_int_equal(p->blocks, 0);
	assert_null(p->conn.flush_pprev);
	assert_null(p->conn.timer.pprev);
}

/* A segment of the peer; its payload is the stream's, octet `seq` being p->data[seq]. */
static inline int peer_in(struct peer *p, uint16_t flags, uint32_t seq, uint32_t ack, uint32_t length)
{
	struct tcp_segment s = {
		.seq = PEER_IRS + seq,
		.ack = PEER_ISS + ack,
		.length = length,
		.flags = flags,
		.window = p->window,
		.payload = p->data + seq % 32768,
		.mac = p->mac,
		.tags = { p->tags[0], p->tags[1] },
		.checked = 1,
		.tsval = p->tsval,
		.tsecr = p->tsecr,
		.sack_blocks = p->sack_blocks,
		.options = (p->start.options & TCP_OPT_TIMESTAMPS ? TCP_HAS_TIMESTAMPS : 0) |
			   (p->sack_blocks ? TCP_HAS_SACK : 0),
	};

	for (int i = 0; i < p->sack_blocks; i++) {
		s.sack[i][0] = PEER_ISS + p->sack[i][0];
		s.sack[i][1] = PEER_ISS + p->sack[i][1];
	}
	p->sack_blocks = 0;
	return tcp_input(&p->stack, &p->conn, &s);
}

static inline void peer_sack(struct peer *p, uint32_t from, uint32_t to)
{
	p->sack[p->sack_blocks][0] = from;
	p->sack[p->sack_blocks++][1] = to;
}

static inline void peer_flush(struct peer *p)
{
	tcp_stack_flush(&p->stack);
}

/* Time passes; timers run when they are due. */
static inline void peer_run(struct peer *p, uint64_t ms)
{
	uint64_t end = p->stack.now + ms * TCP_MS, next;

	tcp_stack_flush(&p->stack);
	while ((next = tcp_stack_next(&p->stack)) <= end) {
		p->stack.now = max_u64(next, p->stack.now);
		tcp_stack_run(&p->stack);
		tcp_stack_flush(&p->stack);
	}
	p->stack.now = end;
}

/* The next thing that was sent; NULL: nothing more. */
static inline struct peer_sent *peer_next(struct peer *p)
{
	if (p->taken < p->made)
		return &p->out[p->taken++];
	p->taken = p->made = 0;
	return NULL;
}

/* PSH is let pass where nobody names it: at the end of a burst, and on what is sent again (case pushes of tcp_output) */
#define sent(p, want_flags, want_seq, want_length, want_ack)                                                 \
	({                                                                                                   \
		struct peer_sent *o_ = peer_next(p);                                                         \
		assert_non_null(o_);                                                                         \
		assert_int_equal(o_->seq, want_seq);                                                         \
		assert_int_equal(o_->length, want_length);                                                   \
		assert_int_equal(o_->ack, want_ack);                                                         \
		assert_int_equal(o_->flags & ~P, (want_flags) & ~P);                                                   \
		o_;                                                                                          \
	})
#define sent_nothing(p) assert_null(peer_next(p))

static inline ssize_t peer_write(struct peer *p, uint32_t n)
{
	uint8_t buf[65536];
	uint32_t i, from = p->conn.snd_end - PEER_ISS;

	for (i = 0; i < n; i++)
		buf[i] = (uint8_t)((from + i) * 13 + 5);
	return tcp_send(&p->stack, &p->conn, buf, n);
}

/* n octets are read and are the peer's stream. */
static inline void peer_read(struct peer *p, uint32_t n)
{
	uint8_t buf[65536];
	uint32_t i, from = p->conn.rcv_read - PEER_IRS;

	assert_int_equal(tcp_recv(&p->stack, &p->conn, buf, n), n);
	for (i = 0; i < n; i++)
		assert_int_equal(buf[i], p->data[(from + i) % 32768]);
}

#define F TCP_FLAG_FIN
#define R TCP_FLAG_RST
#define P TCP_FLAG_PSH
#define A TCP_FLAG_ACK

#endif /* PORCH_TESTS_TCP_PEER_H */
