// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A crowd of clients that costs next to nothing: `generate` sends their SYNs
 * (live frames of BPF_PROG_TEST_RUN, paced here, because each test run costs
 * milliseconds to set up), `client` runs on the clients' interface and answers
 * in place. IPv4, timestamps, the option layout of Linux. No client remembers a
 * number: what it says follows from the segment it answers.
 *
 * Frames come back to the generator with the length that their last receiver
 * left, so it sets the length each time; the client only ever writes less than
 * it got and leaves the rest as padding behind the datagram.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "porch/maps.h"
#include "bpf/defs.h"
#include "tests/bench/crowd.h"

#define L4	   (ETH_HLEN + IPV4_HLEN)
#define SYN_LENGTH (L4 + 40)
#define WINDOW	   512 /* scaled by 7 */

const volatile struct crowd_config config;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(map_flags, 1 << 10 /* BPF_F_MMAPABLE */);
	__uint(max_entries, 1);
} clients SEC(".maps");

__u32 next_client; /* writer: generate; crowd sets it back for another try */
__u32 in_burst;
__u64 next_ns;
__u64 syns, acks, fins, resets, requests, done, odd; /* writer of each: one of the two programs */
__u32 stop;					     /* writer: crowd; answers are RST from now on */

INLINE __u16 fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

INLINE __u32 clock_ms(void)
{
	return bpf_ktime_get_ns() / 1000000;
}

INLINE void write_ip(void *data, __u32 saddr, __u32 daddr, __u32 tcp_length)
{
	__u32 *w = data + ETH_HLEN;

	w[0] = CONST_HTONL(0x45000000) | (__u32)htons(IPV4_HLEN + tcp_length) << 16;
	w[1] = CONST_HTONL(IP_DF);
	w[2] = (__u32)IPPROTO_TCP << 8 | 64;
	w[3] = saddr;
	w[4] = daddr;
	*(__u16 *)((void *)w + 10) = fold((__u64)w[0] + w[1] + w[2] + w[3] + w[4]);
}

INLINE __u64 pseudo(__u32 saddr, __u32 daddr, __u32 tcp_length)
{
	return (__u64)saddr + daddr + htons(IPPROTO_TCP) + htons(tcp_length);
}

SEC("xdp")
int generate(struct xdp_md *ctx)
{
	__u32 n = next_client, saddr, daddr = htonl(config.destination);
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	long excess = end - data - SYN_LENGTH;
	__u64 *state, sum, now;
	__u32 *t;

	if (n >= config.count)
		return XDP_DROP;
	now = bpf_ktime_get_ns();
	if (now < next_ns)
		return XDP_DROP; /* back to the pool */
	next_client = n + 1;
	state = bpf_map_lookup_elem(&clients, &n);
	if (!state || *state == CROWD_DONE)
		return XDP_DROP;
	if (++in_burst >= config.burst) {
		__u64 gap = config.gap_ns * config.burst;

		in_burst = 0;
		/* a pause is not made up for by a flood */
		next_ns = (now - next_ns > 64 * gap ? now : next_ns) + gap;
	}
	if (excess && bpf_xdp_adjust_tail(ctx, -(int)excess))
		return XDP_ABORTED;
	data = (void *)(long)ctx->data;
	end = (void *)(long)ctx->data_end;
	if (data + SYN_LENGTH > end)
		return XDP_ABORTED;

#pragma unroll
	for (int i = 0; i < 12; i++)
		*(__u8 *)(data + i) = config.mac[i];
	*(__u16 *)(data + 12) = CONST_HTONS(ETH_P_IP);
	saddr = htonl(config.source + n / CROWD_PORTS);
	write_ip(data, saddr, daddr, 40);
	t = data + L4;
	t[0] = htonl((CROWD_PORT + n % CROWD_PORTS) << 16 | config.port);
	t[1] = htonl(config.isn + n * 2654435761u);
	t[2] = 0;
	t[3] = htonl(10u << 28 | TCP_SYN << 16 | 64240);
	t[4] = 0;
	t[5] = CONST_HTONL(0x020405b4);
	t[6] = CONST_HTONL(0x0402080a);
	t[7] = htonl(clock_ms());
	t[8] = 0;
	t[9] = CONST_HTONL(0x01030307);
	sum = pseudo(saddr, daddr, 40);
#pragma unroll
	for (int i = 0; i < 10; i++)
		sum += t[i];
	*(__u16 *)(data + L4 + 16) = fold(sum);
	*state = CROWD_SYN_SENT;
	syns++;
	return bpf_redirect(config.ifindex, 0);
}

/* The segment in place becomes its answer; `payload` octets, 0 or 1. */
INLINE int answer(void *data, void *end, __u32 tsval, __u32 advance, __u8 flags, __u32 payload)
{
	__u32 *ip = data + ETH_HLEN, *t = data + L4, seq, ack, saddr, daddr;
	__u16 *m = data, swap;
	__u64 sum;

	if (data + L4 + 32 + payload > end)
		return XDP_ABORTED;
#pragma unroll
	for (int i = 0; i < 3; i++) {
		swap = m[i];
		m[i] = m[i + 3];
		m[i + 3] = swap;
	}
	saddr = ip[4];
	daddr = ip[3];
	write_ip(data, saddr, daddr, 32 + payload);
	seq = t[2];
	ack = htonl(ntohl(t[1]) + advance);
	t[0] = t[0] << 16 | t[0] >> 16;
	t[1] = seq;
	t[2] = ack;
	t[3] = htonl(8u << 28 | (__u32)flags << 16 | WINDOW);
	t[4] = 0;
	t[5] = CONST_HTONL(0x0101080a);
	t[6] = htonl(clock_ms());
	t[7] = tsval;
	sum = pseudo(saddr, daddr, 32 + payload);
#pragma unroll
	for (int i = 0; i < 8; i++)
		sum += t[i];
	if (payload) {
		*(__u8 *)(data + L4 + 32) = 'x';
		sum += 'x'; /* the low octet of a word, as it lies in memory */
	}
	*(__u16 *)(data + L4 + 16) = fold(sum);
	/* not XDP_TX: that wakes a peer only if it runs a program of its own */
	return bpf_redirect(config.ifindex, 0);
}

INLINE void finished(__u64 *state)
{
	if (*state != CROWD_DONE) {
		*state = CROWD_DONE;
		done++;
	}
}

SEC("xdp")
int client(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 *ip = data + ETH_HLEN, *t = data + L4, n, header, payload, tsval;
	__u64 *state;
	__u8 flags;

	if (data + L4 + TCP_HLEN > end || *(__u16 *)(data + 12) != CONST_HTONS(ETH_P_IP))
		return XDP_PASS;
	if (*(__u8 *)(data + ETH_HLEN) != 0x45 || *(__u8 *)(data + ETH_HLEN + 9) != IPPROTO_TCP)
		return XDP_PASS;
	n = (ntohl(ip[4]) - config.source) * CROWD_PORTS + (ntohl(t[0]) & 0xffff) - CROWD_PORT;
	if (ntohl(t[0]) >> 16 != config.port || n >= config.count)
		return XDP_DROP; /* an answer to somebody's flood */
	state = bpf_map_lookup_elem(&clients, &n);
	if (!state)
		return XDP_DROP;
	flags = *(__u8 *)(data + L4 + 13);
	if (flags & TCP_RST) {
		resets++;
		finished(state);
		return XDP_DROP;
	}
	header = (*(__u8 *)(data + L4 + 12) >> 4) * 4;
	payload = ntohs(*(__u16 *)(data + ETH_HLEN + 2)) - IPV4_HLEN - header;
	if (header < 32 || data + L4 + 32 > end || payload > 1460) {
		odd++;
		return XDP_DROP;
	}
	if (flags == (TCP_SYN | TCP_ACK)) {
		if (header != 40 || t[6] != CONST_HTONL(0x0402080a)) {
			odd++;
			return XDP_DROP;
		}
		tsval = t[7];
		if (*state < CROWD_CONNECTED) {
			*state = CROWD_CONNECTED;
			acks++;
		}
		if (config.kind == CROWD_ASK)
			return answer(data, end, tsval, 1, TCP_ACK | TCP_PSH, 1);
		return answer(data, end, tsval, 1, TCP_ACK, 0);
	}
	if (t[5] != CONST_HTONL(0x0101080a)) {
		odd++;
		return XDP_DROP;
	}
	tsval = t[6];
	if (stop && (payload || flags & TCP_FIN)) {
		finished(state);
		return answer(data, end, tsval, payload, TCP_RST | TCP_ACK, 0);
	}
	if (flags & TCP_FIN) {
		*state = CROWD_FIN_SENT;
		fins++;
		return answer(data, end, tsval, payload + 1, TCP_FIN | TCP_ACK, 0);
	}
	if (payload) {
		requests++;
		return answer(data, end, tsval, payload, TCP_ACK | TCP_PSH, config.kind == CROWD_ASK);
	}
	if (*state == CROWD_FIN_SENT)
		finished(state);
	return XDP_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
