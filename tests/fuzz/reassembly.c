// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Data in any order, any overlap, with memory that runs out, against an array of octets. */
#include "tcp/internal.h"
#include "tests/fuzz/fuzz.h"

#define WINDOW 65535
#define SPACE  (4 * WINDOW)
#define IRS    0xffffc000u

struct one {
	struct tcp_stack stack;
	struct tcp_conn conn;
	uint32_t blocks, limit;
};

static uint8_t have[SPACE], wire[65536];
static uint32_t top; /* nothing has come from here on */
static uint8_t frame[2048];

static uint8_t octet(uint32_t at)
{
	return (uint8_t)(at * 251 + (at >> 8) * 7 + (at >> 16));
}

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	return frame;
}

static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *data, uint32_t length)
{
}

static void notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
}

static void *block_get(struct tcp_stack *stack)
{
	struct one *o = stack->user;

	if (o->blocks >= o->limit)
		return NULL;
	o->blocks++;
	return aligned_alloc(64, TCP_BLOCK);
}

static void block_put(struct tcp_stack *stack, void *block)
{
	((struct one *)stack->user)->blocks--;
	free(block);
}

static void opens(struct one *o)
{
	static const struct tcp_ops ops = { frame_get, frame_send, notify, block_get, block_put };
	static const struct tcp_settings settings = { .frame_size = sizeof(frame),
						      .recv_buffer = 1 << 18,
						      .send_buffer = 4096 };
	struct tcp_start start = {
		.remote = { [10] = 0xff, [11] = 0xff, 1 },
		.local = { [10] = 0xff, [11] = 0xff, 2 },
		.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
		.irs = IRS,
		.mss = 1460,
		.window = 65535,
		.mtu = 1500,
		.options = TCP_OPT_SACK,
		.rcv_wnd = WINDOW,
	};

	memset(o, 0, sizeof(*o));
	o->stack.user = o;
	o->limit = UINT32_MAX;
	tcp_stack_init(&o->stack, &ops, &settings, 1000 * TCP_SECOND);
	start.proven = o->stack.now;
	tcp_open(&o->stack, &o->conn, &start);
}

/* What was promised has room; where memory or ranges ran out, what is missing is missing as a whole. */
static void arrives(struct one *o, uint32_t from, uint32_t n)
{
	static const uint8_t mac[12];
	struct tcp_segment s = { .seq = IRS + 1 + from,
				 .ack = o->conn.snd_una,
				 .length = n,
				 .flags = TCP_FLAG_ACK,
				 .window = 65535,
				 .payload = wire,
				 .mac = mac,
				 .tags = { TCP_TAG_NONE, TCP_TAG_NONE },
				 .checked = 1 };
	uint32_t i, edge = o->conn.rcv_adv - IRS - 1;

	for (i = 0; i < n; i++)
		wire[i] = octet(from + i);
	check(!tcp_input(&o->stack, &o->conn, &s), "refused");
	for (i = from; i < from + n && i < edge && i < SPACE; i++)
		have[i] = 1;
	if (i > top && i > from)
		top = i;
}

/* Every range and rcv_nxt are of what has come; without refusals, all of it. */
static void agrees(struct one *o, bool all)
{
	const struct tcp_conn *c = &o->conn;
	uint32_t edge = c->rcv_nxt - IRS - 1, at = edge, i;

	check(edge <= SPACE && !memchr(have, 0, edge), "%u taken, and it never came", edge);
	check(!all || !have[edge], "%u has come, and is not taken", edge);
	for (i = 0; i < c->ranges; i++) {
		uint32_t from = c->range[i].from - IRS - 1, to = c->range[i].to - IRS - 1;

		check(from > at && to > from, "range %u", i);
		check(!memchr(have + from, 0, to - from), "range %u never came", i);
		check(!all || (!have[from - 1] && !have[to]), "range %u is less than came", i);
		check(!all || !memchr(have + at, 1, from - at), "what came before range %u is lost", i);
		at = to;
	}
	check(!all || !(top > at && memchr(have + at, 1, top - at)), "what came behind is lost");
	check(o->blocks <= WINDOW / TCP_BLOCK_DATA + (receive_unread(c) / TCP_BLOCK_DATA) + 5, "%u blocks",
	      o->blocks);
}

static void reads(struct one *o, uint32_t n)
{
	static uint8_t buf[65536];
	uint32_t at = o->conn.rcv_read - IRS - 1;
	ssize_t got = tcp_recv(&o->stack, &o->conn, buf, n % sizeof(buf));

	for (ssize_t i = 0; i < got; i++)
		check(buf[i] == octet(at + (uint32_t)i), "octet %u", at + (uint32_t)i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct one o;
	struct input in = { data, size };
	bool all = true;

	opens(&o);
	memset(have, 0, top);
	top = 0;
	while (in.left) {
		uint32_t kind = take(&in, 1), edge = o.conn.rcv_nxt - IRS - 1, from = edge,
			 n = 1 + take(&in, 1);

		if (edge > SPACE - 2 * WINDOW)
			break;
		if (kind & 1)
			from += take(&in, 2);
		else if (kind & 2)
			from += take(&in, 1);
		else if (kind & 4 && edge > 300)
			from -= take(&in, 1);
		if (kind & 8)
			n *= 1 + take(&in, 1) % 40;
		if (kind & 0x10 && o.conn.ranges) {
			const struct tcp_range *r = &o.conn.range[take(&in, 1) % o.conn.ranges];

			from = (kind & 0x20 ? r->to : r->from - n) - IRS - 1 + (uint32_t)(int8_t)take(&in, 1);
			if (from > edge + WINDOW)
				from = edge;
		}
		if ((kind & 0xc0) == 0xc0)
			reads(&o, take(&in, 2));
		else if ((kind & 0xc0) == 0x80 && n < 8)
			o.limit = n < 6 ? o.blocks + n : UINT32_MAX;
		else
			arrives(&o, from, n);
		/* from the first refusal on, less may be known than came */
		all = all && !o.stack.counters.no_memory && o.conn.ranges < TCP_RANGES_MAX;
		agrees(&o, all);
		o.conn.notified = false;
		tcp_stack_flush(&o.stack);
	}
	reads(&o, 65535);
	tcp_release(&o.stack, &o.conn);
	check(!o.blocks, "%u blocks are not back", o.blocks);
	return 0;
}
