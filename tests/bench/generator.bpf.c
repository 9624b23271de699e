// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Frames at a few million per second: run through BPF_PROG_TEST_RUN with
 * BPF_F_TEST_XDP_LIVE_FRAMES, each frame leaves by bpf_redirect(). Pages come
 * back with whatever the receiver wrote, so every octet is written each time.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "porch/maps.h"
#include "bpf/defs.h"
#include "bpf/cookie.h"
#include "tests/bench/generator.h"

const volatile struct generator_config config;

__u64 random_state; /* one CPU runs this; writer of the seed: flood */
__u64 sent;
__u64 next_ns;

/* splitmix64 */
INLINE __u64 draw(void)
{
	__u64 z = (random_state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

INLINE __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The template, in the widest stores; `length` is even and known to the loader. */
INLINE int write_frame(void *data, void *end)
{
	if (data + config.length > end)
		return -1;
#pragma unroll
	for (__u32 i = 0; i < GENERATOR_FRAME_MAX / 8; i++) {
		if (i * 8 + 8 <= config.length) {
			if (data + i * 8 + 8 > end)
				return -1;
			*(__u64 *)(data + i * 8) = config.frame[i];
		} else if (i * 8 < config.length) {
			__u64 tail = config.frame[i];
#pragma unroll
			for (__u32 j = 0; j < 3; j++) {
				if (i * 8 + j * 2 + 2 > config.length)
					break;
				if (data + i * 8 + j * 2 + 2 > end)
					return -1;
				*(__u16 *)(data + i * 8 + j * 2) = tail;
				tail >>= 16;
			}
		}
	}
	return 0;
}

/* The final ACK that this host's epoch key proves; numbers in host order. */
INLINE void prove(int v6, const __u64 s[2], const __u64 d[2], __u32 ports, __u32 irs, __u32 *iss,
		  __u32 *tsval)
{
	struct porch_key key = { .k = { config.key[0], config.key[1] } };
	__u32 fields, carried;
	__u64 mac;

	if (config.ts_at) {
		fields = cookie_ts_fields(config.epoch, config.mss, config.wscale, 1, 0);
		carried = COOKIE_FORM_TS | fields;
	} else {
		fields = cookie_plain_fields(v6, config.mss, 1, config.wscale, 1);
		carried = fields;
	}
	mac = cookie_mac(&key, v6, s, d, ports, irs, carried, config.epoch);
	if (config.ts_at) {
		*iss = mac;
		*tsval = fields << COOKIE_TS_BITS | ((mac >> 32) & COOKIE_TS_MAC);
	} else {
		*iss = cookie_plain_isn(mac, config.epoch, fields);
		*tsval = 0;
	}
}

INLINE int generate(struct xdp_md *ctx, const int v6)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const __u32 l3 = ETH_HLEN, l4 = l3 + (v6 ? IPV6_HLEN : IPV4_HLEN);
	__u32 seq, ack = 0, source, port, tsval = 0, tsecr = 0, iss;
	__u64 one, two, sum = config.tcp_sum, low = 0;

	if (config.gap_ns) {
		__u64 now = bpf_ktime_get_ns();

		if (now < next_ns)
			return XDP_DROP; /* back to the pool */
		/* at most 64 frames are caught up with, so that a pause makes no burst */
		next_ns = (now - next_ns > 64 * config.gap_ns ? now : next_ns) + config.gap_ns;
	}
	if (write_frame(data, end) || data + l4 + TCP_HLEN > end)
		return XDP_ABORTED;

	one = draw();
	two = draw();
	if (config.kind == GENERATOR_DATA) {
		__u32 i = ((one & 0xffffffff) * config.tuples) >> 32;

		source = config.source + generator_tuple_address(i);
		port = generator_tuple_port(i);
	} else {
		source = config.source | ((__u32)one & config.source_mask);
		port = 1024 + ((one >> 32) & 0x7fff);
	}
	seq = two;

	if (v6) {
		__u32 *address = data + l3 + 16; /* low half of the source */

		if (config.kind != GENERATOR_DATA)
			low = (one >> 48) | (two & 0xffff00000000ull) | 0x0200000000000000ull;
		address[0] = low;
		address[1] = htonl(source);
		sum += (__u32)low + (__u64)address[1];
	} else {
		*(__u32 *)(data + l3 + 12) = htonl(source);
		sum += htonl(source);
		*(__u16 *)(data + l3 + 10) = fold(config.ip_sum + htonl(source));
	}
	*(__u16 *)(data + l4) = htons(port);
	sum += htons(port);

	if (config.kind == GENERATOR_SYN) {
		tsval = two >> 32;
	} else if (config.kind == GENERATOR_ACK_GOOD) {
		__u64 s[2], d[2];

		if (v6) {
			s[0] = *(__u64 *)(data + l3 + 8);
			s[1] = *(__u64 *)(data + l3 + 16);
			d[0] = *(__u64 *)(data + l3 + 24);
			d[1] = *(__u64 *)(data + l3 + 32);
		} else {
			s[0] = d[0] = MAPPED_HIGH;
			s[1] = MAPPED_LOW(htonl(source));
			d[1] = MAPPED_LOW(*(__u32 *)(data + l3 + 16));
		}
		prove(v6, s, d, *(__u32 *)(data + l4), seq, &iss, &tsecr);
		seq++;
		ack = iss + 1;
		tsval = two >> 32;
	} else {
		ack = two >> 32;
		tsval = one >> 16;
		tsecr = two >> 16;
	}
	*(__u32 *)(data + l4 + 4) = htonl(seq);
	*(__u32 *)(data + l4 + 8) = htonl(ack);
	sum += (__u64)htonl(seq) + htonl(ack);
	if (config.ts_at) {
		__u32 *ts = data + config.ts_at;

		if ((void *)(ts + 2) > end)
			return XDP_ABORTED;
		ts[0] = htonl(tsval);
		ts[1] = htonl(tsecr);
		sum += (__u64)ts[0] + ts[1];
	}
	*(__u16 *)(data + l4 + 16) = fold(sum);
	sent++;
	return bpf_redirect(config.ifindex, 0);
}

SEC("xdp")
int generate4(struct xdp_md *ctx)
{
	return generate(ctx, 0);
}

SEC("xdp")
int generate6(struct xdp_md *ctx)
{
	return generate(ctx, 1);
}

char _license[] SEC("license") = "Dual BSD/GPL";
