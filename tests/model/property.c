// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The programs against the model: CASES steps (default 300000) of sequences
 * seeded with SEED (default 1). On a disagreement both sides are printed, and
 * the line that runs this sequence again up to that case: SEED=s ONLY=n.
 */
#include "compare.h"
#include "generator.h"
#include "handed.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <sodium.h>

#define EPISODE 64 /* cases of one world */
#define ENTRIES 5  /* to fill it now and then */

static const struct harness_options options = { .flow_sets = SETS, .half_open_max = ENTRIES };

static struct model model;
static struct generator generator;
static struct frame in, out, wanted;

/* What the cases were made of: an agreement about nothing is worth nothing. */
static struct {
	__u64 passed, dropped, answered, delivered, steered, changes, skipped;
	struct porch_counters counters;
} seen;

/* ---- the model's state into the world ---- */

/* porchd's half. */
static void push_steer(struct porch_steer *s, const struct model_flow *m)
{
	s->snd_nxt = m->steer.snd_nxt;
	s->rcv_nxt = m->steer.rcv_nxt;
	s->ts_offset = m->steer.ts_offset;
	s->until = m->steer.until;
	if (m->noted)
		s->word = PORCH_STEER(s->serial, m->phase, m->worker);
}

static void push_slots(void)
{
	static __u32 pushed;

	slots_of(1, XSK_BASE, XSK_QUEUE);
	if (pushed == (model.slots | 1u << 31))
		return;
	pushed = model.slots | 1u << 31;
	slots_empty();
	for (__u32 worker = 0; worker < MODEL_WORKERS; worker++)
		if (model.slots & 1u << worker)
			slot_fill(XSK_BASE + worker);
}

static void push_flows(void)
{
	for (int i = 0; i < model.flows; i++) {
		struct model_flow *m = &model.flow[i];
		bool held;
		struct porch_flow *f = flow_in_world(&m->tuple, &held);
		__u32 at = f - world.flows;

		if (!f)
			continue;
		f->state = m->flow.state;
		f->expires = m->flow.expires;
		if (f->state == PORCH_FLOW_HANDED)
			push_steer(&world.steer[at], m);
		if (m->held)
			world.tags[at / PORCH_SET_WAYS] |= (__u64)PORCH_TAG_HELD << at % PORCH_SET_WAYS * 16;
		else
			world.tags[at / PORCH_SET_WAYS] &=
				~((__u64)PORCH_TAG_HELD << at % PORCH_SET_WAYS * 16);
	}
}

static void push(void)
{
	struct porch_keys keys;

	*world.host = model.host;
	for (int i = 1; i < MODEL_LISTENERS; i++) {
		__u8 next = world.listeners[i].next;

		world.listeners[i] = model.listener[i];
		world.listeners[i].next = next;
		world.queues[i] = model.queue[i];
	}
	push_slots();
	keys_get(&keys);
	memcpy(keys.master, model.keys.master, sizeof(keys.master));
	keys_set(&keys);
	push_flows();
	for (int i = 0; i < model.entries; i++) {
		struct porch_half_open e;

		if (half_open_get(&model.entry[i].tuple, &e) ||
		    e.retransmits == model.entry[i].entry.retransmits)
			continue;
		e.retransmits = model.entry[i].entry.retransmits;
		half_open_put(&model.entry[i].tuple, &e);
	}
}

static void tick(void)
{
	__u32 per_second[MODEL_LISTENERS];

	push();
	tick_once();
	for (int i = 1; i < MODEL_LISTENERS; i++)
		per_second[i] = world.listeners[i].syn_per_second;
	if (!model_tick(&model, per_second))
		disagree("a SYN rate is out of bounds");
}

static void begin(void)
{
	static const struct porch_keys no_keys;
	struct porch_listener_entry *l = model.listener;
	int entries_max = ENTRIES;

	memset(&model, 0, sizeof(model));
	model.entries_max = entries_max;
	generator_world(&generator, &model);
	world_reset();
	memset(world.ports, 0, sizeof(*world.ports));
	memset(world.addrs->slot, 0, sizeof(world.addrs->slot));
	for (int i = 0; i < model.locals; i++)
		address_add(model.local[i]);
	listener_add(1, NULL, l[1].port, 0, 0);
	listener_add(2, l[2].address, l[2].port, 0, 0); /* in front of `*` */
	listener_add(3, NULL, l[3].port, 0, 0);
	iface_set(1, model.mss4, model.mss6);
	for (int i = 0; i < model.denies; i++)
		deny_add(model.deny[i].address, model.deny[i].length);
	for (int i = 0; i < model.routes; i++)
		route_add(model.route[i].address, model.route[i].length, model.route[i].mss);
	keys_set(&no_keys);
	tick();
	world_forget();
	memset(&model.counters, 0, sizeof(model.counters));
}

/* The same, and serial and time, for porchd's. */
static void settle_redirected(const struct porch_flow *f)
{
	struct porch_record *got = (void *)out.bytes, *want = (void *)wanted.bytes;

	if (got->flow == f - world.flows)
		want->flow = got->flow;
	if (got->serial == world.steer[f - world.flows].serial)
		want->serial = got->serial;
	if (want->kind == PORCH_RECORD_PROOF && got->time_ns)
		want->time_ns = got->time_ns;
}

/* TSval of an ACK for TIME-WAIT: the clock, and what porchd has left. */
static void note_tsval(const struct porch_tuple *t)
{
	struct model_flow *f = model_flow_of(&model, t);
	struct timespec now;
	struct decoded d;

	model.seen_tsval = 0;
	if (packet_decode(&out, &d) || d.flags != ACK || !d.has_ts || !f)
		return;
	model.seen_tsval = d.tsval;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((__u32)(now.tv_sec * 1000ull + now.tv_nsec / 1000000) + f->steer.ts_offset - d.tsval > 2000)
		disagree("TSval %u is not the clock's", d.tsval);
}

/* The record names a way of the table, which is the table's own choice. */
static void settle_record(const struct porch_tuple *t)
{
	struct porch_meta *got = (void *)out.bytes, *want = (void *)wanted.bytes;
	bool held;
	struct porch_flow *f = flow_in_world(t, &held);

	if (wanted.meta && out.meta == wanted.meta && f && want->magic == PORCH_RECORD_MAGIC) {
		settle_redirected(f);
		return;
	}
	if (wanted.meta && out.meta == wanted.meta && f && got->flow == f - world.flows)
		want->flow = got->flow;
	if (wanted.meta && want->kind != PORCH_META_PROOF) { /* tc reads no more of it */
		want->mss = got->mss;
		want->options = got->options;
		want->wscale = got->wscale;
	}
}

static void frame_case(void)
{
	struct model_segment s;
	struct decoded d;
	bool known = model_parse(&in, &s);
	int want, got;

	if (known && confused(&s.tuple)) {
		seen.skipped++;
		return;
	}
	got = run_xdp(&in, &out);
	if (known && got == XDP_TX)
		note_tsval(&s.tuple);
	want = model_xdp(&model, &in, &wanted);
	seen.dropped += want == XDP_DROP;
	seen.answered += want == XDP_TX;
	seen.steered += want == XDP_REDIRECT;
	seen.delivered += wanted.meta && want == XDP_PASS;
	seen.passed += want == XDP_PASS && !wanted.meta;
	if (got != want)
		disagree("verdict: %s, the model says %s", verdict_name(got), verdict_name(want));
	if (known)
		settle_record(&s.tuple);
	if (out.length != wanted.length || out.meta != wanted.meta ||
	    memcmp(out.bytes, wanted.bytes, out.length))
		disagree("the frames that come out differ");
	compare_counters(&model);
	compare_listeners(&model);
	if (known) {
		compare_flow(&model, &s.tuple);
		compare_entry(&model, &s.tuple);
	}
	if (got == XDP_TX && !disagreed) {
		if (packet_decode(&out, &d))
			disagree("the answer is malformed: %s", packet_decode(&out, &d));
		else if (d.flags & SYN)
			generator_answered(&generator, &d);
	}
}

static __u64 number(const char *name, __u64 otherwise)
{
	const char *text = getenv(name);

	return text && *text ? strtoull(text, NULL, 0) : otherwise;
}

/* One world and what happens in it. The number of cases run. */
static __u64 episode(__u64 seed, __u64 first, __u64 last)
{
	__u64 n;

	/* each has a seed of its own, so that one can be run alone */
	generator_seed(&generator, seed * 0x100000001b3ull ^ (first + 1) * 0xd6e8feb86659fd93ull);
	begin();
	for (n = first; n < first + EPISODE && n < last && !disagreed; n++) {
		switch (generator_step(&generator, &model, &in)) {
		case STEP_FRAME:
			frame_case();
			break;
		case STEP_TICK:
			seen.changes++;
			tick();
			compare_counters(&model);
			compare_listeners(&model);
			break;
		case STEP_CHANGE:
			seen.changes++;
			push();
			break;
		}
		if (n % 16 == 15 && !disagreed)
			compare_all(&model);
		if (disagreed) {
			printf("# SEED=%llu ONLY=%llu\n", seed, n);
			frame_dump("in", &in);
			frame_dump("out, the program's", &out);
			frame_dump("out, the model's", &wanted);
		}
	}
	for (size_t i = 0; i < sizeof(model.counters) / sizeof(__u64); i++)
		((__u64 *)&seen.counters)[i] += ((const __u64 *)&model.counters)[i];
	return n - first;
}

/* Every event and reason that XDP alone can reach must have been reached. */
static void report(void)
{
	const struct porch_counters *c = &seen.counters;

	printf("# frames: %llu passed, %llu refused, %llu answered, %llu delivered, %llu to AF_XDP; %llu changes; "
	       "%llu skipped\n",
	       seen.passed, seen.dropped, seen.answered, seen.delivered, seen.steered, seen.changes, seen.skipped);
#define REACHED(name)                                                                                        \
	printf("# " #name ": %llu\n", c->name);                                                              \
	if (!c->name)                                                                                        \
	disagree(#name " was never reached")
	REACHED(synack_slow);
	REACHED(proven);
	REACHED(proven_by_entry);
	REACHED(unknown_passed);
	REACHED(half_open_full);
	REACHED(half_open_expired);
	REACHED(flows_expired);
	REACHED(regime_up);
	REACHED(regime_down);
	REACHED(probes);
	REACHED(refused_bad_header);
	REACHED(refused_bad_checksum);
	REACHED(refused_bad_source);
	REACHED(refused_bad_flags);
	REACHED(refused_denied);
	REACHED(refused_reply_budget);
	REACHED(refused_accept_queue_full);
	REACHED(refused_bad_cookie);
	REACHED(refused_not_issued);
	REACHED(refused_replayed);
	REACHED(refused_unknown_rst);
	REACHED(refused_unexpected_synack);
	REACHED(refused_duplicate_syn);
	REACHED(refused_bad_rst);
	REACHED(refused_bad_ack);
	REACHED(refused_parked);
	REACHED(refused_no_daemon);
	REACHED(refused_no_application);
	REACHED(refused_no_slot);
	REACHED(refused_time_wait);
#undef REACHED
}

int main(void)
{
	__u64 cases = number("CASES", 300000), seed = number("SEED", 1), only = number("ONLY", ~0ull),
	      done = 0;
	struct timespec start, end;
	cpu_set_t one;

	harness_load(&options);
	probe_well_listeners = 1;
	if (sodium_init() < 0)
		return 1;
	/* windows and budgets are per CPU */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (only != ~0ull)
		done = episode(seed, only / EPISODE * EPISODE, only + 1);
	while (only == ~0ull && done < cases && !disagreed)
		done += episode(seed, done, cases);
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (only == ~0ull && !disagreed && done >= 50000)
		report();
	printf("# seed %llu: %llu cases in %.1f s\n", seed, done,
	       end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9);
	printf("%s 1 - program and model agree in %llu cases\n", disagreed ? "not ok" : "ok", done);
	printf("%d passed, %d failed\n", !disagreed, disagreed);
	return disagreed;
}
