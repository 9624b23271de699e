// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What porch is measured against: nothing at all (pass, drop), and the least
 * that answers a SYN in place, with a keyed hash and both checksums.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "porch/maps.h"
#include "bpf/defs.h"
#include "bpf/siphash.h"

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

INLINE __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* IPv4, the option layout of Linux, no question asked: a floor, not a defence. */
SEC("xdp")
int reflect(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	const struct porch_key key = { .k = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	__u32 *ip = data + ETH_HLEN, *tcp = data + ETH_HLEN + IPV4_HLEN, swap;
	__u8 mac[6];
	__u64 sum = 0;
	struct sip sip;

	if (data + ETH_HLEN + IPV4_HLEN + 40 > end || *(__u16 *)(data + 12) != CONST_HTONS(ETH_P_IP) ||
	    *(__u8 *)(data + ETH_HLEN) != 0x45 || *(__u8 *)(data + ETH_HLEN + 9) != IPPROTO_TCP)
		return XDP_PASS;
	if (*(__u8 *)((void *)tcp + 13) != TCP_SYN || *(__u8 *)((void *)tcp + 12) != 0xa0)
		return XDP_PASS;

	sip_init(&sip, &key);
	sip_word(&sip, ip[3] | (__u64)ip[4] << 32);
	sip_word(&sip, tcp[0] | (__u64)tcp[1] << 32);

	__builtin_memcpy(mac, data, 6);
	__builtin_memcpy(data, data + 6, 6);
	__builtin_memcpy(data + 6, mac, 6);
	swap = ip[3];
	ip[3] = ip[4];
	ip[4] = swap;
	tcp[0] = tcp[0] << 16 | tcp[0] >> 16;
	tcp[2] = htonl(ntohl(tcp[1]) + 1);
	tcp[1] = sip_end(&sip, tcp[7], 20);
	*(__u8 *)((void *)tcp + 13) = TCP_SYN | TCP_ACK;
	tcp[8] = tcp[7];
	tcp[7] = tcp[1];
	*(__u16 *)((void *)ip + 10) = 0;
	*(__u16 *)((void *)tcp + 16) = 0;
#pragma unroll
	for (int i = 0; i < 5; i++)
		sum += ip[i];
	*(__u16 *)((void *)ip + 10) = fold(sum);
	sum = (__u64)ip[3] + ip[4] + CONST_HTONL(IPPROTO_TCP) + CONST_HTONL(40);
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += tcp[i];
	*(__u16 *)((void *)tcp + 16) = fold(sum);
	return XDP_TX;
}

char _license[] SEC("license") = "Dual BSD/GPL";
