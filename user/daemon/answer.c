// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <string.h>

#include "daemon/answer.h"
#include "daemon/flowtab.h"
#include "daemon/packet.h"
#include "tcp/tcp.h"

#define FLAG_RST 0x04
#define FLAG_ACK 0x10

/* Our clock goes on from the SYN-ACK's time stamp, in milliseconds. */
static uint8_t *put_timestamps(const struct daemon *d, uint8_t *p, uint32_t flow)
{
	const struct porch_flow *f = &d->tables.flows[flow];
	uint64_t proven = d->tables.steer[flow].proven_ns;
	uint32_t passed = d->now > proven ? (d->now - proven) / NS_PER_MS : 0;

	return put32(put32(put32(p, 0x0101080a), f->ts_ecr + passed), f->ts_recent);
}

uint32_t answer_build(const struct daemon *d, uint32_t flow, enum answer kind, uint32_t rcv_nxt,
		      uint8_t frame[ANSWER_FRAME_MAX])
{
	const struct porch_flow *f = &d->tables.flows[flow];
	const struct porch_steer *steer = &d->tables.steer[flow];
	struct packet_path path = {
		.remote = f->remote,
		.local = f->local,
		.remote_mac = steer->remote_mac,
		.local_mac = steer->local_mac,
		.tags = steer->tags,
		.ttl = d->tables.host->ttl,
	};
	uint8_t *ip = packet_ethernet(&path, frame), *tcp = ip + packet_ip_length(&path), *end = tcp + 20, *p;
	bool reset = kind == ANSWER_RESET;
	uint32_t window = PORCH_AFXDP_WINDOW;

	if (packet_is_v6(&path))
		path.ttl = d->tables.host->hop_limit;
	if (!reset && (f->options & PORCH_OPT_TIMESTAMPS))
		end = put_timestamps(d, end, flow);
	if (f->options & PORCH_OPT_WSCALE)
		window >>= f->wscale >> 4;
	p = put16(put16(tcp, f->local_port), f->remote_port);
	p = put32(put32(p, kind == ANSWER_PROBE ? f->iss : f->iss + 1), rcv_nxt);
	p = put16(p, (end - tcp) / 4 << 12 | FLAG_ACK | (reset ? FLAG_RST : 0));
	memset(put16(p, reset ? 0 : window), 0, 4);
	packet_close(&path, ip, end - tcp);
	return end - frame;
}

/* One more of `*spent` in this second? */
static bool rate_allows(struct daemon *d, uint32_t *spent, uint32_t most)
{
	struct connections *c = d->connections;
	uint64_t second = d->now / 1000000000ull;

	if (second != c->second) {
		c->second = second;
		c->resets = c->challenges = 0;
	}
	return (*spent)++ < most;
}

void answer_send(struct daemon *d, uint32_t flow, enum answer kind, uint32_t rcv_nxt)
{
	struct connections *c = d->connections;
	uint8_t frame[ANSWER_FRAME_MAX];
	bool allowed = kind == ANSWER_CHALLENGE ? rate_allows(d, &c->challenges, CHALLENGES_PER_SECOND)
						: rate_allows(d, &c->resets, RESETS_PER_SECOND);

	if (!allowed)
		return;
	if (!raw_send(d, d->tables.steer[flow].ifindex, frame, answer_build(d, flow, kind, rcv_nxt, frame)) &&
	    kind == ANSWER_RESET)
		d->count.resets++;
}

bool answer_to(struct daemon *d, uint32_t ifindex, const struct porch_record *record, const uint8_t *frame,
	       uint32_t length)
{
	uint8_t reply[ANSWER_FRAME_MAX];
	uint32_t n =
		tcp_reset_for(frame, length, record->l3, record->l4, record->length, reply, sizeof(reply));

	if (!n || !rate_allows(d, &d->connections->resets, RESETS_PER_SECOND))
		return false;
	if (raw_send(d, ifindex, reply, n))
		return false;
	d->count.resets++;
	return true;
}
