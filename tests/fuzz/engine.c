// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The engine, fed with records: segments of a peer that keeps to nothing, calls
 * of the application, ICMP errors, time, and a worker without frames or memory.
 * What must hold is looked at after each of them (engine_world.c).
 */
#include <sys/socket.h>

#include "tests/fuzz/engine.h"

#define FRAME_MOST 12000

static uint8_t wire[FRAME_MOST + 256];

/* At `base`, around it, or anywhere. */
static uint32_t near(struct input *in, uint32_t base)
{
	uint32_t kind = take(in, 1);

	if (kind < 140)
		return base;
	if (kind < 200)
		return base + (uint32_t)(int16_t)take(in, 2);
	if (kind < 250)
		return base + (uint32_t)(int8_t)take(in, 1);
	return take(in, 4);
}

static void put32(uint8_t *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, 4);
}

static void add_timestamps(struct engine *e, struct engine_segment *s, struct input *in)
{
	uint32_t kind = take(in, 1);

	memcpy(s->options + s->options_length, (uint8_t[]){ 1, 1, 8, 10 }, 4);
	put32(s->options + s->options_length + 4,
	      e->conn.ts_recent + (uint32_t)(kind & 0x80 ? (int8_t)take(in, 1) : 1));
	put32(s->options + s->options_length + 8,
	      clock_ms(&e->stack) + e->conn.ts_offset - (kind & 0x7f) / 2);
	s->options_length += 12;
}

static void add_sack(struct engine *e, struct engine_segment *s, struct input *in)
{
	uint32_t n = 1 + take(in, 1) % 4, i, from, to;
	uint8_t *p;

	while (s->options_length + 4 + 8 * n > 40)
		n--;
	p = s->options + s->options_length;
	memcpy(p, (uint8_t[]){ 1, 1, 5, (uint8_t)(2 + 8 * n) }, 4);
	for (i = 0; i < n; i++) {
		from = near(in, e->conn.snd_una + e->conn.mss * (take(in, 1) % 16));
		to = near(in, from + e->conn.mss * (1 + take(in, 1) % 8));
		put32(p + 4 + 8 * i, from);
		put32(p + 8 + 8 * i, to);
	}
	s->options_length += 4 + 8 * n;
}

static void add_any_options(struct engine_segment *s, struct input *in)
{
	uint32_t n = take(in, 1) % 10 * 4;

	if (n > 40 - s->options_length)
		n = 40 - s->options_length;
	take_octets(in, s->options + s->options_length, n);
	s->options_length += n;
}

/* What the segment, if it is taken, lets us send at most. */
static void permits(struct engine *e, const struct engine_segment *s)
{
	uint32_t window = (uint32_t)s->window
			  << (e->start.options & TCP_OPT_WSCALE ? e->start.wscale_snd : 0);

	if (e->highest - s->ack < 1u << 30)
		e->permitted = seq_max(e->permitted, s->ack + window);
}

static void deliver(struct engine *e, uint32_t length, bool broken)
{
	uint8_t reset[128];
	struct tcp_segment s;
	const struct tcp_conn before = e->conn;
	uint32_t n, l3, l4;
	int r;

	r = tcp_parse(wire, length, e->l3, e->l4, length - e->l4, &s);
	if (!r)
		r = tcp_input(&e->stack, &e->conn, &s);
	check(!r || r == -EBADMSG, "input says %d", r);
	/* without memory it is dropped before anybody looks at its sum */
	check(!broken || r || e->done || e->blocks >= e->blocks_limit || e->conn.flags & TCP_CONN_RESET_OWED,
	      "a wrong checksum was taken");
	check(!broken || (before.rcv_nxt == e->conn.rcv_nxt && before.snd_una == e->conn.snd_una &&
			  before.state == e->conn.state && before.snd_wnd == e->conn.snd_wnd &&
			  before.ranges == e->conn.ranges && before.ts_recent == e->conn.ts_recent),
	      "a wrong checksum changed something");
	n = tcp_reset_for(wire, length, e->l3, e->l4, length - e->l4, reset, sizeof(reset));
	if (!n)
		return;
	check(!broken && !(s.flags & TCP_FLAG_RST), "a reset for what deserves none");
	l3 = e->l3;
	l4 = e->l4;
	check(!tcp_parse(reset, n, l3, l4, n - l4, &s) && s.flags & TCP_FLAG_RST, "a bad reset");
	check(!csum_fold(csum_add(s.pseudo, tcp_csum_scalar(s.payload, s.length))), "a reset's checksum");
}

static void segment(struct engine *e, struct input *in)
{
	static const uint16_t flags[] = { TCP_FLAG_FIN, TCP_FLAG_RST, TCP_FLAG_SYN, 0,
					  TCP_FLAG_URG, TCP_FLAG_ECE, TCP_FLAG_CWR, TCP_FLAG_PSH };
	uint32_t kind = take(in, 2), length, at;
	struct engine_segment s = { .flags = TCP_FLAG_ACK, .window = 60000, .ecn = kind >> 13 & 3 };

	s.seq = kind & 1 ? near(in, e->conn.rcv_nxt) : kind & 2 ? near(in, e->conn.rcv_adv) : e->conn.rcv_nxt;
	s.ack = kind & 4 ? near(in, e->conn.snd_una) : near(in, e->conn.snd_nxt);
	if (kind & 8)
		s.window = (uint16_t)(take(in, 1) ? take(in, 2) : 0);
	if (kind & 16)
		s.flags |= flags[take(in, 1) % 8];
	if (kind & 32)
		s.flags = take(in, 2) & 0x1ff;
	if (kind & 64)
		add_timestamps(e, &s, in);
	if (kind & 128)
		add_sack(e, &s, in);
	if (kind & 256)
		add_any_options(&s, in);
	if (kind & 512)
		s.length = take(in, 2) % 9000;
	else if (kind & 1024)
		s.length = 1448;
	permits(e, &s);
	length = engine_frame(e, &s, wire);
	if ((kind & 0x1800) != 0x1800) {
		deliver(e, length, false);
		return;
	}
	/* one octet of the segment is another: whichever it is, the sum is wrong */
	at = e->l4 + take(in, 2) % (length - e->l4);
	wire[at] ^= 1 + take(in, 1) % 255;
	deliver(e, length, true);
}

static void icmp(struct engine *e, struct input *in)
{
	uint32_t header = e->six ? 40 : 20, kind = take(in, 1), n = e->l4 + 8 + header + 8;
	uint8_t *p = wire + e->l4, *ip = p + 8, *tcp = ip + header;

	memset(wire, 0, n);
	p[0] = e->six ? 1 + (kind & 1) : 3;
	p[1] = kind & 2 ? 4 : (uint8_t)take(in, 1);
	put32(p + 4, kind & 4 ? take(in, 2) : take(in, 4));
	ip[0] = e->six ? 0x60 : 0x45;
	if (e->six) {
		ip[6] = 6;
		memcpy(ip + 8, e->start.local, 16);
		memcpy(ip + 24, e->start.remote, 16);
	} else {
		ip[9] = 6;
		memcpy(ip + 12, e->start.local + 12, 4);
		memcpy(ip + 16, e->start.remote + 12, 4);
	}
	put32(tcp, (uint32_t)e->start.local_port << 16 | e->start.remote_port);
	put32(tcp + 4, near(in, e->conn.snd_una));
	if (kind & 0x80)
		wire[take(in, 1) % n] ^= (uint8_t)take(in, 1);
	tcp_icmp(&e->stack, &e->conn, wire, kind & 0x40 ? n - take(in, 1) % n : n, e->l3, e->l4);
}

static void garbage(struct engine *e, struct input *in)
{
	uint32_t n = take(in, 1), l3 = take(in, 1) % 64, l4 = l3 + take(in, 1) % 64, octets = take(in, 1);
	uint8_t *frame = malloc(n + 1), reset[128];
	struct tcp_segment s;

	take_octets(in, frame, n);
	if (!tcp_parse(frame, n, l3, l4, octets, &s))
		check(s.length <= octets && s.sack_blocks <= 4 && s.payload + s.length <= frame + n,
		      "beyond the frame");
	tcp_reset_for(frame, n, l3, l4, octets, reset, sizeof(reset));
	tcp_icmp(&e->stack, &e->conn, frame, n, l3, l4);
	free(frame);
}

static void got(struct engine *e, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++, e->received++)
		check(p[i] == engine_octet(false, e->received), "octet %u read", e->received);
}

static void reads(struct engine *e, struct input *in)
{
	static uint8_t buf[65536];
	struct tcp_piece pieces[4];
	uint32_t kind = take(in, 1);
	ssize_t n;
	int i, r;

	if (kind & 1) {
		n = tcp_recv(&e->stack, &e->conn, buf, take(in, 2));
		if (n > 0)
			got(e, buf, (size_t)n);
		return;
	}
	r = tcp_recv_pieces(&e->stack, &e->conn, pieces, 1 + (kind >> 1) % 4);
	n = 0;
	for (i = 0; i < r; i++) {
		uint32_t part =
			kind & 0x80 ? take(in, 2) % (pieces[i].length + 1) : (uint32_t)pieces[i].length;

		got(e, pieces[i].data, part);
		n += part;
		if (part < pieces[i].length)
			break;
	}
	check(tcp_recv_done(&e->stack, &e->conn, (size_t)n) == n, "what was lent cannot be given back");
	check(tcp_recv_done(&e->stack, &e->conn, 1u << 30) == -EINVAL, "more than there is");
}

static void writes(struct engine *e, struct input *in)
{
	static uint8_t buf[65536];
	struct tcp_piece piece;
	uint32_t kind = take(in, 1), i, n = take(in, 2) >> (kind >> 4);
	ssize_t done;

	if (kind & 1) {
		for (i = 0; i < n; i++)
			buf[i] = engine_octet(true, e->sent + i);
		done = tcp_send(&e->stack, &e->conn, buf, n);
		check(done <= (ssize_t)n, "%zd of %u", done, n);
	} else {
		done = tcp_send_piece(&e->stack, &e->conn, n, &piece);
		if (done <= 0)
			return;
		if (kind & 2)
			done = (ssize_t)(take(in, 2) % (uint32_t)(done + 1));
		for (i = 0; i < (uint32_t)done; i++)
			((uint8_t *)piece.data)[i] = engine_octet(true, e->sent + i);
		if (kind & 4)
			return; /* lent, and never committed */
		done = tcp_send_commit(&e->stack, &e->conn, (size_t)done);
	}
	if (done > 0)
		e->sent += (uint32_t)done;
}

static void passes(struct engine *e, struct input *in)
{
	uint32_t n = take(in, 2), i = 0;
	uint64_t end = e->stack.now + (uint64_t)n * n * 100, next;

	while (!(n & 1) && i++ < 64 && (next = tcp_stack_next(&e->stack)) <= end) {
		e->stack.now = max_u64(next, e->stack.now);
		tcp_stack_run(&e->stack);
		check(tcp_stack_next(&e->stack) > e->stack.now, "a timer that has run is due");
		tcp_stack_flush(&e->stack);
	}
	e->stack.now = end;
	tcp_stack_run(&e->stack);
}

/* Gone from this memory, and back: nobody on the wire may notice. Or with lies in it, which do no harm. */
static void moves(struct engine *e, struct input *in)
{
	static uint8_t data[1 << 19];
	static struct tcp_conn other;
	struct tcp_handback h, lie;
	uint32_t kind = take(in, 1), i;
	ssize_t n = tcp_export(&e->conn, &h, data, sizeof(data));

	if (n < 0)
		return;
	lie = h;
	for (i = kind % 8; i > 0; i--)
		((uint8_t *)&lie)[take(in, 1) % sizeof(lie)] ^= (uint8_t)take(in, 1);
	memset(&other, 0, sizeof(other));
	if (kind % 8 && !tcp_import(&e->stack, &other, &lie, data, kind & 0x10 ? take(in, 2) : (size_t)n)) {
		tcp_stack_flush(&e->stack);
		e->stack.now += (uint64_t)kind * TCP_MS;
		tcp_stack_run(&e->stack);
		tcp_stack_flush(&e->stack);
		tcp_release(&e->stack, &other);
	}
}

static void ends(struct engine *e, struct input *in)
{
	uint32_t kind = take(in, 1);

	if (kind < 40)
		tcp_shutdown(&e->stack, &e->conn, (int)kind % 4);
	else if (kind < 60)
		tcp_close(&e->stack, &e->conn);
	else if (kind < 63)
		tcp_abort(&e->stack, &e->conn);
	else if (kind < 100)
		e->blocks_limit = kind < 80 ? e->blocks + kind % 4 : UINT32_MAX;
	else if (kind < 160)
		e->no_frames = kind & 1;
	else
		tcp_set(&e->stack, &e->conn, (enum tcp_option)(kind % 7),
			take(in, 1) & 0x80 ? take(in, 4) : take(in, 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct engine e;
	struct input in = { data, size };
	struct tcp_info_out info;
	struct tcp_finish finish;

	engine_open(&e, &in);
	while (in.left) {
		switch (take(&in, 1) % 16) {
		case 0 ... 5:
			segment(&e, &in);
			break;
		case 6:
			icmp(&e, &in);
			break;
		case 7:
			garbage(&e, &in);
			break;
		case 8:
			reads(&e, &in);
			break;
		case 9:
		case 10:
			writes(&e, &in);
			break;
		case 11:
		case 12:
			passes(&e, &in);
			break;
		case 13:
			moves(&e, &in);
			break;
		case 14:
			ends(&e, &in);
			break;
		default:
			tcp_stack_flush(&e.stack);
		}
		engine_checks(&e);
		e.conn.notified = false;
	}
	e.no_frames = false;
	tcp_stack_flush(&e.stack);
	engine_checks(&e);
	tcp_info_get(&e.conn, &info);
	if (e.done)
		tcp_finish(&e.conn, &finish);
	engine_release(&e);
	return 0;
}
