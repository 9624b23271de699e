// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who answers SYNs, and when that changes: bursts, rates, calm, hysteresis. */
#include "client.h"

#include <sched.h>
#include <stdio.h>

static const struct harness_options options = { .flow_sets = 64, .half_open_max = 1024 };

/* Listener 1 anew; SYNs per second that arm. */
static void listener(__u8 protect, __u8 regime, __u32 rate)
{
	l()->protect = protect;
	l()->regime = regime;
	l()->syn_rate = rate;
	l()->calm_since = world.host->tick;
}

/* n SYNs within this tick, from n ports. How many were answered. */
static int syns(int v6, int n)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX);
	static __u16 port = 1;
	struct frame out;
	int answered = 0;

	for (int i = 0; i < n; i++) {
		syn.sport = 1024 + port++ % 60000;
		answered += send_packet(&syn, &out) == XDP_TX;
	}
	return answered;
}

/* One tick later: the timer's work. */
static void tick(void)
{
	world.host->tick++;
	tick_once();
}

#define KERNEL	  PORCH_REGIME_KERNEL
#define TRACKED	  PORCH_REGIME_TRACKED
#define STATELESS PORCH_REGIME_STATELESS
#define ON_ATTACK PORCH_PROTECT_ON_ATTACK
#define ALWAYS	  PORCH_PROTECT_ALWAYS
#define MONITOR	  PORCH_PROTECT_MONITOR

static void bursts(int v6)
{
	row("on-attack: as many SYNs in a tick as allowed are the kernel's, %s", FAMILY(v6));
	listener(ON_ATTACK, KERNEL, 100);
	expect_u32("answered", syns(v6, 20), 0);
	expect_u32("regime", l()->regime, KERNEL);
	row_end("syn_received=20 syn_passed=20");

	row("on-attack: one more arms at once, and is answered, %s", FAMILY(v6));
	listener(ON_ATTACK, KERNEL, 100);
	expect_u32("answered", syns(v6, 21), 1);
	expect_u32("regime", l()->regime, STATELESS);
	expect_u32("left_kernel", l()->left_kernel, TICK_START);
	expect_u32("further answered", syns(v6, 10), 10);
	row_end("syn_received=31 syn_passed=20 synack_sent=11 regime_up");

	row("a burst counts within one tick only, %s", FAMILY(v6));
	listener(ON_ATTACK, KERNEL, 100);
	for (int i = 0; i < 3; i++) {
		expect_u32("answered", syns(v6, 15), 0);
		world.host->tick++;
	}
	expect_u32("regime", l()->regime, KERNEL);
	row_end("syn_received=45 syn_passed=45");

	row("always: a burst goes from tracked to stateless, %s", FAMILY(v6));
	listener(ALWAYS, TRACKED, 100);
	expect_u32("answered", syns(v6, 30), 30);
	expect_u32("regime", l()->regime, STATELESS);
	expect_u32("entries: those before the flood", half_open_count(), 20);
	expect_u32("left_kernel", l()->left_kernel, 0);
	row_end("syn_received=30 synack_sent=30 regime_up");

	row("monitor: a burst is noticed and every SYN passes, %s", FAMILY(v6));
	listener(MONITOR, KERNEL, 100);
	expect_u32("answered", syns(v6, 30), 0);
	expect_u32("regime", l()->regime, STATELESS);
	row_end("syn_received=30 syn_passed=20 regime_up would_answer=10");

	row("off: a burst changes nothing, %s", FAMILY(v6));
	listener(PORCH_PROTECT_OFF, KERNEL, 100);
	expect_u32("answered", syns(v6, 30), 0);
	expect_u32("regime", l()->regime, KERNEL);
	row_end("");

	row("SYNs of another listener do not arm this one, %s", FAMILY(v6));
	listener(ON_ATTACK, KERNEL, 100);
	listener_add(2, NULL, 81, ON_ATTACK, KERNEL)->syn_rate = 1000;
	struct packet other = client_syn(v6, OFFERS_LINUX);
	struct frame out;
	other.dport = 81;
	for (int i = 0; i < 15; i++)
		send_packet(&other, &out);
	syns(v6, 15);
	expect_u32("regime", l()->regime, KERNEL);
	row_end("syn_received=30 syn_passed=30");

	row("an armed listener leaves its neighbours to the kernel, %s", FAMILY(v6));
	listener(ON_ATTACK, KERNEL, 100);
	listener_add(2, NULL, 81, ON_ATTACK, KERNEL)->syn_rate = 1000;
	syns(v6, 21);
	expect_verdict(send_packet(&other, &out), XDP_PASS, "SYN to the neighbour");
	row_end("syn_received=22 syn_passed=21 synack_sent regime_up");
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void rates(int v6)
{
	cpu_set_t all;

	row("the timer sums what no single tick shows, %s", FAMILY(v6));
	listener(ON_ATTACK, KERNEL, 100);
	for (int i = 0; i < 30 && l()->regime == KERNEL; i++) {
		syns(v6, 15); /* 150 a second, below the burst of 20 */
		tick();
	}
	expect_u32("regime", l()->regime, STATELESS);
	if (l()->syn_per_second <= 100)
		fail("syn_per_second is %u", l()->syn_per_second);
	row_end_any();

	row("a rate below the limit never arms, %s", FAMILY(v6));
	listener(ON_ATTACK, KERNEL, 100);
	for (int i = 0; i < 100; i++) {
		syns(v6, 9);
		tick();
	}
	expect_u32("regime", l()->regime, KERNEL);
	row_end("syn_received=900 syn_passed=900");

	row("the timer sums over CPUs, %s", FAMILY(v6));
	sched_getaffinity(0, sizeof(all), &all);
	if (!CPU_ISSET(0, &all) || !CPU_ISSET(1, &all))
		row_skip("one CPU only");
	listener(ON_ATTACK, KERNEL, 100);
	for (int i = 0; i < 30 && l()->regime == KERNEL; i++) {
		pin(0);
		syns(v6, 8); /* 80 a second on each */
		pin(1);
		syns(v6, 8);
		tick();
	}
	sched_setaffinity(0, sizeof(all), &all);
	expect_u32("regime", l()->regime, STATELESS);
	row_end_any();

	row("always: a rate arms from tracked, %s", FAMILY(v6));
	listener(ALWAYS, TRACKED, 100);
	for (int i = 0; i < 40 && l()->regime == TRACKED; i++) {
		syns(v6, 15);
		tick();
	}
	expect_u32("regime", l()->regime, STATELESS);
	row_end_any();
}

static void calm(int v6)
{
	row("after ten calm seconds the kernel answers again, %s", FAMILY(v6));
	listener(ON_ATTACK, STATELESS, 100);
	for (int i = 0; i < 99; i++)
		tick();
	expect_u32("regime after 9.9 s", l()->regime, STATELESS);
	tick();
	expect_u32("regime after 10 s", l()->regime, KERNEL);
	row_end("regime_down");

	row("always falls to tracked, %s", FAMILY(v6));
	listener(ALWAYS, STATELESS, 100);
	for (int i = 0; i < 100; i++)
		tick();
	expect_u32("regime", l()->regime, TRACKED);
	row_end("regime_down");

	row("a quarter of the rate is not calm, %s", FAMILY(v6));
	listener(ON_ATTACK, STATELESS, 1000);
	for (int i = 0; i < 200; i++) {
		syns(v6, 30); /* 300 a second */
		tick();
	}
	expect_u32("regime", l()->regime, STATELESS);
	row_end("syn_received=6000 synack_sent=6000");

	row("less than a quarter is calm, %s", FAMILY(v6));
	listener(ON_ATTACK, STATELESS, 100);
	for (int i = 0; i < 99; i++) {
		syns(v6, 2); /* 20 a second */
		tick();
	}
	expect_u32("regime before", l()->regime, STATELESS);
	tick();
	expect_u32("regime behind", l()->regime, KERNEL);
	row_end("syn_received=198 synack_sent=198 regime_down");

	row("one busy moment begins the ten seconds anew, %s", FAMILY(v6));
	listener(ON_ATTACK, STATELESS, 100);
	for (int i = 0; i < 90; i++)
		tick();
	syns(v6, 100);
	for (int i = 0; i < 95; i++)
		tick();
	expect_u32("regime", l()->regime, STATELESS);
	for (int i = 0; i < 40; i++)
		tick();
	expect_u32("regime at last", l()->regime, KERNEL);
	row_end("syn_received=100 synack_sent=100 regime_down");

	row("up and down and up again, %s", FAMILY(v6));
	listener(ON_ATTACK, KERNEL, 100);
	for (int round = 0; round < 3; round++) {
		syns(v6, 30);
		expect_u32("regime in the flood", l()->regime, STATELESS);
		for (int i = 0; i < 140; i++)
			tick();
		expect_u32("regime behind it", l()->regime, KERNEL);
	}
	row_end("syn_received=90 syn_passed=60 synack_sent=30 regime_up=3 regime_down=3");

	row("a handshake begun in the flood ends behind it, %s", FAMILY(v6));
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	struct decoded d;
	struct frame out;
	listener(ON_ATTACK, STATELESS, 100);
	connect_syn(&syn, NULL, &d);
	for (int i = 0; i < 130; i++)
		tick();
	expect_u32("regime", l()->regime, KERNEL);
	ack = client_ack(&syn, &d);
	expect_verdict(send_packet(&ack, &out), XDP_PASS, "ACK");
	expect_u32("flows", flows_in_state(PORCH_FLOW_PROVEN), 1);
	row_end("syn_received synack_sent proven regime_down");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		bursts(v6);
		rates(v6);
		calm(v6);
	}
	return harness_end();
}
