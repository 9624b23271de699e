// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "compare.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

bool disagreed;

void disagree(const char *what, ...)
{
	va_list args;

	disagreed = true;
	printf("# ");
	va_start(args, what);
	vprintf(what, args);
	va_end(args);
	printf("\n");
}

static void compare_u64(const char *what, __u64 got, __u64 want)
{
	if (got != want)
		disagree("%s: the program says %llu (0x%llx), the model %llu (0x%llx)", what, got, got, want,
			 want);
}

/* ---- the world's flow table, by its fingerprints ---- */

struct porch_flow *flow_in_world(const struct porch_tuple *t, bool *held)
{
	for (__u32 set = 0; set < SETS; set++) {
		for (int way = 0; world.tags[set] && way < PORCH_SET_WAYS; way++) {
			struct porch_flow *f = &world.flows[set * PORCH_SET_WAYS + way];
			__u16 tag = world.tags[set] >> 16 * way;

			if (tag && !memcmp(f->remote, t->remote, 16) && !memcmp(f->local, t->local, 16) &&
			    f->remote_port == t->remote_port && f->local_port == t->local_port) {
				*held = tag & PORCH_TAG_HELD;
				return f;
			}
		}
	}
	return NULL;
}

/* bpf/flows.h: NH, then a multiplication. */
static void hash(const struct porch_tuple *t, __u32 set[2], __u32 *fingerprint)
{
	const struct handshake *skel = harness_skeleton();
	const volatile __u32 *key = skel->rodata->flow_hash_key;
	__u8 octets[40] = {};
	__u32 w[10];
	__u64 h = 0;
	int v6 = 0, first = 12, n = 2;

	for (int i = 0; i < 10; i++)
		v6 |= t->local[i];
	v6 |= t->local[10] != 0xff || t->local[11] != 0xff;
	if (v6) {
		memcpy(octets, t->remote, 16);
		memcpy(octets + 16, t->local, 16);
		first = 2;
		n = 8;
	} else {
		memcpy(octets, t->remote + 12, 4);
		memcpy(octets + 4, t->local + 12, 4);
	}
	put16(octets + 4 * n, t->remote_port);
	put16(octets + 4 * n + 2, t->local_port);
	memcpy(w, octets, sizeof(w));
	w[n + 1] = 0;
	for (int i = 0; i <= n; i += 2)
		h += (__u64)(__u32)(w[i] + key[first + i]) * (__u32)(w[i + 1] + key[first + i + 1]);
	h *= skel->rodata->flow_hash_mix;
	h ^= h >> 29;
	*fingerprint = h >> 49;
	*fingerprint |= !*fingerprint;
	set[0] = (h >> 16) & (SETS - 1);
	set[1] = (set[0] ^ (*fingerprint * 0x9e3779b1u >> 7)) & (SETS - 1);
}

bool confused(const struct porch_tuple *t)
{
	__u32 set[2], fingerprint, room = 0;
	bool held;

	hash(t, set, &fingerprint);
	for (int i = 0; i < 2; i++) {
		for (int way = 0; way < PORCH_SET_WAYS; way++) {
			const struct porch_flow *f = &world.flows[set[i] * PORCH_SET_WAYS + way];
			__u16 tag = world.tags[set[i]] >> 16 * way;

			room += !tag;
			if (tag && ((tag & PORCH_TAG_MASK) ^ fingerprint) < 2 && f != flow_in_world(t, &held))
				return true;
		}
	}
	return !room;
}

/* ---- comparison ---- */

void compare_counters(const struct model *m)
{
	int cpus = libbpf_num_possible_cpus();
	static struct porch_counters *all;
	const __u64 *want = (const void *)&m->counters;
	size_t n = sizeof(m->counters) / sizeof(__u64);
	__u32 zero = 0;

	if (!all)
		all = calloc(cpus, sizeof(*all));
	bpf_map_lookup_elem(bpf_map__fd(harness_skeleton()->maps.porch_counters), &zero, all);
	for (size_t i = 0; i < n; i++) {
		__u64 got = 0;

		for (int c = 0; c < cpus; c++)
			got += ((const __u64 *)&all[c])[i];
		if (i != offsetof(struct porch_counters, rtt_us_sum) / sizeof(__u64) && got != want[i])
			disagree("counter at octet %zu of porch_counters: %llu, the model says %llu", i * 8,
				 got, want[i]);
	}
}

void compare_listeners(const struct model *m)
{
	for (int i = 1; i < MODEL_LISTENERS; i++) {
		const struct porch_listener_entry *a = &world.listeners[i], *b = &m->listener[i];

#define SAME(field)                                                                                          \
	if (a->field != b->field)                                                                            \
	disagree("listener %d: " #field " is %llu, the model says %llu", i, (__u64)a->field, (__u64)b->field)
		SAME(regime);
		SAME(health[0]);
		SAME(health[1]);
		SAME(user_mss);
		SAME(accept_queue_full);
		SAME(probe_tick[0]);
		SAME(probe_tick[1]);
		SAME(issued_ts);
		SAME(issued_plain);
		SAME(issued_tracked);
		SAME(left_kernel);
		SAME(calm_since);
		SAME(syn_total);
#undef SAME
	}
}

static void compare_steer(const struct porch_steer *a, const struct model_flow *f)
{
	const struct porch_steer *b = &f->steer;
	bool noted = PORCH_STEER_SERIAL(a->word) == a->serial;

	compare_u64("steer.ifindex", a->ifindex, b->ifindex);
	compare_u64("steer.rx_queue", a->rx_queue, b->rx_queue);
	compare_u64("steer.window", a->window, b->window);
	compare_u64("steer.tags", a->tags[0] << 16 | a->tags[1], b->tags[0] << 16 | b->tags[1]);
	if (memcmp(a->remote_mac, b->remote_mac, 6) || memcmp(a->local_mac, b->local_mac, 6))
		disagree("the MAC addresses of the flow differ");
	if (!a->serial || !a->proven_ns)
		disagree("the flow has no serial, or no time");
	compare_u64("steer's word is for this owner", noted, f->noted);
	if (f->noted)
		compare_u64("steer's phase and worker", (__u32)a->word, (__u32)PORCH_STEER(0, f->phase, f->worker));
}

void compare_flow(struct model *m, const struct porch_tuple *t)
{
	struct model_flow *f = model_flow_of(m, t);
	const struct porch_flow *a, *b = &f->flow;
	bool held = false;

	a = flow_in_world(t, &held);
	if (!a != !f) {
		disagree("the program %s this flow, the model %s it", a ? "knows" : "does not know",
			 f ? "does" : "does not know");
		return;
	}
	if (!a)
		return;
	compare_u64("flow.held", held, f->held);
	compare_u64("flow.state", a->state, b->state);
	compare_u64("flow.listener", a->listener, b->listener);
	compare_u64("flow.options", a->options, b->options);
	compare_u64("flow.wscale", a->wscale, b->wscale);
	compare_u64("flow.mss", a->mss, b->mss);
	compare_u64("flow.assigned", a->assigned, b->assigned);
	compare_u64("flow.by_cookie", a->by_cookie, b->by_cookie);
	compare_u64("flow.irs", a->irs, b->irs);
	compare_u64("flow.iss", a->iss, b->iss);
	compare_u64("flow.ts_recent", a->ts_recent, b->ts_recent);
	compare_u64("flow.ts_ecr", a->ts_ecr, b->ts_ecr);
	compare_u64("flow.expires", a->expires, b->expires);
	if (a->state == PORCH_FLOW_HANDED)
		compare_steer(&world.steer[a - world.flows], f);
}

void compare_entry(struct model *m, const struct porch_tuple *t)
{
	struct model_entry *known = model_entry_of(m, t);
	struct porch_half_open e, want;

	if (half_open_get(t, &e)) {
		if (known)
			disagree("the program has no half-open entry, the model has");
		return;
	}
	if (!known) {
		disagree("the program has a half-open entry, the model has none");
		return;
	}
	want = known->entry;
	want.born_us = e.born_us;
	if (!(want.options & PORCH_OPT_TIMESTAMPS)) /* of no meaning then */
		want.ts_recent = e.ts_recent;
	if (memcmp(&e, &want, sizeof(e)))
		disagree("the half-open entries differ: irs %x %x, iss %x %x, options %x %x, mss %u %u, "
			 "wscale %x %x, "
			 "expires %u %u, ts_recent %x %x, tags %x.%x %x.%x",
			 e.irs, want.irs, e.iss, want.iss, e.options, want.options, e.mss, want.mss, e.wscale,
			 want.wscale, e.expires, want.expires, e.ts_recent, want.ts_recent, e.tags[0],
			 e.tags[1], want.tags[0], want.tags[1]);
}

/* Everything that is remembered, once in a while. */
void compare_all(struct model *m)
{
	__u32 flows = 0;

	for (__u32 set = 0; set < SETS; set++)
		for (int way = 0; way < PORCH_SET_WAYS; way++)
			flows += !!(world.tags[set] >> 16 * way & 0xffff);
	compare_u64("flows", flows, m->flows);
	compare_u64("half-open entries", half_open_count(), m->entries);
	for (int i = 0; i < m->flows; i++)
		compare_flow(m, &m->flow[i].tuple);
	for (int i = 0; i < m->entries; i++)
		compare_entry(m, &m->entry[i].tuple);
	compare_u64("host.half_open", world.host->half_open, m->host.half_open);
	compare_u64("host.flows", world.host->flows, m->host.flows);
	for (int i = 1; i < MODEL_LISTENERS; i++) {
		struct porch_stats s;

		stats_get(i, &s);
		compare_u64("stats.syn_received", s.syn_received, m->stats[i].syn_received);
		compare_u64("stats.syn_passed", s.syn_passed, m->stats[i].syn_passed);
		compare_u64("stats.synack_sent", s.synack_sent, m->stats[i].synack_sent);
		compare_u64("stats.proven", s.proven, m->stats[i].proven);
		compare_u64("stats.refused", s.refused, m->stats[i].refused);
		compare_u64("stats.would_answer", s.would_answer, m->stats[i].would_answer);
	}
}
