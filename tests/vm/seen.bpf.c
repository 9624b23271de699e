// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Somebody else's XDP program: counts what comes by, TCP by the number of its
 * VLAN tags, loses some of it if told to, and passes the rest on.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define ETH_HLEN 14
#define VLAN_HLEN 4
#define IPPROTO_TCP 6

enum { FRAMES, TCP_UNTAGGED, TCP_TAGGED, TCP_TWICE_TAGGED, LOSE_ONE_OF, NUMBERS };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NUMBERS);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline __u64 count(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&seen, &what);

	return n ? __sync_fetch_and_add(n, 1) : 0;
}

static __always_inline void count_tcp(struct xdp_md *ctx)
{
	__u32 at = ETH_HLEN, tags;
	__u8 type[2], protocol;

	for (tags = 0; tags < 3; tags++) {
		if (bpf_xdp_load_bytes(ctx, at - 2, type, 2))
			return;
		if ((type[0] != 0x81 || type[1] != 0) && (type[0] != 0x88 || type[1] != 0xa8))
			break;
		at += VLAN_HLEN;
	}
	if (tags == 3 || bpf_xdp_load_bytes(ctx, at + (type[0] == 0x86 ? 6 : 9), &protocol, 1))
		return;
	if (protocol == IPPROTO_TCP)
		count(TCP_UNTAGGED + tags);
}

SEC("xdp")
int seen_pass(struct xdp_md *ctx)
{
	__u32 lose_one_of = LOSE_ONE_OF, number = count(FRAMES);
	__u64 *n = bpf_map_lookup_elem(&seen, &lose_one_of);

	count_tcp(ctx);
	/* Scattered, and the same in each run. */
	if (n && *n && (number * 2654435761u >> 8) % (__u32)*n == 0)
		return XDP_DROP;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
