/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP options read (RFC 9293 3.2, 7323, 2018). The usual layouts are compared
 * whole, word by word; any other layout is walked with bpf_loop.
 */
#ifndef PORCH_BPF_OPTIONS_H
#define PORCH_BPF_OPTIONS_H

/* The option words as a little-endian machine loads them. */
#define OPT_MSS_HEAD 0x00000402u	  /* 02 04 mm mm */
#define OPT_NOP_WSCALE 0x00030301u	  /* 01 03 03 ww */
#define OPT_SACK_TS 0x0a080204u		  /* 04 02 08 0a */
#define OPT_NOP_NOP_SACK 0x02040101u	  /* 01 01 04 02 */
#define OPT_NOP_NOP_TS 0x0a080101u	  /* 01 01 08 0a */
#define OPT_NOPS 0x01010101u	  /* 01 01 01 01 */
#define OPT_SACK_EOL 0x00000204u	  /* 04 02 00 00 */

#define OPT_IS_MSS(w) (((w)&0xffff) == OPT_MSS_HEAD)
#define OPT_IS_WSCALE(w) (((w)&0xffffff) == OPT_NOP_WSCALE)
#define OPT_MSS_WORD(mss) (OPT_MSS_HEAD | (__u32)htons(mss) << 16)
#define OPT_WSCALE_WORD(scale) (OPT_NOP_WSCALE | (__u32)(scale) << 24)

enum layout {
	LAYOUT_OTHER,
	LAYOUT_LINUX,	   /* MSS | SACK TS | NOP WS     (Android alike) */
	LAYOUT_LINUX_PLAIN, /* MSS | NOP NOP SACK | NOP WS */
	LAYOUT_BSD,	   /* MSS | NOP WS | SACK TS     (Windows with timestamps alike) */
	LAYOUT_WINDOWS,	   /* MSS | NOP WS | NOP NOP SACK */
	LAYOUT_APPLE,	   /* MSS | NOP WS | NOP NOP TS | SACK EOL */
};

#define OPT_ALL (PORCH_OPT_WSCALE | PORCH_OPT_SACK)

INLINE void options_take(struct segment *seg, __u32 mss, __u32 wscale, __u8 options)
{
	__u32 forgotten = options;

	FORGET(forgotten, mss);
	seg->mss = ntohs(mss >> 16);
	seg->wscale = (wscale >> 24) > TCP_MAX_WSCALE ? TCP_MAX_WSCALE : wscale >> 24;
	seg->options = forgotten;
	seg->foreign = 0;
}

/* A SYN's options, if they have one of the usual layouts; fills `seg` then. */
INLINE enum layout options_usual(const struct tcphdr *th, const void *end, struct segment *seg)
{
	const __u32 *o = (const void *)(th + 1);

	switch (tcp_header_length(th)) {
	case 32:
		if ((const void *)(o + 3) > end || !OPT_IS_MSS(o[0]))
			return LAYOUT_OTHER;
		if (OPT_IS_WSCALE(o[1]) && o[2] == OPT_NOP_NOP_SACK) {
			options_take(seg, o[0], o[1], OPT_ALL);
			return LAYOUT_WINDOWS;
		}
		if (o[1] == OPT_NOP_NOP_SACK && OPT_IS_WSCALE(o[2])) {
			options_take(seg, o[0], o[2], OPT_ALL);
			return LAYOUT_LINUX_PLAIN;
		}
		return LAYOUT_OTHER;
	case 40:
		if ((const void *)(o + 5) > end || !OPT_IS_MSS(o[0]))
			return LAYOUT_OTHER;
		if (o[1] == OPT_SACK_TS && o[3] == 0 && OPT_IS_WSCALE(o[4])) {
			options_take(seg, o[0], o[4], OPT_ALL | PORCH_OPT_TIMESTAMPS);
			seg->tsval = ntohl(o[2]);
			return LAYOUT_LINUX;
		}
		if (OPT_IS_WSCALE(o[1]) && o[2] == OPT_SACK_TS && o[4] == 0) {
			options_take(seg, o[0], o[1], OPT_ALL | PORCH_OPT_TIMESTAMPS);
			seg->tsval = ntohl(o[3]);
			return LAYOUT_BSD;
		}
		return LAYOUT_OTHER;
	case 44:
		if ((const void *)(o + 6) > end || !OPT_IS_MSS(o[0]))
			return LAYOUT_OTHER;
		if (OPT_IS_WSCALE(o[1]) && o[2] == OPT_NOP_NOP_TS && o[4] == 0 && o[5] == OPT_SACK_EOL) {
			options_take(seg, o[0], o[1], OPT_ALL | PORCH_OPT_TIMESTAMPS);
			seg->tsval = ntohl(o[3]);
			return LAYOUT_APPLE;
		}
		return LAYOUT_OTHER;
	default:
		return LAYOUT_OTHER;
	}
}

/* The timestamps of a segment that is no SYN. 1: known; 0: walk the options. */
INLINE int options_of_ack(const struct tcphdr *th, const void *end, struct segment *seg)
{
	const __u32 *o = (const void *)(th + 1);

	seg->options = 0;
	if (tcp_header_length(th) == TCP_HLEN)
		return 1;
	if (tcp_header_length(th) != 32 || (const void *)(o + 3) > end || o[0] != OPT_NOP_NOP_TS)
		return 0;
	seg->options = PORCH_OPT_TIMESTAMPS;
	seg->tsval = ntohl(o[1]);
	seg->tsecr = ntohl(o[2]);
	return 1;
}

struct options_walk {
	__u8 *bytes; /* 64 and 4 of them: the masks below keep the verifier content */
	__u32 length;
	__u32 at;
	__u32 tsval;
	__u32 tsecr;
	__u16 mss;
	__u8 wscale;
	__u8 options;
	__u8 foreign;
};

#define OPT_BYTE(w, i) ((w)->bytes[(i)&63])

/* One option. 1 ends the walk. Unknown kinds, and known ones with a wrong
 * length, are skipped, as tcp_parse_options() does. */
static long options_step(__u32 index, void *ctx)
{
	struct options_walk *w = ctx;
	__u32 at = w->at, length;
	__u8 kind;

	if (at >= w->length)
		return 1;
	/* An attacker may fill the header with NOPs: four at a time. */
	if (*(__u32 *)(w->bytes + (at & 63)) == OPT_NOPS && at + 4 <= w->length) {
		w->at = at + 4;
		return 0;
	}
	kind = OPT_BYTE(w, at);
	if (kind == TCPOPT_EOL)
		return 1;
	if (kind == TCPOPT_NOP) {
		w->at = at + 1;
		return 0;
	}
	if (at + 1 >= w->length)
		return 1;
	length = OPT_BYTE(w, at + 1);
	if (length < 2 || at + length > w->length)
		return 1;
	if (kind == TCPOPT_MSS && length == 4) {
		w->mss = OPT_BYTE(w, at + 2) << 8 | OPT_BYTE(w, at + 3);
	} else if (kind == TCPOPT_WSCALE && length == 3) {
		w->wscale = OPT_BYTE(w, at + 2);
		w->options |= PORCH_OPT_WSCALE;
	} else if (kind == TCPOPT_SACK_PERM && length == 2) {
		w->options |= PORCH_OPT_SACK;
	} else if (kind == TCPOPT_TIMESTAMP && length == 10) {
		w->tsval = (__u32)OPT_BYTE(w, at + 2) << 24 | OPT_BYTE(w, at + 3) << 16 |
			   OPT_BYTE(w, at + 4) << 8 | OPT_BYTE(w, at + 5);
		w->tsecr = (__u32)OPT_BYTE(w, at + 6) << 24 | OPT_BYTE(w, at + 7) << 16 |
			   OPT_BYTE(w, at + 8) << 8 | OPT_BYTE(w, at + 9);
		w->options |= PORCH_OPT_TIMESTAMPS;
	} else if (kind == TCPOPT_MD5 || kind == TCPOPT_AO) {
		w->foreign = 1;
	}
	w->at = at + length;
	return 0;
}

/* Any layout, from the frame. 0, or -1: the frame is too short. */
INLINE int options_walk(struct xdp_md *ctx, struct porch_scratch *scratch, const struct general *g,
			struct segment *seg)
{
	__u32 length = g->header - TCP_HLEN, at = g->l4 + TCP_HLEN;
	struct options_walk w = { .bytes = scratch->options };

	if (length > TCP_OPTIONS_MAX)
		return -1;
	if (length) {
		__u32 last = length - 1;

		BOUND(last, 63); /* 6.1 learns nothing from "not zero" */
		if (bpf_xdp_load_bytes(ctx, at, scratch->options, last + 1))
			return -1;
	}
	w.length = length;
	bpf_loop(TCP_OPTIONS_MAX, options_step, &w, 0);
	seg->options = w.options;
	seg->mss = w.mss;
	seg->wscale = w.wscale > TCP_MAX_WSCALE ? TCP_MAX_WSCALE : w.wscale;
	seg->tsval = w.tsval;
	seg->tsecr = w.tsecr;
	seg->foreign = w.foreign;
	/* A SYN with an echo is no first SYN; Linux, too, then ignores its timestamps. */
	if ((seg->flags & TCP_SYN) && !(seg->flags & TCP_ACK) && w.tsecr)
		seg->options &= ~PORCH_OPT_TIMESTAMPS;
	return 0;
}

#endif /* PORCH_BPF_OPTIONS_H */
