/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A porchd without kernel: tables in plain memory, real rings, frames as XDP
 * redirects them. The test is XDP, the clock, the workers and the wire.
 */
#ifndef PORCH_TESTS_CONNECTIONS_H
#define PORCH_TESTS_CONNECTIONS_H

#include <arpa/inet.h>
#include <string.h>

#include "daemon/flowtab.h"
#include "tests/unit/connections_calls.h"

#define IFINDEX	     7
#define QUEUES	     4
#define PORT	     8080
#define SECOND	     1000000000ull
#define TAG_NONE     0xffff
#define INJECT_FRAME 2048
#define FIN	     0x01
#define SYN	     0x02
#define RST	     0x04
#define ACK	     0x10

struct world {
	struct daemon d;
	struct trust_group group;
	struct area areas[QUEUES];
	struct porch_flow *flows;
	struct porch_steer *steer;
	struct porch_queue queues[PORCH_LISTENERS_MAX];
	struct porch_listener_entry listeners[PORCH_LISTENERS_MAX];
	struct porch_ports ports;
	struct porch_host host;
};

/* The worker's side of its rings. */
struct app {
	struct worker w;
	struct porch_session session;
	struct porch_ring_end accept, inject, finish;
	void *memory[3];
};

static inline struct world *world_new(uint32_t n_flows)
{
	struct world *x = calloc(1, sizeof(*x));
	uint32_t i;

	memset(&seen, 0, sizeof(seen));
	x->flows = calloc(n_flows, sizeof(*x->flows));
	x->steer = calloc(n_flows, sizeof(*x->steer));
	x->group = (struct trust_group){ .ifindex = IFINDEX, .queues = QUEUES, .areas = x->areas };
	for (i = 0; i < QUEUES; i++)
		x->areas[i] = (struct area){ .group = &x->group, .queue = i, .index = i };
	x->d.tables.flows = x->flows;
	x->d.tables.steer = x->steer;
	x->d.tables.queues = x->queues;
	x->d.tables.listeners = x->listeners;
	x->d.tables.ports = &x->ports;
	x->d.tables.host = &x->host;
	x->d.tables.n_flows = n_flows;
	x->host = (struct porch_host){ .tick = 1000, .ttl = 64, .hop_limit = 64 };
	x->d.config.backlog = 4096;
	x->d.config.accept_timeout = 30;
	x->d.config.early_frames = 8;
	x->d.config.early_memory = 1 << 20;
	x->d.config.handback_memory = 1 << 20;
	x->d.now = 1000 * SECOND;
	assert_int_equal(flowtab_open(&x->d), 0);
	return x;
}

static inline void world_free(struct world *x)
{
	assert_int_equal(x->d.connections->early_memory * !x->d.connections->n_active, 0);
	flowtab_close(&x->d);
	free(x->flows);
	free(x->steer);
	free(x);
}

/* As `porch listen`: `address` NULL is `*`. */
static inline void world_listener(struct world *x, uint32_t index, const uint8_t *address, uint16_t port,
				  uint8_t overflow, uint32_t backlog)
{
	struct porch_listener_entry *l = &x->listeners[index];
	uint8_t *place = &x->ports.listener[port];

	*l = (struct porch_listener_entry){ .port = port,
				      .used = 1,
				      .any_address = !address,
				      .deliver = PORCH_DELIVER_AFXDP,
				      .overflow = overflow,
				      .backlog = backlog };
	if (address)
		memcpy(l->address, address, 16);
	l->next = *place;
	*place = index;
}

static inline const uint8_t *v4(uint8_t last)
{
	static uint8_t at[8][16];
	static int n;
	uint8_t *p = at[n++ % 8];

	memcpy(p, (uint8_t[16]){ [10] = 0xff, [11] = 0xff, [12] = 10, [15] = last }, 16);
	return p;
}

static inline void ring_pair(struct porch_ring_end *ours, struct porch_ring_end *theirs, void **memory,
			     uint32_t entries, uint32_t size, int we_produce)
{
	*memory = aligned_alloc(64, (porch_ring_size(entries, size) + 63) & ~63ul);
	memset(*memory, 0, porch_ring_size(entries, size));
	porch_ring_join(ours, *memory, entries, size, we_produce);
	porch_ring_join(theirs, *memory, entries, size, !we_produce);
}

/* A registered worker with sockets on the RX queues of the mask. */
static inline struct app *app_new(struct world *x, uint16_t number, uint32_t queues, uint32_t accept,
				  uint32_t inject)
{
	struct app *a = aligned_alloc(64, (sizeof(*a) + 63) & ~63ul);
	uint32_t i;

	memset(a, 0, sizeof(*a));
	a->w.number = number;
	a->w.ready = true;
	a->w.session = &a->session;
	ring_pair(&a->w.accept, &a->accept, &a->memory[0], accept, sizeof(struct porch_accept_entry), 1);
	ring_pair(&a->w.inject, &a->inject, &a->memory[1], inject,
		  sizeof(struct porch_inject_entry) + INJECT_FRAME, 1);
	ring_pair(&a->w.finish, &a->finish, &a->memory[2], 64, sizeof(struct porch_finish_entry), 0);
	for (i = 0; i < QUEUES; i++) {
		if (!(queues & 1u << i))
			continue;
		a->w.areas[a->w.n_areas] = (struct worker_area){
			.area = &x->areas[i], .worker = &a->w, .number = a->w.n_areas, .bound = true
		};
		a->w.n_areas++;
	}
	x->d.workers[number] = &a->w;
	return a;
}

static inline void app_free(struct world *x, struct app *a)
{
	int i;

	if (x->d.workers[a->w.number] == &a->w)
		x->d.workers[a->w.number] = NULL;
	for (i = 0; i < 3; i++)
		free(a->memory[i]);
	free(a);
}

/* As worker_reap() does it. */
static inline void app_dies(struct world *x, struct app *a)
{
	a->w.ready = false;
	a->w.gone = true;
	worker_flows_gone(&x->d, &a->w);
	app_free(x, a);
}

static inline int app_listen(struct world *x, struct app *a, const uint8_t *address, uint32_t backlog)
{
	static const uint8_t any[16];
	uint32_t limit = 12345;
	int r = listen_add(&x->d, &a->w, address ? address : any, PORT, backlog, &limit);

	assert_true(r < 0 ? limit == 12345 : limit == a->w.listens[r].listener->limit);
	return r;
}

static inline void app_grant(struct app *a, int handle, uint64_t more)
{
	a->session.listener[handle].granted += more;
}

/* The next accept entry that is still ours, claimed and not released; or NULL. */
static inline const struct porch_accept_entry *app_take(struct app *a)
{
	struct porch_accept_entry *e;
	uint32_t claim;
	int r;

	do {
		e = (struct porch_accept_entry *)porch_ring_take(&a->accept, &r);
		claim = PORCH_CLAIM_FREE;
	} while (e && !__atomic_compare_exchange_n(&e->claim, &claim, PORCH_CLAIM_TAKEN, 0, __ATOMIC_ACQ_REL,
						   __ATOMIC_ACQUIRE));
	return e;
}

static inline void app_finish(struct app *a, uint32_t flow, uint32_t serial, uint32_t how)
{
	int r;
	struct porch_finish_entry *e = porch_ring_fill(&a->finish, &r);

	assert_non_null(e);
	*e = (struct porch_finish_entry){
		.flow = flow, .serial = serial, .how = how, .snd_nxt = 11, .rcv_nxt = 22, .ts_offset = 33
	};
	porch_ring_publish(&a->finish);
}

/* What XDP does with a proof: the flow claimed, porch_steer filled, state last. Returns the serial. */
static inline uint32_t xdp_claim(struct world *x, uint32_t flow, uint32_t listener)
{
	struct porch_flow *f = &x->flows[flow];
	struct porch_steer *s = &x->steer[flow];

	*f = (struct porch_flow){ .remote_port = 1024 + flow % 60000,
				  .local_port = x->listeners[listener].port,
				  .listener = listener,
				  .options = PORCH_OPT_TIMESTAMPS | PORCH_OPT_WSCALE,
				  .wscale = PORCH_AFXDP_WSCALE << 4 | 2,
				  .mss = 1460,
				  .irs = 1000 + flow,
				  .iss = 5000 + flow,
				  .ts_recent = 77,
				  .ts_ecr = 88 };
	memcpy(f->remote, v4(2), 16);
	memcpy(f->local, v4(1), 16);
	s->proven_ns = x->d.now;
	s->serial++;
	s->ifindex = IFINDEX;
	memcpy(s->remote_mac, "\x02\0\0\0\0\x02", 6);
	memcpy(s->local_mac, "\x02\0\0\0\0\x01", 6);
	s->tags[0] = s->tags[1] = TAG_NONE;
	s->window = 1000;
	s->rtt_us = 2345;
	__atomic_store_n(&f->state, PORCH_FLOW_HANDED, __ATOMIC_RELEASE);
	return s->serial;
}

struct xdp_frame {
	struct porch_record record;
	uint8_t frame[512];
	uint32_t length;
};

static inline uint8_t *be(uint8_t *p, uint32_t v, int octets)
{
	while (octets--)
		*p++ = v >> 8 * octets;
	return p;
}

/* A segment of the flow, Ethernet and IPv4 around it, sums right. seq: beyond irs. */
static inline void xdp_segment(struct world *x, struct xdp_frame *to, uint32_t flow, uint8_t kind,
			       uint8_t flags, uint32_t seq, uint32_t payload)
{
	const struct porch_flow *f = &x->flows[flow];
	uint8_t *ip = to->frame + 14, *tcp = ip + 20;
	uint32_t sum = 6 + 20 + payload, i;

	memset(to, 0, sizeof(*to));
	memcpy(to->frame, x->steer[flow].local_mac, 6);
	memcpy(to->frame + 6, x->steer[flow].remote_mac, 6);
	be(to->frame + 12, 0x0800, 2);
	be(ip, 0x45000000 | (40 + payload), 4);
	ip[8] = 64;
	ip[9] = 6;
	memcpy(ip + 12, f->remote + 12, 4);
	memcpy(ip + 16, f->local + 12, 4);
	be(tcp, f->remote_port, 2);
	be(tcp + 2, f->local_port, 2);
	be(tcp + 4, f->irs + seq, 4);
	be(tcp + 8, f->iss + 1, 4);
	be(tcp + 12, 0x5000 | flags, 2);
	be(tcp + 14, 500, 2);
	for (i = 0; i < payload; i++)
		tcp[20 + i] = seq + i;
	for (i = 12; i < 40 + payload; i++)
		sum += i & 1 ? ip[i] : ip[i] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	sum += sum >> 16;
	be(tcp + 16, ~sum, 2);
	to->length = 54 + payload;
	to->record = (struct porch_record){ .magic = PORCH_RECORD_MAGIC,
					    .flow = flow,
					    .serial = x->steer[flow].serial,
					    .kind = kind,
					    .listener = f->listener,
					    .l3 = 14,
					    .l4 = 34,
					    .length = 20 + payload };
}

static inline void xdp_send(struct world *x, const struct xdp_frame *f)
{
	admit_frame(&x->d, &x->areas[f->record.rx_queue % QUEUES], &f->record, f->frame, f->length);
}

static inline void segment(struct world *x, uint32_t flow, uint8_t kind, uint8_t flags, uint32_t seq,
			   uint32_t payload)
{
	struct xdp_frame f;

	xdp_segment(x, &f, flow, kind, flags, seq, payload);
	xdp_send(x, &f);
}

/* A new connection, proven by a bare ACK. */
static inline uint32_t proof(struct world *x, uint32_t flow, uint32_t listener)
{
	uint32_t serial = xdp_claim(x, flow, listener);

	segment(x, flow, PORCH_RECORD_PROOF, ACK, 1, 0);
	return serial;
}

static inline uint8_t phase_of(struct world *x, uint32_t flow)
{
	uint64_t word = x->steer[flow].word;

	return PORCH_STEER_SERIAL(word) == x->steer[flow].serial ? PORCH_STEER_PHASE(word)
								 : PORCH_PHASE_PENDING;
}

static inline uint16_t worker_of(struct world *x, uint32_t flow)
{
	return PORCH_STEER_WORKER(x->steer[flow].word);
}

static inline void pass(struct world *x, double seconds)
{
	x->d.now += seconds * SECOND;
	x->host.tick += seconds * PORCH_TICKS_PER_SEC;
	connections_tick(&x->d);
}

/* TCP of the last frame sent: flags, and its numbers less iss and irs of the flow. */
static inline uint8_t sent_flags(void)
{
	return seen.frame[14 + 20 + 13];
}

static inline uint32_t sent_at(uint32_t offset)
{
	uint32_t v;

	memcpy(&v, seen.frame + 14 + 20 + offset, 4);
	return ntohl(v);
}

#endif /* PORCH_TESTS_CONNECTIONS_H */
