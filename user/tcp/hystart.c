// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * HyStart++ (RFC 9406): leaves slow start when round trips grow, by way of a
 * conservative phase in which it may still find that it was mistaken.
 */
#include "tcp/internal.h"

#define MIN_RTT_THRESH_US 4000u
#define MAX_RTT_THRESH_US 16000u
#define RTT_DIVISOR	  8
#define SAMPLES		  8
#define CSS_DIVISOR	  4
#define CSS_ROUNDS	  5
#define NO_RTT		  UINT32_MAX

void hystart_init(struct tcp_conn *conn)
{
	conn->hystart = (struct tcp_hystart){
		.window_end = conn->snd_nxt,
		.last_min_us = NO_RTT,
		.now_min_us = NO_RTT,
		.base_min_us = NO_RTT,
	};
}

/* One sample per ACK, of what was sent once. */
void hystart_sample(struct tcp_conn *conn, uint32_t rtt_us)
{
	struct tcp_hystart *h = &conn->hystart;
	uint32_t thresh;

	if (h->done || conn->cwnd >= conn->ssthresh)
		return;
	if (rtt_us < h->now_min_us)
		h->now_min_us = rtt_us;
	if (h->samples < 255)
		h->samples++;
	if (h->samples < SAMPLES || h->now_min_us == NO_RTT || h->last_min_us == NO_RTT)
		return;
	if (h->css) {
		if (h->now_min_us < h->base_min_us) { /* it was nothing */
			h->base_min_us = NO_RTT;
			h->css = false;
		}
		return;
	}
	thresh = h->last_min_us / RTT_DIVISOR;
	if (thresh < MIN_RTT_THRESH_US)
		thresh = MIN_RTT_THRESH_US;
	if (thresh > MAX_RTT_THRESH_US)
		thresh = MAX_RTT_THRESH_US;
	if (h->now_min_us >= h->last_min_us + thresh) {
		h->base_min_us = h->now_min_us;
		h->css = true;
		h->css_rounds = 0;
	}
}

/* What slow start adds for `acked` octets. */
uint32_t hystart_grow(struct tcp_conn *conn, uint32_t acked)
{
	struct tcp_hystart *h = &conn->hystart;
	uint32_t add = acked;

	if (h->done)
		return add;
	if (h->css)
		add = max_u32(acked / CSS_DIVISOR, 1);
	if (!seq_before(conn->snd_una, h->window_end)) {
		h->window_end = conn->snd_nxt;
		h->last_min_us = h->now_min_us;
		h->now_min_us = NO_RTT;
		h->samples = 0;
		if (h->css && ++h->css_rounds >= CSS_ROUNDS) {
			conn->ssthresh = conn->cwnd;
			h->done = true;
		}
	}
	return add;
}
