// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From SYN to accept queue, and TIME-WAIT: what XDP and porchd do for a listener
 * with deliver=afxdp, protect=always in the tracked regime, as plain as it can
 * be said. The SYN-ACK and its schedule are porchd's own (user/daemon/synack.c,
 * retransmit_rows.c).
 */
#include <stdlib.h>

#include "daemon/retransmit.h"
#include "daemon/synack.h"
#include "drill.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct offer {
	uint32_t tsval, tsecr;
	uint16_t mss;
	uint8_t wscale, options;
};

/* Unknown options, and known ones of a wrong length, are skipped: bpf/options.h. */
static struct offer offer_of(const uint8_t *tcp)
{
	const uint8_t *p = tcp + 20, *end = tcp + (tcp[12] >> 4) * 4;
	struct offer o = {};

	while (p < end && *p) {
		uint32_t n;

		if (*p == 1) {
			p++;
			continue;
		}
		if (end - p < 2)
			break;
		n = p[1];
		if (n < 2 || n > (uint32_t)(end - p))
			break;
		if (*p == 2 && n == 4) {
			o.mss = (uint16_t)(p[2] << 8 | p[3]);
		} else if (*p == 3 && n == 3) {
			o.wscale = p[2] > 14 ? 14 : p[2];
			o.options |= PORCH_OPT_WSCALE;
		} else if (*p == 4 && n == 2) {
			o.options |= PORCH_OPT_SACK;
		} else if (*p == 8 && n == 10) {
			o.tsval = (uint32_t)p[2] << 24 | p[3] << 16 | p[4] << 8 | p[5];
			o.tsecr = (uint32_t)p[6] << 24 | p[7] << 16 | p[8] << 8 | p[9];
			o.options |= PORCH_OPT_TIMESTAMPS;
		}
		p += n;
	}
	if (o.tsecr) /* no first SYN */
		o.options &= (uint8_t)~PORCH_OPT_TIMESTAMPS;
	return o;
}

static void synack_send(struct drill *d, const struct flow *f)
{
	uint8_t frame[SYNACK_FRAME_MAX];
	struct synack s = {
		.remote_port = f->start.remote_port,
		.local_port = f->start.local_port,
		.irs = f->start.irs,
		.iss = f->start.iss,
		.tsval = f->tsval,
		.ts_recent = f->start.ts_recent,
		.mss = f->announced,
		.window = PORCH_AFXDP_WINDOW,
		.options = f->start.options,
		.wscale = f->start.wscale_rcv,
		.ttl = 64,
		.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
	};
	uint32_t n;

	memcpy(s.remote, f->start.remote, 16);
	memcpy(s.local, f->start.local, 16);
	n = synack_build(&s, frame);
	wire_sent(d, frame + DRILL_ETH, n - DRILL_ETH);
}

static void syn(struct drill *d, struct sock *l, struct flow *f, const uint8_t *frame, uint32_t l4,
		const struct tcp_segment *seg, const uint8_t *remote, const uint8_t *local)
{
	const uint8_t *tcp = frame + l4;
	struct offer o = offer_of(tcp);
	bool six = memcmp(local, mapped, 12);
	uint16_t mss = (uint16_t)(d->mtu - (six ? 60 : 40));

	if (seg->flags & (TCP_FLAG_FIN | TCP_FLAG_RST))
		return;
	if (f && f->state == FLOW_HALF_OPEN && f->start.irs == seg->seq) { /* the same again */
		synack_send(d, f);
		return;
	}
	if (l->depth > l->backlog)
		return;
	if (!f)
		f = flow_new(d);
	f->state = FLOW_HALF_OPEN;
	f->listener = l;
	f->born = d->now;
	f->sent = 0;
	f->tsval = (uint32_t)(d->now / TCP_MS);
	/* bpf/syn.h, ecn_agreed() */
	if ((seg->flags & (TCP_FLAG_ECE | TCP_FLAG_CWR)) == (TCP_FLAG_ECE | TCP_FLAG_CWR) && !seg->ecn &&
	    o.options & PORCH_OPT_TIMESTAMPS)
		o.options |= PORCH_OPT_ECN;
	f->announced = l->o.maxseg && l->o.maxseg < mss ? (uint16_t)l->o.maxseg : mss;
	f->start = (struct tcp_start){
		.remote_port = (uint16_t)(tcp[0] << 8 | tcp[1]),
		.local_port = (uint16_t)(tcp[2] << 8 | tcp[3]),
		.tags = { TCP_TAG_NONE, TCP_TAG_NONE },
		.irs = seg->seq,
		.iss = d->isn += 0x01000193,
		.ts_recent = o.options & PORCH_OPT_TIMESTAMPS ? o.tsval : 0,
		.mss = o.mss ? o.mss
		       : six ? 1220
			     : 536,
		.mtu = d->mtu,
		.options = o.options,
		.wscale_snd = o.wscale,
		.wscale_rcv = o.options & PORCH_OPT_WSCALE ? PORCH_AFXDP_WSCALE : 0,
		.rcv_wnd = PORCH_AFXDP_WINDOW,
	};
	memcpy(f->start.remote, remote, 16);
	memcpy(f->start.local, local, 16);
	memcpy(f->start.local_mac, frame, 6);
	memcpy(f->start.remote_mac, frame + 6, 6);
	synack_send(d, f);
}

static void proven(struct drill *d, struct flow *f, const struct tcp_segment *seg)
{
	uint64_t us = (d->now - f->born) / 1000;

	if (!f->sent && us < 1000000) /* bpf/proof.h */
		f->start.rtt_us = (uint32_t)(us + !us);
	f->start.proven = d->now;
	f->start.window = seg->window;
	f->start.ts_ecr = f->tsval;
	if (seg->options & TCP_HAS_TIMESTAMPS)
		f->start.ts_recent = seg->tsval;
	flow_open(d, f, seg);
}

static void half_open_segment(struct drill *d, struct flow *f, const struct tcp_segment *seg)
{
	if (seg->flags & TCP_FLAG_RST) {
		if (seg->seq == f->start.irs + 1)
			f->state = FLOW_OVER;
		return;
	}
	if (!(seg->flags & TCP_FLAG_ACK) || seg->ack != f->start.iss + 1 || seg->seq != f->start.irs + 1)
		return; /* proves nothing */
	if (f->listener->depth > f->listener->backlog)
		return; /* waits outside; the SYN-ACK will be repeated, and he proves it again */
	proven(d, f, seg);
}

/* bpf/time_wait.h: a FIN again, old data or a SYN are answered; a bare ACK and a RST never. */
static void time_wait_segment(struct drill *d, struct flow *f, const struct tcp_segment *seg)
{
	struct tcp_conn shadow = f->conn;
	struct tcp_frame ack = { .seq = f->finish.snd_nxt, .flags = TCP_FLAG_ACK };
	uint32_t flags = seg->flags & (TCP_FLAG_FIN | TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_ACK);

	if (flags != TCP_FLAG_SYN && flags != (TCP_FLAG_ACK | TCP_FLAG_FIN) &&
	    !(flags == TCP_FLAG_ACK && seg->length))
		return;
	if (seg->flags & TCP_FLAG_FIN && seg->seq + seg->length + 1 == f->finish.rcv_nxt)
		f->expires = d->now + DRILL_TIME_WAIT;
	shadow.ranges = 0;
	shadow.dsack = false;
	shadow.flush_pprev = NULL;
	shadow.rcv_nxt = f->finish.rcv_nxt;
	shadow.rcv_read = f->finish.rcv_nxt - 1; /* the FIN */
	shadow.rcv_limit = 0;			 /* no rounding up: XDP does none */
	shadow.rcv_adv = f->finish.rcv_nxt + PORCH_AFXDP_WINDOW;
	if (seg->options & TCP_HAS_TIMESTAMPS)
		shadow.ts_recent = seg->tsval;
	f->stack.now = d->now;
	frame_output(&f->stack, &shadow, &ack);
}

/* RFC 6191, RFC 9293 3.10.7.4. */
static bool may_reuse(const struct flow *f, const struct tcp_segment *seg, const struct offer *o)
{
	if (f->start.options & o->options & PORCH_OPT_TIMESTAMPS && o->tsval != f->conn.ts_recent)
		return seq_after(o->tsval, f->conn.ts_recent);
	return seq_after(seg->seq, f->finish.rcv_nxt - 1);
}

void handshake_nobody(struct drill *d, const uint8_t *frame, uint32_t length, uint32_t l4)
{
	uint8_t reset[128];
	uint32_t n = tcp_reset_for(frame, length, DRILL_ETH, l4, length - l4, reset, sizeof(reset));

	if (n)
		wire_sent(d, reset + DRILL_ETH, n - DRILL_ETH);
}

void handshake_segment(struct drill *d, struct flow *f, const uint8_t *frame, uint32_t length, uint32_t l4,
		       const struct tcp_segment *seg, const uint8_t remote[16], const uint8_t local[16])
{
	const uint8_t *tcp = frame + l4;
	struct sock *l = listener_of(d, local, (uint16_t)(tcp[2] << 8 | tcp[3]));
	bool is_syn = (seg->flags & (TCP_FLAG_SYN | TCP_FLAG_ACK)) == TCP_FLAG_SYN;
	struct offer o = offer_of(tcp);

	if (csum_fold(csum_add(seg->pseudo, tcp_csum(seg->payload, seg->length))))
		return;
	if (f && f->opened && f->conn.flags & TCP_CONN_DONE) {
		flow_finished(f);
		if (f->expires > d->now && !(l && is_syn && may_reuse(f, seg, &o))) {
			time_wait_segment(d, f, seg);
			return;
		}
		if (f->sock || f->queued) { /* still read from: a new one takes the place beside it */
			if (!is_syn)
				return; /* a tombstone: refused */
			f = NULL;
		} else {
			flow_forget(f);
			f = NULL;
		}
	}
	if (l && is_syn) {
		syn(d, l, f && f->state == FLOW_HALF_OPEN ? f : NULL, frame, l4, seg, remote, local);
	} else if (f && f->state == FLOW_HALF_OPEN) {
		half_open_segment(d, f, seg);
	} else if (!listener_find(d, local, (uint16_t)(tcp[2] << 8 | tcp[3]))) {
		handshake_nobody(d, frame, length, l4);
	}
}

uint64_t handshake_next(const struct flow *f)
{
	if (f->state == FLOW_HALF_OPEN)
		return f->born + retransmit_after(f->sent + 1);
	return DRILL_NEVER;
}

void handshake_run(struct drill *d)
{
	struct flow *f;

	for (f = d->flows; f; f = f->next) {
		if (handshake_next(f) > d->now)
			continue;
		if (f->sent >= d->synack_retries || (d->xdp && !xdp_half_open(d, f))) {
			f->state = FLOW_OVER;
			continue;
		}
		f->sent++;
		synack_send(d, f);
	}
}
