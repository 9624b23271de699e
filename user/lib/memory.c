/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All memory of a worker: connections, the table from flow to connection, and
 * the blocks in which the engine keeps data. Reserved by mmap() and touched only as
 * far as it was ever needed; nothing is allocated per connection.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/lib.h"

#define TABLE_MIN 256 /* flows; it grows with the connections */

static void *reserve(size_t size)
{
	void *map =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return map == MAP_FAILED ? NULL : map;
}

int memory_open(struct porch *p, size_t memory)
{
	p->conns_size = (size_t)p->max_conns * sizeof(*p->conns);
	p->blocks_max = memory / TCP_BLOCK;
	p->blocks_size = (size_t)p->blocks_max * TCP_BLOCK;
	list_init(&p->free);
	list_init(&p->buried);
	list_init(&p->fresh);
	list_init(&p->ready);
	p->conns = reserve(p->conns_size);
	p->blocks = reserve(p->blocks_size);
	return p->conns && p->blocks && flow_room(p) ? 0 : -ENOMEM;
}

void memory_close(struct porch *p)
{
	if (p->table)
		munmap(p->table, ((size_t)p->table_mask + 1) * sizeof(*p->table));
	if (p->conns)
		munmap(p->conns, p->conns_size);
	if (p->blocks)
		munmap(p->blocks, p->blocks_size);
}

struct porch_conn *memory_conn(struct porch *p)
{
	struct porch_conn *c;

	if (!list_empty(&p->free)) {
		c = list_of(p->free.next, struct porch_conn, link);
		list_remove(&c->link);
		memset(c, 0, sizeof(*c));
	} else if (p->conns_touched < p->max_conns) {
		c = &p->conns[p->conns_touched++];
	} else {
		return NULL;
	}
	list_init(&c->link);
	c->porch = p;
	p->conns_used++;
	return c;
}

/*
 * Not free at once: events of this handle may still lie before the application,
 * and must not mean another connection. The latest to go is the first to be
 * used again, while it is in the cache.
 */
void memory_bury(struct porch *p, struct porch_conn *c)
{
	list_remove(&c->link);
	c->state = CONN_FREE;
	c->link.next = p->buried.next;
	c->link.prev = &p->buried;
	c->link.next->prev = &c->link;
	p->buried.next = &c->link;
	p->conns_used--;
}

void memory_unbury(struct porch *p)
{
	struct list *first = p->buried.next, *last = p->buried.prev;

	if (list_empty(&p->buried))
		return;
	last->next = p->free.next;
	last->next->prev = last;
	p->free.next = first;
	first->prev = &p->free;
	list_init(&p->buried);
}

void *memory_block(struct tcp_stack *stack)
{
	struct porch *p = porch_of(stack);
	void *block = p->block_free;

	if (block)
		memcpy(&p->block_free, block, sizeof(p->block_free));
	else if (p->blocks_touched < p->blocks_max)
		block = p->blocks + (size_t)p->blocks_touched++ * TCP_BLOCK;
	else
		return NULL;
	p->blocks_used++;
	return block;
}

void memory_block_put(struct tcp_stack *stack, void *block)
{
	struct porch *p = porch_of(stack);

	memcpy(block, &p->block_free, sizeof(p->block_free));
	p->block_free = block;
	p->blocks_used--;
}

/* Fibonacci hashing: flow indices are dense, their neighbours come together. */
static uint32_t home(const struct porch *p, uint32_t flow)
{
	return flow * 0x9e3779b1u >> p->table_shift;
}

static uint32_t position(const struct porch *p, uint32_t flow)
{
	uint32_t i = home(p, flow);

	while (p->table[i].conn && p->table[i].flow != flow)
		i = (i + 1) & p->table_mask;
	return i;
}

/* Twice as large, all of it put in again. False: it stays as it is. */
static bool grow(struct porch *p)
{
	struct flow_entry *before = p->table;
	uint32_t slots = before ? p->table_mask + 1 : 0, more = slots ? slots * 2 : TABLE_MIN;
	struct flow_entry *table = reserve((size_t)more * sizeof(*table));

	if (!table)
		return false;
	p->table = table;
	p->table_mask = more - 1;
	p->table_shift = 32 - __builtin_ctz(more);
	for (uint32_t i = 0; i < slots; i++)
		if (before[i].conn)
			table[position(p, before[i].flow)] = before[i];
	if (before)
		munmap(before, (size_t)slots * sizeof(*before));
	return true;
}

/* For one more: at most three quarters full, so that a search ends soon; if there is no memory, a little
 * fuller. */
bool flow_room(struct porch *p)
{
	if (p->table && p->table_used < p->table_mask / 4 * 3)
		return true;
	return grow(p) || (p->table && p->table_used < p->table_mask);
}

struct porch_conn *flow_find(const struct porch *p, uint32_t flow)
{
	uint32_t conn = p->table[position(p, flow)].conn;

	return conn ? &p->conns[conn - 1] : NULL;
}

/* The caller has made sure that there is room, and that the flow is not there. */
void flow_add(struct porch *p, struct porch_conn *c)
{
	struct flow_entry *e = &p->table[position(p, c->flow)];

	e->flow = c->flow;
	e->conn = c - p->conns + 1;
	c->known = 1;
	p->table_used++;
}

/* Closes the gap, so that no search stops before what it looks for. */
void flow_remove(struct porch *p, struct porch_conn *c)
{
	uint32_t gap, i;

	if (!c->known)
		return;
	c->known = 0;
	p->table_used--;
	gap = i = position(p, c->flow);
	for (;;) {
		i = (i + 1) & p->table_mask;
		if (!p->table[i].conn)
			break;
		if (((i - home(p, p->table[i].flow)) & p->table_mask) < ((i - gap) & p->table_mask))
			continue;
		p->table[gap] = p->table[i];
		gap = i;
	}
	p->table[gap].conn = 0;
}
