/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The world of user/daemon/retransmit.c and parked.c, for their tests: time is an
 * argument, the loop's timers, the map of half-open entries and the wire are here.
 */
#ifndef PORCH_TESTS_RETRANSMIT_WORLD_H
#define PORCH_TESTS_RETRANSMIT_WORLD_H

#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>

#include <bpf/bpf.h>

#include "daemon/loop.h"
#include "daemon/parked.h"
#include "daemon/raw.h"
#include "daemon/retransmit.h"

#define ENTRIES_MAX 30000
#define SENT_MAX    100000
#define FLOWS	    64
#define MS	    NS_PER_MS

static struct daemon d;
static struct porch_host host;
static struct porch_listener_entry listeners[PORCH_LISTENERS_MAX];
static struct porch_iface ifaces[PORCH_IFACE_SLOTS];
static struct porch_queue queues[PORCH_LISTENERS_MAX];
static struct porch_flow flows[FLOWS];
static struct porch_steer steer[FLOWS];
static uint64_t tags[FLOWS / PORCH_SET_WAYS];
static const struct known_hash hash = { FLOWS / PORCH_SET_WAYS - 1,
					{ 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3 },
					0x9e3779b97f4a7c15ull };

/* ---- the world ---- */

static struct {
	struct porch_tuple key;
	struct porch_half_open value;
	bool gone;
} entries[ENTRIES_MAX];
static uint32_t n_entries;

static struct {
	uint64_t at;
	uint16_t port; /* the client's */
	uint32_t ifindex;
	uint8_t mac[6];
} sent[SENT_MAX];
static uint32_t n_sent;
static int wire_error;

static struct loop_timer *armed;

uint64_t loop_clock(void)
{
	return d.now;
}

void loop_timer_arm(struct loop *loop, struct loop_timer *timer, uint64_t at, loop_timer_fn fn, void *arg)
{
	timer->at = at;
	timer->fn = fn;
	timer->arg = arg;
	timer->armed = true;
	armed = timer;
}

void loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	timer->armed = false;
	armed = NULL;
}

int raw_mac(struct daemon *dd, uint32_t ifindex, uint8_t mac[6])
{
	memset(mac, 0xaa, 6);
	return 0;
}

int raw_send(struct daemon *dd, uint32_t ifindex, const void *frame, uint32_t length)
{
	const uint8_t *f = frame;

	if (wire_error)
		return wire_error;
	assert_true(n_sent < SENT_MAX);
	sent[n_sent].at = d.now;
	sent[n_sent].ifindex = ifindex;
	memcpy(sent[n_sent].mac, f, 6);
	sent[n_sent++].port = f[14 + 20 + 2] << 8 | f[14 + 20 + 3];
	return 0;
}

static uint64_t refused_parked;

/* The counters of the only CPU. */
int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	((struct porch_counters *)value)->refused_parked = refused_parked;
	return 0;
}

/* In the order of the array, from where the last batch ended, as the kernel goes by buckets. */
int bpf_map_lookup_batch(int fd, void *in, void *out, void *keys, void *values, __u32 *count,
			 const struct bpf_map_batch_opts *opts)
{
	uint32_t from, n = 0;

	from = in ? *(uint32_t *)in : 0;
	for (; from < n_entries && n < *count; from++) {
		if (entries[from].gone)
			continue;
		((struct porch_tuple *)keys)[n] = entries[from].key;
		((struct porch_half_open *)values)[n++] = entries[from].value;
	}
	*(uint32_t *)out = from;
	*count = n;
	if (from < n_entries)
		return 0;
	errno = ENOENT;
	return -1;
}

static inline void run_for(uint64_t ms)
{
	uint64_t end = d.now + ms * MS;

	while (armed && armed->at <= end) {
		d.now = armed->at;
		host.tick = d.now / (100 * MS);
		armed->armed = false;
		armed->fn(&d, armed->arg);
	}
	d.now = end;
	host.tick = d.now / (100 * MS);
}

static inline void address(uint8_t to[16], uint32_t ip)
{
	memset(to, 0, 16);
	to[10] = to[11] = 0xff;
	ip = htonl(ip);
	memcpy(to + 12, &ip, 4);
}

static inline struct porch_tuple tuple(uint16_t port)
{
	struct porch_tuple t = { .remote_port = port, .local_port = 80 };

	address(t.remote, 0x0a000002);
	address(t.local, 0x0a000001);
	return t;
}

static inline void syn(uint16_t port, uint32_t irs)
{
	assert_true(n_entries < ENTRIES_MAX);
	entries[n_entries].key = tuple(port);
	entries[n_entries].gone = false;
	entries[n_entries++].value = (struct porch_half_open){ .irs = irs,
							       .iss = ~irs,
							       .born_us = d.now / 1000,
							       .expires = host.tick + 630,
							       .ifindex = 7,
							       .mss = 1460,
							       .listener = 1,
							       .tags = { 0xffff, 0xffff } };
	host.half_open = 1;
}

static inline int setup(void **state)
{
	memset(&d, 0, sizeof(d));
	memset(&host, 0, sizeof(host));
	memset(queues, 0, sizeof(queues));
	memset(flows, 0, sizeof(flows));
	memset(steer, 0, sizeof(steer));
	memset(tags, 0, sizeof(tags));
	memset(listeners, 0, sizeof(listeners));
	n_entries = n_sent = 0;
	wire_error = 0;
	host.rcv_space = 65535;
	host.half_open_seconds = 63;
	refused_parked = 0;
	listeners[1] = (struct porch_listener_entry){
		.port = 80, .used = 1, .any_address = 1, .protect = PORCH_PROTECT_ALWAYS
	};
	d.tables.host = &host;
	d.tables.listeners = listeners;
	d.tables.ifaces = ifaces;
	d.tables.queues = queues;
	d.tables.flows = flows;
	d.tables.steer = steer;
	d.tables.flow_tags = (void *)tags;
	d.tables.n_flows = FLOWS;
	d.tables.n_half_open = 65536;
	d.tables.cpus = 1;
	d.config.synack_retries = 5;
	d.now = 5000 * NS_PER_SEC; /* its microseconds do not fit 32 bits */
	host.tick = d.now / (100 * MS);
	return retransmit_start(&d, &hash);
}

static inline int teardown(void **state)
{
	retransmit_stop(&d);
	armed = NULL;
	return 0;
}

/* The SYN-ACKs to `port`, in seconds after `from` by their list: not early, and less than 0.8 s late. */
static inline void expect(uint16_t port, uint64_t from, const unsigned int *seconds, uint32_t n)
{
	uint32_t i, found = 0;

	for (i = 0; i < n_sent; i++) {
		if (sent[i].port != port)
			continue;
		assert_true(found < n);
		assert_true(sent[i].at >= from + seconds[found] * NS_PER_SEC);
		assert_true(sent[i].at < from + seconds[found] * NS_PER_SEC + 800 * MS);
		found++;
	}
	assert_int_equal(found, n);
}

static const unsigned int usual[] = { 1, 3, 7, 15, 31 };

/* Where the lookup finds it: by trying every place and fingerprint. */
static inline uint32_t put_flow(const struct porch_tuple *t, uint32_t irs, uint8_t as)
{
	uint32_t i, fingerprint;

	for (i = 0; i < FLOWS; i++) {
		uint64_t *word = &tags[i / PORCH_SET_WAYS], before = *word;

		if (flows[i].state != PORCH_FLOW_FREE)
			continue;
		memcpy(flows[i].remote, t->remote, 16);
		memcpy(flows[i].local, t->local, 16);
		flows[i].remote_port = t->remote_port;
		flows[i].local_port = t->local_port;
		flows[i].irs = irs;
		flows[i].state = as;
		flows[i].listener = 1;
		for (fingerprint = 1; fingerprint < PORCH_TAG_HELD; fingerprint++) {
			*word = before | (uint64_t)fingerprint << i % PORCH_SET_WAYS * 16;
			if (known_find(&d.tables, &hash, t) == i)
				return i;
		}
		*word = before;
		memset(&flows[i], 0, sizeof(flows[i]));
	}
	fail_msg("nowhere");
	return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif /* PORCH_TESTS_RETRANSMIT_WORLD_H */
