/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames as the tests want them, right or wrong in every field, and a decoder
 * that believes nothing: lengths, checksums and options are worked out again.
 */
#ifndef PORCH_TESTS_PACKETS_H
#define PORCH_TESTS_PACKETS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <linux/types.h>

#define FRAME_MAX      4096
#define TAGS_MAX       4

#define FIN	       0x001
#define SYN	       0x002
#define RST	       0x004
#define PSH	       0x008
#define ACK	       0x010
#define URG	       0x020
#define ECE	       0x040
#define CWR	       0x080
#define AE	       0x100

#define MORE_FRAGMENTS 0x2000
#define DONT_FRAGMENT  0x4000

struct frame {
	__u32 length;
	__u32 meta; /* octets of metadata in front, counted in `length` */
	__u8 bytes[FRAME_MAX];
};

struct bytes {
	__u8 length;
	__u8 at[96];
};

#define BYTES(...) ((struct bytes){ sizeof((__u8[]){ __VA_ARGS__ }), { __VA_ARGS__ } })

struct tag {
	__u16 tpid; /* 0: no tag */
	__u16 tci;
};

/* A zero field means the usual value; the last block says what to get wrong. */
struct packet {
	struct tag tag[TAGS_MAX];
	__u8 v6;
	__u8 source[16]; /* IPv4-mapped for IPv4 */
	__u8 dest[16];
	struct bytes ip_options; /* IPv4; padded to four octets */
	struct bytes extensions; /* IPv6: whole headers, the last one naming what follows */
	__u8 extension;		 /* type of the first of them */
	__u8 protocol;		 /* TCP */
	__u8 tos;		 /* traffic class */
	__u8 ttl;		 /* 64 */
	__u16 id;
	__u16 fragment; /* flags and offset as on the wire, host order */
	__u32 flow_label;
	__u16 sport;
	__u16 dport;
	__u32 seq;
	__u32 ack;
	__u16 flags;
	__u16 window;
	__u16 urgent;
	struct bytes options; /* padded with EOL to four octets */
	__u32 payload;	      /* octets of it */
	__u32 trailer;	      /* octets behind the datagram, as Ethernet pads */

	__u8 bad_ip_checksum;
	__u8 bad_tcp_checksum;
	__u8 version;	  /* instead of 4 or 6 */
	__u8 ihl;	  /* instead of the right one, in words */
	__u8 data_offset; /* likewise; 0xff: 0 */
	__s16 length_off; /* added to total length or payload length */
	__u16 ethertype;
};

/* What a frame says. */
struct decoded {
	__u8 dst_mac[6];
	__u8 src_mac[6];
	struct tag tag[TAGS_MAX];
	__u8 tags;
	__u8 v6;
	__u8 source[16];
	__u8 dest[16];
	__u8 tos;
	__u8 ttl;
	__u16 id;
	__u16 fragment;
	__u32 flow_label;
	__u32 ip_header; /* octets, IPv6 without extensions: 40 */
	__u16 sport;
	__u16 dport;
	__u32 seq;
	__u32 ack;
	__u16 flags;
	__u16 window;
	__u16 urgent;
	__u32 tcp_header;
	struct bytes options;
	__u32 payload;
	__u32 trailer;
	/* of the options, the last of each kind; 0 or has_* tell "absent" */
	__u16 mss;
	__u8 has_wscale;
	__u8 wscale;
	__u8 has_sack;
	__u8 has_ts;
	__u32 tsval;
	__u32 tsecr;
	__u8 unknown_options;
};

extern const __u8 porch_mac[6];
extern const __u8 client_mac[6];

/* 198.51.100.n or 2001:db8:c::n; 192.0.2.n or 2001:db8:5::n */
void address_client(__u8 out[16], int v6, __u32 n);
void address_server(__u8 out[16], int v6, __u32 n);

void packet_build(const struct packet *p, struct frame *f);

/* Offsets of the IP and TCP headers in the frame that packet_build() makes. */
__u32 packet_l3(const struct packet *p);
__u32 packet_l4(const struct packet *p);

/* 0: flawless; otherwise a sentence that says what is wrong. */
const char *packet_decode(const struct frame *f, struct decoded *d);

void frame_dump(const char *title, const struct frame *f);

static inline void put16(__u8 *at, __u16 v)
{
	at[0] = v >> 8;
	at[1] = v;
}

static inline void put32(__u8 *at, __u32 v)
{
	put16(at, v >> 16);
	put16(at + 2, v);
}

static inline __u16 get16(const __u8 *at)
{
	return at[0] << 8 | at[1];
}

static inline __u32 get32(const __u8 *at)
{
	return (__u32)get16(at) << 16 | get16(at + 2);
}

#endif /* PORCH_TESTS_PACKETS_H */
