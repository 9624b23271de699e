// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include <bpf/bpf.h>

#include "daemon/daemon.h"
#include "daemon/synack.h"

#define NO_TAG	       0xffff
#define MSS_DEFAULT_V4 536 /* RFC 9293 3.7.1 */
#define MSS_DEFAULT_V6 1220

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static uint8_t *put16(uint8_t *p, uint16_t v)
{
	*p++ = v >> 8;
	*p++ = v;
	return p;
}

static uint8_t *put32(uint8_t *p, uint32_t v)
{
	return put16(put16(p, v >> 16), v);
}

static uint8_t *put(uint8_t *p, const void *from, uint32_t n)
{
	memcpy(p, from, n);
	return p + n;
}

/* RFC 1071, over an even number of octets. */
static uint32_t sum(const uint8_t *p, uint32_t n, uint32_t s)
{
	for (; n; n -= 2, p += 2)
		s += (uint32_t)p[0] << 8 | p[1];
	return s;
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	return ~(s + (s >> 16));
}

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

static uint8_t *put_ethernet(uint8_t *p, const struct synack *s, bool v6)
{
	bool two = s->tags[0] != NO_TAG && s->tags[1] != NO_TAG;

	p = put(put(p, s->remote_mac, 6), s->local_mac, 6);
	if (s->tags[0] != NO_TAG)
		p = put16(put16(p, two ? 0x88a8 : 0x8100), s->tags[0]); /* IEEE 802.1ad outside 802.1Q */
	if (two)
		p = put16(put16(p, 0x8100), s->tags[1]);
	return put16(p, v6 ? 0x86dd : 0x0800);
}

uint32_t synack_build(const struct synack *s, uint8_t frame[SYNACK_FRAME_MAX])
{
	bool v6 = memcmp(s->remote, mapped, 12);
	uint8_t *ip = put_ethernet(frame, s, v6), *tcp = ip + (v6 ? 40 : 20), *end, *p;
	uint32_t length, pseudo;

	p = put32(put32(put16(put16(tcp, s->local_port), s->remote_port), s->iss), s->irs + 1);
	end = put_options(tcp + 20, s);
	length = end - tcp;
	p = put16(p, length / 4 << 12 | (s->options & PORCH_OPT_ECN ? 0x40 : 0) | 0x12); /* ECE; SYN, ACK */
	memset(put16(p, s->window), 0, 4);
	if (v6) {
		p = put16(put32(ip, 0x60000000), length);
		*p++ = IPPROTO_TCP;
		*p++ = s->ttl;
		put(put(p, s->local, 16), s->remote, 16);
		pseudo = sum(ip + 8, 32, 0);
	} else {
		p = put32(put16(put16(ip, 0x4500), 20 + length), 0x00004000); /* DF */
		*p++ = s->ttl;
		*p++ = IPPROTO_TCP;
		put(put(put16(p, 0), s->local + 12, 4), s->remote + 12, 4);
		put16(p, fold(sum(ip, 20, 0)));
		pseudo = sum(ip + 12, 8, 0);
	}
	put16(tcp + 16, fold(sum(tcp, length, pseudo + IPPROTO_TCP + length)));
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

static uint16_t announced_mss(struct daemon *d, const struct porch_listener *l, uint32_t ifindex,
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

void synack_settings(struct daemon *d, const struct porch_listener *l, uint32_t ifindex, uint16_t client_mss,
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
