// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "packets.h"

#include <stdio.h>

const __u8 porch_mac[6] = { 0x02, 0x50, 0, 0, 0, 0x01 };
const __u8 client_mac[6] = { 0x02, 0x43, 0, 0, 0, 0x02 };

static const __u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

static void address_make(__u8 out[16], int v6, __u8 site, __u32 n)
{
	memset(out, 0, 16);
	if (v6) {
		put32(out, 0x20010db8);
		out[5] = site;
		put32(out + 12, n);
		return;
	}
	memcpy(out, mapped, 12);
	put32(out + 12, site == 0xc ? 0xc6336400 + n : 0xc0000200 + n);
}

void address_client(__u8 out[16], int v6, __u32 n)
{
	address_make(out, v6, 0xc, n);
}

void address_server(__u8 out[16], int v6, __u32 n)
{
	address_make(out, v6, 0x5, n);
}

/* RFC 1071, octet by octet: no trick to share with what is tested. */
static __u32 sum_octets(__u32 sum, const __u8 *at, __u32 n)
{
	for (__u32 i = 0; i < n; i++)
		sum += i & 1 ? at[i] : at[i] << 8;
	return sum;
}

static __u16 sum_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static __u16 tcp_checksum(int v6, const __u8 *source, const __u8 *dest, const __u8 *tcp, __u32 length)
{
	__u32 sum = 6 + (length >> 16) + (length & 0xffff);

	sum = sum_octets(sum, v6 ? source : source + 12, v6 ? 16 : 4);
	sum = sum_octets(sum, v6 ? dest : dest + 12, v6 ? 16 : 4);
	return sum_fold(sum_octets(sum, tcp, length));
}

static __u32 padded(__u32 n)
{
	return (n + 3) & ~3u;
}

__u32 packet_l3(const struct packet *p)
{
	__u32 l3 = 14;

	for (int i = 0; i < TAGS_MAX && p->tag[i].tpid; i++)
		l3 += 4;
	return l3;
}

__u32 packet_l4(const struct packet *p)
{
	return packet_l3(p) + (p->v6 ? 40u + p->extensions.length : 20 + padded(p->ip_options.length));
}

static void build_ip(const struct packet *p, __u8 *ip, __u32 above)
{
	if (p->v6) {
		put32(ip, (__u32)(p->version ? p->version : 6) << 28 | p->tos << 20 | p->flow_label);
		put16(ip + 4, p->extensions.length + above + p->length_off);
		ip[6] = p->extensions.length ? p->extension : p->protocol ? p->protocol : 6;
		ip[7] = p->ttl ? p->ttl : 64;
		memcpy(ip + 8, p->source, 16);
		memcpy(ip + 24, p->dest, 16);
		memcpy(ip + 40, p->extensions.at, p->extensions.length);
		return;
	}
	__u32 header = 20 + padded(p->ip_options.length);

	ip[0] = (p->version ? p->version : 4) << 4 | (p->ihl ? p->ihl : header / 4);
	ip[1] = p->tos;
	put16(ip + 2, header + above + p->length_off);
	put16(ip + 4, p->id);
	put16(ip + 6, p->fragment);
	ip[8] = p->ttl ? p->ttl : 64;
	ip[9] = p->protocol ? p->protocol : 6;
	memcpy(ip + 12, p->source + 12, 4);
	memcpy(ip + 16, p->dest + 12, 4);
	memcpy(ip + 20, p->ip_options.at, p->ip_options.length);
	put16(ip + 10, sum_fold(sum_octets(0, ip, header)) ^ (p->bad_ip_checksum ? 0x0101 : 0));
}

void packet_build(const struct packet *p, struct frame *f)
{
	__u32 l3 = packet_l3(p), l4 = packet_l4(p), header = 20 + padded(p->options.length);
	__u8 *tcp = f->bytes + l4, *at = f->bytes + 12;
	__u16 type = p->ethertype ? p->ethertype : p->v6 ? 0x86dd : 0x0800;

	f->meta = 0;
	f->length = l4 + header + p->payload + p->trailer;
	memset(f->bytes, 0, f->length);
	memcpy(f->bytes, porch_mac, 6);
	memcpy(f->bytes + 6, client_mac, 6);
	for (int i = 0; i < TAGS_MAX && p->tag[i].tpid; i++, at += 4) {
		put16(at, p->tag[i].tpid);
		put16(at + 2, p->tag[i].tci);
	}
	put16(at, type);
	build_ip(p, f->bytes + l3, header + p->payload);
	put16(tcp, p->sport);
	put16(tcp + 2, p->dport);
	put32(tcp + 4, p->seq);
	put32(tcp + 8, p->ack);
	tcp[12] = (p->data_offset == 0xff ? 0
		   : p->data_offset	  ? p->data_offset
					  : header / 4)
			  << 4 |
		  (p->flags >> 8 & 1);
	tcp[13] = p->flags;
	put16(tcp + 14, p->window ? p->window : 64240);
	put16(tcp + 18, p->urgent);
	memcpy(tcp + 20, p->options.at, p->options.length);
	for (__u32 i = 0; i < p->payload; i++)
		tcp[header + i] = 'a' + i % 26;
	put16(tcp + 16, tcp_checksum(p->v6, p->source, p->dest, tcp, header + p->payload) ^
				(p->bad_tcp_checksum ? 0x0101 : 0));
	for (__u32 i = 0; i < p->trailer; i++)
		tcp[header + p->payload + i] = 0xee;
}

static const char *decode_options(struct decoded *d)
{
	const __u8 *o = d->options.at;
	__u32 i = 0, n = d->options.length;

	while (i < n) {
		if (o[i] == 0) {
			for (; i < n; i++)
				if (o[i])
					return "TCP options: something behind the end of the list";
			break;
		}
		if (o[i] == 1) {
			i++;
			continue;
		}
		if (i + 1 >= n || o[i + 1] < 2 || i + o[i + 1] > n)
			return "TCP options: a length that does not fit";
		if (o[i] == 2 && o[i + 1] == 4) {
			d->mss = get16(o + i + 2);
		} else if (o[i] == 3 && o[i + 1] == 3) {
			d->has_wscale = 1;
			d->wscale = o[i + 2];
		} else if (o[i] == 4 && o[i + 1] == 2) {
			d->has_sack = 1;
		} else if (o[i] == 8 && o[i + 1] == 10) {
			d->has_ts = 1;
			d->tsval = get32(o + i + 2);
			d->tsecr = get32(o + i + 6);
		} else {
			d->unknown_options++;
		}
		i += o[i + 1];
	}
	return NULL;
}

const char *packet_decode(const struct frame *f, struct decoded *d)
{
	const __u8 *b = f->bytes + f->meta, *ip, *tcp;
	__u32 n = f->length - f->meta, at = 12, above;

	memset(d, 0, sizeof(*d));
	if (n < 14)
		return "no room for Ethernet";
	memcpy(d->dst_mac, b, 6);
	memcpy(d->src_mac, b + 6, 6);
	while (n >= at + 6 && (get16(b + at) == 0x8100 || get16(b + at) == 0x88a8) && d->tags < TAGS_MAX) {
		d->tag[d->tags++] = (struct tag){ get16(b + at), get16(b + at + 2) };
		at += 4;
	}
	ip = b + at + 2;
	n -= at + 2;
	switch (get16(b + at)) {
	case 0x0800:
		if (n < 20 || ip[0] >> 4 != 4 || (ip[0] & 15) < 5 || (ip[0] & 15) * 4u > n)
			return "IPv4 header does not fit";
		d->ip_header = (ip[0] & 15) * 4;
		if (get16(ip + 2) < d->ip_header + 20 || get16(ip + 2) > n)
			return "IPv4 total length does not fit";
		if (sum_fold(sum_octets(0, ip, d->ip_header)))
			return "IPv4 header checksum is wrong";
		if (ip[9] != 6)
			return "protocol is not TCP";
		d->tos = ip[1];
		d->id = get16(ip + 4);
		d->fragment = get16(ip + 6);
		d->ttl = ip[8];
		memcpy(d->source, mapped, 12);
		memcpy(d->source + 12, ip + 12, 4);
		memcpy(d->dest, mapped, 12);
		memcpy(d->dest + 12, ip + 16, 4);
		above = get16(ip + 2) - d->ip_header;
		break;
	case 0x86dd:
		if (n < 40 || ip[0] >> 4 != 6)
			return "IPv6 header does not fit";
		if (get16(ip + 4) < 20 || get16(ip + 4) + 40u > n)
			return "IPv6 payload length does not fit";
		if (ip[6] != 6)
			return "next header is not TCP";
		d->v6 = 1;
		d->ip_header = 40;
		d->tos = get16(ip) >> 4;
		d->flow_label = get32(ip) & 0xfffff;
		d->ttl = ip[7];
		memcpy(d->source, ip + 8, 16);
		memcpy(d->dest, ip + 24, 16);
		above = get16(ip + 4);
		break;
	default:
		return "neither IPv4 nor IPv6";
	}
	tcp = ip + d->ip_header;
	d->trailer = n - d->ip_header - above;
	d->tcp_header = (tcp[12] >> 4) * 4;
	if (d->tcp_header < 20 || d->tcp_header > above)
		return "TCP data offset does not fit";
	if (tcp[12] & 0x0e)
		return "reserved TCP bits are set";
	if (tcp_checksum(d->v6, d->source, d->dest, tcp, above))
		return "TCP checksum is wrong";
	d->sport = get16(tcp);
	d->dport = get16(tcp + 2);
	d->seq = get32(tcp + 4);
	d->ack = get32(tcp + 8);
	d->flags = get16(tcp + 12) & 0x1ff;
	d->window = get16(tcp + 14);
	d->urgent = get16(tcp + 18);
	d->payload = above - d->tcp_header;
	d->options.length = d->tcp_header - 20;
	memcpy(d->options.at, tcp + 20, d->options.length);
	return decode_options(d);
}

void frame_dump(const char *title, const struct frame *f)
{
	printf("# %s: %u octets, %u of them metadata", title, f->length, f->meta);
	for (__u32 i = 0; i < f->length; i++)
		printf("%s%02x", i % 32 ? i % 4 ? "" : " " : "\n#   ", f->bytes[i]);
	printf("\n");
}
