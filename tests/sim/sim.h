/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two ends and a link between them, in simulated time: two engines, or an engine
 * and a model of a peer that shares no code with it. Everything follows from a
 * seed: `sim 4711` does again, alone and talking, what seed 4711 did among 10^5.
 */
#ifndef PORCH_TESTS_SIM_H
#define PORCH_TESTS_SIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tcp/internal.h"

#define SIM_FRAME 4096
#define SIM_START (1000 * TCP_SECOND)
#define SIM_RUN	  131072 /* octets of a stream that lie side by side, at least */

/* One direction of the link, as this seed has it. Probabilities in 1/65536. */
struct link_way {
	uint32_t loss, duplicate, corrupt, reorder,
		mark;		/* mark: congestion, in what says that it knows it */
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

/* How the model behaves, where it is end 1. */
struct manners {
	bool model;	       /* else a second engine */
	uint8_t stretch;       /* an ACK for so many segments */
	uint8_t divide;	       /* so many ACKs for a segment */
	uint16_t ack_delay_ms; /* at most, for an ACK that waits for company */
	bool in_order_only;    /* what comes out of order is dropped */
	bool reneges;	       /* forgets what it has SACKed, now and then */
	bool shrinks;	       /* takes window back */
	bool silly;	       /* opens the window by as little as was read */
	bool again;	       /* what is sent again is cut elsewhere */
	bool probes_beyond;    /* a closed window is probed with an octet beyond it */
	bool blind;	       /* between its own segments, those of somebody who guesses */

	uint16_t segment; /* octets it sends at most; 0: what our MSS allows */
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
	struct manners manners;
};

struct event;

/* A piece of the stream as it was sent last. */
struct sent {
	uint32_t seq, end;
	uint64_t at;
	uint64_t timeouts, undone, duplicates; /* counted until then */
	uint16_t mtu;
	bool arrived; /* as SACK says */
};

/*
 * What somebody between engine and link knows: what was sent when, and what the
 * frames that came said of it. The engine's own view is compared with this.
 */
struct watch {
	struct sent *sent; /* in flight, in order of sequence numbers; a ring */
	uint32_t head, count, room;
	uint32_t una, seen[4][2];
	uint64_t delivered;		/* when the latest that is known to have arrived was sent */
	uint64_t duplicates, since_una; /* ACKs that acknowledge nothing; those before una moved */
	uint64_t moved;			/* una, last */
	/* congestion marks (RFC 3168) */
	bool echo_owed, echo_heard, echo_seen;
	/* receiving */
	uint32_t acked; /* by our latest */
	uint64_t unacked_since;
	/* what the engine held when it was looked at last */
	uint32_t snd_una, snd_nxt, sacked, pipe, cwnd, ssthresh, mss, rto_us, recovered;
	uint8_t recovery;
	struct tcp_counters counters;
	uint32_t unexplained, needless, beyond, burst; /* of this event: segments, segments, octets */
	uint32_t small_end, eager; /* end of the last segment below MSS; those that did not wait for it */
	uint32_t edge;		   /* of the peer's window */
	int64_t credit;		   /* in recovery: delivered, less sent */
	uint32_t pipe_most, cwnd_most;
	uint64_t timer_base;
	uint32_t in_row; /* timeouts */
};

struct peer;

struct end {
	struct tcp_stack stack;
	struct tcp_conn conn;
	struct world *world;
	struct peer *peer; /* the model, else NULL */
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
	struct watch watch;
};

struct world {
	struct plan plan;
	uint64_t now, random;
	struct end end[2];
	uint32_t events;
	uint64_t frames, corrupted, marks;
	bool talk;
	const char *failure;
	char text[256];
	struct event *heap[8192];
};

/* plan.c */
void plan_make(struct plan *plan, uint64_t seed);
void plan_print(const struct plan *plan);
uint64_t sim_random(uint64_t *state);

/* stream.c: what end `index` sends from octet `offset` on, SIM_RUN octets at least */
const uint8_t *sim_stream(int index, uint32_t offset);

/* link.c */
void link_send(struct world *w, int from, const void *frame, uint32_t length);
uint64_t link_next(const struct world *w);
void link_deliver(struct world *w); /* what is due at w->now */
void link_free(struct world *w);

/* end.c */
void end_open(struct world *w, int index);
uint32_t end_first_window(const struct plan *plan, int index);
void end_frame(struct end *e, const uint8_t *frame, uint32_t length, bool corrupt);
void end_icmp(struct end *e, const uint8_t *frame, uint32_t length);
void end_notify(struct tcp_stack *stack, struct tcp_conn *conn);

/* app.c */
void end_turn(struct end *e);
uint64_t end_next(const struct end *e);
void end_release(struct end *e);

/* peer.c, peer_input.c, peer_frame.c: the model */
void peer_open(struct end *e);
void peer_free(struct end *e);
void peer_frame(struct end *e, const uint8_t *frame, uint32_t length, bool corrupt);
void peer_turn(struct end *e);
uint64_t peer_next(const struct end *e);

/* check.c */
void check_sent(struct end *e, const uint8_t *frame, uint32_t length);
void check_end(struct end *e);
void check_clean(struct world *w);
void sim_fail(struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* check_records.c: the scoreboard adds up */
void check_records(struct end *e);

/* watch.c: why a segment is sent again */
void watch_open(struct end *e);
void watch_sent(struct end *e, const struct tcp_segment *s);
void watch_heard(struct end *e, const struct tcp_segment *s);
void watch_again(struct end *e);
bool watch_acceptable(const struct end *e, const struct tcp_segment *s);
void watch_free(struct end *e);

/* laws.c: congestion window, timers, ACKs, after each event */
void laws_open(struct end *e);
void laws_sent(struct end *e, const struct tcp_segment *s, bool again);
void laws_heard(struct end *e, const struct tcp_segment *s);
void laws_hold(struct end *e);

/* world.c: NULL, or what went wrong */
const char *sim_run(struct world *w, uint64_t seed, bool talk);

#endif /* PORCH_TESTS_SIM_H */
