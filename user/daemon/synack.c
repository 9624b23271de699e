// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdbool.h>
#include <string.h>

#include <bpf/bpf.h>

#include "daemon/daemon.h"
#include "daemon/packet.h"
#include "daemon/synack.h"

#define MSS_DEFAULT_V4 536 /* RFC 9293 3.7.1 */
#define MSS_DEFAULT_V6 1220

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static uint8_t *put_options(uint8_t *p, const struct synack *s)
{
	bool sack = s->options & PORCH_OPT_SACK;

	p = put16(put16(p, 0x0204), s->mss);
	if (s->options & PORCH_OPT_TIMESTAMPS) {
		p = put16(put16(p, sack ? 0x0402 : 0x0101), 0x080a);
		p = put32(put32(p, s->tsval), s->ts_recent);
	} else if (sack) {
		p = put32(p, 0x01010402);
	}
	return s->options & PORCH_OPT_WSCALE ? put32(p, 0x01030300 | s->wscale) : p;
}

uint32_t synack_build(const struct synack *s, uint8_t frame[SYNACK_FRAME_MAX])
{
	const struct packet_path path = {
		.remote = s->remote,
		.local = s->local,
		.remote_mac = s->remote_mac,
		.local_mac = s->local_mac,
		.tags = s->tags,
		.ttl = s->ttl,
	};
	uint8_t *ip = packet_ethernet(&path, frame), *tcp = ip + packet_ip_length(&path), *p;
	uint8_t *end = put_options(tcp + 20, s);

	p = put32(put32(put16(put16(tcp, s->local_port), s->remote_port), s->iss), s->irs + 1);
	p = put16(p,
		  (end - tcp) / 4 << 12 | (s->options & PORCH_OPT_ECN ? 0x40 : 0) | 0x12); /* ECE; SYN, ACK */
	memset(put16(p, s->window), 0, 4);
	packet_close(&path, ip, end - tcp);
	return end - frame;
}

uint16_t synack_window(uint32_t space, uint32_t mss)
{
	if (mss && space > mss)
		space -= space % mss;
	return space > 65535 ? 65535 : space;
}

static uint16_t route_mss(struct daemon *d, const uint8_t remote[16])
{
	struct porch_prefix prefix = { .length = 128 };
	struct porch_route route;

	if (!(d->tables.host->flags & PORCH_HOST_ROUTES))
		return 0;
	memcpy(prefix.address, remote, 16);
	return bpf_map_lookup_elem(d->tables.routes_fd, &prefix, &route) ? 0 : route.mss;
}

static uint16_t announced_mss(struct daemon *d, const struct porch_listener_entry *l, uint32_t ifindex,
			      const uint8_t remote[16], bool v6)
{
	const struct porch_iface *i = &d->tables.ifaces[ifindex % PORCH_IFACE_SLOTS];
	uint16_t mss = v6 ? MSS_DEFAULT_V6 : MSS_DEFAULT_V4, route;

	if (l->mss)
		return l->mss;
	if (i->ifindex == ifindex)
		mss = v6 ? i->mss6 : i->mss4;
	route = route_mss(d, remote);
	if (route)
		mss = route;
	return l->user_mss && l->user_mss < mss ? l->user_mss : mss;
}

void synack_settings(struct daemon *d, const struct porch_listener_entry *l, uint32_t ifindex, uint16_t client_mss,
		     struct synack *s)
{
	const struct porch_host *h = d->tables.host;
	bool v6 = memcmp(s->remote, mapped, 12);

	s->mss = announced_mss(d, l, ifindex, s->remote, v6);
	s->ttl = v6 ? h->hop_limit : h->ttl;
	s->window = l->deliver == PORCH_DELIVER_AFXDP
			    ? PORCH_AFXDP_WINDOW
			    : synack_window(l->rcv_space ? l->rcv_space : h->rcv_space, client_mss);
}
