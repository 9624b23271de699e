/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A model of a peer: a simple TCP that shares neither code nor ideas with the
 * engine. It repeats from the oldest on when its timer runs out, and one segment
 * when it hears the same ACK three times; it makes no use of SACK as a sender.
 * Its bad manners are the plan's.
 */
#ifndef PORCH_TESTS_SIM_PEER_H
#define PORCH_TESTS_SIM_PEER_H

#include "tests/sim/sim.h"

#define PEER_RANGES 32

enum {
	PEER_FIN = 1,
	PEER_SYN = 2,
	PEER_RST = 4,
	PEER_PSH = 8,
	PEER_ACK = 16,
	PEER_URG = 32,
	PEER_ECE = 64,
	PEER_CWR = 128,
};

struct peer {
	/* receiving */
	uint32_t next, edge, read; /* expected; right edge as told; the application's place */
	uint32_t range[PEER_RANGES][2], ranges, recent;
	uint32_t again[2]; /* came twice, to be told (RFC 2883) */
	bool end_known, ended;
	uint32_t end;
	uint32_t unacked; /* segments */
	uint64_t ack_at;
	uint32_t acked, ts_recent;
	bool echo; /* a congestion mark, until the other side has heard */
	/* sending */
	uint32_t una, nxt, max, permitted, window;
	uint32_t cwnd, ssthresh, recover, duplicates;
	bool closing, closed, recovering, reduced;
	uint64_t timer; /* of retransmission or window probe */
	uint32_t in_row;
};

/* What a frame says; -1: its sums are wrong. */
struct heard {
	uint32_t seq, ack, length, window, tsval, tsecr, sack[4][2];
	uint8_t flags, sack_blocks, ecn;
	bool timestamps;
	const uint8_t *payload;
};
int peer_parse(const struct world *w, const uint8_t *frame, uint32_t length, struct heard *ret);

/* A segment of stream octets, to the link or, if `now`, to the other end's door. */
struct said {
	uint32_t seq, ack, length;
	uint8_t flags, ecn;
	uint16_t window;
	bool sack, now;
};
void peer_say(struct end *e, const struct said *s);

/* peer_input.c */
void peer_ack(struct end *e); /* what has come, as our manners are */
/* peer.c */
void peer_repeat(struct end *e);	  /* the oldest segment */
uint32_t peer_limit(const struct end *e); /* octets of a segment */
uint64_t peer_draw(struct end *e, uint64_t below);

#endif /* PORCH_TESTS_SIM_PEER_H */
