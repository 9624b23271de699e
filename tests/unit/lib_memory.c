// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of flows against a plain array, by seed; connections and blocks at their limits. */
#include "lib/lib.h"
#include "tests/unit/unit.h"

static struct porch *open_memory(uint32_t max_conns, size_t memory)
{
	struct porch *p = calloc(1, sizeof(*p));

	p->max_conns = max_conns;
	assert_int_equal(memory_open(p, memory), 0);
	return p;
}

static void close_memory(struct porch *p)
{
	memory_close(p);
	free(p);
}

static void flows(void **state)
{
	enum { FLOWS = 5000, CONNS = 1000 };
	static struct porch_conn *model[FLOWS];
	struct porch *p = open_memory(CONNS, 1 << 20);
	uint64_t seed = 11;
	uint32_t used = 0;

	for (int turn = 0; turn < 200000; turn++) {
		/* dense, and far apart: indices of a big table */
		uint32_t flow = unit_random(&seed) % FLOWS, key = flow % 2 ? flow : flow * 65536u;

		assert_ptr_equal(flow_find(p, key), model[flow]);
		if (!model[flow]) {
			struct porch_conn *c = memory_conn(p);

			assert_true(flow_room(p));
			assert_int_equal(!c, used == CONNS);
			if (!c)
				continue;
			c->state = CONN_OPEN;
			c->flow = key;
			flow_add(p, c);
			model[flow] = c;
			used++;
		} else if (unit_random(&seed) % 2) {
			flow_remove(p, model[flow]);
			memory_bury(p, model[flow]);
			memory_unbury(p);
			model[flow] = NULL;
			used--;
		}
		assert_int_equal(p->conns_used, used);
	}
	for (uint32_t flow = 0; flow < FLOWS; flow++)
		assert_ptr_equal(flow_find(p, flow % 2 ? flow : flow * 65536u), model[flow]);
	close_memory(p);
}

/* A handle that is gone does not become another's while its events may still be looked at. */
static void buried(void **state)
{
	struct porch *p = open_memory(2, 1 << 20);
	struct porch_conn *a = memory_conn(p), *b = memory_conn(p);

	assert_non_null(a);
	assert_non_null(b);
	assert_null(memory_conn(p));
	memory_bury(p, a);
	assert_null(memory_conn(p));
	memory_unbury(p);
	assert_ptr_equal(memory_conn(p), a);
	memory_bury(p, a);
	memory_bury(p, b);
	memory_unbury(p);
	memory_unbury(p);
	/* the latest to go comes first */
	assert_ptr_equal(memory_conn(p), b);
	assert_ptr_equal(memory_conn(p), a);
	assert_null(memory_conn(p));
	close_memory(p);
}

static void blocks(void **state)
{
	struct porch *p = open_memory(16, 8 * TCP_BLOCK);
	void *got[9];

	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < 8; i++) {
			got[i] = memory_block(&p->stack);
			assert_non_null(got[i]);
			assert_int_equal((uintptr_t)got[i] % 64, 0);
			memset(got[i], i, TCP_BLOCK);
		}
		assert_null(memory_block(&p->stack));
		assert_int_equal(p->blocks_used, 8);
		for (int i = 0; i < 8; i++) {
			assert_int_equal(((uint8_t *)got[i])[TCP_BLOCK - 1], i);
			memory_block_put(&p->stack, got[i]);
		}
		assert_int_equal(p->blocks_used, 0);
	}
	close_memory(p);
}

/* What a connection that does nothing costs; the table of flows with it, as full as it gets. */
static void idle(void **state)
{
	struct porch *p = open_memory(65536, 1 << 20);
	size_t each = sizeof(struct porch_conn) + 8 * sizeof(struct flow_entry) / 3;

	print_message("# %zu octets: engine %zu (of these %zu for segments in flight), library %zu\n", each,
		      sizeof(struct tcp_conn), sizeof(((struct tcp_conn *)0)->rec_inline),
		      each - sizeof(struct tcp_conn));
	assert_true(each <= 1024);
	close_memory(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows),
		cmocka_unit_test(buried),
		cmocka_unit_test(blocks),
		cmocka_unit_test(idle),
	};

	return unit_run("lib_memory", tests);
}
