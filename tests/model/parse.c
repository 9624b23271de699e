// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A frame read as RFC 791, 8200 and 9293 have it, octet by octet. */
#include "model.h"

#include <stdio.h>

#define TCP	       6
#define HOP_BY_HOP     0
#define ROUTING	       43
#define AUTHENTICATION 51
#define DESTINATION    60
#define EXTENSIONS_MAX 7 /* more are not looked at */

static bool is_tag(__u16 type)
{
	return type == 0x8100 || type == 0x88a8;
}

__u16 model_tag(const struct frame *f, const struct model_segment *s, __u32 i)
{
	const __u8 *tag = f->bytes + 12 + 4 * i;

	if (i >= s->tags)
		return 0xffff;
	return (get16(tag + 2) & 0xefff) | (get16(tag) == 0x88a8 ? 0x1000 : 0);
}

static const __u8 map_prefix[12] = { [10] = 0xff, [11] = 0xff };

static void mapped(__u8 out[16], const __u8 *v4)
{
	memcpy(out, map_prefix, 12);
	memcpy(out + 12, v4, 4);
}

static __u16 sum(const __u8 *at, __u32 n)
{
	__u32 s = 0;

	for (__u32 i = 0; i < n; i++)
		s += i & 1 ? at[i] : at[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

/* false: not ours. *end: octets of the frame, if the datagram is right. */
static bool parse_ipv4(const __u8 *b, __u32 n, struct model_segment *s, __u32 *end)
{
	const __u8 *ip = b + s->l3;
	__u32 header;

	if (n < s->l3 + 20 || ip[0] >> 4 != 4)
		return false;
	header = (ip[0] & 15) * 4;
	if (header < 20 || ip[9] != TCP || (get16(ip + 6) & 0x3fff) || n < s->l3 + header)
		return false;
	s->bad_checksum = sum(ip, header) != 0xffff;
	mapped(s->tuple.remote, ip + 12);
	mapped(s->tuple.local, ip + 16);
	s->ect = ip[1] & 3;
	s->l4 = s->l3 + header;
	s->plain_ip = header == 20;
	*end = s->l3 + get16(ip + 2);
	return true;
}

static bool parse_ipv6(const __u8 *b, __u32 n, struct model_segment *s, __u32 *end)
{
	const __u8 *ip = b + s->l3;
	__u32 at = s->l3 + 40;
	int headers = 0;
	__u8 type;

	/* a mapped address is no address of ours on this wire */
	if (n < at || ip[0] >> 4 != 6 || !memcmp(ip + 24, map_prefix, 12))
		return false;
	for (type = ip[6]; type != TCP; headers++) {
		__u32 length;

		if (headers == EXTENSIONS_MAX || n < at + 4)
			return false;
		if (type == AUTHENTICATION)
			length = (b[at + 1] + 2) * 4;
		else if (type == HOP_BY_HOP || type == DESTINATION || (type == ROUTING && !b[at + 3]))
			length = (b[at + 1] + 1) * 8;
		else
			return false; /* a fragment, a source route, another protocol */
		type = b[at];
		at += length;
	}
	s->v6 = true;
	memcpy(s->tuple.remote, ip + 8, 16);
	memcpy(s->tuple.local, ip + 24, 16);
	s->ect = get16(ip) >> 4 & 3;
	s->l4 = at;
	s->plain_ip = !headers;
	*end = s->l3 + 40 + get16(ip + 4);
	return true;
}

static void parse_options(struct model_segment *s)
{
	const __u8 *o = s->options, *end = o + s->options_length;

	while (o < end && *o != 0) {
		__u32 length;

		if (*o == 1) {
			o++;
			continue;
		}
		if (o + 1 == end)
			break;
		length = o[1];
		if (length < 2 || o + length > end)
			break;
		switch (*o << 8 | length) {
		case 0x0204:
			s->mss = get16(o + 2);
			break;
		case 0x0303:
			s->scaled = true;
			s->wscale = o[2] > 14 ? 14 : o[2];
			break;
		case 0x0402:
			s->sack = true;
			break;
		case 0x080a:
			s->ts = true;
			s->tsval = get32(o + 2);
			s->tsecr = get32(o + 6);
			break;
		default:
			s->foreign |= *o == 19 || *o == 29;
		}
		o += length;
	}
}

bool model_parse(const struct frame *f, struct model_segment *s)
{
	const __u8 *b = f->bytes, *tcp;
	__u32 n = f->length, end, header;
	__u16 type = get16(b + 12);

	memset(s, 0, sizeof(*s));
	s->l3 = 14;
	while (s->tags < 2 && is_tag(type)) {
		if (n < s->l3 + 4)
			return false;
		type = get16(b + s->l3 + 2);
		s->l3 += 4;
		s->tags++;
	}
	if (type == 0x0800 ? !parse_ipv4(b, n, s, &end) : type != 0x86dd || !parse_ipv6(b, n, s, &end))
		return false;
	tcp = b + s->l4;
	if (n < s->l4 + 4)
		return false;
	s->tuple.remote_port = get16(tcp);
	s->tuple.local_port = get16(tcp + 2);
	s->short_header = n < s->l4 + 20;
	if (s->short_header)
		return true;
	s->seq = get32(tcp + 4);
	s->ack = get32(tcp + 8);
	s->flags = get16(tcp + 12) & 0x1ff;
	header = (tcp[12] >> 4) * 4;
	s->bad_header = header < 20 || s->l4 + header > end || end > n;
	if (s->bad_header)
		return true;
	s->payload = end - s->l4 - header;
	s->options = tcp + 20;
	s->options_length = header - 20;
	parse_options(s);
	/* a SYN that echoes a timestamp counts as without */
	if ((s->flags & (SYN | ACK)) == SYN && s->tsecr)
		s->ts = false;
	return true;
}

/* MSS first, then one of five patterns; the values of scale and TSval are free. */
bool model_usual(const struct model_segment *s)
{
	static const char *const patterns[] = {
		"0204....0402080a........00000000010303..",	    /* Linux */
		"0204....01010402010303..",			    /* Linux without timestamps */
		"0204....010303..0402080a........00000000",	    /* BSD */
		"0204....010303..01010402",			    /* Windows */
		"0204....010303..0101080a........0000000004020000", /* Apple */
	};
	char hex[81];

	for (__u32 i = 0; i < s->options_length; i++)
		sprintf(hex + 2 * i, "%02x", s->options[i]);
	hex[2 * s->options_length] = 0;
	for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
		size_t i = 0;

		if (strlen(patterns[p]) != strlen(hex))
			continue;
		while (hex[i] && (patterns[p][i] == '.' || patterns[p][i] == hex[i]))
			i++;
		if (!hex[i])
			return true;
	}
	return false;
}
