// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The timers of a connection: a few deadlines, one place on the wheel. Moving a
 * deadline away costs nothing: the wheel comes by, finds it not yet due, and
 * lays it down again.
 */
#include "tcp/internal.h"

void deadline_set(struct tcp_stack *stack, struct tcp_conn *conn, enum tcp_deadline which, uint64_t when)
{
	conn->deadline[which] = when;
	if (conn->timer.pprev) {
		if ((when >> TCP_WHEEL_SHIFT) + 1 >= conn->timer.expires)
			return;
		wheel_del(&stack->wheel, &conn->timer);
	}
	wheel_add(&stack->wheel, &conn->timer, when);
}

void timers_stop(struct tcp_stack *stack, struct tcp_conn *conn)
{
	int i;

	for (i = 0; i < TCP_DEADLINES; i++)
		conn->deadline[i] = TCP_NEVER;
	wheel_del(&stack->wheel, &conn->timer);
}

/* RFC 8985 7.2. */
static uint64_t loss_probe_time(const struct tcp_stack *stack, const struct tcp_conn *conn)
{
	uint64_t pto = 2000ull * conn->srtt_us;

	if (!(conn->options & TCP_OPT_SACK) || conn->recovery != TCP_RECOVERY_NONE || conn->sacked ||
	    conn->lost || !conn->srtt_us || conn->backoff || conn->flags & (TCP_CONN_TLP | TCP_CONN_TLP_OWED))
		return 0;
	/* a lone segment may wait for a delayed ACK */
	pto += conn_flight(conn) <= conn->mss ? TCP_DELAYED_ACK_MAX : 2 * TCP_MS;
	return stack->now + pto;
}

/* RFC 5482: the end is when it is, not when the timer happens to run out next. */
static uint64_t not_after_end(const struct tcp_conn *conn, uint64_t when)
{
	if (!conn->user_timeout_ms || !conn->stalled)
		return when;
	return min_u64(when, conn->stalled + conn->user_timeout_ms * TCP_MS);
}

void send_timer(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint64_t when, probe;

	if (conn->snd_una == conn->snd_nxt) {
		if (!conn_unsent(conn)) {
			deadline_clear(conn, TCP_DEADLINE_SEND);
			return;
		}
		/* held back by the window, a cork, or the pace */
		if (conn->flags & TCP_CONN_CORK && conn->snd_wnd >= conn->mss) {
			if (conn->send_kind != TCP_SEND_CORKED ||
			    conn->deadline[TCP_DEADLINE_SEND] == TCP_NEVER)
				deadline_set(stack, conn, TCP_DEADLINE_SEND, stack->now + TCP_CORKED);
			conn->send_kind = TCP_SEND_CORKED;
			return;
		}
		conn->send_kind = TCP_SEND_WINDOW_PROBE;
		if (conn->deadline[TCP_DEADLINE_SEND] == TCP_NEVER || conn->probes == 0)
			deadline_set(stack, conn, TCP_DEADLINE_SEND, stack->now + rtt_rto(conn));
		return;
	}
	when = max_u64(not_after_end(conn, conn->rto_base + rtt_rto(conn)), stack->now);
	conn->send_kind = TCP_SEND_RETRANSMIT;
	probe = loss_probe_time(stack, conn);
	if (probe && probe < when) {
		conn->send_kind = TCP_SEND_LOSS_PROBE;
		when = probe;
	}
	deadline_set(stack, conn, TCP_DEADLINE_SEND, when);
}

/* New data was sent: the loss probe waits for it as well, the retransmission timer does not. */
void send_timer_as_is(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (conn->deadline[TCP_DEADLINE_SEND] == TCP_NEVER || conn->send_kind == TCP_SEND_LOSS_PROBE ||
	    conn->send_kind == TCP_SEND_WINDOW_PROBE || conn->send_kind == TCP_SEND_CORKED)
		send_timer(stack, conn);
}

/* RFC 1122 4.2.3.5, RFC 5482. */
static bool gave_up(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t most = conn->flags & TCP_CONN_ORPHAN ? TCP_RETRIES_ORPHAN : TCP_RETRIES;
	bool over;

	if (conn->user_timeout_ms)
		over = conn->stalled && stack->now - conn->stalled >= conn->user_timeout_ms * TCP_MS;
	else
		over = conn->backoff >= most;
	/* a window taken back while data was in flight is a closed window, while the peer answers */
	if (over && !conn->snd_wnd && !(conn->flags & TCP_CONN_ORPHAN) && !conn->user_timeout_ms &&
	    stack->now - conn->last_heard < 2000ull * TCP_RTO_MAX_US)
		return false;
	if (!over)
		return false;
	conn_reset(stack, conn, conn->unreachable ? -EHOSTUNREACH : -ETIMEDOUT);
	return true;
}

static void retransmit(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (gave_up(stack, conn))
		return;
	mtu_timeout(stack, conn);
	recovery_timeout(stack, conn);
	conn->backoff += conn->backoff < 255;
	conn->rto_base = stack->now;
	send_timer(stack, conn);
	output(stack, conn);
}

static void window_probe(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (conn->snd_una != conn->snd_nxt) {
		send_timer(stack, conn);
		return;
	}
	if (!conn->stalled || conn->probes == 0)
		conn->stalled = stack->now;
	/* for ever, while it answers (RFC 9293 3.8.6.1); not for a connection nobody owns */
	conn->backoff += conn->backoff < 255;
	if (conn->probes >= (conn->flags & TCP_CONN_ORPHAN ? TCP_RETRIES_ORPHAN : TCP_RETRIES) ||
	    (conn->flags & TCP_CONN_ORPHAN && conn->backoff > TCP_RETRIES) ||
	    (conn->user_timeout_ms && stack->now - conn->stalled >= conn->user_timeout_ms * TCP_MS)) {
		conn_reset(stack, conn, -ETIMEDOUT);
		return;
	}
	conn->probes++;
	stack->counters.window_probes++;
	deadline_set(stack, conn, TCP_DEADLINE_SEND, not_after_end(conn, stack->now + rtt_rto(conn)));
	if (conn->snd_wnd) { /* a window too small to be worth it has had its time (3.8.6.2.1) */
		conn->snd_max_wnd = conn->snd_wnd;
		output(stack, conn);
		return;
	}
	output_probe(stack, conn);
}

static void send_expired(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_delivery d = { 0 };
	uint64_t again;

	if (conn->send_kind == TCP_SEND_WINDOW_PROBE) {
		window_probe(stack, conn);
		return;
	}
	if (conn->send_kind == TCP_SEND_CORKED && conn->snd_una == conn->snd_nxt) {
		conn->flags |= TCP_CONN_UNCORKED;
		output(stack, conn);
		conn->flags &= ~TCP_CONN_UNCORKED;
		return;
	}
	if (conn->snd_una == conn->snd_nxt)
		return;
	switch (conn->send_kind) {
	case TCP_SEND_LOSS_PROBE:
		output_loss_probe(stack, conn);
		conn->send_kind = TCP_SEND_RETRANSMIT;
		deadline_set(stack, conn, TCP_DEADLINE_SEND,
			     max_u64(not_after_end(conn, max_u64(conn->rto_base, stack->now) + rtt_rto(conn)),
				     stack->now));
		return;
	case TCP_SEND_REORDER:
		again = rack_detect(stack, conn, &d);
		if (d.lost && conn->recovery < TCP_RECOVERY_FAST)
			recovery_enter(stack, conn, TCP_RECOVERY_FAST);
		if (d.lost && conn->recovery == TCP_RECOVERY_FAST)
			conn->cwnd = max_u32(conn->cwnd, conn_pipe(conn) + (conn->prr_out ? 0 : conn->mss));
		send_timer(stack, conn);
		if (again && conn->send_kind == TCP_SEND_RETRANSMIT) {
			conn->send_kind = TCP_SEND_REORDER;
			deadline_set(stack, conn, TCP_DEADLINE_SEND, stack->now + again);
		}
		output(stack, conn);
		return;
	default:
		retransmit(stack, conn);
	}
}

/* RFC 9293 3.8.4; and FIN-WAIT-2 of a connection nobody owns any more. */
static void keep_expired(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint64_t silence = stack->now - conn->last_heard, after = conn->keepalive_s * TCP_SECOND, next;
	uint64_t interval = conn->keepalive_interval_s ? conn->keepalive_interval_s * TCP_SECOND
						       : min_u64(after, 75 * TCP_SECOND);
	uint32_t probes = conn->keepalive_probes ? conn->keepalive_probes : TCP_KEEPALIVE_PROBES;

	if (conn->flags & TCP_CONN_ORPHAN && conn->state == TCP_STATE_FIN_WAIT2) {
		conn_done(stack, conn, 0);
		return;
	}
	if (!conn->keepalive_s)
		return;
	if (silence < after || conn->snd_una != conn->snd_nxt || conn_unsent(conn)) {
		next = silence < after ? after - silence : after; /* data has timers of its own */
		deadline_set(stack, conn, TCP_DEADLINE_KEEP, stack->now + next);
		return;
	}
	if (conn->user_timeout_ms ? silence >= conn->user_timeout_ms * TCP_MS && conn->probes
				  : conn->probes >= probes) {
		conn_reset(stack, conn, -ETIMEDOUT);
		return;
	}
	conn->probes++;
	deadline_set(stack, conn, TCP_DEADLINE_KEEP, stack->now + interval);
	output_probe(stack, conn);
}

static void lay_down(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint64_t first = TCP_NEVER;
	int i;

	for (i = 0; i < TCP_DEADLINES; i++)
		first = min_u64(first, conn->deadline[i]);
	if (first == TCP_NEVER)
		return;
	if (conn->timer.pprev) { /* laid down for another deadline meanwhile */
		if ((first >> TCP_WHEEL_SHIFT) + 1 >= conn->timer.expires)
			return;
		wheel_del(&stack->wheel, &conn->timer);
	}
	wheel_add(&stack->wheel, &conn->timer, first);
}

void timers_expired(struct tcp_stack *stack, struct tcp_conn *conn)
{
	static void (*const run[TCP_DEADLINES])(struct tcp_stack *, struct tcp_conn *) = {
		[TCP_DEADLINE_SEND] = send_expired,
		[TCP_DEADLINE_KEEP] = keep_expired,
	};
	int i;

	for (i = 0; i < TCP_DEADLINES && !(conn->flags & TCP_CONN_DONE); i++) {
		if (conn->deadline[i] > stack->now)
			continue;
		conn->deadline[i] = TCP_NEVER;
		if (i == TCP_DEADLINE_ACK && conn->flags & TCP_CONN_ACK_OWED) {
			conn->flags &= ~TCP_CONN_INTERACTIVE; /* nothing came that could have carried it */
			output_ack(stack, conn);
		} else if (i == TCP_DEADLINE_PACE) {
			output(stack, conn);
		} else if (run[i]) {
			run[i](stack, conn);
		}
	}
	if (!(conn->flags & TCP_CONN_DONE))
		lay_down(stack, conn);
}
