// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Packets: from packetdrill to whose they are, and back in the order they were sent. */
#include <netinet/in.h>
#include <stdlib.h>

#include "drill.h"

static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

void wire_sent(struct drill *d, const void *packet, uint32_t length)
{
	struct sent *s = malloc(sizeof(*s) + length);

	if (!s)
		abort();
	*s = (struct sent){ .at = d->now, .length = length };
	memcpy(s->packet, packet, length);
	*d->out_tail = s;
	d->out_tail = &s->next;
}

/* The frame's addresses, transport header and protocol; 0: nothing for us. */
static uint32_t addresses(const uint8_t *ip, uint32_t n, uint8_t source[16], uint8_t dest[16],
			  uint8_t *protocol, uint32_t *total)
{
	if (n >= 20 && ip[0] >> 4 == 4) {
		uint32_t header = (ip[0] & 15) * 4;

		*total = (uint32_t)ip[2] << 8 | ip[3];
		if (header < 20 || *total > n || *total < header || (ip[6] & 0x3f) || ip[7])
			return 0;
		memcpy(source, mapped, 12);
		memcpy(dest, mapped, 12);
		memcpy(source + 12, ip + 12, 4);
		memcpy(dest + 12, ip + 16, 4);
		*protocol = ip[9];
		return header;
	}
	if (n >= 40 && ip[0] >> 4 == 6) {
		*total = 40 + ((uint32_t)ip[4] << 8 | ip[5]);
		if (*total > n)
			return 0;
		memcpy(source, ip + 8, 16);
		memcpy(dest, ip + 24, 16);
		*protocol = ip[6];
		return 40;
	}
	return 0;
}

/* An error that quotes a segment of ours. */
static void icmp(struct drill *d, const uint8_t *frame, uint32_t length, uint32_t l4)
{
	uint8_t source[16], dest[16], protocol;
	const uint8_t *quoted = frame + l4 + 8, *tcp;
	uint32_t header, total, room;
	struct flow *f;

	if (length < l4 + 8)
		return;
	room = length - l4 - 8;
	if (room < 20)
		return;
	/* the quoted packet is cut short: its own length says more than there is */
	if (quoted[0] >> 4 == 4)
		header = (quoted[0] & 15) * 4;
	else
		header = 40;
	if (room < header + 8)
		return;
	total = addresses(quoted, 65535, source, dest, &protocol, &total);
	if (!total || protocol != IPPROTO_TCP)
		return;
	tcp = quoted + header;
	f = flow_find(d, dest, source, (uint16_t)(tcp[2] << 8 | tcp[3]), (uint16_t)(tcp[0] << 8 | tcp[1]));
	if (!f || !f->opened || f->conn.flags & TCP_CONN_DONE)
		return;
	f->stack.now = d->now;
	tcp_icmp(&f->stack, &f->conn, frame, length, DRILL_ETH, l4);
}

static void segment(struct drill *d, const uint8_t *frame, uint32_t length, uint32_t l4,
		    const uint8_t *source, const uint8_t *dest)
{
	struct tcp_segment seg;
	struct flow *f;
	const uint8_t *tcp = frame + l4;

	if (tcp_parse(frame, length, DRILL_ETH, l4, length - l4, &seg))
		return;
	f = flow_find(d, source, dest, (uint16_t)(tcp[0] << 8 | tcp[1]), (uint16_t)(tcp[2] << 8 | tcp[3]));
	if (!f || !f->opened || f->conn.flags & TCP_CONN_DONE) {
		handshake_segment(d, f, frame, length, l4, &seg, source, dest);
		return;
	}
	f->stack.now = d->now;
	tcp_input(&f->stack, &f->conn, &seg);
}

int wire_in(struct drill *d, const void *packet, size_t n)
{
	uint8_t source[16], dest[16], protocol;
	uint32_t header, total;
	uint8_t *frame;

	if (!n || n > 65535)
		return -EINVAL;
	frame = malloc(DRILL_ETH + n);
	if (!frame)
		return -ENOMEM;
	memcpy(frame, macs, 12);
	memcpy(frame + DRILL_ETH, packet, n);
	header = addresses(frame + DRILL_ETH, (uint32_t)n, source, dest, &protocol, &total);
	memcpy(frame + 12, frame[DRILL_ETH] >> 4 == 4 ? "\x08\x00" : "\x86\xdd", 2);
	if (d->xdp)
		xdp_frame(d, frame, DRILL_ETH + (uint32_t)n);
	else if (header && protocol == IPPROTO_TCP && total >= header + 20)
		segment(d, frame, DRILL_ETH + total, DRILL_ETH + header, source, dest);
	else if (header && (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6))
		icmp(d, frame, DRILL_ETH + total, DRILL_ETH + header);
	drill_changed(d);
	free(frame);
	return 0;
}

int wire_out(struct drill *d, void *packet, size_t *n, long long *usecs)
{
	struct sent *s;
	uint64_t next;

	while (!(s = d->out)) {
		next = drill_next(d);
		if (next ==
		    DRILL_NEVER) { /* nothing will ever come: packetdrill says so, instead of waiting */
			*n = 0;
			*usecs = (long long)(DRILL_WALL * 1000000 + d->now / 1000);
			return 0;
		}
		drill_advance(d, max_u64(next, d->now + 1));
	}
	d->out = s->next;
	if (!d->out)
		d->out_tail = &d->out;
	*n = s->length < *n ? s->length : *n;
	memcpy(packet, s->packet, *n);
	*usecs = (long long)(DRILL_WALL * 1000000 + s->at / 1000);
	free(s);
	return 0;
}

void wire_free(struct drill *d)
{
	struct sent *s;

	while ((s = d->out)) {
		d->out = s->next;
		free(s);
	}
	d->out_tail = &d->out;
}
