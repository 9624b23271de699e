// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One thread's engine: what is due, and who has something to send. */
#include "tcp/internal.h"

void tcp_stack_init(struct tcp_stack *stack, const struct tcp_ops *ops, const struct tcp_settings *settings,
		    uint64_t now)
{
	void *user = stack->user;

	memset(stack, 0, sizeof(*stack));
	stack->user = user;
	stack->now = now;
	stack->ops = ops;
	stack->frame_size = settings->frame_size;
	stack->recv_buffer = settings->recv_buffer;
	stack->send_buffer = settings->send_buffer;
	stack->cc = settings->congestion == TCP_CONGESTION_NEWRENO ? &tcp_cc_newreno : &tcp_cc_cubic;
	stack->flush_tail = &stack->flush_head;
	wheel_init(&stack->wheel, now);
}

void stack_pend(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (conn->flush_pprev)
		return;
	conn->flush_next = NULL;
	conn->flush_pprev = stack->flush_tail;
	*stack->flush_tail = conn;
	stack->flush_tail = &conn->flush_next;
}

void stack_unpend(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (!conn->flush_pprev)
		return;
	*conn->flush_pprev = conn->flush_next;
	if (conn->flush_next)
		conn->flush_next->flush_pprev = conn->flush_pprev;
	else
		stack->flush_tail = conn->flush_pprev;
	conn->flush_pprev = NULL;
}

void tcp_stack_flush(struct tcp_stack *stack)
{
	struct tcp_conn *conn, *last;

	if (!stack->flush_head)
		return;
	/* those that come back for want of a frame wait for the next time */
	last = (struct tcp_conn *)((char *)stack->flush_tail - offsetof(struct tcp_conn, flush_next));
	do {
		conn = stack->flush_head;
		stack_unpend(stack, conn);
		output(stack, conn);
	} while (conn != last && stack->flush_head);
}

void tcp_stack_run(struct tcp_stack *stack)
{
	struct tcp_timer *due = wheel_run(&stack->wheel, stack->now), *timer;

	while ((timer = due)) {
		due = timer->next;
		timers_expired(stack, (struct tcp_conn *)((char *)timer - offsetof(struct tcp_conn, timer)));
	}
}

uint64_t tcp_stack_next(const struct tcp_stack *stack)
{
	return wheel_next(&stack->wheel);
}

void conn_notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
	if (conn->notified || !tcp_events(conn))
		return;
	conn->notified = true;
	stack->ops->notify(stack, conn);
}
