// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "frame.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static uint32_t sum(const uint8_t *p, size_t n, uint32_t start)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		start += get16(p + i);
	return n & 1 ? start + (p[n - 1] << 8) : start;
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return ~s;
}

static uint32_t pseudo_sum(const uint8_t *ip, bool v6, size_t n)
{
	return (v6 ? sum(ip + 8, 32, 0) : sum(ip + 12, 8, 0)) + IPPROTO_TCP + n;
}

size_t frame_build(const struct segment *s, uint8_t frame[FRAME_MAX])
{
	const bool v6 = s->to.sa.sa_family == AF_INET6;
	const size_t header = 20 + s->n_options, n = header + s->n_payload;
	uint8_t *p = frame + 12, *ip, *tcp;

	memset(frame, 0, FRAME_MAX);
	memcpy(frame, s->dmac, 6);
	memcpy(frame + 6, s->smac, 6);
	for (int i = 0; i < s->n_tags; i++, p += 4) {
		put16(p, i + 1 < s->n_tags ? 0x88a8 : 0x8100);
		put16(p + 2, s->tags[i]);
	}
	put16(p, v6 ? 0x86dd : 0x0800);
	ip = p + 2;
	tcp = ip + (v6 ? 40 : 20);
	if (v6) {
		ip[0] = 0x60;
		ip[1] = s->ecn << 4;
		put16(ip + 4, n);
		ip[6] = IPPROTO_TCP;
		ip[7] = s->ttl;
		memcpy(ip + 8, &s->from.in6.sin6_addr, 16);
		memcpy(ip + 24, &s->to.in6.sin6_addr, 16);
	} else {
		ip[0] = 0x45;
		ip[1] = s->ecn;
		put16(ip + 2, 20 + n);
		ip[6] = 0x40;
		ip[8] = s->ttl;
		ip[9] = IPPROTO_TCP;
		memcpy(ip + 12, &s->from.in.sin_addr, 4);
		memcpy(ip + 16, &s->to.in.sin_addr, 4);
		put16(ip + 10, fold(sum(ip, 20, 0)));
	}
	put16(tcp, address_port(&s->from));
	put16(tcp + 2, address_port(&s->to));
	put32(tcp + 4, s->seq);
	put32(tcp + 8, s->ack);
	tcp[12] = header << 2;
	tcp[13] = s->flags;
	put16(tcp + 14, s->window);
	memcpy(tcp + 20, s->options, s->n_options);
	if (s->n_payload)
		memcpy(tcp + header, s->payload, s->n_payload);
	put16(tcp + 16, fold(sum(tcp, n, pseudo_sum(ip, v6, n))));
	return tcp + n - frame;
}

int frame_parse(const uint8_t *frame, size_t n, struct segment *ret)
{
	struct segment s = {};
	const uint8_t *ip, *tcp;
	size_t at = 12, total, header;
	bool v6;

	if (n < 14 + 40)
		return -1;
	memcpy(s.dmac, frame, 6);
	memcpy(s.smac, frame + 6, 6);
	while (get16(frame + at) == 0x8100 || get16(frame + at) == 0x88a8) {
		if (s.n_tags == 2)
			return -1;
		s.tags[s.n_tags++] = get16(frame + at + 2);
		at += 4;
	}
	v6 = get16(frame + at) == 0x86dd;
	if (!v6 && get16(frame + at) != 0x0800)
		return -1;
	ip = frame + at + 2;
	if (n < at + 2 + (v6 ? 60 : 40) || (v6 ? ip[6] : ip[9]) != IPPROTO_TCP)
		return -1;
	if (v6) {
		tcp = ip + 40;
		total = get16(ip + 4);
		s.ttl = ip[7];
		s.ecn = ip[1] >> 4 & 3;
		s.from.in6.sin6_family = s.to.in6.sin6_family = AF_INET6;
		memcpy(&s.from.in6.sin6_addr, ip + 8, 16);
		memcpy(&s.to.in6.sin6_addr, ip + 24, 16);
	} else {
		tcp = ip + (ip[0] & 15) * 4;
		total = get16(ip + 2) - (ip[0] & 15) * 4;
		s.ttl = ip[8];
		s.ecn = ip[1] & 3;
		s.from.in.sin_family = s.to.in.sin_family = AF_INET;
		memcpy(&s.from.in.sin_addr, ip + 12, 4);
		memcpy(&s.to.in.sin_addr, ip + 16, 4);
	}
	s.from.len = s.to.len = v6 ? sizeof(s.to.in6) : sizeof(s.to.in);
	header = (tcp[12] >> 4) * 4;
	if (total < 20 || header < 20 || header > total || tcp + total > frame + n)
		return -1;
	address_set_port(&s.from, get16(tcp));
	address_set_port(&s.to, get16(tcp + 2));
	s.seq = get32(tcp + 4);
	s.ack = get32(tcp + 8);
	s.flags = tcp[13];
	s.window = get16(tcp + 14);
	s.n_options = header - 20;
	memcpy(s.options, tcp + 20, s.n_options);
	s.payload = tcp + header;
	s.n_payload = total - header;
	s.sums_right = !fold(sum(tcp, total, pseudo_sum(ip, v6, total))) &&
		       (v6 || !fold(sum(ip, (ip[0] & 15) * 4, 0)));
	*ret = s;
	return 0;
}

void options_parse(const struct segment *s, struct options *ret)
{
	const uint8_t *p = s->options, *end = p + s->n_options;

	*ret = (struct options){};
	while (p < end && *p) {
		if (*p == 1) {
			p++;
			continue;
		}
		if (p + 1 >= end || p[1] < 2 || p + p[1] > end)
			return;
		if (p[0] == 2 && p[1] == 4) {
			ret->has_mss = true;
			ret->mss = get16(p + 2);
		} else if (p[0] == 3 && p[1] == 3) {
			ret->has_wscale = true;
			ret->wscale = p[2];
		} else if (p[0] == 4 && p[1] == 2) {
			ret->sack = true;
		} else if (p[0] == 8 && p[1] == 10) {
			ret->has_ts = true;
			ret->tsval = get32(p + 2);
			ret->tsecr = get32(p + 6);
		}
		p += p[1];
	}
}

static const struct {
	const char *name;
	uint8_t bit;
} flag_names[] = { { "fin", FIN }, { "syn", SYN }, { "rst", RST }, { "psh", PSH }, { "ack", ACK }, { "ece", ECE }, { "cwr", CWR } };

uint8_t flags_parse(const char *text)
{
	uint8_t flags = 0;

	while (*text) {
		size_t n = strcspn(text, ","), i = 0;

		while (i < 7 && (strlen(flag_names[i].name) != n || strncmp(flag_names[i].name, text, n)))
			i++;
		if (i == 7)
			return 0;
		flags |= flag_names[i].bit;
		text += n + (text[n] == ',');
	}
	return flags;
}

const char *flags_text(uint8_t flags, char buf[32])
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < 7; i++)
		if (flags & flag_names[i].bit)
			at += snprintf(buf + at, 32 - at, "%s%s", at ? "," : "", flag_names[i].name);
	return buf;
}
