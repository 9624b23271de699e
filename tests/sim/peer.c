// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The model's own doings: what it reads, writes, acknowledges and repeats, and when. */
#include "tests/sim/peer.h"

#include <stdlib.h>

#define FIRST_TIMEOUT (1 * TCP_SECOND)
#define LAST_TIMEOUT  (30 * TCP_SECOND)
#define PATIENCE      60 /* timeouts in a row */

static bool before(uint32_t a, uint32_t b)
{
	return a - b > 1u << 31;
}

uint64_t peer_draw(struct end *e, uint64_t below)
{
	return (sim_random(&e->world->random) >> 16) % below;
}

void peer_open(struct end *e)
{
	const struct plan *p = &e->world->plan;
	struct peer *m = calloc(1, sizeof(*m));

	if (!m)
		abort();
	e->peer = m;
	m->next = m->read = m->acked = p->iss[0] + 1;
	m->edge = m->next + end_first_window(p, 1);
	m->una = m->nxt = m->max = m->recover = p->iss[1] + 1;
	m->permitted = m->una + 65535;
	m->ts_recent = 5000;
	m->ack_at = m->timer = TCP_NEVER;
	m->cwnd = 4 * peer_limit(e);
	m->ssthresh = UINT32_MAX;
	e->write_at = e->world->now;
	e->read_at = e->world->now;
}

void peer_free(struct end *e)
{
	free(e->peer);
	e->peer = NULL;
}

uint32_t peer_limit(const struct end *e)
{
	const struct plan *p = &e->world->plan;
	uint32_t headers = (p->six ? 60 : 40) + (p->options & TCP_OPT_TIMESTAMPS ? 12 : 0);
	uint32_t most = min_u32(max_u32(p->mss[0] ? p->mss[0] : 536, 88) - 12, p->mtu - headers);

	most = min_u32(most,
		       min_u32(p->way[1].mtu, p->way[1].next_mtu ? p->way[1].next_mtu : 65535) - headers);
	return p->manners.segment ? min_u32(most, p->manners.segment) : most;
}

/* The window field of a segment that acknowledges `next`. */
static uint16_t window(struct end *e, uint32_t next)
{
	const struct plan *p = &e->world->plan;
	struct peer *m = e->peer;
	uint32_t scale = p->options & TCP_OPT_WSCALE ? p->wscale[1] : 0,
		 unread = m->next - m->ended - m->read;
	uint32_t room = p->recv_buffer[1] > unread ? p->recv_buffer[1] - unread : 0, most = 65535u << scale;

	if (p->manners.shrinks && peer_draw(e, 8) == 0)
		room = (uint32_t)peer_draw(e, room + 1);
	else if (p->manners.shrinks && peer_draw(e, 8) == 0)
		room = 0;
	room = min_u32(room, most);
	if (p->manners.shrinks || before(m->edge, m->next)) {
		m->edge = m->next + (room >> scale << scale);
	} else if (before(m->edge, m->next + room)) {
		uint32_t more = m->next + room - m->edge;

		if (p->manners.silly || more >= min_u32(p->recv_buffer[1] / 2, 1460))
			m->edge = m->next + room;
	}
	return (uint16_t)min_u32((m->edge - next) >> scale, 65535);
}

static void say(struct end *e, uint32_t seq, uint32_t length, uint8_t flags)
{
	struct peer *m = e->peer;
	bool ecn = e->world->plan.options & TCP_OPT_ECN;
	struct said s = {
		.seq = seq,
		.ack = m->next,
		.length = length,
		.flags = flags | PEER_ACK | (m->echo ? PEER_ECE : 0),
		.window = window(e, m->next),
		.sack = true,
	};

	if (ecn && length && !before(seq, m->max)) {
		s.ecn = 1 + peer_draw(e, 2);
		s.flags |= m->reduced ? PEER_CWR : 0;
		m->reduced = false;
	}
	if (length && peer_draw(e, 64) == 0)
		s.flags |= PEER_URG;
	m->unacked = 0;
	m->ack_at = TCP_NEVER;
	m->acked = m->next;
	peer_say(e, &s);
}

void peer_ack(struct end *e)
{
	struct peer *m = e->peer;
	uint32_t n = e->world->plan.manners.divide, part = (m->next - m->acked) / n, from = m->acked, i;

	for (i = 1; part && i < n; i++) {
		struct said s = { .seq = m->nxt,
				  .ack = from + i * part,
				  .flags = PEER_ACK | (m->echo ? PEER_ECE : 0) };

		s.window = window(e, s.ack);
		peer_say(e, &s);
	}
	say(e, m->nxt, 0, 0);
}

/* What lies at seq, to be sent; never more than is there. */
static uint32_t at_most(const struct end *e, uint32_t seq, uint32_t n)
{
	uint32_t left = e->world->plan.iss[1] + 1 + e->sent - seq;

	return left > 1u << 31 ? 0 : min_u32(n, left);
}

static void send_at(struct end *e, uint32_t seq, uint32_t length)
{
	struct peer *m = e->peer;
	bool fin = m->closing && seq + length == e->world->plan.iss[1] + 1 + e->sent;
	uint32_t end = seq + length + fin;

	say(e, seq, length, (length ? (peer_draw(e, 2) ? PEER_PSH : 0) : 0) | (fin ? PEER_FIN : 0));
	if (before(m->max, end))
		m->max = end;
	if (m->timer == TCP_NEVER)
		m->timer = e->world->now + min_u64(FIRST_TIMEOUT << min_u32(m->in_row, 8), LAST_TIMEOUT);
}

void peer_repeat(struct end *e)
{
	struct peer *m = e->peer;
	uint32_t limit = peer_limit(e), n = at_most(e, m->una, min_u32(limit, m->max - m->una));

	if (n && e->world->plan.manners.again)
		n = 1 + (uint32_t)peer_draw(e, n);
	send_at(e, m->una, n);
}

static void sends(struct end *e)
{
	struct peer *m = e->peer;
	uint32_t limit = peer_limit(e), edge, n;

	for (;;) {
		edge = m->una + m->cwnd;
		if (before(m->permitted, edge))
			edge = m->permitted;
		n = before(m->nxt, edge) ? at_most(e, m->nxt, min_u32(limit, edge - m->nxt)) : 0;
		if (n && n < limit && m->nxt + n == m->permitted && m->nxt != m->una)
			break; /* silly */
		if (!n && !(m->closing && m->nxt == e->world->plan.iss[1] + 1 + e->sent &&
			    before(m->nxt, m->permitted + 1)))
			break;
		send_at(e, m->nxt, n);
		m->nxt += n + (m->closing && m->nxt + n == e->world->plan.iss[1] + 1 + e->sent);
	}
	/* data, and no window: somebody has to ask */
	if (m->una == m->max && at_most(e, m->nxt, 1) && m->timer == TCP_NEVER)
		m->timer =
			e->world->now + min_u64((FIRST_TIMEOUT / 2) << min_u32(m->in_row, 8), LAST_TIMEOUT);
}

static void timer_expired(struct end *e)
{
	struct peer *m = e->peer;

	m->timer = TCP_NEVER;
	if (++m->in_row > PATIENCE) {
		m->closed = e->released = true;
		e->conn.error = -ETIMEDOUT;
		return;
	}
	if (m->una == m->max) {
		if (!at_most(e, m->nxt, 1))
			return;
		if (e->world->plan.manners.probes_beyond) {
			say(e, m->nxt, 1, 0);
			if (before(m->max, m->nxt + 1))
				m->max = m->nxt + 1;
		} else {
			say(e, m->una - 1, 0, 0);
		}
		return;
	}
	m->ssthresh = max_u32(m->cwnd / 2, 2 * peer_limit(e));
	m->cwnd = peer_limit(e);
	m->recovering = false;
	m->duplicates = 0;
	m->nxt = m->una;
	m->recover = m->max;
	peer_repeat(e);
}

/* Somebody who does not see the connection guesses (RFC 5961): nothing may come of it. */
static void guesses(struct end *e)
{
	const struct world *w = e->world;
	struct peer *m = e->peer;
	uint32_t room = w->end[0].promised - m->max;
	struct said s = { .ack = m->next, .window = 1000, .now = true };

	if (w->end[0].released || room > 1u << 30 || room < 3000)
		return;
	switch (peer_draw(e, 5)) {
	case 0: /* a reset in the window, but not at its beginning */
		s.flags = PEER_RST | (peer_draw(e, 2) ? PEER_ACK : 0);
		s.seq = m->max + 1 + (uint32_t)peer_draw(e, room - 1000);
		break;
	case 1:
		s.flags = PEER_SYN | (peer_draw(e, 2) ? PEER_ACK : 0);
		s.seq = m->max + (uint32_t)peer_draw(e, room);
		break;
	case 2: /* an ACK of what was never sent, with data */
		s.flags = PEER_ACK;
		s.seq = m->max;
		s.length = 100;
		s.ack = w->end[0].highest + 1 + (uint32_t)peer_draw(e, 1 << 28);
		break;
	case 3: /* data where no window ever was */
		s.flags = PEER_ACK;
		s.seq = w->end[0].promised + (uint32_t)peer_draw(e, 2);
		s.ack = m->next;
		s.length = 100;
		break;
	default: /* an ACK from long ago, with data */
		s.flags = PEER_ACK;
		s.seq = m->max;
		s.length = 100;
		s.ack = m->next - (1 << 28) - (uint32_t)peer_draw(e, 1 << 28);
	}
	peer_say(e, &s);
}

static void application(struct end *e)
{
	struct world *w = e->world;
	struct plan *p = &w->plan;
	struct peer *m = e->peer;
	uint32_t unread = m->next - m->ended - m->read, n;

	if (e->read_at <= w->now && unread) {
		n = min_u32(unread, 1 + (uint32_t)peer_draw(e, p->read_max[1]));
		m->read += n;
		e->received += n;
		e->read_at = w->now + p->read_pause[1];
		/* a closed window opens */
		if (!m->ended && (unread == n ? m->edge - m->next < 3000 : p->manners.silly))
			m->ack_at = w->now;
	}
	e->saw_end = m->ended && m->read == m->next - 1;
	if (e->write_at <= w->now && e->sent < p->octets[1]) {
		e->sent += min_u32(p->octets[1] - e->sent, 1 + (uint32_t)peer_draw(e, p->write_max[1]));
		e->write_at = w->now + p->write_pause[1];
	}
	e->write_done = e->sent == p->octets[1];
	if (e->write_done && (p->shut_early[1] || e->saw_end || !p->octets[0]))
		m->closing = true;
	if (e->received >= p->abort_at[1]) {
		say(e, m->max, 0, PEER_RST);
		m->closed = e->released = true;
	}
}

void peer_turn(struct end *e)
{
	struct peer *m = e->peer;

	if (m->closed)
		return;
	if (m->timer <= e->world->now)
		timer_expired(e);
	if (m->closed)
		return;
	application(e);
	if (m->closed)
		return;
	sends(e);
	if (m->ack_at <= e->world->now)
		peer_ack(e);
	if (e->world->plan.manners.blind && peer_draw(e, 32) == 0)
		guesses(e);
	/* done; what is repeated is answered for ever */
	if (m->ended && e->saw_end && m->closing && m->una == e->world->plan.iss[1] + 2 + e->sent)
		e->released = true;
}

uint64_t peer_next(const struct end *e)
{
	const struct peer *m = e->peer;
	uint64_t next;

	if (m->closed)
		return TCP_NEVER;
	next = min_u64(m->timer, m->ack_at);
	if (m->next - m->ended != m->read)
		next = min_u64(next, e->read_at);
	if (e->sent < e->world->plan.octets[1])
		next = min_u64(next, e->write_at);
	return next;
}
