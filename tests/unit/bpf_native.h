/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Enough of a BPF world for headers of bpf/ that touch neither maps nor packets. */
#ifndef PORCH_UNIT_BPF_NATIVE_H
#define PORCH_UNIT_BPF_NATIVE_H

#include <string.h>
#include <linux/types.h>

#define __VMLINUX_H__ /* the types of maps.h are here already */
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#include "porch/maps.h"
#include "bpf/defs.h"
#undef htons
#undef ntohs
#undef htonl
#undef ntohl
#define htons(x) ((__be16)__builtin_bswap16(x))
#define ntohs(x) ((__u16)__builtin_bswap16(x))
#define htonl(x) ((__be32)__builtin_bswap32(x))
#define ntohl(x) ((__u32)__builtin_bswap32(x))

struct tcphdr {
	__be16 source, dest;
	__be32 seq, ack_seq;
	__u16 offset_flags;
	__be16 window;
	__u16 check;
	__be16 urg_ptr;
};

struct xdp_md {
	const __u8 *frame;
	__u32 length;
};

struct porch_scratch {
	__u8 options[64 + 8];
};

static inline __u32 tcp_header_length(const struct tcphdr *th)
{
	return (((const __u8 *)th)[12] >> 4) * 4;
}

static inline int bpf_xdp_load_bytes(struct xdp_md *ctx, __u32 offset, void *to, __u32 size)
{
	if (offset + size > ctx->length)
		return -1;
	memcpy(to, ctx->frame + offset, size);
	return 0;
}

static inline long bpf_loop(__u32 n, long (*step)(__u32, void *), void *ctx, __u64 flags)
{
	__u32 i;

	(void)flags;
	for (i = 0; i < n; i++)
		if (step(i, ctx))
			return i + 1;
	return n;
}

#endif /* PORCH_UNIT_BPF_NATIVE_H */
