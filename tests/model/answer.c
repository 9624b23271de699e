// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The SYN-ACK: options, cookie, every octet of the frame; and the timer. */
#include "model_internal.h"

#include <math.h>

static __u16 announced(const struct model *m, const struct model_segment *s, const struct porch_listener_entry *l)
{
	__u16 mss = s->v6 ? m->mss6 : m->mss4;

	if (l->mss)
		return l->mss;
	/* one route at most matches: the generator makes no nested ones */
	for (int i = 0; i < m->routes; i++) {
		const struct model_prefix *p = &m->route[i];
		__u32 bit = 0;

		while (bit < p->length &&
		       !((s->tuple.remote[bit / 8] ^ p->address[bit / 8]) & 0x80 >> bit % 8))
			bit++;
		if (bit == p->length && p->mss)
			mss = p->mss;
	}
	return l->user_mss && l->user_mss < mss ? l->user_mss : mss;
}

struct grant {
	__u16 mss; /* the client's, as it counts from here on */
	bool ts, sack, scaled, ecn;
	__u16 window;
	__u8 our_scale;
	struct cookie cookie;
};

static void grant_of(const struct model *m, const struct model_segment *s, const struct porch_listener_entry *l,
		     struct grant *g)
{
	const struct porch_host *h = &m->host;
	struct ends e = { .v6 = s->v6,
			  .remote_port = s->tuple.remote_port,
			  .local_port = s->tuple.local_port,
			  .irs = s->seq };
	__u32 space = l->rcv_space ? l->rcv_space : h->rcv_space;
	struct carried c;

	g->mss = !s->mss ? (s->v6 ? 1220 : 536) : s->mss > 16383 ? 16383 : s->mss;
	g->ts = s->ts && h->tcp_timestamps;
	g->sack = s->sack && h->tcp_sack;
	g->scaled = s->scaled && h->tcp_window_scaling;
	g->ecn = (s->flags & (ECE | CWR)) == (ECE | CWR) && !s->ect && h->tcp_ecn && g->ts;
	g->our_scale = model_afxdp(l) ? PORCH_AFXDP_WSCALE : l->rcv_space ? l->rcv_wscale : h->rcv_wscale;
	if (space > g->mss)
		space = space / g->mss * g->mss;
	g->window = space > 65535 || model_afxdp(l) ? 65535 : space;
	memcpy(e.remote, s->tuple.remote, 16);
	memcpy(e.local, s->tuple.local, 16);
	c = (struct carried){ g->ts, g->mss, g->scaled ? s->wscale : -1, g->sack, g->ecn };
	g->cookie = reference_cookie((const __u8 *)&m->keys.epoch_key[h->epoch % 4], h->epoch, &e, &c);
}

/* Tracked regime: the entry of this attempt. */
static void track(struct model *m, const struct frame *in, const struct model_segment *s, int index,
		  struct grant *g)
{
	struct porch_listener_entry *l = &m->listener[index];
	struct model_entry *e = model_entry_of(m, &s->tuple);
	struct porch_half_open fresh = {
		.irs = s->seq,
		.iss = g->cookie.isn,
		.tsval = g->cookie.tsval,
		.ts_recent = s->tsval,
		.expires = m->host.tick + m->host.half_open_seconds * 10,
		.ifindex = 1,
		.mss = g->mss,
		.options = (g->ts ? PORCH_OPT_TIMESTAMPS : 0) | (g->sack ? PORCH_OPT_SACK : 0) |
			   (g->scaled ? PORCH_OPT_WSCALE : 0) | (g->ecn ? PORCH_OPT_ECN : 0),
		.wscale = s->wscale | g->our_scale << 4,
		.listener = index,
		.tags = { 0xffff, 0xffff },
	};
	bool live = e && (__s32)(e->entry.expires - m->host.tick) > 0;
	bool count_cookies = false;

	if (live && e->entry.irs == fresh.irs && e->entry.options == fresh.options &&
	    e->entry.mss == fresh.mss && e->entry.wscale == fresh.wscale) {
		g->cookie = (struct cookie){ e->entry.iss, e->entry.tsval };
		return;
	}
	memcpy(fresh.remote_mac, in->bytes + 6, 6);
	for (__u32 i = 0; i < s->tags; i++)
		fresh.tags[i] = model_tag(in, s, i);
	if (!e && m->entries == m->entries_max) {
		m->counters.half_open_full++;
		model_arm(m, l);
		count_cookies = true;
	} else {
		if (!e) {
			e = &m->entry[m->entries++];
			e->tuple = s->tuple;
		}
		count_cookies = live; /* the older attempt's cookie still counts */
		e->entry = fresh;
		l->issued_tracked = m->host.tick ? m->host.tick : 1;
		m->host.half_open |= 1;
	}
	if (count_cookies)
		*(g->ts ? &l->issued_ts : &l->issued_plain) = m->host.tick ? m->host.tick : 1;
}

/* ---- octets ---- */

static __u32 write_canonical(__u8 *o, const struct model_segment *s, const struct grant *g, __u16 mss)
{
	__u8 *at = o;

	*at++ = 2;
	*at++ = 4;
	put16(at, mss);
	at += 2;
	if (g->ts) {
		memcpy(at, g->sack ? "\x04\x02\x08\x0a" : "\x01\x01\x08\x0a", 4);
		put32(at + 4, g->cookie.tsval);
		put32(at + 8, s->tsval);
		at += 12;
	} else if (g->sack) {
		memcpy(at, "\x01\x01\x04\x02", 4);
		at += 4;
	}
	if (g->scaled) {
		memcpy(at, "\x01\x03\x03", 3);
		at[3] = g->our_scale;
		at += 4;
	}
	return at - o;
}

/* The SYN's own options with other values. */
static __u32 write_in_place(__u8 *o, const struct model_segment *s, const struct grant *g, __u16 mss)
{
	memcpy(o, s->options, s->options_length);
	for (__u32 i = 0; i < s->options_length && o[i]; i += o[i] == 1 ? 1 : o[i + 1]) {
		if (o[i] == 2) {
			put16(o + i + 2, mss);
		} else if (o[i] == 3) {
			o[i + 2] = g->our_scale;
		} else if (o[i] == 8) {
			put32(o + i + 2, g->cookie.tsval);
			put32(o + i + 6, s->tsval);
		}
	}
	return s->options_length;
}

static __u16 checksum(__u32 sum, const __u8 *at, __u32 n)
{
	for (__u32 i = 0; i < n; i++)
		sum += i & 1 ? at[i] : at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __u32 partial(const __u8 *at, __u32 n)
{
	return (__u16)~checksum(0, at, n);
}

void model_write(const struct model *m, const struct frame *in, const struct model_segment *s,
		 const struct model_out *o, const __u8 *options, __u32 n, struct frame *out)
{
	__u8 *b = out->bytes, *ip = b + s->l3, *tcp;
	__u32 size = s->v6 ? 16 : 4, skip = 16 - size;

	memcpy(b, in->bytes + 6, 6);
	memcpy(b + 6, in->bytes, 6);
	memcpy(b + 12, in->bytes + 12, s->l3 - 12);
	if (s->v6) {
		memset(ip, 0, 40);
		ip[0] = 0x60;
		put16(ip + 4, 20 + n);
		ip[6] = 6;
		ip[7] = m->host.hop_limit;
		memcpy(ip + 8, s->tuple.local, 16);
		memcpy(ip + 24, s->tuple.remote, 16);
		tcp = ip + 40;
	} else {
		memset(ip, 0, 20);
		ip[0] = 0x45;
		put16(ip + 2, 40 + n);
		put16(ip + 6, 0x4000);
		ip[8] = m->host.ttl;
		ip[9] = 6;
		memcpy(ip + 12, s->tuple.local + 12, 4);
		memcpy(ip + 16, s->tuple.remote + 12, 4);
		put16(ip + 10, checksum(0, ip, 20));
		tcp = ip + 20;
	}
	memset(tcp, 0, 20);
	put16(tcp, s->tuple.local_port);
	put16(tcp + 2, s->tuple.remote_port);
	put32(tcp + 4, o->seq);
	put32(tcp + 8, o->ack);
	tcp[12] = (20 + n) / 4 << 4;
	tcp[13] = o->flags;
	put16(tcp + 14, o->window);
	memcpy(tcp + 20, options, n);
	put16(tcp + 16, checksum(6 + 20 + n + partial(s->tuple.local + skip, size) +
					 partial(s->tuple.remote + skip, size),
				 tcp, 20 + n));
	out->length = tcp + 20 + n - b;
	out->meta = 0;
}

void model_answer(struct model *m, const struct frame *in, const struct model_segment *s, int index,
		  int regime, struct frame *out)
{
	struct porch_listener_entry *l = &m->listener[index];
	const struct porch_host *h = &m->host;
	__u16 mss = announced(m, s, l);
	bool in_place = s->plain_ip && !s->payload && model_usual(s) && h->tcp_timestamps && h->tcp_sack &&
			h->tcp_window_scaling && !m->probed;
	struct model_out o;
	__u8 options[40];
	struct grant g;
	__u32 n;

	grant_of(m, s, l, &g);
	if (regime == PORCH_REGIME_TRACKED)
		track(m, in, s, index, &g);
	else
		*(g.ts ? &l->issued_ts : &l->issued_plain) = h->tick ? h->tick : 1;
	n = in_place ? write_in_place(options, s, &g, mss) : write_canonical(options, s, &g, mss);
	o = (struct model_out){ g.cookie.isn, s->seq + 1, SYN | ACK | (g.ecn ? ECE : 0), g.window };
	model_write(m, in, s, &o, options, n, out);
	if (in_place) /* what was behind the datagram stays there */
		out->length = in->length;
	else
		m->counters.synack_slow++;
}

/* ---- the timer ---- */

static void tick_keys(struct model *m)
{
	for (__u32 e = m->host.epoch - 1; e != m->host.epoch + 2; e++)
		if (m->keys.derived[e % 4] != e) {
			reference_key(m->keys.master, e, (__u8 *)&m->keys.epoch_key[e % 4]);
			m->keys.derived[e % 4] = e;
		}
}

static bool tick_listener(struct model *m, int index, __u32 per_second)
{
	struct porch_listener_entry *l = &m->listener[index];
	double exact;

	if (!l->used)
		return true;
	exact = (l->syn_per_second * 9.0 + (m->stats[index].syn_received - l->syn_total) * 10.0) / 10;
	l->syn_total = m->stats[index].syn_received;
	l->syn_per_second = per_second;
	if (fabs(exact - per_second) > 1)
		return false;
	if (l->protect == PORCH_PROTECT_OFF)
		return true;
	if (l->syn_per_second > l->syn_rate)
		model_arm(m, l);
	if (l->regime != PORCH_REGIME_STATELESS)
		return true;
	if (4ull * l->syn_per_second >= l->syn_rate) {
		l->calm_since = m->host.tick;
	} else if (m->host.tick - l->calm_since >= 100) {
		l->regime = l->protect == PORCH_PROTECT_ALWAYS ? PORCH_REGIME_TRACKED : PORCH_REGIME_KERNEL;
		m->counters.regime_down++;
	}
	return true;
}

/* 240 s behind its last minute a flow that nobody took is over, see flow_life.h. */
static bool flow_over(const struct model_flow *f, __u32 tick)
{
	__s32 over = tick - f->flow.expires, until = tick - f->steer.until;

	switch (f->flow.state) {
	case PORCH_FLOW_DELIVERED:
		return false;
	case PORCH_FLOW_PROVEN:
		return over >= 2400;
	case PORCH_FLOW_HANDED:
		return f->phase == PORCH_PHASE_PENDING	 ? !f->noted && over >= 2400 :
		       f->phase == PORCH_PHASE_TIME_WAIT ? over >= 0 && until >= 0 :
		       f->phase == PORCH_PHASE_TOMBSTONE ? until >= 0 :
							   f->phase == PORCH_PHASE_FORGOTTEN;
	default:
		return over >= 0;
	}
}

bool model_tick(struct model *m, const __u32 per_second[MODEL_LISTENERS])
{
	__u32 tick = m->host.tick;
	bool good = true;

	tick_keys(m);
	for (int i = 1; i < MODEL_LISTENERS; i++)
		good &= tick_listener(m, i, per_second[i]);
	if (m->host.half_open && tick % 10 == 0) {
		for (int i = m->entries - 1; i >= 0; i--)
			if ((__s32)(tick - m->entry[i].entry.expires) >= 0) {
				model_entry_remove(m, &m->entry[i]);
				m->counters.half_open_expired++;
			}
		m->host.half_open = m->entries;
	}
	for (int i = m->flows - 1; i >= 0; i--) {
		if (!flow_over(&m->flow[i], tick))
			continue;
		model_flow_remove(m, &m->flow[i]);
		m->counters.flows_expired++;
	}
	m->host.flows = m->flows;
	return good;
}
