// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the application reads and writes. Nothing is sent from here: see tcp_stack_flush(). */
#include "tcp/internal.h"

static uint32_t send_room(const struct tcp_stack *stack, const struct tcp_conn *conn)
{
	uint32_t queued = conn->snd_end - conn->snd_una;

	if (conn->flags & TCP_CONN_FIN_SENT && conn->snd_una == conn->snd_end + 1)
		queued = 0;
	return queued < stack->send_buffer ? stack->send_buffer - queued : 0;
}

uint32_t tcp_events(const struct tcp_conn *conn)
{
	uint32_t events = 0, closed = conn->flags & TCP_CONN_DONE;

	if (receive_unread(conn) || conn->flags & (TCP_CONN_FIN_TAKEN | TCP_CONN_READ_SHUT) || conn->error ||
	    closed)
		events |= TCP_EVENT_IN;
	/* a quarter of the buffer, so that the application is not called for every ACK */
	if (conn->flags & TCP_CONN_OUT_WANTED &&
	    (conn->error || closed || conn->snd_end - conn->snd_una <= conn->out_mark))
		events |= TCP_EVENT_OUT;
	if (closed ||
	    (conn->flags & (TCP_CONN_FIN_TAKEN | TCP_CONN_READ_SHUT) && conn->flags & TCP_CONN_FIN_QUEUED))
		events |= TCP_EVENT_HUP;
	if (conn->error)
		events |= TCP_EVENT_ERR;
	if (closed)
		events |= TCP_EVENT_DONE;
	return events;
}

/* Nothing (more) to read: why. */
static ssize_t nothing(const struct tcp_conn *conn)
{
	if (conn->error)
		return conn->error;
	if (conn->flags & (TCP_CONN_FIN_TAKEN | TCP_CONN_READ_SHUT | TCP_CONN_DONE))
		return 0;
	return -EAGAIN;
}

/* n octets have been read. */
static void consume(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t n)
{
	conn->rcv_read += n;
	receive_trim(stack, conn);
	if (!(conn->flags & TCP_CONN_DONE))
		window_read(stack, conn, n);
}

ssize_t tcp_recv(struct tcp_stack *stack, struct tcp_conn *conn, void *buf, size_t n)
{
	uint32_t unread = receive_unread(conn), want, done = 0;
	struct tcp_block *block = conn->rcv_head;

	if (!n)
		return 0;
	if (!unread)
		return nothing(conn);
	want = n < unread ? (uint32_t)n : unread;
	while (done < want) {
		uint32_t offset = conn->rcv_read + done - block->base, part;

		if (offset < TCP_BLOCK_DATA) {
			part = min_u32(TCP_BLOCK_DATA - offset, want - done);
			memcpy((uint8_t *)buf + done, block->data + offset, part);
			done += part;
		}
		block = block->next;
	}
	consume(stack, conn, want);
	return want;
}

int tcp_recv_pieces(struct tcp_stack *stack, struct tcp_conn *conn, struct tcp_piece *pieces, int n)
{
	uint32_t unread = receive_unread(conn), done = 0;
	struct tcp_block *block = conn->rcv_head;
	int i = 0;

	if (n <= 0)
		return -EINVAL;
	if (!unread)
		return (int)nothing(conn);
	while (i < n && done < unread) {
		uint32_t offset = conn->rcv_read + done - block->base;

		if (offset < TCP_BLOCK_DATA) {
			pieces[i].data = block->data + offset;
			pieces[i].length = min_u32(TCP_BLOCK_DATA - offset, unread - done);
			done += pieces[i].length;
			i++;
		}
		block = block->next;
	}
	return i;
}

ssize_t tcp_recv_done(struct tcp_stack *stack, struct tcp_conn *conn, size_t octets)
{
	if (octets > receive_unread(conn))
		return -EINVAL;
	if (octets)
		consume(stack, conn, (uint32_t)octets);
	return (ssize_t)octets;
}

/* Why nothing may be sent; 0: it may. */
static int refusal(const struct tcp_conn *conn)
{
	if (conn->error)
		return conn->error;
	if (conn->flags & (TCP_CONN_FIN_QUEUED | TCP_CONN_DONE))
		return -EPIPE;
	return 0;
}

static ssize_t full(struct tcp_stack *stack, struct tcp_conn *conn)
{
	conn->flags |= TCP_CONN_OUT_WANTED;
	conn->out_mark = stack->send_buffer - max_u32(stack->send_buffer / 4, 1);
	if (conn->flags & TCP_CONN_CORK)
		output_later(stack, conn);
	return -EAGAIN;
}

static struct tcp_block *add_block(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_block *block = block_new(stack, conn->snd_end);

	if (!block)
		return NULL;
	if (conn->snd_tail)
		conn->snd_tail->next = block;
	else
		conn->snd_head = block;
	conn->snd_tail = block;
	return block;
}

ssize_t tcp_send(struct tcp_stack *stack, struct tcp_conn *conn, const void *buf, size_t n)
{
	uint32_t room = send_room(stack, conn), want, done = 0;
	int error = refusal(conn);

	if (error)
		return error;
	if (conn->flags & TCP_CONN_LENT)
		return -EBUSY;
	if (!n)
		return 0;
	if (!room)
		return full(stack, conn);
	want = n < room ? (uint32_t)n : room;
	while (done < want) {
		struct tcp_block *block = conn->snd_tail;
		uint32_t part;

		if (!block || block->used == TCP_BLOCK_DATA) {
			block = add_block(stack, conn);
			if (!block)
				break;
		}
		part = min_u32(TCP_BLOCK_DATA - block->used, want - done);
		memcpy(block->data + block->used, (const uint8_t *)buf + done, part);
		block->used += part;
		conn->snd_end += part;
		done += part;
	}
	if (done < n)
		full(stack, conn);
	else
		conn->flags &= ~TCP_CONN_OUT_WANTED;
	if (!done)
		return -EAGAIN;
	output_later(stack, conn);
	return done;
}

ssize_t tcp_send_piece(struct tcp_stack *stack, struct tcp_conn *conn, size_t want, struct tcp_piece *ret)
{
	struct tcp_block *block = conn->snd_tail;
	int error = refusal(conn);

	if (error)
		return error;
	if (!want || want > TCP_BLOCK_DATA)
		return -EINVAL;
	if (send_room(stack, conn) < want)
		return full(stack, conn);
	if (!block || TCP_BLOCK_DATA - block->used < want) {
		block = add_block(stack, conn);
		if (!block)
			return full(stack, conn);
	}
	conn->flags |= TCP_CONN_LENT;
	ret->data = block->data + block->used;
	ret->length = min_u32(TCP_BLOCK_DATA - block->used, send_room(stack, conn));
	return (ssize_t)ret->length;
}

ssize_t tcp_send_commit(struct tcp_stack *stack, struct tcp_conn *conn, size_t octets)
{
	int error = refusal(conn);

	if (error)
		return error;
	if (!(conn->flags & TCP_CONN_LENT) || octets > TCP_BLOCK_DATA - conn->snd_tail->used ||
	    octets > send_room(stack, conn))
		return -EINVAL;
	conn->flags &= ~TCP_CONN_LENT;
	conn->snd_tail->used += (uint32_t)octets;
	conn->snd_end += (uint32_t)octets;
	if (octets)
		output_later(stack, conn);
	else
		send_trim(stack, conn);
	return (ssize_t)octets;
}
