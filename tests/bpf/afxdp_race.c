// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* deliver=afxdp: the same final ACK on two CPUs at once makes one flow, and porchd hears of one. */
#include "handed.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

static const struct harness_options wide = { .flow_sets = 4096, .half_open_max = 64 };
static const struct harness_options narrow = { .flow_sets = 1, .half_open_max = 64 };

#define ROUNDS 2000

static int arrived; /* at the starting line, ever */
static struct packet packet; /* of this round, for the other CPU */
static int verdict[2];
static int stop;

static void on_cpu(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	pthread_setaffinity_np(pthread_self(), sizeof(one), &one);
}

/* Both leave within nanoseconds, if both CPUs are ours. */
static void meet(int *mine)
{
	*mine += 2;
	__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
	for (int i = 0; __atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < *mine; i++)
		if (i > 10000)
			sched_yield();
}

static int met; /* of the first CPU */

static void *other_cpu(void *arg)
{
	static struct frame out;
	int mine = 0;

	on_cpu(1);
	for (;;) {
		meet(&mine);
		if (stop)
			return NULL;
		verdict[1] = send_packet(&packet, &out);
		meet(&mine);
	}
}

static void both(const struct packet *p, const struct packet *other)
{
	static struct frame out;

	packet = *other;
	meet(&met);
	verdict[0] = send_packet(p, &out);
	meet(&met);
}

/* One of both made the flow; the other one saw it being made, or made. */
static void expect_one(const struct packet *syn, __u32 serial, __u32 flows)
{
	struct porch_tuple t = tuple_of(syn);

	for (int i = 0; i < 2; i++)
		if (verdict[i] != XDP_REDIRECT && verdict[i] != XDP_DROP)
			fail("verdict %d is %s", i, verdict_name(verdict[i]));
	if (verdict[0] != XDP_REDIRECT && verdict[1] != XDP_REDIRECT)
		fail("none of them proved");
	expect_u32("flows", flows_in_state(PORCH_FLOW_HANDED), flows);
	if (!flow_of(&t))
		fail("there is no flow");
	else
		expect_u32("serial", steer_of(flow_of(&t))->serial, serial);
}

static void lives(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_LINUX), ack;
	struct porch_tuple t = tuple_of(&syn);
	__u64 proven = 0, duplicates;
	struct decoded d;
	int bad = 0;

	row("%d lives of a tuple, each proven on two CPUs at once, %s", ROUNDS, FAMILY(v6));
	world_afxdp();
	for (__u32 i = 1; i <= ROUNDS && !bad; i++) {
		syn.seq += 0x10001;
		if (!connect_syn(&syn, NULL, &d))
			break;
		ack = client_ack(&syn, &d);
		both(&ack, &ack);
		expect_one(&syn, i, 1);
		proven = counter("proven");
		bad = proven != i || !flow_of(&t) || flow_of(&t)->irs != syn.seq;
		if (flow_of(&t))
			phase_set(flow_of(&t), i % 2 ? PORCH_PHASE_TOMBSTONE : PORCH_PHASE_CLOSING, 0);
	}
	if (bad)
		fail("%llu proofs counted", proven);
	duplicates = counter("refused_duplicate_ack") + counter("refused_replayed");
	printf("# %llu of %d met the other one at work\n", duplicates, ROUNDS);
	row_end_any();
}

static void beginnings(int v6)
{
	struct packet syn = client_syn(v6, OFFERS_WINDOWS), ack;
	struct decoded d;

	row("%d tuples, each proven on two CPUs at once, %s", ROUNDS / 4, FAMILY(v6));
	world_afxdp();
	for (__u32 i = 1; i <= ROUNDS / 4; i++) {
		syn.sport++;
		if (!connect_syn(&syn, NULL, &d))
			break;
		ack = client_ack(&syn, &d);
		both(&ack, &ack);
		expect_one(&syn, 1, i);
	}
	expect_u32("proven", counter("proven"), ROUNDS / 4);
	row_end_any();
}

/* One CPU proves the next life of a tuple whose set is full of closed flows, the
 * other one a new tuple, which takes one of their ways: never the same. */
static void crowded(int v6)
{
	struct packet old = client_syn(v6, OFFERS_LINUX), syn[2], ack[2];
	struct decoded d;
	int bad = 0;

	row("%d new tuples in a full set, beside the next life of one in it, %s", ROUNDS, FAMILY(v6));
	world_afxdp();
	for (int i = 0; i < PORCH_SET_WAYS + ROUNDS && !bad; i++) {
		__u32 redirected = 0;

		syn[0] = syn[1] = old;
		syn[0].seq += 0x10001 * (i + 1);
		syn[1].sport = old.sport + 1 + i;
		for (int j = 0; j < 2; j++) {
			if (!connect_syn(&syn[j], NULL, &d))
				return row_end_any();
			ack[j] = client_ack(&syn[j], &d);
		}
		both(&ack[0], &ack[1]);
		for (int j = 0; j < 2; j++) {
			struct porch_tuple t = tuple_of(&syn[j]);

			if (verdict[j] != XDP_REDIRECT)
				continue;
			redirected++;
			if (!flow_of(&t) || flow_of(&t)->irs != syn[j].seq) {
				fail("round %d: the flow of %s is not there", i, j ? "the new tuple" : "the old one");
				bad = 1;
				continue;
			}
			phase_set(flow_of(&t), PORCH_PHASE_TOMBSTONE, 0);
		}
		if (!redirected)
			fail("round %d: none of them proved", i);
		bad |= !redirected;
	}
	row_end_any();
}

int main(void)
{
	pthread_t thread;

	harness_load(&wide);
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		row("the same final ACK on two CPUs");
		row_skip("one CPU alone");
		row_end("");
		return harness_end();
	}
	probe_well_listeners = 1; /* the harness must not write beside the programs */
	on_cpu(0);
	harness_must(!pthread_create(&thread, NULL, other_cpu, NULL), "a thread");
	for (int v6 = 0; v6 < 2; v6++) {
		lives(v6);
		beginnings(v6);
	}
	harness_load(&narrow);
	for (int v6 = 0; v6 < 2; v6++)
		crowded(v6);
	stop = 1;
	meet(&met);
	pthread_join(thread, NULL);
	return harness_end();
}
