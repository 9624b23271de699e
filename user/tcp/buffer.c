// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Data of a connection: lists of blocks, taken when the first octet comes and
 * given back with the last.
 *
 * Receiving, the bases of the blocks of a list differ by multiples of
 * TCP_BLOCK_DATA, so that out-of-order data can be put where it will be read
 * (reassembly.c); rcv_tail is the block that holds rcv_nxt, or ends there.
 * Sending, a block holds `used` octets from `base` on.
 */
#include "tcp/internal.h"

struct tcp_block *block_new(struct tcp_stack *stack, uint32_t base)
{
	struct tcp_block *block = stack->ops->block_get(stack);

	if (!block) {
		stack->counters.no_memory++;
		return NULL;
	}
	block->next = NULL;
	block->base = base;
	block->used = 0;
	return block;
}

void blocks_free(struct tcp_stack *stack, struct tcp_block *block)
{
	while (block) {
		struct tcp_block *next = block->next;

		stack->ops->block_put(stack, block);
		block = next;
	}
}

bool receive_append(struct tcp_stack *stack, struct tcp_conn *conn, const uint8_t *data, uint32_t n,
		    uint32_t *sum)
{
	struct tcp_block *block = conn->rcv_tail;
	uint32_t offset, room, done = 0, part;

	if (__builtin_expect(!block, 0)) {
		block = block_new(stack, conn->rcv_nxt);
		if (!block)
			return false;
		conn->rcv_head = conn->rcv_tail = block;
	}
	offset = conn->rcv_nxt - block->base;
	room = TCP_BLOCK_DATA - offset;
	if (__builtin_expect(n <= room, 1)) {
		*sum = tcp_csum_copy(block->data + offset, data, n);
		return true;
	}
	*sum = room ? tcp_csum_copy(block->data + offset, data, room) : 0;
	for (done = room; done < n; done += part) {
		struct tcp_block *next = block->next;

		/* what lies there is only what came out of order, further on */
		if (!next || next->base != block->base + TCP_BLOCK_DATA) {
			next = block_new(stack, block->base + TCP_BLOCK_DATA);
			if (!next)
				return false;
			next->next = block->next;
			block->next = next;
		}
		block = next;
		part = min_u32(n - done, TCP_BLOCK_DATA);
		*sum = csum_add(*sum, csum_odd(tcp_csum_copy(block->data, data + done, part), done));
	}
	return true;
}

void receive_trim(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_block *block;

	if (!receive_unread(conn) && !conn->ranges) {
		blocks_free(stack, conn->rcv_head);
		conn->rcv_head = conn->rcv_tail = NULL;
		return;
	}
	while ((block = conn->rcv_head) != conn->rcv_tail && conn->rcv_read - block->base >= TCP_BLOCK_DATA) {
		conn->rcv_head = block->next;
		stack->ops->block_put(stack, block);
	}
}

uint32_t send_copy(struct tcp_block *block, uint32_t seq, void *to, uint32_t n)
{
	uint32_t offset = seq - block->base, part, done = 0, sum = 0;

	for (;;) {
		part = min_u32(n - done, block->used - offset);
		sum = csum_add(
			sum, csum_odd(tcp_csum_copy((uint8_t *)to + done, block->data + offset, part), done));
		done += part;
		if (done == n)
			return sum;
		block = block->next;
		offset = 0;
	}
}

void send_copy_only(struct tcp_block *block, uint32_t seq, void *to, uint32_t n)
{
	uint32_t offset = seq - block->base, part;
	uint8_t *p = to;

	for (;;) {
		part = min_u32(n, block->used - offset);
		memcpy(p, block->data + offset, part);
		if (part == n)
			return;
		p += part;
		n -= part;
		block = block->next;
		offset = 0;
	}
}

/* Block that holds octet `seq`, which is queued. Mostly the cursor's or the next. */
struct tcp_block *send_block(struct tcp_conn *conn, uint32_t seq)
{
	struct tcp_block *block = conn->snd_cursor;

	if (!block || seq_before(seq, block->base))
		block = conn->snd_head;
	while (block && seq - block->base >= block->used)
		block = block->next;
	return block;
}

void send_trim(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_block *block;

	while ((block = conn->snd_head) && !seq_after(block->base + block->used, conn->snd_una)) {
		if (block == conn->snd_tail && conn->flags & TCP_CONN_LENT)
			break;
		if (conn->snd_cursor == block)
			conn->snd_cursor = NULL;
		conn->snd_head = block->next;
		if (!conn->snd_head)
			conn->snd_tail = NULL;
		stack->ops->block_put(stack, block);
	}
}
