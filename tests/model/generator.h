/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Seeded sequences: worlds, and what happens in them. A case is one step:
 * usually a frame, sometimes time, a change of settings, or what the kernel
 * does with a flow. The same seed makes the same sequence everywhere.
 */
#ifndef PORCH_TESTS_GENERATOR_H
#define PORCH_TESTS_GENERATOR_H

#include "model.h"

#define REMEMBERED 24

/* A handshake under way: what its client knows. */
struct attempt {
	struct packet syn;
	__u32 iss, tsval;
	bool ts;
};

struct generator {
	__u64 state;
	struct attempt attempt[REMEMBERED];
	int attempts, next;
	struct packet last; /* of any kind, for repetitions */
	bool has_last;
};

enum step {
	STEP_FRAME,  /* run it */
	STEP_TICK,   /* the clock moved; let the timer work */
	STEP_CHANGE, /* the model changed; make the world follow */
};

void generator_seed(struct generator *g, __u64 seed);
__u64 generator_next(struct generator *g);

static inline __u32 below(struct generator *g, __u32 n)
{
	return generator_next(g) % n;
}

static inline bool once_in(struct generator *g, __u32 n)
{
	return !below(g, n);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The next packet, and what a wire or an attacker may make of its octets. */
void generator_packet(struct generator *g, struct packet *p);
void generator_mutate(struct generator *g, struct frame *f);
/* A world to begin with. */
void generator_world(struct generator *g, struct model *m);
enum step generator_step(struct generator *g, struct model *m, struct frame *f);
/* The SYN of this step was answered with `d`. */
void generator_answered(struct generator *g, const struct decoded *d);

#endif /* PORCH_TESTS_GENERATOR_H */
