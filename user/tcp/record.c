// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Segments in flight, in the order of their sequence numbers: a ring of records
 * that grows with need. Level 0 is the few within the connection, level 1 one
 * block of them, level 2 a block of pointers to such blocks. Back to level 0
 * when nothing is in flight, so that an idle connection holds no memory.
 *
 * Those that were neither SACKed nor found lost are also linked in the order in
 * which they were sent, which is what RACK goes by.
 */
#include "tcp/internal.h"

#define PAGE_RECORDS (TCP_BLOCK / sizeof(struct tcp_record))
#define PAGES	     (TCP_BLOCK / sizeof(void *))

static uint32_t capacity(const struct tcp_conn *conn)
{
	return conn->rec_level == 0   ? TCP_INLINE_RECORDS
	       : conn->rec_level == 1 ? PAGE_RECORDS
				      : PAGES * PAGE_RECORDS;
}

/* From the connection's own into a block. */
static bool grow_to_block(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_record *page = stack->ops->block_get(stack);
	uint32_t i;

	if (!page)
		return false;
	for (i = conn->rec_head; i != conn->rec_tail; i++)
		page[i % PAGE_RECORDS] = *record_at(conn, i);
	conn->rec_memory = page;
	conn->rec_level = 1;
	return true;
}

/* From one block, whose ring may wrap, to pages behind a directory. */
static bool grow_to_pages(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t first = conn->rec_head / PAGE_RECORDS, last = (conn->rec_tail - 1) / PAGE_RECORDS;
	struct tcp_record *page = conn->rec_memory, *second = NULL;
	struct tcp_record **pages = stack->ops->block_get(stack);
	uint32_t i;

	if (!pages)
		return false;
	if (first != last) {
		second = stack->ops->block_get(stack);
		if (!second) {
			stack->ops->block_put(stack, pages);
			return false;
		}
		for (i = last * PAGE_RECORDS; i != conn->rec_tail; i++)
			second[i % PAGE_RECORDS] = page[i % PAGE_RECORDS];
	}
	memset(pages, 0, TCP_BLOCK);
	pages[first % PAGES] = page;
	if (second)
		pages[last % PAGES] = second;
	conn->rec_memory = pages;
	conn->rec_level = 2;
	return true;
}

struct tcp_record *record_add(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_record **page;

	if (conn->rec_tail - conn->rec_head >= capacity(conn)) {
		if (conn->rec_level == 2)
			return NULL;
		if (!(conn->rec_level == 0 ? grow_to_block : grow_to_pages)(stack, conn))
			return NULL;
	}
	if (conn->rec_level == 2) {
		/* the last page is left free: head and tail never share one from both ends */
		if (conn->rec_tail - conn->rec_head > (PAGES - 1) * PAGE_RECORDS)
			return NULL;
		page = (struct tcp_record **)conn->rec_memory + conn->rec_tail / PAGE_RECORDS % PAGES;
		if (!*page)
			*page = stack->ops->block_get(stack);
		if (!*page)
			return NULL;
	}
	return record_at(conn, conn->rec_tail++);
}

void record_drop_head(struct tcp_stack *stack, struct tcp_conn *conn)
{
	uint32_t i = conn->rec_head++;
	struct tcp_record **page;

	if (conn->rec_level == 2 && conn->rec_head % PAGE_RECORDS == 0) {
		page = (struct tcp_record **)conn->rec_memory + i / PAGE_RECORDS % PAGES;
		stack->ops->block_put(stack, *page);
		*page = NULL;
	}
	if (conn->rec_head == conn->rec_tail)
		records_free(stack, conn);
}

void records_free(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct tcp_record **pages = conn->rec_memory;
	uint32_t i;

	if (conn->rec_level == 2) {
		for (i = 0; i < PAGES; i++)
			if (pages[i])
				stack->ops->block_put(stack, pages[i]);
	}
	if (conn->rec_level)
		stack->ops->block_put(stack, conn->rec_memory);
	conn->rec_memory = NULL;
	conn->rec_level = 0;
	conn->rec_head = conn->rec_tail;
	conn->rec_resend = conn->rec_tail;
	conn->rec_any = false;
}

void record_sent(struct tcp_stack *stack, struct tcp_conn *conn, uint32_t i)
{
	struct tcp_record *r = record_at(conn, i);

	r->sent = stack->now;
	r->older = r->newer = i;
	if (conn->rec_any) {
		r->older = conn->rec_newest;
		record_at(conn, conn->rec_newest)->newer = i;
	} else {
		conn->rec_oldest = i;
		conn->rec_any = true;
	}
	conn->rec_newest = i;
}

void record_unlink(struct tcp_conn *conn, uint32_t i)
{
	struct tcp_record *r = record_at(conn, i);

	if (r->older != i)
		record_at(conn, r->older)->newer = r->newer == i ? r->older : r->newer;
	else if (r->newer != i)
		conn->rec_oldest = r->newer;
	else
		conn->rec_any = false;
	if (r->newer != i)
		record_at(conn, r->newer)->older = r->older == i ? r->newer : r->older;
	else if (r->older != i)
		conn->rec_newest = r->older;
}

uint32_t record_find(const struct tcp_conn *conn, uint32_t seq)
{
	uint32_t low = 0, high = conn->rec_tail - conn->rec_head;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct tcp_record *r = record_at(conn, conn->rec_head + middle);

		if (seq_after(r->seq + r->length, seq))
			high = middle;
		else
			low = middle + 1;
	}
	return conn->rec_head + low;
}
