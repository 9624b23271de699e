// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the model makes of what comes. */
#include "tests/sim/peer.h"

static bool before(uint32_t a, uint32_t b)
{
	return a - b > 1u << 31;
}

/* Of what has come twice, or out of order, or in it. */
static void take_range(struct end *e, uint32_t from, uint32_t to)
{
	struct peer *m = e->peer;
	uint32_t i, k;

	for (i = 0; i < m->ranges; i++) {
		if (before(m->range[i][1], from) || before(to, m->range[i][0]))
			continue;
		if (before(m->range[i][0], from))
			from = m->range[i][0];
		if (before(to, m->range[i][1]))
			to = m->range[i][1];
		m->ranges--;
		m->range[i][0] = m->range[m->ranges][0];
		m->range[i][1] = m->range[m->ranges][1];
		i = UINT32_MAX; /* once more, with more of it */
	}
	if (!before(m->next, from)) {
		if (before(m->next, to))
			m->next = to;
		return;
	}
	if (m->ranges == PEER_RANGES)
		return;
	for (k = m->ranges++; k > 0; k--) { /* the latest first */
		m->range[k][0] = m->range[k - 1][0];
		m->range[k][1] = m->range[k - 1][1];
	}
	m->range[0][0] = from;
	m->range[0][1] = to;
	m->recent = 0;
}

static void data(struct end *e, const struct heard *h)
{
	struct manners *manners = &e->world->plan.manners;
	struct peer *m = e->peer;
	uint32_t from = h->seq, to = h->seq + h->length, was = m->next;
	bool late;

	if (memcmp(h->payload, sim_stream(0, from - e->world->plan.iss[0] - 1), h->length))
		sim_fail(e->world, "model: a wrong octet from %u on", from - e->world->plan.iss[0] - 1);
	if (h->flags & PEER_FIN && !m->end_known) {
		m->end_known = true;
		m->end = to;
	}
	if (m->end_known && before(m->end, to))
		sim_fail(e->world, "model: octets beyond the end");
	if (h->length && !before(m->next, to)) {
		m->again[0] = from;
		m->again[1] = to;
	}
	if (before(from, m->next))
		from = before(m->next, to) ? m->next : to;
	if (before(m->edge, to))
		to = m->edge; /* taken back meanwhile, or never given */
	late = before(m->next, from);
	if (before(from, to) && !(late && manners->in_order_only))
		take_range(e, from, to);
	if (manners->reneges && m->ranges && peer_draw(e, 30) == 0)
		m->ranges = 0;
	if (m->end_known && m->next == m->end && !m->ended) {
		m->ended = true;
		m->next++;
	}
	m->unacked++;
	/* out of order, again, or a hole is filled (RFC 5681 4.2); the end */
	if (late || m->next == was || m->ranges || m->ended || h->seq != was ||
	    m->unacked >= manners->stretch)
		peer_ack(e);
	else if (m->ack_at == TCP_NEVER)
		m->ack_at = e->world->now + manners->ack_delay_ms * TCP_MS;
}

/* What the engine says that it has must have been sent. */
static void check_sack(struct end *e, const struct heard *h)
{
	struct peer *m = e->peer;
	uint32_t i;

	if (h->sack_blocks && !(e->world->plan.options & TCP_OPT_SACK))
		sim_fail(e->world, "model: SACK that was not agreed on");
	for (i = 0; i < h->sack_blocks; i++)
		if (!before(h->sack[i][0], h->sack[i][1]) || before(m->max, h->sack[i][1]) ||
		    (i && !before(h->ack, h->sack[i][0])))
			sim_fail(e->world, "model: SACK of [%u, %u), ACK %u, sent %u",
				 h->sack[i][0] - e->world->plan.iss[1], h->sack[i][1] - e->world->plan.iss[1],
				 h->ack - e->world->plan.iss[1], m->max - e->world->plan.iss[1]);
}

static void ack(struct end *e, const struct heard *h)
{
	struct peer *m = e->peer;
	uint32_t scale = e->world->plan.options & TCP_OPT_WSCALE ? e->world->plan.wscale[0] : 0;
	uint32_t edge = h->ack + (h->window << scale), segment = peer_limit(e);

	if (before(m->max, h->ack)) {
		sim_fail(e->world, "model: an ACK of what was never sent");
		return;
	}
	check_sack(e, h);
	if (h->flags & PEER_ECE && e->world->plan.options & TCP_OPT_ECN && !m->recovering &&
	    before(m->una, h->ack)) {
		m->ssthresh = m->cwnd = max_u32(m->cwnd / 2, 2 * segment);
		m->reduced = true;
		m->recover = m->max;
	}
	if (before(m->una, h->ack)) {
		m->cwnd += m->cwnd < m->ssthresh ? min_u32(h->ack - m->una, 2 * segment)
						 : segment * segment / m->cwnd + 1;
		m->una = h->ack;
		if (before(m->nxt, m->una))
			m->nxt = m->una;
		m->duplicates = m->in_row = 0;
		m->timer = m->una == m->max ? TCP_NEVER : e->world->now + TCP_SECOND;
		if (m->recovering && before(m->una, m->recover))
			peer_repeat(e); /* a partial ACK */
		else
			m->recovering = false;
	} else if (h->ack == m->una && !h->length && m->una != m->max && edge == m->permitted) {
		if (++m->duplicates == 3 && !m->recovering) {
			m->ssthresh = m->cwnd = max_u32(m->cwnd / 2, 2 * segment);
			m->recovering = true;
			m->recover = m->max;
			peer_repeat(e);
		}
	}
	if (before(m->permitted, edge)) {
		m->permitted = edge;
		if (m->una == m->max) {
			m->timer = TCP_NEVER;
			m->in_row = 0;
		}
	}
}

void peer_frame(struct end *e, const uint8_t *frame, uint32_t length, bool corrupt)
{
	struct peer *m = e->peer;
	struct heard h;
	uint32_t end;

	if (peer_parse(e->world, frame, length, &h)) {
		if (!corrupt)
			sim_fail(e->world, "model: a wrong sum");
		return;
	}
	if (m->closed) { /* as somebody who knows nothing of it */
		if (!(h.flags & PEER_RST))
			peer_say(e, &(struct said){ .seq = h.ack, .flags = PEER_RST });
		return;
	}
	e->pended = true;
	if (h.flags & PEER_RST) {
		if (m->ended && m->una == e->world->plan.iss[1] + 2 + e->sent)
			return; /* all is said: our last ACK came to nobody */
		m->closed = e->released = true;
		return;
	}
	if (!(h.flags & PEER_ACK) || h.flags & PEER_SYN)
		sim_fail(e->world, "model: flags %x", h.flags);
	end = h.seq + h.length + !!(h.flags & PEER_FIN);
	if (h.timestamps && !before(h.tsval, m->ts_recent) && !before(m->acked, h.seq))
		m->ts_recent = h.tsval;
	if (e->world->plan.options & TCP_OPT_ECN) {
		if (h.flags & PEER_CWR)
			m->echo = false;
		if (h.ecn == 3 && h.length)
			m->echo = true;
	}
	ack(e, &h);
	if (h.length || h.flags & PEER_FIN)
		data(e, &h);
	else if (before(end, m->next))
		peer_ack(e); /* a probe */
}
