// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Congestion control: what all have in common (slow start, idle, pace), and
 * NewReno (RFC 5681). Windows in octets; ACKs count by what they acknowledge, so
 * dividing them gains nothing (RFC 3465).
 */
#include "tcp/internal.h"

uint32_t cc_initial(const struct tcp_conn *conn)
{
	return TCP_INITIAL_WINDOW * (uint32_t)conn->mss;
}

static void newreno_init(struct tcp_conn *conn)
{
	conn->cc_state.newreno.acked = 0;
}

static uint32_t newreno_reduce(struct tcp_stack *stack, struct tcp_conn *conn)
{
	return max_u32(conn_flight(conn) / 2, 2u * conn->mss);
}

static void newreno_grow(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t acked)
{
	uint32_t *sum = &conn->cc_state.newreno.acked;

	*sum += acked;
	if (*sum >= conn->cwnd) {
		*sum -= conn->cwnd;
		conn->cwnd += conn->mss;
	}
}

static void newreno_undo(struct tcp_conn *conn)
{
}

const struct tcp_cc tcp_cc_newreno = {
	.name = "newreno",
	.init = newreno_init,
	.reduce = newreno_reduce,
	.grow = newreno_grow,
	.undo = newreno_undo,
	.restart = newreno_init,
};

/* RFC 7661's concern as Linux meets it: a window that was not used says nothing. */
static bool was_full(const struct tcp_conn *conn)
{
	if (conn->cwnd < conn->ssthresh)
		return conn->cwnd < 2 * conn->cwnd_used;
	return conn->flags & TCP_CONN_CWND_FULL;
}

void cc_acked(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t acked)
{
	if (!was_full(conn))
		return;
	if (conn->cwnd < conn->ssthresh) {
		uint32_t add = hystart_grow(conn, acked);

		conn->cwnd += add;
		if (conn->cwnd <= conn->ssthresh)
			return;
		acked = conn->cwnd - conn->ssthresh;
		conn->cwnd = conn->ssthresh;
	}
	conn->cc->grow(stack, conn, acked);
	if (conn->cwnd > TCP_SSTHRESH_INFINITE / 2)
		conn->cwnd = TCP_SSTHRESH_INFINITE / 2;
}

/* Data goes out: was the window what limited it? */
void cc_after_output(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t pipe = conn_pipe(conn);

	if (seq_after(conn->snd_una, conn->cwnd_mark) || pipe > conn->cwnd_used) {
		conn->cwnd_used = pipe;
		conn->cwnd_mark = conn->snd_nxt;
		if (pipe + conn->mss <= conn->cwnd)
			conn->flags &= ~TCP_CONN_CWND_FULL;
	}
	if (pipe + conn->mss > conn->cwnd) {
		conn->flags |= TCP_CONN_CWND_FULL;
	}
}

/* Nothing was in flight for a while (RFC 5681 4.1, as Linux: half per RTO). */
void cc_idle(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint64_t idle = stack->now - conn->last_sent, rto = (uint64_t)conn->rto_us * 1000;
	uint32_t restart = min_u32(cc_initial(conn), conn->cwnd);

	if (!conn->last_sent || idle <= rto)
		return;
	conn->ssthresh = max_u32(conn->ssthresh, conn->cwnd / 2 + conn->cwnd / 4);
	for (; idle > rto && conn->cwnd > restart; idle -= rto)
		conn->cwnd /= 2;
	conn->cwnd = max_u32(conn->cwnd, restart);
	conn->cwnd_used = 0;
	conn->cc->restart(conn);
}

/* Twice the window a round trip in slow start, a fifth more than it afterwards. */
uint64_t cc_pace_rate(const struct tcp_conn *conn)
{
	uint64_t percent = conn->cwnd < conn->ssthresh / 2 ? 200 : 120;

	if (!conn->srtt_us)
		return 0;
	return max_u64((uint64_t)max_u32(conn->cwnd, conn_pipe(conn)) * 10000 * percent / conn->srtt_us, 1);
}
