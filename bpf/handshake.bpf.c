// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * porch: the packet's journey. Read this file first; each step is one header.
 *
 *   porch_xdp       frame -> parse -> listener? -> SYN | anything else -> verdict
 *                   deliver=afxdp: -> held? -> its holder's AF_XDP socket | proof -> porchd's
 *   porch_tc        proven segment -> a request for the kernel's listener
 *                   deliver=afxdp: nothing that the kernel would answer with a reset
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
#include "clock.h"
#include "csum.h"
#include "parse.h"
#include "options.h"
#include "cookie.h"
#include "phase.h"
#include "flows.h"
#include "flow_life.h"
#include "half_open.h"
#include "regime.h"
#include "health.h"
#include "budget.h"
#include "proof.h"
#include "steer.h"
#include "admit.h"
#include "syn.h"
#include "reply.h"
#include "deliver.h"
#include "ack.h"
#include "time_wait.h"
#include "icmp.h"
#include "verdict.h"
#include "further.h"
#include "handed.h"
#include "guard.h"
#include "tc.h"
#include "sock_state.h"
#include "tick.h"
#include "flows_text.h"

#define IS_SYN(seg) (((seg)->flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)

/* Any frame: correct before fast. The functions of this journey are global, in
 * a row instead of nested: each has the stack for itself, and the verifier
 * looks at each once. */
__noinline int porch_parse(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_listener_entry *l = 0;
	struct general *g;
	enum parsed parsed;

	if (!scratch)
		return XDP_PASS;
	g = &scratch->general;
	parsed = parse_general(ctx, scratch, &scratch->segment, g);
	if (parsed == PARSED_OTHER)
		return XDP_PASS;
	g->listener = listener_find(scratch->segment.d, scratch->segment.dport, &l);
	if (!g->listener || l->protect == PORCH_PROTECT_OFF)
		return XDP_PASS;
	if (g->bad_checksum)
		return xdp_action(refuse(g->listener, PORCH_REASON_BAD_CHECKSUM), l);
	if (parsed == PARSED_SHORT || g->bad_header)
		return xdp_action(refuse(g->listener, PORCH_REASON_BAD_HEADER), l);
	return LOOK_AT_OPTIONS;
}

/* A segment of a listener with options, a payload or a frame out of the usual. */
__noinline int porch_general(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_host *h = host_settings();
	struct porch_listener_entry *l;
	struct segment *seg;
	struct general *g;
	enum known known;
	enum verdict v;

	if (!scratch || !h)
		return XDP_PASS;
	seg = &scratch->segment;
	g = &scratch->general;
	l = listener_at(g->listener);
	if (!l)
		return XDP_PASS;
	if (porch_options(ctx))
		return xdp_action(REFUSE, l);
	if (IS_SYN(seg)) {
		v = on_syn(ctx, seg, g->listener, l, h, &scratch->reply);
		if (v == ANSWER)
			v = reply_general(ctx, seg, h, &scratch->reply, scratch, g, g->listener);
	} else if (l->deliver == PORCH_DELIVER_AFXDP) {
		return LOOK_FOR_HOLDER;
	} else {
		known = segment_known(seg, scratch);
		if (known == KNOWN_HELD || l->protect == PORCH_PROTECT_MONITOR)
			return XDP_PASS;
		v = on_segment(seg, known, g->listener, l, h, scratch);
		if (v == UNKNOWN)
			return LOOK_UP;
		if (v == DELIVER)
			deliver(ctx, seg, &scratch->proof, g->listener, h);
	}
	return v == STEER ? LOOK_FOR_HOLDER : xdp_action(v, l);
}

__noinline int porch_look_up(struct xdp_md *ctx)
{
	struct porch_scratch *scratch = scratch_of_cpu();
	struct porch_host *h = host_settings();
	struct porch_listener_entry *l;

	if (!scratch || !h)
		return XDP_PASS;
	l = listener_at(scratch->general.listener);
	return l ? xdp_action(on_unknown(ctx, scratch, l, h), l) : XDP_PASS;
}

/* The usual packet, in place: inlined once for IPv4 and once for IPv6. */
INLINE int usual(struct xdp_md *ctx, struct segment *seg, void *data, void *ip, void *end)
{
	struct tcphdr *th = ip + (seg->v6 ? IPV6_HLEN : IPV4_HLEN);
	struct porch_listener_entry *l = 0;
	enum known known;
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
	/* Flows that porchd was given go on when protect is set to off. */
	if (!h || (l->protect == PORCH_PROTECT_OFF && (IS_SYN(seg) || l->deliver != PORCH_DELIVER_AFXDP)))
		return XDP_PASS;
	if (IS_SYN(seg)) {
		layout = options_usual(th, end, seg);
		/* A probe may change what the host agrees to, after the layout was chosen. */
		if (layout == LAYOUT_OTHER || seg->payload ||
		    (l->deliver != PORCH_DELIVER_AFXDP &&
		     (probe_is_due(l, seg->v6, h->tick) || l->accept_queue_full)) ||
		    !h->tcp_timestamps || !h->tcp_sack || !h->tcp_window_scaling)
			return look_further(ctx, seg, th, index, 0, LOOK_AT_OPTIONS);
		v = on_syn(ctx, seg, index, l, h, &r);
		if (v == ANSWER)
			v = reply_in_place(data, ip, seg, h, &r, layout);
	} else if (unlikely(l->deliver == PORCH_DELIVER_AFXDP)) {
		return look_further(ctx, seg, th, index, options_of_ack(th, end, seg), LOOK_FOR_HOLDER);
	} else {
		scratch = scratch_of_cpu();
		if (!scratch || l->protect == PORCH_PROTECT_MONITOR)
			return XDP_PASS;
		known = segment_known(seg, scratch);
		if (likely(known == KNOWN_HELD))
			return XDP_PASS;
		if (!options_of_ack(th, end, seg))
			return look_further(ctx, seg, th, index, 0, LOOK_AT_OPTIONS);
		v = on_segment(seg, known, index, l, h, scratch);
		if (v == UNKNOWN)
			return LOOK_UP;
		if (v == DELIVER)
			deliver(ctx, seg, &scratch->proof, index, h);
	}
	if (unlikely(v == STEER))
		return look_further(ctx, seg, th, index, 1, LOOK_FOR_HOLDER);
	return xdp_action(v, l);
}

INLINE int look_at_icmp(__u32 l3, int v6)
{
	struct porch_scratch *scratch = scratch_of_cpu();

	if (!scratch)
		return XDP_PASS;
	scratch->general.l3 = l3;
	scratch->segment.v6 = v6;
	return LOOK_AT_ICMP;
}

/* `l3`: octets of Ethernet header and tags. */
INLINE int usual_of_family(struct xdp_md *ctx, __u32 l3, int v6)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct segment seg = {};
	enum parsed parsed;
	void *ip;

	if (data + ETH_HLEN > end)
		return XDP_PASS;
	l3 &= 31; /* 14, 18 or 22, but the verifier has not seen that */
	ip = data + l3;
	barrier_var(ip); /* else it is computed anew, and must be checked anew */
	seg.l3 = l3;
	seg.l4 = l3 + (v6 ? IPV6_HLEN : IPV4_HLEN);
	parsed = v6 ? parse_usual_ipv6(ip, end, &seg) : parse_usual_ipv4(ip, end, &seg);
	if (likely(parsed == PARSED_SEGMENT))
		return usual(ctx, &seg, data, ip, end);
	if (parsed == PARSED_ICMP)
		return look_at_icmp(l3, v6);
	return parsed == PARSED_GENERAL ? LOOK_AGAIN : XDP_PASS;
}

__noinline int porch_usual_ipv4(struct xdp_md *ctx, __u32 l3)
{
	return usual_of_family(ctx, l3, 0);
}

__noinline int porch_usual_ipv6(struct xdp_md *ctx, __u32 l3)
{
	return usual_of_family(ctx, l3, 1);
}

SEC("xdp")
int porch_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	__u32 l3 = ETH_HLEN;
	__be16 type;
	int action;

	if (unlikely(data + ETH_HLEN > end))
		return XDP_PASS;
	type = parse_tags(data, end, &l3);
	if (likely(type == CONST_HTONS(ETH_P_IP)))
		action = porch_usual_ipv4(ctx, l3);
	else if (type == CONST_HTONS(ETH_P_IPV6))
		action = porch_usual_ipv6(ctx, l3);
	else
		return XDP_PASS;
	if (unlikely(action == LOOK_AGAIN))
		action = porch_parse(ctx);
	if (unlikely(action == LOOK_AT_OPTIONS))
		action = porch_general(ctx);
	if (action == LOOK_FOR_HOLDER)
		action = porch_holder(ctx);
	if (unlikely(action < 0)) {
		if (action == LOOK_AT_ICMP)
			action = porch_icmp(ctx);
		if (action == LOOK_FOR_PROOF)
			action = porch_admit(ctx);
		if (action == LOOK_AT_OLD_LIFE)
			action = porch_old_life(ctx);
		if (action == LOOK_UP)
			action = porch_look_up(ctx);
	}
	return action;
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
	struct porch_listener_entry *l = 0;
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
