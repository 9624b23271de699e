// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <net/ethernet.h>
#include <netinet/in.h>

#include "cli/packet.h"
#include "core/listeners.h"

#define TAGS_MAX       2
#define EXTENSIONS_MAX 4

struct cursor {
	const __u8 *at;
	size_t left; /* captured */
};

/* The next n octets, or NULL when the frame ends before. */
static const __u8 *take(struct cursor *c, size_t n)
{
	const __u8 *at = c->at;

	if (c->left < n)
		return NULL;
	c->at += n;
	c->left -= n;
	return at;
}

static __u16 u16(const __u8 *p)
{
	return p[0] << 8 | p[1];
}

static __u32 u32(const __u8 *p)
{
	return (__u32)u16(p) << 16 | u16(p + 2);
}

static json_t *endpoint(const __u8 address[16], __u16 port)
{
	struct porch_listen_spec spec = { .port = port };
	char text[PORCH_LISTEN_TEXT];

	memcpy(spec.address, address, sizeof(spec.address));
	return json_string(porch_listen_spec_format(&spec, text));
}

static void protocol(json_t *packet, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void protocol(json_t *packet, const char *format, ...)
{
	char text[48];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	json_object_set_new(packet, "protocol", json_string(text));
}

/* Flags as tcpdump writes them, so that nobody has to learn two alphabets. */
static json_t *flags_of(__u8 flags)
{
	static const char letters[] = "FSRP.UEW";
	char text[sizeof(letters)];
	size_t n = 0, i;

	for (i = 0; i < sizeof(letters) - 1; i++) {
		if (flags & (1u << i))
			text[n++] = letters[i];
	}
	text[n] = '\0';
	return json_string(n ? text : "none");
}

static void describe_options(const __u8 *p, size_t n, json_t *packet)
{
	json_t *sacks = NULL;
	size_t i;

	while (n && *p) {
		size_t len = *p == 1 ? 1 : n > 1 ? p[1] : 0;

		if (!len || len > n || (*p != 1 && len < 2))
			break;
		if (*p == 2 && len == 4)
			json_object_set_new(packet, "mss", json_integer(u16(p + 2)));
		else if (*p == 3 && len == 3)
			json_object_set_new(packet, "wscale", json_integer(p[2]));
		else if (*p == 4 && len == 2)
			json_object_set_new(packet, "sack_ok", json_true());
		else if (*p == 8 && len == 10) {
			json_object_set_new(packet, "ts_val", json_integer(u32(p + 2)));
			json_object_set_new(packet, "ts_ecr", json_integer(u32(p + 6)));
		} else if (*p == 5) {
			sacks = sacks ? sacks : json_array();
			for (i = 2; i + 8 <= len; i += 8)
				json_array_append_new(sacks, json_pack("[I, I]", (json_int_t)u32(p + i),
								       (json_int_t)u32(p + i + 4)));
		}
		p += len;
		n -= len;
	}
	if (sacks)
		json_object_set_new(packet, "sack", sacks);
}

/* `length`: octets from the TCP header to the end of the datagram. */
static void describe_tcp(struct cursor *c, const __u8 source[16], const __u8 destination[16], size_t length,
			 json_t *packet)
{
	const __u8 *p = take(c, 20), *options;
	size_t header;

	protocol(packet, "tcp");
	if (!p)
		return;
	header = (p[12] >> 4) * 4;
	json_object_set_new(packet, "source", endpoint(source, u16(p)));
	json_object_set_new(packet, "destination", endpoint(destination, u16(p + 2)));
	json_object_set_new(packet, "flags", flags_of(p[13]));
	json_object_set_new(packet, "seq", json_integer(u32(p + 4)));
	json_object_set_new(packet, "ack", json_integer(p[13] & 0x10 ? u32(p + 8) : 0));
	json_object_set_new(packet, "window", json_integer(u16(p + 14)));
	if (header < 20 || header > length)
		return;
	json_object_set_new(packet, "payload", json_integer(length - header));
	options = take(c, header - 20);
	if (options)
		describe_options(options, header - 20, packet);
}

static void describe_transport(struct cursor *c, __u8 number, const __u8 source[16],
			       const __u8 destination[16], size_t length, json_t *packet)
{
	const __u8 *p;

	if (number == IPPROTO_TCP) {
		describe_tcp(c, source, destination, length, packet);
		return;
	}
	/* an endpoint with port 0 would be misleading */
	p = number == IPPROTO_ICMP || number == IPPROTO_ICMPV6 ? take(c, 2) : NULL;
	if (p)
		protocol(packet, "%s type %u code %u", number == IPPROTO_ICMP ? "icmp" : "icmp6", p[0], p[1]);
	else
		protocol(packet, "ip protocol %u", number);
}

static void describe_ipv4(struct cursor *c, json_t *packet)
{
	__u8 source[16] = { [10] = 0xff, [11] = 0xff }, destination[16] = { [10] = 0xff, [11] = 0xff };
	const __u8 *p = take(c, 20);
	size_t header, total;

	protocol(packet, "ip");
	if (!p || p[0] >> 4 != 4)
		return;
	header = (p[0] & 15) * 4;
	total = u16(p + 2);
	memcpy(source + 12, p + 12, 4);
	memcpy(destination + 12, p + 16, 4);
	if (header < 20 || total < header || !take(c, header - 20))
		return;
	if (u16(p + 6) & 0x1fff) {
		protocol(packet, "ip fragment");
		return;
	}
	describe_transport(c, p[9], source, destination, total - header, packet);
}

static void describe_ipv6(struct cursor *c, json_t *packet)
{
	const __u8 *p = take(c, 40), *e;
	size_t left, n;
	__u8 next;
	int i;

	protocol(packet, "ip6");
	if (!p || p[0] >> 4 != 6)
		return;
	left = u16(p + 4);
	next = p[6];
	for (i = 0; i < EXTENSIONS_MAX &&
		    (next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS);
	     i++) {
		e = take(c, 2);
		n = e ? (e[1] + 1) * 8 : 0;
		if (!e || n > left || !take(c, n - 2))
			return;
		next = e[0];
		left -= n;
	}
	describe_transport(c, next, p + 8, p + 24, left, packet);
}

json_t *packet_describe(const __u8 *frame, size_t length, size_t wire)
{
	struct cursor c = { frame, length };
	json_t *packet = json_pack("{s:I}", "length", (json_int_t)wire), *tags = NULL;
	const __u8 *p = take(&c, 14);
	__u16 type = p ? u16(p + 12) : 0;
	int i;

	if (!packet || !p)
		return packet;
	for (i = 0; i < TAGS_MAX && (type == ETHERTYPE_VLAN || type == 0x88a8) && (p = take(&c, 4)); i++) {
		tags = tags ? tags : json_array();
		json_array_append_new(tags, json_integer(u16(p) & 0xfff));
		type = u16(p + 2);
	}
	if (tags)
		json_object_set_new(packet, "vlan", tags);
	if (type == ETHERTYPE_IP)
		describe_ipv4(&c, packet);
	else if (type == ETHERTYPE_IPV6)
		describe_ipv6(&c, packet);
	else
		protocol(packet, "ethertype 0x%04x", type);
	return packet;
}

static json_int_t number(const json_t *packet, const char *key)
{
	return json_integer_value(json_object_get(packet, key));
}

static const char *string(const json_t *packet, const char *key)
{
	return json_string_value(json_object_get(packet, key));
}

static void add(char *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(char *buf, const char *format, ...)
{
	size_t n = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + n, PACKET_TEXT - n, format, args);
	va_end(args);
}

const char *packet_text(const json_t *packet, char buf[PACKET_TEXT])
{
	const char *flags = string(packet, "flags");
	json_int_t payload = number(packet, "payload");
	const json_t *tag, *pair;
	size_t i;

	*buf = '\0';
	json_array_foreach (json_object_get(packet, "vlan"), i, tag)
		add(buf, "vlan %d, ", (int)json_integer_value(tag));
	if (!flags) {
		add(buf, "%s, length %d",
		    string(packet, "protocol") ? string(packet, "protocol") : "a piece of a frame",
		    (int)number(packet, "length"));
		return buf;
	}
	add(buf, "%s > %s: Flags [%s], seq %u", string(packet, "source"), string(packet, "destination"),
	    flags, (__u32)number(packet, "seq"));
	if (payload)
		add(buf, ":%u", (__u32)(number(packet, "seq") + payload));
	if (strchr(flags, '.'))
		add(buf, ", ack %u", (__u32)number(packet, "ack"));
	add(buf, ", win %d", (int)number(packet, "window"));
	if (json_object_get(packet, "mss"))
		add(buf, ", mss %d", (int)number(packet, "mss"));
	if (json_object_get(packet, "wscale"))
		add(buf, ", wscale %d", (int)number(packet, "wscale"));
	if (json_object_get(packet, "ts_val"))
		add(buf, ", TS val %u ecr %u", (__u32)number(packet, "ts_val"),
		    (__u32)number(packet, "ts_ecr"));
	json_array_foreach (json_object_get(packet, "sack"), i, pair)
		add(buf, "%s{%u:%u}", i ? "" : ", sack ", (__u32)json_integer_value(json_array_get(pair, 0)),
		    (__u32)json_integer_value(json_array_get(pair, 1)));
	add(buf, ", length %d", (int)payload);
	return buf;
}
