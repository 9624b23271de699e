// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One seed from beginning to end; and main, which runs a range of them. */
#include "tests/sim/sim.h"

#include <stdlib.h>

#define LONGEST                                                                                              \
	(20000 * TCP_SECOND) /* 36 octets at a time with one segment in five lost both ways takes hours */
#define MOST_EVENTS 3000000

static bool aborted(const struct world *w)
{
	return w->plan.abort_at[0] != UINT32_MAX || w->plan.abort_at[1] != UINT32_MAX ||
	       w->plan.blocks[0] != UINT32_MAX || w->plan.blocks[1] != UINT32_MAX;
}

/* One has gone and its RST was lost; the other has nothing to send, and will never know. */
static bool forgotten(const struct end *gone, const struct end *left)
{
	return gone->released && !gone->time_wait && !left->released &&
	       left->conn.snd_una == left->conn.snd_nxt;
}

/* Nobody gives up while something passes both ways. */
static void check_patience(struct world *w)
{
	int i;

	if (w->plan.frame_refusals > 5000)
		return;
	for (i = 0; i < 2; i++) {
		const struct link_way *way = &w->plan.way[i];

		if (way->dead_to || way->loss > 4000)
			return;
	}
	for (i = 0; i < 2; i++)
		if (w->end[i].conn.error == -ETIMEDOUT)
			sim_fail(w, "end %d: has given up", i);
}

/* What each application must have seen, if nobody aborted and nobody gave up. */
static void verdict(struct world *w)
{
	int i;

	check_clean(w);
	if (!aborted(w))
		check_patience(w);
	for (i = 0; i < 2; i++) {
		struct end *e = &w->end[i];
		bool expected = w->plan.octets[!i] || w->plan.shut_early[i];

		if (aborted(w) || w->plan.way[0].dead_to || w->plan.way[1].dead_to)
			continue;
		if (w->end[0].conn.error == -ETIMEDOUT || w->end[1].conn.error == -ETIMEDOUT ||
		    w->end[0].conn.error == -ECONNABORTED || w->end[1].conn.error == -ECONNABORTED)
			continue;
		if (e->sent != w->plan.octets[i] || (expected && e->received != w->plan.octets[!i]))
			sim_fail(w, "end %d: sent %u of %u, received %u of %u, error %d", i, e->sent,
				 w->plan.octets[i], e->received, w->plan.octets[!i], e->conn.error);
	}
}

static uint64_t next_turn(const struct end *e)
{
	if (e->pended)
		return e->world->now;
	return e->peer ? peer_next(e) : end_next(e);
}

const char *sim_run(struct world *w, uint64_t seed, bool talk)
{
	uint64_t events = 0;
	int i;

	memset(w, 0, offsetof(struct world, heap));
	plan_make(&w->plan, seed);
	w->now = SIM_START;
	w->random = seed * 77 + 1;
	w->talk = talk;
	if (talk)
		plan_print(&w->plan);
	for (i = 0; i < 2; i++)
		end_open(w, i);
	while (!w->failure && !(w->end[0].released && w->end[1].released)) {
		uint64_t next = link_next(w), turn[2];

		for (i = 0; i < 2; i++) {
			turn[i] = next_turn(&w->end[i]);
			next = min_u64(next, turn[i]);
		}
		if (next == TCP_NEVER &&
		    (forgotten(&w->end[0], &w->end[1]) || forgotten(&w->end[1], &w->end[0])))
			break;
		if (next == TCP_NEVER || next > SIM_START + LONGEST || events++ > MOST_EVENTS) {
			sim_fail(w, "no progress: states %u %u, sent %u %u, received %u %u",
				 w->end[0].conn.state, w->end[1].conn.state, w->end[0].sent, w->end[1].sent,
				 w->end[0].received, w->end[1].received);
			break;
		}
		if (next > w->now)
			w->now = next;
		link_deliver(w);
		for (i = 0; i < 2 && !w->failure; i++) {
			struct end *e = &w->end[i];

			if (turn[i] > w->now && !e->pended)
				continue;
			e->pended = false;
			if (e->peer) {
				peer_turn(e);
			} else {
				end_turn(e);
				check_end(e);
			}
		}
	}
	if (!w->failure)
		verdict(w);
	link_free(w);
	if (w->failure && talk)
		printf("at %.6f\n", (double)(w->now - SIM_START) / 1e9);
	for (i = 0; i < 2; i++)
		end_release(&w->end[i]);
	return w->failure;
}
