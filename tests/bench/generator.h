/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the flood tool tells its BPF generator. It is rodata: every branch on
 * it is gone when the program runs, so one source makes many fast generators.
 */
#ifndef PORCH_BENCH_GENERATOR_H
#define PORCH_BENCH_GENERATOR_H

#define GENERATOR_FRAME_MAX 128

enum generator_kind {
	GENERATOR_SYN = 0,	/* random source, port, ISN */
	GENERATOR_ACK_BAD = 1,	/* final ACK of nothing: random numbers */
	GENERATOR_ACK_GOOD = 2, /* final ACK that the epoch key proves */
	GENERATOR_DATA = 3,	/* segment of flow number 0 to `tuples` - 1 */
};

struct generator_config {
	__u32 ifindex; /* where the frames go out */
	__u32 kind;
	__u32 length;	   /* octets of the frame, even */
	__u32 ts_at;	   /* offset of TSval in the frame; 0: no timestamps */
	__u32 source;	   /* IPv4: fixed bits of the source, host order */
	__u32 source_mask; /* IPv4: bits that vary, contiguous from bit 0 */
	__u32 tuples;
	__u32 epoch; /* ACK_GOOD */
	__u32 mss;   /* ACK_GOOD: client's options, as a SYN would have offered them */
	__u32 wscale;
	__u64 key[2]; /* ACK_GOOD: key of `epoch` */
	__u64 gap_ns; /* time between frames; 0: as fast as it goes */
	__u64 ip_sum; /* checksum parts of all that does not vary */
	__u64 tcp_sum;
	__u64 frame[GENERATOR_FRAME_MAX / 8];
};

/* Source address (low bits) and port of flow i: the same in BPF and userspace. */
static inline __attribute__((always_inline)) __u32 generator_tuple_address(__u32 i)
{
	return (i >> 12) + 2;
}

static inline __attribute__((always_inline)) __u32 generator_tuple_port(__u32 i)
{
	return 1024 + (i & 4095);
}

#endif /* PORCH_BENCH_GENERATOR_H */
