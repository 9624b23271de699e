// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* An inbound packet becomes octets: the script's numbers into those of the connection. */
#include <stdlib.h>
#include <string.h>

#include "play.h"

#define ICMP4 1
#define TCP   6
#define ICMP6 58

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t sum(uint32_t s, const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		s += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return (s >> 16) + (s & 0xffff);
}

static uint16_t fold(uint32_t s)
{
	while (s >> 16)
		s = (s >> 16) + (s & 0xffff);
	return (uint16_t)~s;
}

/* Over a pseudo-header, and n octets from l4; protocol 0: no pseudo-header. */
uint16_t checksum(bool ipv6, const uint8_t *ip, uint32_t l4, uint32_t n, uint8_t protocol)
{
	uint32_t s = 0;

	if (protocol) {
		s = ipv6 ? sum(s, ip + 8, 32) : sum(s, ip + 12, 8);
		s += protocol + (n & 0xffff) + (n >> 16);
	}
	return fold(sum(s, ip + l4, n));
}

static uint32_t ip_header(uint8_t *ip, const uint8_t *from, const uint8_t *to, uint8_t protocol,
			  uint32_t payload, uint8_t tos)
{
	if (play.settings.ipv6) {
		put32(ip, 6u << 28 | (uint32_t)tos << 20);
		put16(ip + 4, payload);
		ip[6] = protocol;
		ip[7] = 255;
		memcpy(ip + 8, from, 16);
		memcpy(ip + 24, to, 16);
		return 40;
	}
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[1] = tos;
	put16(ip + 2, 20 + payload);
	ip[8] = 255;
	ip[9] = protocol;
	memcpy(ip + 12, from, 4);
	memcpy(ip + 16, to, 4);
	put16(ip + 10, fold(sum(0, ip, 20)));
	return 20;
}

/* TSecr of the script into the TSval that the stack sent. */
static uint32_t ts_echo(int line, uint32_t script)
{
	const struct connection *c = &play.connection;

	for (int i = c->ts_count; i-- > 0;) {
		if (c->ts[i].script == script)
			return c->ts[i].live;
	}
	if (play.settings.ts_ecr_scaled && c->ts_known)
		return script - c->ts_script + c->ts_live;
	fail(line, "TS ecr %u: no packet before it said TS val %u", script, script);
}

static void map_options(int line, const struct packet *p, uint8_t *o)
{
	const uint8_t *end = o + p->option_octets;

	while (o < end && *o) {
		if (*o == 1) {
			o++;
			continue;
		}
		if (o + 1 >= end || o[1] < 2)
			return;
		if (*o == 8 && p->flags & ACK)
			put32(o + 6, ts_echo(line, get32(o + 6)));
		for (int i = 2; *o == 5 && i + 4 <= o[1]; i += 4)
			put32(o + i, get32(o + i) + play.connection.local_shift);
		o += o[1];
	}
}

static uint32_t tcp_build(int line, const struct packet *p, uint8_t *ip)
{
	const struct connection *c = &play.connection;
	uint32_t header = 20u + p->option_octets, n = header + p->length, l4;
	uint8_t *tcp;

	l4 = ip_header(ip, c->remote, c->local, TCP, n,
		       p->ecn > 0   ? (uint8_t)p->ecn
		       : p->tos > 0 ? (uint8_t)p->tos
				    : 0);
	tcp = ip + l4;
	memset(tcp, 0, n);
	put16(tcp, p->source ? p->source : c->remote_port);
	put16(tcp + 2, p->dest ? p->dest : c->local_port);
	put32(tcp + 4, p->seq + c->remote_shift);
	if (p->flags & ACK)
		put32(tcp + 8, p->ack + c->local_shift);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = p->flags;
	put16(tcp + 14, (uint32_t)p->window);
	put16(tcp + 18, p->urgent);
	memcpy(tcp + 20, p->options, p->option_octets);
	map_options(line, p, tcp + 20);
	put16(tcp + 16, checksum(play.settings.ipv6, ip, l4, n, TCP));
	return l4 + n;
}

static uint32_t icmp_build(const struct packet *p, uint8_t *ip)
{
	static const uint8_t router4[4] = { 192, 0, 2, 254 },
			     router6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 0xfe };
	const struct connection *c = &play.connection;
	bool six = play.settings.ipv6;
	uint32_t quoted = six ? 40 : 20, n = 8 + quoted + 8, l4;
	uint8_t *icmp;

	l4 = ip_header(ip, six ? router6 : router4, c->local, six ? ICMP6 : ICMP4, n, 0);
	icmp = ip + l4;
	memset(icmp, 0, n);
	icmp[0] = six ? p->type6 : p->type4;
	icmp[1] = six ? p->code6 : p->code4;
	if (six)
		put32(icmp + 4, p->mtu);
	else
		put16(icmp + 6, p->mtu);
	ip_header(icmp + 8, c->local, c->remote, TCP, 20 + p->length, 0);
	put16(icmp + 8 + quoted, c->local_port);
	put16(icmp + 8 + quoted + 2, c->remote_port);
	put32(icmp + 8 + quoted + 4, p->seq + c->local_shift);
	put16(icmp + 2, checksum(six, ip, l4, n, six ? ICMP6 : 0));
	return l4 + n;
}

/* The first packet after a listen() is of a new connection. */
static void connection_new(const struct packet *p)
{
	static const uint8_t remote4[4] = { 192, 0, 2, 1 }, local4[4] = { 192, 168, 0, 1 };
	static const uint8_t remote6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 },
			     local6[16] = { 0xfd, 0x3d, 0x0a, 0x0b, [15] = 1 };
	struct connection *c = &play.connection;

	*c = (struct connection){
		.started = true,
		.remote_port = play.next_port++,
		.local_port = play.settings.port,
		.remote_shift = play.settings.remote_isn - p->seq,
	};
	memcpy(c->remote, play.settings.ipv6 ? remote6 : remote4, play.settings.ipv6 ? 16 : 4);
	memcpy(c->local, play.settings.ipv6 ? local6 : local4, play.settings.ipv6 ? 16 : 4);
}

void packet_send(int line, const struct packet *p)
{
	uint8_t *ip = zeroed(65536 + 256);
	uint32_t n;

	if (play.connection.listening || !play.connection.started)
		connection_new(p);
	n = p->icmp ? icmp_build(p, ip) : tcp_build(line, p, ip);
	if (play.so.netdev_send(play.so.userdata, ip, n) < 0)
		fail(line, "netdev_send: %s", errno_name(errno));
	free(ip);
}
