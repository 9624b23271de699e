// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Data that came out of order. It is copied to where it will be read, into
 * blocks of the receive list; what is known of it is a sorted array of ranges,
 * none touching another, in one block. Whatever a peer sends costs a binary
 * search and a move of at most four KiB, and holds no more memory than the
 * window it was promised; beyond TCP_RANGES_MAX holes it is dropped.
 */
#include "tcp/internal.h"

/* First range that ends at `seq` or after it. */
static uint32_t find(const struct tcp_conn *conn, uint32_t seq)
{
	uint32_t low = 0, high = conn->ranges;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (seq_before(conn->range[middle].to, seq))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * The block that holds `seq`: `after` is the last one known to lie not behind it;
 * between that and `seq` is nothing, or what this segment needs.
 */
static struct tcp_block *block_at(struct tcp_stack *stack, struct tcp_block *after, uint32_t seq)
{
	struct tcp_block *block, **link;
	uint32_t base;

	base = after->base + (seq - after->base) / TCP_BLOCK_DATA * TCP_BLOCK_DATA;
	if (base == after->base)
		return after;
	link = &after->next;
	while (*link && seq_before((*link)->base, base))
		link = &(*link)->next;
	if (*link && (*link)->base == base)
		return *link;
	block = block_new(stack, base);
	if (!block)
		return NULL;
	block->next = *link;
	*link = block;
	return block;
}

/* Copies [seq, seq + n) into place; returns the last block, NULL: no memory. */
static struct tcp_block *copy(struct tcp_stack *stack, struct tcp_block *after, uint32_t seq,
			      const uint8_t *data, uint32_t n)
{
	while (n) {
		uint32_t offset, part;

		after = block_at(stack, after, seq);
		if (!after)
			return NULL;
		offset = seq - after->base;
		part = min_u32(n, TCP_BLOCK_DATA - offset);
		memcpy(after->data + offset, data, part);
		data += part;
		seq += part;
		n -= part;
	}
	return after;
}

/* The range that holds it, or conn->ranges. */
uint32_t reassembly_find(const struct tcp_conn *conn, uint32_t seq)
{
	uint32_t i = find(conn, seq + 1);

	return i < conn->ranges && !seq_before(seq, conn->range[i].from) ? i : conn->ranges;
}

/* RFC 2018 4: what was said before is said again, newest first. */
static void changed(struct tcp_conn *conn, uint32_t from, uint32_t to, uint32_t seq)
{
	uint32_t i;

	for (i = 0; i < 3 && (seq_before(conn->sack_recent[i], from) || !seq_before(conn->sack_recent[i], to)); i++)
		;
	memmove(conn->sack_recent + 1, conn->sack_recent, i * sizeof(conn->sack_recent[0]));
	conn->sack_recent[0] = seq;
}

/* RFC 2883 4.1: of what has come again, the first part. */
static void twice(struct tcp_conn *conn, uint32_t i, uint32_t j, uint32_t seq, uint32_t end)
{
	for (; i < j; i++) {
		uint32_t from = seq_max(seq, conn->range[i].from), to = seq_min(end, conn->range[i].to);

		if (!seq_before(from, to))
			continue;
		conn->dsack = conn->options & TCP_OPT_SACK;
		conn->dsack_from = from;
		conn->dsack_to = to;
		return;
	}
}

bool reassembly_add(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t seq, const uint8_t *data,
		    uint32_t n)
{
	uint32_t end = seq + n, from, to, i, j;
	struct tcp_block *after, *last = NULL;
	struct tcp_range *r;

	if (!conn->range) {
		conn->range = (struct tcp_range *)block_new(stack, 0);
		if (!conn->range)
			return false;
	}
	if (!conn->rcv_tail) {
		/* the grid of this list begins at rcv_nxt */
		conn->rcv_tail = conn->rcv_head = block_new(stack, conn->rcv_nxt);
		if (!conn->rcv_tail)
			return false;
	}
	i = find(conn, seq);
	for (j = i; j < conn->ranges && !seq_after(conn->range[j].from, end); j++)
		;
	/* ranges i to j - 1 overlap or touch it; only what they lack is copied */
	if (i == j && conn->ranges == TCP_RANGES_MAX)
		return false;
	twice(conn, i, j, seq, end);
	from = seq;
	to = end;
	after = i ? conn->range[i - 1].last : conn->rcv_tail;
	if (i < j) {
		from = seq_min(seq, conn->range[i].from);
		to = seq_max(end, conn->range[j - 1].to);
	}
	for (uint32_t k = i, at = seq; seq_before(at, end);) {
		uint32_t stop = k < j ? seq_min(end, conn->range[k].from) : end;

		if (seq_before(at, stop)) {
			last = copy(stack, after, at, data + (at - seq), stop - at);
			if (!last)
				return false;
			after = last;
		}
		at = seq_max(at, stop);
		if (k < j) {
			at = seq_max(at, conn->range[k].to);
			after = conn->range[k].last;
			k++;
		}
	}
	if (i < j && conn->range[j - 1].to == to)
		last = conn->range[j - 1].last;
	r = conn->range;
	if (i == j) {
		memmove(r + i + 1, r + i, (conn->ranges - i) * sizeof(*r));
		conn->ranges++;
	} else if (j - i > 1) {
		memmove(r + i + 1, r + j, (conn->ranges - j) * sizeof(*r));
		conn->ranges -= j - i - 1;
	}
	r[i] = (struct tcp_range){ .from = from, .to = to, .last = last };
	changed(conn, from, to, seq);
	return true;
}

void reassembly_join(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t n = 0;

	while (n < conn->ranges && !seq_after(conn->range[n].from, conn->rcv_nxt)) {
		if (seq_after(conn->range[n].to, conn->rcv_nxt)) {
			conn->rcv_nxt = conn->range[n].to;
			conn->rcv_tail = conn->range[n].last;
		}
		n++;
	}
	if (!n)
		return;
	conn->ranges -= n;
	memmove(conn->range, conn->range + n, conn->ranges * sizeof(*conn->range));
	if (!conn->ranges) {
		stack->ops->block_put(stack, conn->range);
		conn->range = NULL;
	}
}
