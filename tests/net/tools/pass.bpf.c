// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Programs of the client's side. XDP_TX out of one end of a veth pair needs a
 * native program at the other; `pass` is enough.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

/* Answers to spoofed sources (10.64.0.0/10, fd64::/16) vanish as they would on the internet. */
SEC("xdp")
int sink(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u16 *type = data + 12;

	if (data + 14 + 40 > end)
		return XDP_PASS;
	if (*type == bpf_htons(0x0800) && (*(__u32 *)(data + 14 + 16) & bpf_htonl(0xffc00000)) == bpf_htonl(0x0a400000))
		return XDP_DROP;
	if (*type == bpf_htons(0x86dd) && *(__u16 *)(data + 14 + 24) == bpf_htons(0xfd64))
		return XDP_DROP;
	return XDP_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
