// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a seed decides. */
#include "tests/sim/sim.h"

uint64_t sim_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 2685821657736338717ull;
}

static uint64_t below(uint64_t *r, uint64_t n)
{
	return n ? (sim_random(r) >> 16) % n : 0;
}

static bool one_in(uint64_t *r, uint32_t n)
{
	return below(r, n) == 0;
}

/* Small more often than large. */
static uint64_t skewed(uint64_t *r, uint64_t low, uint64_t high)
{
	uint64_t bits = 64 - __builtin_clzll(high / (low ? low : 1) | 1), v = low;

	v <<= below(r, bits);
	v += below(r, v);
	return v > high ? high : v;
}

static void plan_way(struct plan *p, struct link_way *w, uint64_t *r)
{
	static const uint32_t losses[] = { 0, 0, 0, 66, 655, 3277, 13107 };

	w->delay = skewed(r, 20000, 200 * TCP_MS);
	w->rate = skewed(r, 20000, 2000000000);
	w->queue = (uint32_t)skewed(r, 16, 1024);
	w->mtu = p->mtu;
	w->mark = losses[below(r, 7)];
	if (p->clean) {
		w->change_at = TCP_NEVER;
		w->queue = 100000;
		if (w->rate < 1000000)
			w->rate = 1000000;
		return;
	}
	w->loss = losses[below(r, 7)];
	w->duplicate = one_in(r, 4) ? 1000 : 0;
	w->corrupt = one_in(r, 4) ? 500 : 0;
	w->reorder = one_in(r, 3) ? (uint32_t)below(r, 10000) : 0;
	w->jitter = skewed(r, 10000, 50 * TCP_MS);
	if (one_in(r, 6)) {
		w->mtu = 576 + (uint32_t)below(r, 900);
		if (p->six)
			w->mtu = 1280;
		w->icmp = !one_in(r, 3);
	}
	w->change_at = TCP_NEVER;
	if (one_in(r, 8)) {
		w->change_at = SIM_START + below(r, TCP_SECOND);
		w->next_rate = skewed(r, 20000, 2000000000);
		w->next_delay = skewed(r, 20000, 200 * TCP_MS);
		w->next_mtu = one_in(r, 2) ? w->mtu : p->six ? 1280 : 576 + (uint32_t)below(r, 900);
		w->icmp = !one_in(r, 3);
	}
	if (one_in(r, 10)) {
		w->dead_from = SIM_START + below(r, 2 * TCP_SECOND);
		w->dead_to = w->dead_from + below(r, 10 * TCP_SECOND);
	}
}

static void plan_end(struct plan *p, int i, uint64_t *r)
{
	p->iss[i] = one_in(r, 4) ? (uint32_t)-below(r, 100000) : (uint32_t)sim_random(r);
	p->wscale[i] = (uint8_t)below(r, 10);
	p->mss[i] = one_in(r, 4) ? 536 : one_in(r, 6) ? (uint16_t)below(r, 1461) : p->mtu - 40;
	p->recv_buffer[i] = (uint32_t)skewed(r, 2048, 4 << 20);
	p->send_buffer[i] = (uint32_t)skewed(r, 2048, 1 << 20);
	p->octets[i] = one_in(r, 4) ? 0 : (uint32_t)skewed(r, 1, one_in(r, 20) ? 3000000 : 100000);
	p->write_max[i] = (uint32_t)skewed(r, 1, 100000);
	if (p->octets[i] / p->write_max[i] > 3000)
		p->write_max[i] = p->octets[i] / 3000 + 1;
	p->read_max[i] = (uint32_t)skewed(r, 1, 100000);
	p->read_pause[i] = one_in(r, 4) ? skewed(r, 10000, 100 * TCP_MS) : 0;
	p->write_pause[i] = one_in(r, 4) ? skewed(r, 10000, 20 * TCP_MS) : 0;
	p->nodelay[i] = one_in(r, 2);
	p->cork[i] = one_in(r, 8);
	p->pieces[i] = one_in(r, 3);
	p->newreno[i] = one_in(r, 2);
	p->keepalive[i] = one_in(r, 8) ? 1 + (uint32_t)below(r, 10) : 0;
	p->shut_early[i] = one_in(r, 2);
	p->handback[i] = one_in(r, 8);
	p->abort_at[i] = one_in(r, 40) ? (uint32_t)below(r, 20000) : UINT32_MAX;
	p->blocks[i] = one_in(r, 20) ? 40 + (uint32_t)below(r, 200) : UINT32_MAX;
}

static void plan_manners(struct plan *p, uint64_t *r)
{
	struct manners *m = &p->manners;

	if (!one_in(r, 3))
		return;
	*m = (struct manners){
		.model = true,
		.stretch = (uint8_t)(one_in(r, 3) ? 1 + below(r, 20) : 1 + below(r, 2)),
		.divide = (uint8_t)(one_in(r, 4) ? 2 + below(r, 8) : 1),
		.ack_delay_ms = (uint16_t)(one_in(r, 4) ? below(r, 500) : below(r, 50)),
		.in_order_only = one_in(r, 6),
		.reneges = one_in(r, 6),
		.shrinks = one_in(r, 6),
		.silly = one_in(r, 6),
		.again = one_in(r, 3),
		.probes_beyond = one_in(r, 2),
		.blind = one_in(r, 4),
		.segment = (uint16_t)(one_in(r, 5) ? 1 + below(r, 200) : 0),
	};
	p->clean = false;
	p->handback[1] = false;
	if (one_in(r, 4)) {
		p->recv_buffer[1] = 1 + (uint32_t)skewed(r, 16, 3000);
		p->octets[0] = min_u32(p->octets[0], p->recv_buffer[1] * 100);
	}
	if (p->recv_buffer[1] >> p->wscale[1] < 8)
		p->wscale[1] = 0;
	if (m->segment)
		p->octets[1] = min_u32(p->octets[1], m->segment * 1000);
	if (m->in_order_only || m->reneges || m->shrinks)
		p->octets[0] = min_u32(p->octets[0], 50000);
}

/* Those that read an octet at a time have not much to read: seeds are short. */
static void temper(struct plan *p, int i)
{
	struct link_way *w = &p->way[i];
	uint64_t turns;

	if (p->octets[i] > w->rate * 30)
		p->octets[i] = (uint32_t)(w->rate * 30);
	if (w->next_rate && p->octets[i] > w->next_rate * 30)
		p->octets[i] = (uint32_t)(w->next_rate * 30);
	if (w->loss > 5000 && p->octets[i] > 50000)
		p->octets[i] = 50000;
	if (p->mss[!i] < 200 && p->octets[i] > 20000)
		p->octets[i] = 20000;
	turns = p->octets[i] / p->read_max[!i] + 1;
	if (turns > 2000)
		p->read_max[!i] = p->octets[i] / 2000 + 1;
	if (turns * p->read_pause[!i] > 60 * TCP_SECOND)
		p->read_pause[!i] = 0;
	turns = p->octets[i] / p->write_max[i] + 1;
	if (turns * p->write_pause[i] > 60 * TCP_SECOND)
		p->write_pause[i] = 0;
}

void plan_make(struct plan *p, uint64_t seed)
{
	uint64_t r = seed * 0x9e3779b97f4a7c15ull + 0x1234567;
	int i;

	sim_random(&r);
	*p = (struct plan){ .seed = seed };
	p->clean = one_in(&r, 4);
	p->six = one_in(&r, 3);
	p->tagged = one_in(&r, 4);
	p->mtu = one_in(&r, 6) ? 3000 : 1500;
	p->options = (one_in(&r, 3) ? 0 : TCP_OPT_TIMESTAMPS) | (one_in(&r, 3) ? 0 : TCP_OPT_SACK) |
		     (one_in(&r, 4) ? 0 : TCP_OPT_WSCALE) | (one_in(&r, 3) ? TCP_OPT_ECN : 0);
	p->frame_refusals = one_in(&r, 5) ? (uint32_t)below(&r, 20000) : 0;
	for (i = 0; i < 2; i++) {
		plan_end(p, i, &r);
		plan_way(p, &p->way[i], &r);
	}
	plan_manners(p, &r);
	if (p->handback[0] || p->handback[1])
		p->clean = false; /* samples and marks are lost with each */
	if (!p->shut_early[0] && !p->shut_early[1])
		p->shut_early[0] = true; /* else each waits for the other */
	for (i = 0; i < 2; i++)
		temper(p, i);
}

void plan_print(const struct plan *p)
{
	int i;

	const struct manners *m = &p->manners;

	printf("seed %llu: %s IPv%d mtu %u options %x%s refusals %u\n", (unsigned long long)p->seed,
	       p->clean ? "clean" : "rough", p->six ? 6 : 4, p->mtu, p->options, p->tagged ? " tagged" : "",
	       p->frame_refusals);
	if (m->model)
		printf(" model: stretch %u divide %u delay %u ms segment %u%s%s%s%s%s%s%s\n", m->stretch,
		       m->divide, m->ack_delay_ms, m->segment, m->in_order_only ? " in-order-only" : "",
		       m->reneges ? " reneges" : "", m->shrinks ? " shrinks" : "", m->silly ? " silly" : "",
		       m->again ? " again" : "", m->probes_beyond ? " probes-beyond" : "",
		       m->blind ? " blind" : "");
	for (i = 0; i < 2; i++)
		printf(" end %d: iss %u mss %u wscale %u rbuf %u sbuf %u octets %u write %u/%lluus read "
		       "%u/%lluus%s%s%s%s keep %u abort %d blocks %d\n"
		       "  way: loss %u dup %u corrupt %u reorder %u delay %lluus jitter %lluus rate %llu "
		       "queue %u mtu %u%s dead %lld+%lldms\n",
		       i, p->iss[i], p->mss[i], p->wscale[i], p->recv_buffer[i], p->send_buffer[i],
		       p->octets[i], p->write_max[i], (unsigned long long)p->write_pause[i] / 1000,
		       p->read_max[i], (unsigned long long)p->read_pause[i] / 1000,
		       p->nodelay[i] ? " nodelay" : "", p->cork[i] ? " cork" : "",
		       p->pieces[i] ? " pieces" : "", p->shut_early[i] ? " shut" : "", p->keepalive[i],
		       (int)p->abort_at[i], (int)p->blocks[i], p->way[i].loss, p->way[i].duplicate,
		       p->way[i].corrupt, p->way[i].reorder, (unsigned long long)p->way[i].delay / 1000,
		       (unsigned long long)p->way[i].jitter / 1000, (unsigned long long)p->way[i].rate,
		       p->way[i].queue, p->way[i].mtu, p->way[i].icmp ? " icmp" : "",
		       p->way[i].dead_from ? (long long)((p->way[i].dead_from - SIM_START) / TCP_MS) : -1,
		       (long long)((p->way[i].dead_to - p->way[i].dead_from) / TCP_MS));
}
