// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The ends of a connection: FIN in both directions, RST, and what is left afterwards. */
#include "tcp/internal.h"

#include <sys/socket.h>

/* Nothing more is sent. What can still be read stays. */
void conn_done(struct tcp_stack *stack, struct tcp_conn *conn, int error)
{
	if (conn->flags & TCP_CONN_DONE)
		return;
	if (conn->state != TCP_STATE_TIME_WAIT)
		conn->state = TCP_STATE_CLOSED;
	if (!conn->error)
		conn->error = error;
	timers_stop(stack, conn);
	stack_unpend(stack, conn);
	conn->flags |= TCP_CONN_DONE;
	conn->flags &= ~TCP_CONN_RESET_OWED;
	records_free(stack, conn);
	conn->sacked = conn->lost = conn->resent = 0;
	if (!(conn->flags & TCP_CONN_LENT)) {
		blocks_free(stack, conn->snd_head);
		conn->snd_head = conn->snd_tail = conn->snd_cursor = NULL;
	}
	conn_notify(stack, conn);
}

/* Somebody else keeps it from here (tcp_finish()); the ACK of the FIN goes first. */
void conn_time_wait(struct tcp_stack *stack, struct tcp_conn *conn)
{
	conn->state = TCP_STATE_TIME_WAIT;
	if (conn->flags & (TCP_CONN_ACK_OWED | TCP_CONN_ACK_NOW) && !output_ack(stack, conn)) {
		/* the peer repeats its FIN, and who keeps TIME-WAIT answers it */
	}
	conn_done(stack, conn, 0);
}

void conn_reset(struct tcp_stack *stack, struct tcp_conn *conn, int error)
{
	if (conn->flags & TCP_CONN_DONE)
		return;
	if (!conn->error)
		conn->error = error;
	conn->state = TCP_STATE_CLOSED;
	timers_stop(stack, conn);
	if (output_reset(stack, conn))
		conn_done(stack, conn, error);
}

void close_fin_acked(struct tcp_stack *stack, struct tcp_conn *conn)
{
	switch (conn->state) {
	case TCP_STATE_FIN_WAIT1:
		conn->state = TCP_STATE_FIN_WAIT2;
		if (conn->flags & TCP_CONN_ORPHAN)
			deadline_set(stack, conn, TCP_DEADLINE_KEEP, stack->now + TCP_FIN_TIMEOUT);
		break;
	case TCP_STATE_CLOSING:
		conn_time_wait(stack, conn);
		break;
	case TCP_STATE_LAST_ACK:
		conn_done(stack, conn, 0);
		break;
	}
}

/* Everything before it has been received. */
void close_fin_received(struct tcp_stack *stack, struct tcp_conn *conn)
{
	conn->flags |= TCP_CONN_FIN_TAKEN | TCP_CONN_ACK_OWED;
	conn->rcv_nxt++;
	switch (conn->state) {
	case TCP_STATE_ESTABLISHED:
		conn->state = TCP_STATE_CLOSE_WAIT;
		break;
	case TCP_STATE_FIN_WAIT1:
		conn->state = TCP_STATE_CLOSING;
		conn->flags |= TCP_CONN_ACK_NOW;
		break;
	case TCP_STATE_FIN_WAIT2:
		conn_time_wait(stack, conn);
		return;
	}
	output_later(stack, conn);
	conn_notify(stack, conn);
}

static void queue_fin(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (conn->flags & (TCP_CONN_FIN_QUEUED | TCP_CONN_DONE))
		return;
	conn->flags |= TCP_CONN_FIN_QUEUED;
	conn->flags &= ~TCP_CONN_LENT;
	if (conn->state == TCP_STATE_ESTABLISHED)
		conn->state = TCP_STATE_FIN_WAIT1;
	else if (conn->state == TCP_STATE_CLOSE_WAIT)
		conn->state = TCP_STATE_LAST_ACK;
	output_later(stack, conn);
}

int tcp_shutdown(struct tcp_stack *stack, struct tcp_conn *conn, int how)
{
	if (how != SHUT_RD && how != SHUT_WR && how != SHUT_RDWR)
		return -EINVAL;
	if (conn->flags & TCP_CONN_DONE)
		return -ENOTCONN;
	if (how != SHUT_WR)
		conn->flags |= TCP_CONN_READ_SHUT;
	if (how != SHUT_RD)
		queue_fin(stack, conn);
	return 0;
}

void tcp_close(struct tcp_stack *stack, struct tcp_conn *conn)
{
	bool unread = receive_unread(conn);

	if (conn->flags & TCP_CONN_ORPHAN)
		return;
	conn->flags |= TCP_CONN_ORPHAN;
	conn->flags &= ~TCP_CONN_OUT_WANTED;
	conn->rcv_read = conn->rcv_nxt - !!(conn->flags & TCP_CONN_FIN_TAKEN);
	receive_trim(stack, conn);
	if (conn->flags & TCP_CONN_DONE)
		return;
	if (unread) { /* RFC 1122 4.2.2.13: the peer is to know that it was not read */
		conn_reset(stack, conn, 0);
		return;
	}
	queue_fin(stack, conn);
	if (conn->state == TCP_STATE_FIN_WAIT2)
		deadline_set(stack, conn, TCP_DEADLINE_KEEP, stack->now + TCP_FIN_TIMEOUT);
}

void tcp_abort(struct tcp_stack *stack, struct tcp_conn *conn)
{
	conn->flags |= TCP_CONN_ORPHAN;
	conn_reset(stack, conn, -ECONNABORTED);
}

void tcp_release(struct tcp_stack *stack, struct tcp_conn *conn)
{
	timers_stop(stack, conn);
	stack_unpend(stack, conn);
	records_free(stack, conn);
	blocks_free(stack, conn->snd_head);
	blocks_free(stack, conn->rcv_head);
	if (conn->range)
		stack->ops->block_put(stack, conn->range);
	conn->snd_head = conn->snd_tail = conn->snd_cursor = NULL;
	conn->rcv_head = conn->rcv_tail = NULL;
	conn->range = NULL;
	conn->ranges = 0;
	conn->flags |= TCP_CONN_DONE;
	if (conn->state != TCP_STATE_TIME_WAIT)
		conn->state = TCP_STATE_CLOSED;
}

int tcp_finish(const struct tcp_conn *conn, struct tcp_finish *ret)
{
	if (conn->state != TCP_STATE_TIME_WAIT)
		return 0;
	ret->snd_nxt = conn->snd_nxt;
	ret->rcv_nxt = conn->rcv_nxt;
	ret->ts_offset = conn->ts_offset;
	return 1;
}

int tcp_error(const struct tcp_conn *conn)
{
	return conn->error;
}

int tcp_state(const struct tcp_conn *conn)
{
	return conn->state;
}
