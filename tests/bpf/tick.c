// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The timer's work: keys of epochs, sweeps; and porch_arm, which starts it. */
#include "client.h"

#include <stdio.h>

static const struct harness_options options = { .flow_sets = 64, .half_open_max = 1024 };

static void expect_key(__u32 epoch, const char *what)
{
	struct porch_keys k;
	__u8 key[16];

	keys_get(&k);
	reference_key(k.master, epoch, key);
	expect_u32("derived", k.derived[epoch % 4], epoch);
	if (memcmp(key, &k.epoch_key[epoch % 4], 16))
		fail("key of the %s epoch is not what its master makes", what);
}

static void keys(void)
{
	struct porch_keys k, before;
	__u32 e = EPOCH_START;

	row("keys of the previous, present and next epoch are there");
	expect_key(e - 1, "previous");
	expect_key(e, "present");
	expect_key(e + 1, "next");
	row_end("");

	row("a new epoch derives one key and keeps the others");
	keys_get(&before);
	clock_epoch(e + 1);
	keys_get(&k);
	expect_key(e, "previous");
	expect_key(e + 1, "present");
	expect_key(e + 2, "next");
	if (memcmp(&k.epoch_key[e % 4], &before.epoch_key[e % 4], 16))
		fail("a key changed");
	row_end("");

	row("a jump of the clock leaves no old key in place");
	clock_epoch(e + 1000);
	expect_key(e + 999, "previous");
	expect_key(e + 1000, "present");
	expect_key(e + 1001, "next");
	row_end("");

	row("the newest master that has begun makes the key");
	keys_get(&k);
	memset(k.derived, 0, sizeof(k.derived));
	k.master[2] = (struct porch_master){ .key = { { 5, 6 } }, .from_epoch = e - 20, .id = 3 };
	k.master[1] = (struct porch_master){ .key = { { 7, 8 } }, .from_epoch = e, .id = 4 };
	k.master[0] = (struct porch_master){ .key = { { 9, 10 } }, .from_epoch = e + 1, .id = 5 };
	keys_set(&k);
	tick_once();
	expect_key(e - 1, "previous");
	expect_key(e, "present");
	expect_key(e + 1, "next");
	keys_get(&k);
	for (int i = 0; i < 3; i++)
		for (int j = i + 1; j < 3; j++)
			if (!memcmp(&k.epoch_key[(e - 1 + i) % 4], &k.epoch_key[(e - 1 + j) % 4], 16))
				fail("two epochs have one key");
	row_end("");

	row("two nodes with one master and one clock make the same keys");
	keys_get(&before);
	world_reset();
	keys_get(&k);
	if (memcmp(before.epoch_key, k.epoch_key, 0) || memcmp(before.master, k.master, 0))
		fail("they differ");
	expect_key(e, "present");
	row_end("");

	row("porch_arm sets the clocks and derives all keys anew");
	keys_get(&k);
	memset(k.epoch_key, 0xaa, sizeof(k.epoch_key));
	keys_set(&k);
	expect_u32("porch_arm", run_syscall("porch_arm", NULL, 0), 0);
	e = world.host->epoch;
	if (world.host->tick == TICK_START || e == EPOCH_START)
		fail("the clocks stand");
	expect_key(e, "present");
	expect_key(e + 1, "next");
	expect_u32("a second time", run_syscall("porch_arm", NULL, 0), 0);
	row_end("");
}

/* A key rotated in mid-handshake loses nothing. */
static void rotation(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	struct decoded old, new;
	struct porch_keys k;
	struct frame out;

	row("a rotation in mid-handshake loses no handshake, %s", FAMILY(v6));
	connect_syn(&syn, NULL, &old);
	keys_get(&k);
	k.master[1] = k.master[0];
	k.master[0] = (struct porch_master){ .key = { { 11, 12 } }, .from_epoch = EPOCH_START + 1, .id = 9 };
	for (int i = 0; i < 4; i++)
		if (k.derived[i] > EPOCH_START)
			k.derived[i] = 0; /* as porch_arm would */
	keys_set(&k);
	clock_epoch(EPOCH_START + 1);
	ack = client_ack(&syn, &old);
	expect_verdict(send_packet(&ack, &out), XDP_PASS, "ACK of a cookie of the old key");
	syn.sport++;
	connect_syn(&syn, NULL, &new); /* checks the cookie against the new master's */
	ack = client_ack(&syn, &new);
	expect_verdict(send_packet(&ack, &out), XDP_PASS, "ACK of a cookie of the new key");
	row_end("syn_received=2 synack_sent=2 proven=2");
}

static void sweeps(int v6)
{
	struct packet syn, ack;
	struct decoded d;
	int n;

	row("expired half-open entries are swept, others stay, %s", FAMILY(v6));
	l()->protect = PORCH_PROTECT_ALWAYS;
	l()->regime = PORCH_REGIME_TRACKED;
	for (int i = 0; i < 10; i++) {
		syn = client_syn(v6, OFFERS_LINUX);
		syn.sport += i;
		connect_syn(&syn, NULL, &d);
		if (i == 4)
			world.host->tick += 300;
	}
	expect_u32("entries", half_open_count(), 10);
	world.host->tick = TICK_START + 600;
	tick_once();
	expect_u32("entries", half_open_count(), 5);
	expect_u32("host.half_open", world.host->half_open, 5);
	row_end("syn_received=10 synack_sent=10 half_open_expired=5");

	row("half-open entries are swept once a second, %s", FAMILY(v6));
	l()->protect = PORCH_PROTECT_ALWAYS;
	l()->regime = PORCH_REGIME_TRACKED;
	connect_syn(&syn, NULL, &d);
	world.host->tick = TICK_START + 601;
	tick_once();
	expect_u32("entries in mid-second", half_open_count(), 1);
	world.host->tick = TICK_START + 610;
	tick_once();
	expect_u32("entries at the second", half_open_count(), 0);
	row_end("syn_received synack_sent half_open_expired");

	row("closed flows are swept when their time is over, delivered ones never, %s", FAMILY(v6));
	for (int i = 0; i < 40; i++) {
		syn = client_syn(v6, OFFERS_LINUX);
		syn.sport += i;
		connect_whole(&syn, &ack);
	}
	n = 0;
	for (__u32 i = 0; i < world.sets * PORCH_SET_WAYS; i++)
		if (world.flows[i].state == PORCH_FLOW_PROVEN)
			world.flows[i].state = n++ % 2 ? PORCH_FLOW_TOMBSTONE : PORCH_FLOW_DELIVERED;
	world.host->tick += 599;
	l()->calm_since = world.host->tick;
	tick_once();
	expect_u32("tombstones", flows_in_state(PORCH_FLOW_TOMBSTONE), 20);
	expect_u32("host.flows", world.host->flows, 40);
	world.host->tick += 1;
	l()->calm_since = world.host->tick;
	tick_once();
	expect_u32("tombstones", flows_in_state(PORCH_FLOW_TOMBSTONE), 0);
	expect_u32("delivered", flows_in_state(PORCH_FLOW_DELIVERED), 20);
	expect_u32("host.flows", world.host->flows, 20);
	n = 0;
	for (__u32 i = 0; i < world.sets; i++)
		for (int way = 0; way < PORCH_SET_WAYS; way++)
			n += !!(world.tags[i] >> 16 * way & 0xffff);
	expect_u32("fingerprints left", n, 20);
	row_end("syn_received=40 synack_sent=40 proven=40 flows_expired=20");

	row("a proven flow that nobody took is swept in the end, %s", FAMILY(v6));
	syn = client_syn(v6, OFFERS_LINUX);
	connect_whole(&syn, &ack);
	world.host->tick += 599;
	l()->calm_since = world.host->tick;
	tick_once();
	expect_u32("proven after a minute", flows_in_state(PORCH_FLOW_PROVEN), 1);
	world.host->tick += 10 * 600;
	l()->calm_since = world.host->tick;
	tick_once();
	expect_u32("proven after eleven", flows_in_state(PORCH_FLOW_PROVEN), 0);
	row_end_any();
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		rotation(v6);
		sweeps(v6);
	}
	keys(); /* the last: porch_arm starts the timer */
	return harness_end();
}
