/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two engines and a link between them, in simulated time. Everything follows from
 * a seed: `sim 4711` does again, alone and talking, what seed 4711 did among 10^5.
 */
#ifndef PORCH_TESTS_SIM_H
#define PORCH_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tcp/internal.h"

#define SIM_FRAME 4096
#define SIM_START (1000 * TCP_SECOND)

/* One direction of the link, as this seed has it. Probabilities in 1/65536. */
struct link_way {
	uint32_t loss, duplicate, corrupt, reorder;
	uint64_t delay, jitter; /* jitter: extra delay of a reordered frame, at most */
	uint64_t rate;		/* octets a second */
	uint32_t queue;		/* frames that wait at most */
	uint32_t mtu;
	bool icmp;		     /* too big is said, not only done */
	uint64_t dead_from, dead_to; /* nothing passes */
	uint64_t change_at;	     /* another path from then on: */
	uint64_t next_rate, next_delay;
	uint32_t next_mtu;
	/* state */
	uint64_t free_at;
	uint32_t waiting;
	uint64_t passed, lost;
};

/* What this seed's two ends agreed on and do. */
struct plan {
	uint64_t seed;
	uint8_t options, wscale[2];
	uint16_t mss[2], mtu;
	bool six, tagged, clean;
	uint32_t iss[2], recv_buffer[2], send_buffer[2], blocks[2];
	uint32_t octets[2]; /* each end sends so many */
	uint32_t write_max[2], read_max[2];
	uint64_t read_pause[2], write_pause[2];
	bool nodelay[2], cork[2], pieces[2], newreno[2];
	uint32_t keepalive[2];
	bool handback[2];	 /* moves to another connection and on, now and then */
	bool shut_early[2];	 /* shutdown(WR) instead of close after the last octet */
	uint32_t abort_at[2];	 /* octets received before tcp_abort(); UINT32_MAX: never */
	uint32_t frame_refusals; /* 1/65536 of frame_get() */
	struct link_way way[2];	 /* way[i]: from end i */
};

struct event;

struct end {
	struct tcp_stack stack;
	struct tcp_conn conn;
	struct world *world;
	int index;
	bool open, closed, released, time_wait, pended;
	struct tcp_finish finish;
	uint32_t sent, received; /* octets, by the application */
	bool saw_end, write_done;
	uint64_t write_at, read_at; /* application's next turn; UINT64_MAX: when notified */
	uint32_t blocks_used, blocks_peak;
	void *free_block;
	void *lent_frame;
	uint8_t frame[SIM_FRAME];
	/* what the peer was told, and what we were */
	uint32_t promised, unit; /* right edge we have announced */
	uint32_t permitted;	 /* right edge that has reached us */
	uint32_t highest;	 /* end of what we have sent */
	uint64_t refused_checksum;
};

struct world {
	struct plan plan;
	uint64_t now, random;
	struct end end[2];
	struct event *heap[8192];
	uint32_t events;
	uint64_t frames, corrupted;
	bool talk;
	const char *failure;
	char text[256];
};

/* plan.c */
void plan_make(struct plan *plan, uint64_t seed);
void plan_print(const struct plan *plan);
uint64_t sim_random(uint64_t *state);

/* link.c */
void link_send(struct world *w, int from, const void *frame, uint32_t length);
uint64_t link_next(const struct world *w);
void link_deliver(struct world *w); /* what is due at w->now */
void link_free(struct world *w);

/* end.c */
void end_open(struct world *w, int index);
void end_frame(struct end *e, const uint8_t *frame, uint32_t length, bool corrupt);
void end_icmp(struct end *e, const uint8_t *frame, uint32_t length);
void end_notify(struct tcp_stack *stack, struct tcp_conn *conn);
uint8_t sim_octet(int index, uint32_t offset);

/* app.c */
void end_turn(struct end *e);
uint64_t end_next(const struct end *e);
bool end_over(const struct end *e);
void end_release(struct end *e);

/* check.c */
void check_sent(struct end *e, const uint8_t *frame, uint32_t length);
void check_end(struct end *e);
void check_clean(struct world *w);
void sim_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* world.c: NULL, or what went wrong */
const char *sim_run(struct world *w, uint64_t seed, bool talk);

#endif /* PORCH_TESTS_SIM_H */
