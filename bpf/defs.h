/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Protocol constants that BTF does not carry, and words every step uses. */
#ifndef PORCH_BPF_DEFS_H
#define PORCH_BPF_DEFS_H

#define INLINE static __always_inline
#define NOINLINE static __noinline

#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86dd
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88a8
#define ETH_HLEN 14
#define VLAN_HLEN 4
#define NO_TAG 0xffff

#define IPPROTO_HOPOPTS 0
#define IPPROTO_ICMP 1
#define IPPROTO_TCP 6
#define IPPROTO_ROUTING 43
#define IPPROTO_FRAGMENT 44
#define IPPROTO_AH 51
#define IPPROTO_ICMPV6 58
#define IPPROTO_DSTOPTS 60

#define IP_DF 0x4000
#define IP_FRAGMENTED 0x3fff /* more fragments, or an offset */
#define IPV4_HLEN 20
#define IPV6_HLEN 40
#define TCP_HLEN 20
#define ICMP_HLEN 8

#define AF_INET 2
#define AF_INET6 10

#define TCP_FIN 0x001
#define TCP_SYN 0x002
#define TCP_RST 0x004
#define TCP_PSH 0x008
#define TCP_ACK 0x010
#define TCP_URG 0x020
#define TCP_ECE 0x040
#define TCP_CWR 0x080
#define TCP_AE 0x100

/* include/net/tcp_states.h */
#define TCP_ESTABLISHED 1
#define TCP_SYN_RECV 3
#define TCP_FIN_WAIT1 4
#define TCP_FIN_WAIT2 5
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define TCP_CLOSING 11

#define TCPOPT_EOL 0
#define TCPOPT_NOP 1
#define TCPOPT_MSS 2
#define TCPOPT_WSCALE 3
#define TCPOPT_SACK_PERM 4
#define TCPOPT_TIMESTAMP 8
#define TCPOPT_MD5 19
#define TCPOPT_AO 29
#define TCP_OPTIONS_MAX 40
#define TCP_MAX_WSCALE 14

#define MSS_DEFAULT_V4 536 /* RFC 9293 3.7.1 */
#define MSS_DEFAULT_V6 1220
/* Below these bpf_sk_assign_tcp_reqsk() says -EINVAL (net/core/filter.c). */
#define MSS_MIN_V4 536
#define MSS_MIN_V6 1220

#define htons(x) ((__be16)__builtin_bswap16(x))
#define ntohs(x) ((__u16)__builtin_bswap16(x))
#define htonl(x) ((__be32)__builtin_bswap32(x))
#define ntohl(x) ((__u32)__builtin_bswap32(x))
/* For constants in initialisers and comparisons. */
#define CONST_HTONS(x) ((__be16)((((x)&0xff) << 8) | (((x) >> 8) & 0xff)))
#define CONST_HTONL(x)                                                                                       \
	((__be32)((((x)&0xffu) << 24) | (((x)&0xff00u) << 8) | (((x) >> 8) & 0xff00u) | (((x) >> 24) & 0xffu)))

/*
 * Tells the verifier that v has only these bits, in a way the compiler cannot
 * take away again. Older ones know nothing of the result of a byte swap (6.18
 * does), or learn nothing from "not zero" (6.1).
 */
#ifdef __bpf__
#define BOUND(v, mask) asm volatile("%0 &= %1" : "+r"(v) : "i"(mask))
#else
#define BOUND(v, mask) ((v) &= (mask))
#endif

/*
 * Makes the verifier forget what it knows of v, by way of x, of which it knows nothing.
 * A constant that branches decide upon makes it follow each value apart to the end.
 */
#ifdef __bpf__
#define FORGET(v, x) asm volatile("%0 ^= %1; %0 ^= %1" : "+r"(v) : "r"(x))
#else
#define FORGET(v, x) ((void)(x))
#endif

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* An IPv4-mapped address as two 64-bit loads (little-endian machines only). */
#define MAPPED_HIGH 0ull
#define MAPPED_LOW(addr) (((__u64)(addr) << 32) | 0xffff0000ull)
#define IS_MAPPED(high, low) ((high) == MAPPED_HIGH && (__u32)(low) == 0xffff0000u)

/*
 * What a step says: GO_ON, or a verdict that ends the packet's journey.
 * Only verdict.h turns verdicts into XDP actions.
 */
enum verdict {
	GO_ON = 0,
	PASS,	 /* to the kernel, untouched */
	REFUSE,	 /* no further */
	ANSWER,	 /* build the SYN-ACK and send it back */
	DELIVER, /* to the kernel, with the proof in front */
	UNKNOWN, /* from nobody we know: the kernel may, within a budget */
	STEER,	 /* deliver=afxdp: to whoever holds the flow, see steer.h */
};

/* What a TCP segment says. Host order unless noted; addresses as loaded. */
struct segment {
	__u64 s[2];
	__u64 d[2];
	__be32 ports; /* as in the header: source in the low half */
	__u16 sport;
	__u16 dport;
	__u32 seq;
	__u32 ack;
	__u16 flags;
	__u8 v6;
	__u8 ect;     /* IP ECN field is not Not-ECT */
	__u8 options; /* PORCH_OPT_* that the segment carries; for SYNs: offers */
	__u8 wscale;
	__u16 mss; /* 0: no MSS option */
	__u8 foreign; /* an option only the kernel can honour: MD5, AO */
	__u8 l3;      /* offset of the IP header */
	__u16 l4;     /* offset of the TCP header */
	__u16 payload;
	__u32 tsval;
	__u32 tsecr;
};

/* What the SYN-ACK will say. */
struct reply {
	__u32 iss;
	__u32 tsval;
	__u16 window;
	__u16 mss; /* announced */
	__u8 options;
	__u8 wscale; /* ours */
};

/* A tuple and where it hashes to; small enough to be passed to subprograms. */
struct flow_key {
	__u64 s[2];
	__u64 d[2];
	__be32 ports;
	__u32 set1;
	__u32 set2;
	__u32 fingerprint;
};

/* What parse_general() finds beside the segment. */
struct general {
	__u32 frame;	      /* octets of the frame */
	__u32 l3;	      /* octets of Ethernet header and tags */
	__u32 l4;	      /* offset of the TCP header */
	__u32 header;	      /* octets of the TCP header */
	__u32 length;	      /* octets from the TCP header to the end of the segment, by IP */
	__u32 listener;	      /* index */
	__u32 reason;	      /* enum porch_reason, beside UNKNOWN */
	__u8 bad_header;      /* lengths contradict each other */
	__u8 bad_checksum;    /* IPv4 header */
	__u8 options_known;   /* timestamps of a segment that is no SYN are in `segment` */
};

/* What a proof yields; becomes the flow entry and the metadata. */
struct proof {
	__u32 mss;
	__u8 options;
	__u8 wscale; /* client's low, ours high */
	__u8 kind;
	__u32 flow;
	__u32 ts_recent;
	__u32 ts_ecr;
};

#endif /* PORCH_BPF_DEFS_H */
