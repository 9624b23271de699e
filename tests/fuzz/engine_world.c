// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Frames and memory of the engine under test, and what must hold of it. */
#include "tests/fuzz/engine.h"

#define ISS 0xfffff000u /* the numbers wrap early */
#define IRS 0xffffe000u

uint8_t engine_octet(bool ours, uint32_t offset)
{
	return (uint8_t)(offset * 167 + (offset >> 8) * 13 + (offset >> 16) + ours * 91);
}

static void *frame_get(struct tcp_stack *stack, struct tcp_conn *conn)
{
	struct engine *e = stack->user;

	check(!e->frame_lent, "two frames at once");
	if (e->no_frames)
		return NULL;
	e->frame_lent = true;
	memset(e->frame, 0xa5, sizeof(e->frame));
	return e->frame;
}

static void check_data(struct engine *e, const struct tcp_segment *s)
{
	uint32_t i, at = s->seq - e->start.iss - 1;

	for (i = 0; i < s->length; i++)
		check(s->payload[i] == engine_octet(true, at + i), "octet %u sent", at + i);
}

static void check_numbers(struct engine *e, const struct tcp_segment *s)
{
	uint32_t edge = s->ack + s->window * e->unit, end = s->seq + s->length + !!(s->flags & TCP_FLAG_FIN);

	check(!seq_before(edge + e->unit - 1, e->promised), "edge back by %u", e->promised - edge);
	e->promised = seq_max(e->promised, edge);
	check(end == s->seq || !seq_after(end, e->permitted), "%u beyond the window", end - e->permitted);
	check(!seq_after(s->seq, e->highest), "a hole of %u", s->seq - e->highest);
	e->highest = seq_max(e->highest, end);
	check(!seq_before(s->ack, e->acked), "acknowledgement back by %u", e->acked - s->ack);
	check(s->ack == e->conn.rcv_nxt, "acknowledged %u, have %u", s->ack, e->conn.rcv_nxt);
	e->acked = s->ack;
	for (uint32_t i = 0; i < s->sack_blocks; i++)
		check(s->sack[i][0] != s->sack[i][1] && seq_before(s->sack[i][0], s->sack[i][1]),
		      "SACK block %u", i);
	if (s->options & TCP_HAS_TIMESTAMPS && e->start.options & TCP_OPT_TIMESTAMPS) {
		check(!e->said || !seq_before(s->tsval, e->tsval), "TSval back by %u", e->tsval - s->tsval);
		e->tsval = s->tsval;
		e->said = true;
	}
}

static void frame_send(struct tcp_stack *stack, struct tcp_conn *conn, void *frame, uint32_t length)
{
	struct engine *e = stack->user;
	struct tcp_segment s;
	const uint8_t *ip = e->frame + e->l3;
	uint32_t mss = e->start.mss ? e->start.mss : TCP_MSS_DEFAULT;

	check(frame == e->frame && e->frame_lent, "another frame than was lent");
	e->frame_lent = false;
	e->frames++;
	check(length <= ENGINE_FRAME, "%u octets", length);
	if (conn != &e->conn)
		return; /* an import of lies */
	check(!e->done, "sent after DONE");
	check(length >= e->l4 + 20 && length - e->l3 <= e->start.mtu, "%u octets for an MTU of %u", length,
	      e->start.mtu);
	check(!tcp_parse(frame, length, e->l3, e->l4, length - e->l4, &s), "cannot be parsed");
	check(!csum_fold(csum_add(s.pseudo, tcp_csum_scalar(s.payload, s.length))), "checksum");
	if (e->six) {
		check((uint32_t)(ip[4] << 8 | ip[5]) == length - e->l4, "length in IPv6");
	} else {
		check((uint32_t)(ip[2] << 8 | ip[3]) == length - e->l3, "length in IPv4");
		check(!csum_fold(csum_words(ip, 5)), "checksum of IPv4");
	}
	check(s.length <= max_u32(mss, TCP_MSS_MIN), "%u octets for an MSS of %u", s.length, mss);
	check(!(s.flags & TCP_FLAG_SYN), "a SYN");
	check_data(e, &s);
	if (!(s.flags & TCP_FLAG_RST))
		check_numbers(e, &s);
}

static void notify(struct tcp_stack *stack, struct tcp_conn *conn)
{
	check(conn->notified, "told without saying so");
}

static void *block_get(struct tcp_stack *stack)
{
	struct engine *e = stack->user;

	if (e->blocks >= e->blocks_limit)
		return NULL;
	e->blocks++;
	return aligned_alloc(64, TCP_BLOCK);
}

static void block_put(struct tcp_stack *stack, void *block)
{
	struct engine *e = stack->user;

	check(e->blocks, "one block too many is back");
	e->blocks--;
	free(block);
}

void engine_open(struct engine *e, struct input *in)
{
	static const struct tcp_ops ops = { frame_get, frame_send, notify, block_get, block_put };
	static const uint16_t mss[] = { 1460, 1, 64, 536, 8960, 0, 1400, 65535 };
	static const uint16_t mtu[] = { 1500, 1500, 1280, 3000, 576, 1500, 4000, 9000 };
	uint32_t mode = take(in, 2);

	memset(e, 0, offsetof(struct engine, frame));
	e->six = mode & 1;
	e->tagged = mode & 2;
	e->l3 = e->tagged ? 18 : 14;
	e->l4 = e->l3 + (e->six ? 40 : 20);
	e->blocks_limit = UINT32_MAX;
	e->settings = (struct tcp_settings){
		.frame_size = ENGINE_FRAME,
		.recv_buffer = mode & 4 ? 1 << 18 : 4096,
		.send_buffer = mode & 8 ? 1 << 18 : 4096,
		.seed = mode,
		.congestion = mode >> 4 & 1,
	};
	e->start = (struct tcp_start){
		.remote = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 1 },
		.local = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 2 },
		.remote_port = 40000,
		.local_port = 80,
		.remote_mac = { 2, 0, 0, 0, 0, 1 },
		.local_mac = { 2, 0, 0, 0, 0, 2 },
		.tags = { e->tagged ? 7 : TCP_TAG_NONE, TCP_TAG_NONE },
		.irs = IRS,
		.iss = ISS,
		.ts_recent = 0xfffffff0u,
		.ts_ecr = 0xffffff00u,
		.mss = mss[mode >> 5 & 7],
		.window = 8000,
		.mtu = e->six && mtu[mode >> 8 & 7] < 1280 ? 1280 : mtu[mode >> 8 & 7],
		.options = mode >> 12,
		.wscale_snd = mode & 0x800 ? 14 : 2,
		.wscale_rcv = mode & 0x800 ? 9 : 3,
		.rcv_wnd = 65535,
	};
	if (e->six) {
		memset(e->start.remote, 0xfd, 15);
		memset(e->start.local, 0xfd, 15);
	}
	e->stack.user = e;
	tcp_stack_init(&e->stack, &ops, &e->settings, 1000 * TCP_SECOND);
	e->start.proven = e->stack.now;
	tcp_open(&e->stack, &e->conn, &e->start);
	e->unit = e->start.options & TCP_OPT_WSCALE ? 1u << e->start.wscale_rcv : 1;
	e->promised = e->start.irs + 1 + e->start.rcv_wnd;
	e->permitted =
		e->start.iss + 1 + (8000u << (e->start.options & TCP_OPT_WSCALE ? e->start.wscale_snd : 0));
	e->highest = e->start.iss + 1;
	e->acked = e->start.irs + 1;
}

/* The scoreboard adds up. */
static void check_records(struct engine *e)
{
	struct tcp_conn *c = &e->conn;
	uint32_t sacked = 0, lost = 0, resent = 0, at = c->snd_una, i;

	for (i = c->rec_head; i != c->rec_tail; i++) {
		const struct tcp_record *r = record_at(c, i);

		check(r->seq == at && r->length, "record at %u, not %u", r->seq, at);
		at += r->length;
		sacked += r->flags & TCP_RECORD_SACKED ? r->length : 0;
		lost += r->flags & TCP_RECORD_LOST ? r->length : 0;
		resent += r->flags & TCP_RECORD_RESENT ? r->length : 0;
	}
	check(at == c->snd_nxt, "records end at %u, not %u", at, c->snd_nxt);
	check(lost == c->lost && resent == c->resent, "lost %u/%u, resent %u/%u", c->lost, lost, c->resent,
	      resent);
	if (c->options & TCP_OPT_SACK)
		check(sacked == c->sacked, "sacked %u/%u", c->sacked, sacked);
	check(c->sacked + c->lost <= conn_flight(c), "%u and %u of %u", c->sacked, c->lost, conn_flight(c));
}

void engine_checks(struct engine *e)
{
	const struct tcp_conn *c = &e->conn;
	uint32_t most, i;

	check(!e->frame_lent, "a frame was kept");
	check(!seq_before(c->snd_nxt, c->snd_una) && !seq_after(c->snd_nxt, c->snd_end + 1),
	      "una, nxt, end: %u %u %u", c->snd_una, c->snd_nxt, c->snd_end);
	check(c->snd_end == e->start.iss + 1 + e->sent, "%u queued, not %u", c->snd_end - e->start.iss - 1,
	      e->sent);
	check(c->rcv_read == e->start.irs + 1 + e->received ||
		      c->flags & (TCP_CONN_READ_SHUT | TCP_CONN_ORPHAN | TCP_CONN_DONE) ||
		      (c->flags & TCP_CONN_FIN_TAKEN),
	      "read %u, not %u", c->rcv_read - e->start.irs - 1, e->received);
	check(!seq_before(c->rcv_nxt, c->rcv_read), "read beyond what has come");
	check(!seq_after(c->rcv_nxt, seq_max(c->rcv_adv, e->promised) + 1), "%u taken beyond the promise",
	      c->rcv_nxt - e->promised);
	check(c->cwnd >= c->mss && c->cwnd <= TCP_SSTHRESH_INFINITE, "cwnd %u", c->cwnd);
	check(c->ranges <= TCP_RANGES_MAX, "%u ranges", c->ranges);
	for (i = 0; i < c->ranges; i++) {
		check(seq_before(c->range[i].from, c->range[i].to) &&
			      seq_before(c->rcv_nxt, c->range[i].from),
		      "range %u", i);
		check(!i || seq_before(c->range[i - 1].to, c->range[i].from), "range %u", i);
	}
	most = (max_u32(e->settings.recv_buffer, 65535) + e->unit) / TCP_BLOCK_DATA + 3 +
	       e->settings.send_buffer * 2 / TCP_BLOCK_DATA + 3 + (c->rec_tail - c->rec_head) / 128 + 4;
	check(e->blocks <= most, "%u blocks, at most %u", e->blocks, most);
	if (!(c->flags & TCP_CONN_DONE))
		check_records(e);
	e->done = tcp_events(c) & TCP_EVENT_DONE;
}

void engine_release(struct engine *e)
{
	tcp_release(&e->stack, &e->conn);
	check(!e->blocks, "%u blocks are not back", e->blocks);
	check(!e->conn.flush_pprev && !e->conn.timer.pprev, "still on a list");
	check(tcp_stack_next(&e->stack) == TCP_NEVER, "a timer of nobody");
}

static uint8_t *put(uint8_t *p, uint32_t v, int octets)
{
	while (octets--)
		*p++ = (uint8_t)(v >> 8 * octets);
	return p;
}

uint32_t engine_frame(const struct engine *e, const struct engine_segment *s, uint8_t *frame)
{
	uint32_t header = 20 + s->options_length, octets = header + s->length, sum, i;
	uint8_t *ip = frame + e->l3, *tcp = frame + e->l4;
	uint16_t folded;

	memset(frame, 0, e->l4);
	memcpy(frame, e->start.local_mac, 6);
	memcpy(frame + 6, e->start.remote_mac, 6);
	if (e->tagged)
		put(put(frame + 12, 0x8100, 2), 7, 2);
	put(ip - 2, e->six ? 0x86dd : 0x0800, 2);
	if (e->six) {
		put(ip, 6u << 28 | (uint32_t)s->ecn << 20, 4);
		put(put(put(ip + 4, octets, 2), 6, 1), 64, 1);
		memcpy(ip + 8, e->start.remote, 16);
		memcpy(ip + 24, e->start.local, 16);
		sum = csum_words(ip + 8, 8);
	} else {
		put(put(put(ip, 0x45, 1), s->ecn, 1), 20 + octets, 2);
		put(put(ip + 8, 64, 1), 6, 1);
		memcpy(ip + 12, e->start.remote + 12, 4);
		memcpy(ip + 16, e->start.local + 12, 4);
		folded = csum_fold(csum_words(ip, 5));
		memcpy(ip + 10, &folded, 2);
		sum = csum_words(ip + 12, 2);
	}
	put(put(tcp, e->start.remote_port, 2), e->start.local_port, 2);
	put(put(tcp + 4, s->seq, 4), s->ack, 4);
	put(put(put(tcp + 12, header / 4 << 12 | s->flags, 2), s->window, 2), 0, 4);
	memcpy(tcp + 20, s->options, s->options_length);
	for (i = 0; i < s->length; i++)
		tcp[header + i] = engine_octet(false, s->seq - e->start.irs - 1 + i);
	sum = csum_add(sum, csum_add(__builtin_bswap16((uint16_t)octets), __builtin_bswap16(6)));
	folded = csum_fold(csum_add(sum, tcp_csum_scalar(tcp, octets)));
	memcpy(tcp + 16, &folded, 2);
	return e->l4 + octets;
}
