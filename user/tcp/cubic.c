// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * CUBIC (RFC 9438). The window follows a cubic of the time since the last
 * reduction: W(t) = C (t - K)^3 + W_max, C = 0.4 segments per s^3, and never falls
 * behind what Reno would reach. Integers: milliseconds, octets.
 */
#include "tcp/internal.h"

#define BETA_10	   7	  /* multiplicative decrease, tenths */
#define LONGEST_MS 100000 /* beyond, the cube would not fit, nor matter */

static void cubic_init(struct tcp_conn *conn)
{
	memset(&conn->cc_state, 0, sizeof(conn->cc_state));
}

static uint32_t cube_root(uint64_t v)
{
	uint64_t root = 0;
	int bit;

	for (bit = 20; bit >= 0; bit--) {
		uint64_t try = root | 1ull << bit;

		if (try * try * try <= v)
			root = try;
	}
	return (uint32_t)root;
}

static uint32_t cubic_reduce(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t w = conn->flags & TCP_CONN_CWND_FULL ? conn->cwnd : min_u32(conn->cwnd, conn_flight(conn));

	conn->cc_state.cubic.undo_w_max = conn->cc_state.cubic.w_max;
	conn->cc_state.cubic.undo_w_last = conn->cc_state.cubic.w_last;
	conn->cc_state.cubic.epoch = 0;
	/* 4.7: others may want their share */
	if (w < conn->cc_state.cubic.w_last)
		conn->cc_state.cubic.w_max = (uint32_t)((uint64_t)w * (10 + BETA_10) / 20);
	else
		conn->cc_state.cubic.w_max = w;
	conn->cc_state.cubic.w_last = w;
	return max_u32((uint32_t)((uint64_t)w * BETA_10 / 10), 2u * conn->mss);
}

/* W(t) in octets. */
static uint64_t window_at(const struct tcp_conn *conn, uint64_t t_ms)
{
	int64_t t = (int64_t)min_u64(t_ms, LONGEST_MS) - conn->cc_state.cubic.k_ms, w;

	/* t^3 mss 0.4 / 10^9 */
	w = t * t * t / 1000 * (int64_t)conn->mss / 2500000;
	w += conn->cc_state.cubic.w_max;
	return w < 0 ? 0 : (uint64_t)w;
}

static void begin_epoch(struct tcp_stack *stack, struct tcp_conn *conn)
{
	conn->cc_state.cubic.epoch = stack->now;
	conn->cc_state.cubic.w_est = conn->cwnd;
	conn->cc_state.cubic.est_acked = 0;
	conn->cc_state.cubic.acked = 0;
	if (conn->cwnd < conn->cc_state.cubic.w_max) {
		uint64_t gap = conn->cc_state.cubic.w_max - conn->cwnd;

		conn->cc_state.cubic.k_ms = cube_root(gap * 2500000000ull / conn->mss);
	} else {
		conn->cc_state.cubic.k_ms = 0;
		conn->cc_state.cubic.w_max = conn->cwnd;
	}
}

/* 4.3: alpha is 3 (1 - beta) / (1 + beta), 9/17, until the old window is reached again. */
static void estimate_reno(struct tcp_conn *conn, uint32_t acked)
{
	uint64_t step = conn->cc_state.cubic.w_est < conn->cc_state.cubic.w_last
				? (uint64_t)conn->cwnd * 17 / 9
				: conn->cwnd;

	conn->cc_state.cubic.est_acked += acked;
	while (conn->cc_state.cubic.est_acked >= step && step) {
		conn->cc_state.cubic.est_acked -= (uint32_t)step;
		conn->cc_state.cubic.w_est += conn->mss;
	}
}

static void cubic_grow(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t acked)
{
	uint64_t t, target, add;

	if (!conn->cc_state.cubic.epoch)
		begin_epoch(stack, conn);
	estimate_reno(conn, acked);
	t = (stack->now - conn->cc_state.cubic.epoch) / TCP_MS;
	if (window_at(conn, t) < conn->cc_state.cubic.w_est) {
		conn->cwnd = max_u32(conn->cwnd, conn->cc_state.cubic.w_est);
		return;
	}
	target = window_at(conn, t + conn->srtt_us / 1000);
	target = min_u64(target, (uint64_t)conn->cwnd * 3 / 2);
	if (target <= conn->cwnd)
		return;
	/* (target - cwnd) / cwnd per octet acknowledged, remainder kept */
	add = (target - conn->cwnd) * acked + conn->cc_state.cubic.acked;
	conn->cc_state.cubic.acked = (uint32_t)(add % conn->cwnd);
	conn->cwnd += (uint32_t)(add / conn->cwnd);
}

static void cubic_undo(struct tcp_conn *conn)
{
	conn->cc_state.cubic.w_max = conn->cc_state.cubic.undo_w_max;
	conn->cc_state.cubic.w_last = conn->cc_state.cubic.undo_w_last;
	conn->cc_state.cubic.epoch = 0;
}

/* 4.8, 5.8: time that nothing was sent is no time. */
static void cubic_restart(struct tcp_conn *conn)
{
	conn->cc_state.cubic.epoch = 0;
}

const struct tcp_cc tcp_cc_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.reduce = cubic_reduce,
	.grow = cubic_grow,
	.undo = cubic_undo,
	.restart = cubic_restart,
};
