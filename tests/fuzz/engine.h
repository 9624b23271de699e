/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One connection of the engine and a model of what both ends may know of it. The
 * octets of either stream are a function of their place in it, so that nothing
 * need be kept to know what must be read and sent.
 */
#ifndef PORCH_TESTS_FUZZ_ENGINE_H
#define PORCH_TESTS_FUZZ_ENGINE_H

#include "tcp/internal.h"
#include "tests/fuzz/fuzz.h"

#define ENGINE_FRAME 4096

struct engine {
	struct tcp_stack stack;
	struct tcp_conn conn;
	struct tcp_settings settings;
	struct tcp_start start;
	bool six, tagged;
	uint32_t l3, l4;
	bool no_frames, frame_lent;
	uint32_t blocks, blocks_limit;
	/* the model */
	uint32_t unit;	    /* of the windows we announce */
	uint32_t promised;  /* right edge of what we have announced */
	uint32_t permitted; /* right edge of what the peer has, at most */
	uint32_t highest;   /* end of what we have sent */
	uint32_t acked;	    /* highest acknowledgement we have sent */
	uint32_t tsval;
	uint32_t sent, received; /* octets, by the application */
	bool said, done;
	uint32_t frames;
	uint8_t frame[ENGINE_FRAME];
};

uint8_t engine_octet(bool ours, uint32_t offset);
void engine_open(struct engine *e, struct input *in);
void engine_checks(struct engine *e);
void engine_release(struct engine *e);

/* Headers of a frame of the peer, payload in place behind them; returns its length. */
struct engine_segment {
	uint32_t seq, ack, length;
	uint16_t flags, window;
	uint8_t options[40];
	uint32_t options_length;
	uint8_t ecn;
};
uint32_t engine_frame(const struct engine *e, const struct engine_segment *s, uint8_t *frame);

#endif /* PORCH_TESTS_FUZZ_ENGINE_H */
