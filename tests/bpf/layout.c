// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* maps.h as userspace compiles it, against the BTF of the object: every field of every struct. */
#include "harness.h"

#include <stdio.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

static const struct harness_options options = { .flow_sets = 1, .half_open_max = 16 };
static const struct btf *btf;
static __u32 fields_seen;

static const struct btf_type *struct_begin(const char *name, size_t size)
{
	__s32 id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;

	fields_seen = 0;
	if (!t)
		fail("the object has no struct %s", name);
	else if (t->size != size)
		fail("size is %u in the object, %zu here", t->size, size);
	return t;
}

static void field(const struct btf_type *t, const char *name, size_t offset, size_t size)
{
	for (__u32 i = 0; t && i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];

		if (strcmp(btf__name_by_offset(btf, m->name_off), name))
			continue;
		fields_seen++;
		if (m->offset != offset * 8)
			fail("%s is at bit %u in the object, at octet %zu here", name, m->offset, offset);
		if ((size_t)btf__resolve_size(btf, m->type) != size)
			fail("%s has %lld octets in the object, %zu here", name,
			     (long long)btf__resolve_size(btf, m->type), size);
		return;
	}
	fail("the object has no field %s", name);
}

static void struct_end(const struct btf_type *t)
{
	if (t && fields_seen != btf_vlen(t))
		fail("the object has %u fields, %u were compared", btf_vlen(t), fields_seen);
	row_end("");
}

#define BEGIN(type)                                                                                          \
	do {                                                                                                 \
		const struct btf_type *t_;                                                                   \
		typedef struct type here;                                                                    \
		row("struct " #type " is the same in the object and here");                                  \
	t_ = struct_begin(#type, sizeof(here))
#define F(name) field(t_, #name, offsetof(here, name), sizeof(((here *)0)->name))
#define END()                                                                                                \
	struct_end(t_);                                                                                      \
	}                                                                                                    \
	while (0)

/* clang-format off */
static void structs(void)
{
	BEGIN(porch_tuple); F(remote); F(local); F(remote_port); F(local_port); END();
	BEGIN(porch_half_open); F(irs); F(iss); F(tsval); F(ts_recent); F(born_us); F(expires); F(ifindex);
		F(mss); F(options); F(wscale); F(listener); F(retransmits); F(remote_mac); F(tags); END();
	BEGIN(porch_flow); F(remote); F(local); F(remote_port); F(local_port); F(state); F(listener); F(options);
		F(wscale); F(mss); F(assigned); F(by_cookie); F(irs); F(iss); F(ts_recent); F(ts_ecr); F(expires);
		END();
	BEGIN(porch_listener_entry); F(address); F(port); F(used); F(any_address); F(deliver); F(protect); F(overflow);
		F(next); F(mss); F(reserved0); F(backlog); F(syn_rate); F(reserved1); F(regime); F(health);
		F(accept_queue_full); F(rcv_wscale); F(reserved3); F(user_mss); F(rcv_space); F(probe_tick); F(issued_ts); F(issued_plain);
		F(issued_tracked); F(left_kernel); F(calm_since); F(syn_total); F(syn_per_second); F(reserved2); END();
	BEGIN(porch_stats); F(syn_received); F(syn_passed); F(synack_sent); F(proven); F(delivered); F(refused);
		F(would_answer); F(window_tick); F(window_syns); END();
	BEGIN(porch_counters); F(syn_received); F(syn_passed); F(synack_sent); F(synack_slow); F(proven);
		F(proven_by_entry); F(delivered); F(flow_table_full); F(flows_lost); F(unknown_passed);
		F(half_open_full); F(half_open_expired); F(flows_expired); F(flows_reused); F(regime_up); F(regime_down); F(probes);
		F(deferred); F(addresses_learned); F(rtt_samples); F(rtt_us_sum);
#define X(number, name, label, text) F(refused_##label);
		PORCH_REASON_LIST(X)
#undef X
		END();
	BEGIN(porch_ports); F(listener); END();
	BEGIN(porch_addr); F(address); END();
	BEGIN(porch_addrs); F(multiplier); F(reserved); F(slot); END();
	BEGIN(porch_host); F(tick); F(epoch); F(tcp_timestamps); F(tcp_sack); F(tcp_window_scaling); F(tcp_ecn);
		F(ttl); F(hop_limit); F(flags); F(rcv_wscale); F(rcv_space); F(reply_rate); F(unknown_rate);
		F(half_open_seconds); F(layout); F(test_clock_ms); F(wall_offset); F(sweep_set); F(flows);
		F(sweep_flows); F(half_open); F(ticks_missed); F(daemon_tick);
		F(daemon_pid); F(fallback); F(afxdp); F(reserved1); END();
	BEGIN(porch_key); F(k); END();
	BEGIN(porch_master); F(key); F(from_epoch); F(id); END();
	BEGIN(porch_keys); F(epoch_key); F(derived); F(master); END();
	BEGIN(porch_iface); F(ifindex); F(mss4); F(mss6); F(xsk_base); F(xsk_queues); F(reserved); END();
	BEGIN(porch_steer); F(proven_ns); F(serial); F(ifindex); F(remote_mac); F(local_mac); F(tags); F(window);
		F(rx_queue); F(rtt_us); F(word); F(snd_nxt); F(rcv_nxt); F(ts_offset); F(until); END();
	BEGIN(porch_slot); F(ifindex); F(queue); F(worker); F(pid); F(uid); F(zero_copy); F(lease); F(tx_checksum); F(reserved);
		F(since_ns); END();
	BEGIN(porch_queue); F(depth); F(limit); F(workers); F(credit); F(peak); F(parked); F(finishing); F(reserved0); F(handed_back); F(reserved); F(admitted);
		F(handed); F(accepted); F(overflowed); F(reset); F(aborted); F(wait_ns_sum); F(wait_ns_max); END();
	BEGIN(porch_prefix); F(length); F(address); END();
	BEGIN(porch_route); F(mss); F(reserved); END();
	BEGIN(porch_budget); F(second); F(spent); END();
	BEGIN(porch_seed_args); F(tuple); F(closing); F(reserved); END();
	BEGIN(porch_tick_args); F(keep_time); END();
}
/* clang-format on */

static const struct bpf_map *map(const char *name)
{
	const struct bpf_map *m = bpf_object__find_map_by_name(harness_skeleton()->obj, name);

	if (!m)
		fail("there is no map %s", name);
	return m;
}

static void sizes(void)
{
	const struct bpf_map *half_open, *flows, *m;

	row("a half-open entry with its key takes at most 80 octets");
	half_open = map("porch_half_open");
	if (half_open) {
		expect_u32("key", bpf_map__key_size(half_open), sizeof(struct porch_tuple));
		expect_u32("value", bpf_map__value_size(half_open), sizeof(struct porch_half_open));
		if (bpf_map__key_size(half_open) + bpf_map__value_size(half_open) > 80)
			fail("%u + %u octets", bpf_map__key_size(half_open), bpf_map__value_size(half_open));
	}
	row_end("");

	row("a flow with its fingerprint takes at most 128 octets");
	flows = map("porch_flows");
	if (flows && bpf_map__value_size(flows) + 2 > 128)
		fail("%u octets", bpf_map__value_size(flows));
	row_end("");

	row("the record in front of a frame fits: a multiple of four octets, at most 32");
	if (sizeof(struct porch_meta) % 4 || sizeof(struct porch_meta) > 32)
		fail("%zu octets", sizeof(struct porch_meta));
	row_end("");

	row("the record in front of a redirected frame takes 32 octets, what every kernel has room for");
	expect_u32("record", sizeof(struct porch_record), 32);
	row_end("");

	row("where a flow goes fills one cache line");
	expect_u32("steer", sizeof(struct porch_steer), 64);
	row_end("");

	row("the counters of refusals stand in the order of their numbers");
#define X(number, name, label, text)                                                                         \
	expect_u32("refused_" #label, offsetof(struct porch_counters, refused_##label) / 8,                  \
		   offsetof(struct porch_counters, refused_bad_header) / 8 + (number)-1);
	PORCH_REASON_LIST(X)
#undef X
	row_end("");

	row("run-time fields of a listener share no cache line with its configuration");
	if (offsetof(struct porch_listener_entry, regime) % 64 || sizeof(struct porch_listener_entry) % 64)
		fail("regime is at %zu of %zu", offsetof(struct porch_listener_entry, regime),
		     sizeof(struct porch_listener_entry));
	row_end("");

	row("statistics of a listener fill one cache line");
	expect_u32("size", sizeof(struct porch_stats), 64);
	row_end("");

	row("maps are named, sized and typed as people read them");
	bpf_object__for_each_map (m, harness_skeleton()->obj) {
		const char *name = bpf_map__name(m);

		if (strchr(name, '.'))
			continue; /* rodata */
		if (strncmp(name, "porch_", 6) || strlen(name) > 15)
			fail("%s", name);
		if (bpf_map__type(m) == BPF_MAP_TYPE_XSKMAP)
			continue; /* the kernel takes none for it: porch_slots is its twin */
		if (!bpf_map__btf_value_type_id(m) || !bpf_map__btf_key_type_id(m))
			fail("%s has no BTF", name);
	}
	row_end("");
}

int main(void)
{
	harness_load(&options);
	btf = bpf_object__btf(harness_skeleton()->obj);
	structs();
	sizes();
	return harness_end();
}
