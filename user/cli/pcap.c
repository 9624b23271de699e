// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "cli/pcap.h"

#define MAGIC	 0xa1b2c3d4
#define ETHERNET 1
#define SECOND	 1000000

void pcap_file_header(struct pcap_file *ret, __u32 snaplen)
{
	*ret = (struct pcap_file){
		.magic = MAGIC,
		.major = 2,
		.minor = 4,
		.snaplen = snaplen,
		.link = ETHERNET,
	};
}

void *pcap_room(struct pcap_stream *s, size_t *room)
{
	memmove(s->data, s->data + s->from, s->to - s->from);
	s->to -= s->from;
	s->from = 0;
	*room = sizeof(s->data) - s->to;
	return s->data + s->to;
}

int pcap_next(struct pcap_stream *s, struct pcap_record *record, const __u8 **frame)
{
	struct pcap_record r;
	size_t left = s->to - s->from;

	if (left < sizeof(r))
		return 0;
	memcpy(&r, s->data + s->from, sizeof(r));
	if (r.included > PCAP_FRAME_MAX || r.included > r.length || r.length > 65535 || r.usec >= SECOND)
		return -EPROTO;
	if (left < sizeof(r) + r.included)
		return 0;
	*record = r;
	*frame = s->data + s->from + sizeof(r);
	s->from += sizeof(r) + r.included;
	return 1;
}
