// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * porchd's side of XDP and of a worker's rings: records and frames that lie,
 * finish entries, grants, workers that die, flows that change underneath.
 */
#include "tests/unit/connections.h"
#include "daemon/accept_queue.h"
#include "daemon/admit.h"
#include "daemon/early.h"
#include "daemon/finish.h"

#include "tests/fuzz/fuzz.h"

#define LISTENER 2
#define FLOWS	 64
#define WORKERS	 3

static struct world *x;
static struct app *apps[WORKERS];
static int handles[WORKERS];

static void arrives(struct input *in)
{
	uint32_t kind = take(in, 1), flow = take(in, 1) % FLOWS, change = kind >> 5, payload = 0, seq = 1;
	struct xdp_frame f;
	uint8_t *at = (uint8_t *)&f, *exact;

	if (kind & 4)
		payload = take(in, 1);
	if (kind & 8)
		seq = take(in, kind & 16 ? 4 : 1);
	xdp_segment(x, &f, flow, 1 + kind % 3, kind & 2 ? (uint8_t)take(in, 1) : ACK, seq, payload);
	while (change--)
		at[take(in, 1) % (sizeof(f.record) + 80)] ^= (uint8_t)take(in, 1);
	f.record.rx_queue %= QUEUES;
	/* no octet more than there is */
	exact = malloc(f.length);
	memcpy(exact, f.frame, f.length);
	admit_frame(&x->d, &x->areas[f.record.rx_queue], &f.record, exact, f.length);
	free(exact);
}

/* XDP's next connection in an entry that is free by now. */
static void claims(struct input *in)
{
	uint32_t flow = take(in, 1) % FLOWS;
	uint8_t phase = phase_of(x, flow);

	if (x->flows[flow].state == PORCH_FLOW_HANDED && phase != PORCH_PHASE_TOMBSTONE &&
	    phase != PORCH_PHASE_FORGOTTEN && phase != PORCH_PHASE_TIME_WAIT)
		return;
	xdp_claim(x, flow, LISTENER);
	if (take(in, 1) & 1)
		segment(x, flow, PORCH_RECORD_PROOF, ACK, 1, 0);
}

static void finishes(struct app *a, struct input *in)
{
	int r;
	struct porch_finish_entry *e = porch_ring_fill(&a->finish, &r);
	uint32_t kind = take(in, 1), flow = take(in, 1);

	if (!e)
		return;
	memset(e, 0, sizeof(*e));
	e->flow = flow % (2 * FLOWS);
	e->serial = x->steer[flow % FLOWS].serial;
	e->how = kind % 8;
	if (kind & 0x80)
		take_octets(in, e, sizeof(*e));
	porch_ring_publish(&a->finish);
	if (kind & 0x40)
		finish_worker(&x->d, &a->w);
}

static void worker_turn(struct input *in)
{
	uint32_t kind = take(in, 1), n = kind % WORKERS;
	struct app *a = apps[n];

	if (!a) {
		apps[n] = app_new(x, (uint16_t)(n + 1), 15, 16, 8);
		handles[n] = app_listen(x, apps[n], NULL, kind >> 3);
		return;
	}
	switch (kind >> 2 & 7) {
	case 0:
		app_grant(a, handles[n] >= 0 ? handles[n] : 0, kind & 0x80 ? take(in, 8) : take(in, 1) % 16);
		break;
	case 1:
		app_take(a);
		if (kind & 0x80)
			porch_ring_release(&a->accept);
		break;
	case 2:
		if (kind & 0x80)
			finish_worker(&x->d, &a->w);
		else
			finishes(a, in);
		break;
	case 3:
		a->inject.ring->consumed += take(in, 1);
		break;
	case 4:
		if (kind & 0x80)
			a->finish.ring->produced += take(in, 1);
		finish_worker(&x->d, &a->w);
		break;
	case 5:
		if (kind & 0x80) {
			app_dies(x, a);
			apps[n] = NULL;
		}
		break;
	default:
		finishes(a, in);
	}
	if (apps[n] && a->w.condemned) {
		app_dies(x, a);
		apps[n] = NULL;
	}
}

static void holds(void)
{
	uint32_t i, queued = 0, early = 0;

	for (i = 0; i < FLOWS; i++) {
		queued += x->d.rows[i].state == ROW_QUEUED;
		check(early_count(&x->d.rows[i]) <= x->d.config.early_frames, "%u early frames",
		      early_count(&x->d.rows[i]));
		early += early_count(&x->d.rows[i]);
		check(!early_count(&x->d.rows[i]) || x->d.rows[i].state != ROW_NONE,
		      "frames of no connection");
	}
	check(x->queues[LISTENER].depth == queued, "depth %u, %u queued", x->queues[LISTENER].depth, queued);
	check(x->d.connections->early_memory <= x->d.config.early_memory, "early memory");
	check(!early == !x->d.connections->early_memory, "%u early frames, %zu octets", early,
	      (size_t)x->d.connections->early_memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	uint32_t i, mode = take(&in, 1);

	if (size > 4096)
		return 0;
	x = world_new(FLOWS);
	x->d.config.early_memory = mode & 1 ? 1000 : 1 << 20;
	world_listener(x, LISTENER, NULL, PORT, mode & 2 ? PORCH_OVERFLOW_RESET : PORCH_OVERFLOW_DROP, 0);
	apps[0] = app_new(x, 1, 15, 16, 8);
	handles[0] = app_listen(x, apps[0], NULL, mode >> 2);
	while (in.left) {
		switch (take(&in, 1) % 8) {
		case 0 ... 2:
			arrives(&in);
			break;
		case 3:
			claims(&in);
			break;
		case 4:
		case 5:
			worker_turn(&in);
			break;
		case 6:
			handover_all(&x->d);
			break;
		default:
			pass(x, (double)take(&in, 1) * take(&in, 1) / 5000);
		}
		holds();
	}
	for (i = 0; i < WORKERS; i++) {
		if (apps[i])
			app_dies(x, apps[i]);
		apps[i] = NULL;
	}
	holds();
	world_free(x);
	return 0;
}
