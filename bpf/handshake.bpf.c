// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * porch: the packet's journey. Read this file first; each step is one header.
 *
 *   porch_xdp       frame -> parse -> listener? -> SYN | anything else -> verdict
 *   porch_tc        proven segment -> a request for the kernel's listener
 *   porch_sk_state  what the kernel's sockets do -> flow table, listeners' health
 *   porch_arm, porch_tick_once, porch_seed    called by porch, by way of test_run
 *   porch_flows_txt `cat <pin>/flows`
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "porch/maps.h"
#include "defs.h"
#include "maps.h"
#include "count.h"
#include "listeners.h"
#include "csum.h"
#include "parse.h"
#include "options.h"
#include "cookie.h"
#include "flows.h"
#include "half_open.h"
#include "regime.h"
#include "health.h"
#include "budget.h"
#include "syn.h"
#include "reply.h"
#include "ack.h"
#include "deliver.h"
#include "verdict.h"
#include "tc.h"
#include "sock_state.h"
#include "tick.h"
#include "flows_text.h"

#define IS_SYN(seg) (((seg)->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)

/* Tags, odd headers, odd options, payload in a SYN: correct before fast. A
 * global function, so that the verifier looks at it once and on its own. */
__noinline int porch_general(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_host *h = host_settings();
	struct porch_listener *l = 0;
	struct segment *seg;
	struct general *g;
	enum parsed parsed;
	enum verdict v;
	__u32 index;

	if (!scratch || !h)
		return XDP_PASS;
	seg = &scratch->segment;
	g = &scratch->general;
	parsed = parse_general(ctx, scratch, seg, g);
	if (parsed == PARSED_OTHER)
		return XDP_PASS;
	index = listener_find(seg->d, seg->dport, &l);
	if (!index || l->protect == PORCH_PROTECT_OFF)
		return XDP_PASS;
	if (g->bad_checksum)
		return xdp_action(refuse(index, PORCH_REASON_BAD_CHECKSUM), l);
	if (parsed == PARSED_SHORT || g->bad_header)
		return xdp_action(refuse(index, PORCH_REASON_BAD_HEADER), l);
	options_walk(scratch, g->header - TCP_HLEN, seg);
	if (IS_SYN(seg)) {
		v = on_syn(ctx, seg, index, l, h, &scratch->reply);
		if (v == ANSWER)
			v = reply_general(ctx, seg, h, &scratch->reply, scratch, g, index);
	} else {
		v = on_segment(ctx, seg, index, l, h, scratch);
		if (v == DELIVER)
			deliver(ctx, seg, &scratch->proof, index, h);
	}
	return xdp_action(v, l);
}

/* What a usual_*() says when only porch_general() can tell. No XDP action. */
#define LOOK_AGAIN (-1)

/* The usual frame, in place: inlined once for IPv4 and once for IPv6. */
INLINE int usual(struct xdp_md *ctx, struct segment *seg, void *data, void *end)
{
	struct tcphdr *th = data + ETH_HLEN + (seg->v6 ? IPV6_HLEN : IPV4_HLEN);
	struct porch_listener *l = 0;
	enum layout layout;
	struct reply r = {};
	struct porch_scratch *scratch;
	struct porch_host *h;
	enum verdict v;
	__u32 index;

	index = listener_find(seg->d, seg->dport, &l);
	if (likely(!index))
		return XDP_PASS;
	h = host_settings();
	if (!h || l->protect == PORCH_PROTECT_OFF)
		return XDP_PASS;
	if (IS_SYN(seg)) {
		layout = options_usual(th, end, seg);
		if (layout == LAYOUT_OTHER || seg->payload || !h->tcp_timestamps || !h->tcp_sack ||
		    !h->tcp_window_scaling)
			return LOOK_AGAIN;
		v = on_syn(ctx, seg, index, l, h, &r);
		if (v == ANSWER)
			v = reply_in_place(data, seg, h, &r, layout);
	} else {
		if (!options_of_ack(th, end, seg))
			return LOOK_AGAIN;
		scratch = scratch_of_cpu();
		if (!scratch)
			return XDP_PASS;
		v = on_segment(ctx, seg, index, l, h, scratch);
		if (v == DELIVER)
			deliver(ctx, seg, &scratch->proof, index, h);
	}
	return xdp_action(v, l);
}

/*
 * Global functions, three in a row instead of nested: each has the stack for
 * itself, and the verifier sees each once.
 */
__noinline int porch_usual_ipv4(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct segment seg = {};

	switch (parse_usual_ipv4(data, end, &seg)) {
	case PARSED_SEGMENT:
		return usual(ctx, &seg, data, end);
	case PARSED_GENERAL:
		return LOOK_AGAIN;
	default:
		return XDP_PASS;
	}
}

__noinline int porch_usual_ipv6(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct segment seg = {};

	switch (parse_usual_ipv6(data, end, &seg)) {
	case PARSED_SEGMENT:
		return usual(ctx, &seg, data, end);
	case PARSED_GENERAL:
		return LOOK_AGAIN;
	default:
		return XDP_PASS;
	}
}

SEC("xdp")
int porch_xdp(struct xdp_md *ctx)
{
	struct ethhdr *eth = (void *)(long)ctx->data;
	int action = LOOK_AGAIN;

	if (unlikely((void *)(eth + 1) > (void *)(long)ctx->data_end))
		return XDP_PASS;
	if (likely(eth->h_proto == CONST_HTONS(ETH_P_IP)))
		action = porch_usual_ipv4(ctx);
	else if (eth->h_proto == CONST_HTONS(ETH_P_IPV6))
		action = porch_usual_ipv6(ctx);
	else if (eth->h_proto != CONST_HTONS(ETH_P_8021Q) && eth->h_proto != CONST_HTONS(ETH_P_8021AD))
		return XDP_PASS;
	return unlikely(action == LOOK_AGAIN) ? porch_general(ctx) : action;
}

SEC("tc")
int porch_tc(struct __sk_buff *skb)
{
	return tc_ingress(skb);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(porch_sk_state, const struct sock *sk, int oldstate, int newstate)
{
	return sock_state(sk, oldstate, newstate);
}

SEC("syscall")
int porch_arm(void *ctx)
{
	return tick_arm();
}

/* For tests: a tick whose time is what porch_host says, if keep_time is set. */
SEC("syscall")
int porch_tick_once(struct porch_tick_args *args)
{
	struct porch_host *h = host_settings();
	__u32 zero = 0;
	struct porch_keys *keys = bpf_map_lookup_elem(&porch_keys, &zero);

	if (!h || !keys)
		return -2;
	if (args->keep_time)
		epoch_keys(keys, h->epoch, 0);
	else
		tick_clocks(h, keys, 0);
	return tick_work(h);
}

/* A connection the kernel held before porch came. */
SEC("syscall")
int porch_seed(struct porch_seed_args *args)
{
	struct porch_flow like = {};
	struct porch_listener *l = 0;
	struct porch_host *h = host_settings();
	struct flow_key k;
	long way;

	__builtin_memcpy(k.s, args->tuple.remote, 16);
	__builtin_memcpy(k.d, args->tuple.local, 16);
	k.ports = htons(args->tuple.remote_port) | (__u32)htons(args->tuple.local_port) << 16;
	flow_hash(&k, !IS_MAPPED(k.d[0], k.d[1]));
	like.listener = listener_find(k.d, args->tuple.local_port, &l);
	if (!h || !like.listener)
		return -2;
	like.expires = h->tick + CLOSING_TICKS;
	way = flow_claim(&k, h->tick);
	if (way == FLOW_UNKNOWN || way == FLOW_BUSY_NOW)
		return 0; /* the tracepoint was faster */
	if (way < 0)
		return -28;
	flow_publish(way, &k, &like, args->closing ? PORCH_FLOW_CLOSING : PORCH_FLOW_DELIVERED);
	return 0;
}

SEC("iter/bpf_map_elem")
int porch_flows_txt(struct bpf_iter__bpf_map_elem *ctx)
{
	return flows_text(ctx);
}

char _license[] SEC("license") = "Dual BSD/GPL";
