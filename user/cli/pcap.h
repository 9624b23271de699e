/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The classic file format of libpcap, as libporch writes its records: 16 octets
 * of header in host order, then the frame. Records come through a pipe that
 * processes we do not trust write to, so a reader checks each before it believes
 * in the next.
 */
#ifndef PORCH_CLI_PCAP_H
#define PORCH_CLI_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define PCAP_FRAME_MAX	4096 /* octets of a frame: a record is written at once, PIPE_BUF at most */
#define PCAP_BUFFER	65536

struct pcap_file {
	__u32 magic;
	__u16 major, minor;
	__s32 zone;
	__u32 figures;
	__u32 snaplen;
	__u32 link;
};

struct pcap_record {
	__u32 sec, usec;
	__u32 included, length;
};

/* A header for Ethernet and microseconds. */
void pcap_file_header(struct pcap_file *ret, __u32 snaplen);

/* What has been read of the stream and not yet been taken. */
struct pcap_stream {
	__u8 data[PCAP_BUFFER];
	size_t from, to;
};

/* Where the next octets go, and how many may. Moves what is left to the front. */
void *pcap_room(struct pcap_stream *s, size_t *room);
/* 1: the next record, `frame` valid until pcap_room(); 0: it is not whole yet; -EPROTO: it is none. */
int pcap_next(struct pcap_stream *s, struct pcap_record *record, const __u8 **frame);

#endif /* PORCH_CLI_PCAP_H */
