// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "handed.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_xdp.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

#define SLOTS_USED 64

static int socket_of[SLOTS_USED];

static int xsks(void)
{
	return bpf_map__fd(harness_skeleton()->maps.porch_xsks);
}

/* The map takes a socket that has an RX ring; it need not be bound. */
void slot_fill(__u32 slot)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), entries = 8;

	harness_must(fd >= 0 && slot < SLOTS_USED, "an AF_XDP socket");
	harness_must(!setsockopt(fd, SOL_XDP, XDP_RX_RING, &entries, sizeof(entries)), "XDP_RX_RING");
	harness_must(!bpf_map_update_elem(xsks(), &slot, &fd, BPF_ANY), "porch_xsks");
	if (socket_of[slot])
		close(socket_of[slot]);
	socket_of[slot] = fd;
}

void slots_empty(void)
{
	for (__u32 slot = 0; slot < SLOTS_USED; slot++) {
		if (!socket_of[slot])
			continue;
		bpf_map_delete_elem(xsks(), &slot);
		close(socket_of[slot]);
		socket_of[slot] = 0;
	}
}

void slots_of(__u32 ifindex, __u32 base, __u16 queues)
{
	struct porch_iface *i = &world.ifaces[ifindex & (PORCH_IFACE_SLOTS - 1)];

	if (i->ifindex != ifindex) {
		i->ifindex = ifindex;
		i->mss4 = MSS4;
		i->mss6 = MSS6;
	}
	i->xsk_base = base;
	i->xsk_queues = queues;
}

__u32 four_queues(void)
{
	static __u32 ifindex;

	if (!ifindex && !system("ip link add porchq0 numrxqueues 4 numtxqueues 4 type veth peer name porchq1 "
				"2>/dev/null"))
		ifindex = if_nametoindex("porchq0");
	return ifindex;
}

void world_afxdp(void)
{
	struct porch_listener_entry *listener = l();

	listener->deliver = PORCH_DELIVER_AFXDP;
	listener->protect = PORCH_PROTECT_ALWAYS;
	listener->regime = PORCH_REGIME_STATELESS;
	for (int v6 = 0; v6 < 2; v6++) {
		listener->health[v6] = PORCH_HEALTH_UNPROBED;
		listener->probe_tick[v6] = 0;
	}
	world.host->daemon_tick = world.host->tick;
	*queue_of_listener() = (struct porch_queue){ .limit = QUEUE_LIMIT, .workers = 1 };
	slots_of(run_ifindex, XSK_BASE, XSK_QUEUE);
	slots_empty();
	slot_fill(XSK_BASE);
}

struct porch_steer *steer_of(const struct porch_flow *f)
{
	return &world.steer[f - world.flows];
}

void phase_set(const struct porch_flow *f, __u8 phase, __u16 worker)
{
	struct porch_steer *s = steer_of(f);

	s->word = PORCH_STEER(s->serial, phase, worker);
}

const struct porch_record *expect_record(const struct packet *p, const struct frame *in,
					 const struct frame *out, int kind, const struct porch_flow *f)
{
	const struct porch_record *r = (const void *)out->bytes;

	if (out->meta != sizeof(*r) || r->magic != PORCH_RECORD_MAGIC) {
		fail("no record in front of the frame (%u octets)", out->meta);
		return NULL;
	}
	if (out->length - out->meta != in->length - in->meta ||
	    memcmp(out->bytes + out->meta, in->bytes + in->meta, in->length - in->meta))
		fail("the frame behind the record was changed");
	expect_u32("record.kind", r->kind, kind);
	expect_u32("record.flow", r->flow, f - world.flows);
	expect_u32("record.serial", r->serial, steer_of(f)->serial);
	expect_u32("record.listener", r->listener, LISTENER);
	expect_u32("record.rx_queue", r->rx_queue, run_queue);
	expect_u32("record.reserved", r->reserved, 0);
	expect_u32("record.l3", r->l3, packet_l3(p));
	if (kind != PORCH_RECORD_ICMP) {
		expect_u32("record.l4", r->l4, packet_l4(p));
		expect_u32("record.length", r->length, in->length - in->meta - p->trailer - packet_l4(p));
	}
	if (!r->time_ns != (kind != PORCH_RECORD_PROOF))
		fail("record.time_ns is %llu", r->time_ns);
	return r;
}

const struct porch_record *expect_steered(const struct packet *p, int kind, const struct porch_flow *f)
{
	static struct frame out;
	struct frame in;
	int verdict;

	packet_build(p, &in);
	verdict = run_xdp(&in, &out);
	expect_verdict(verdict, XDP_REDIRECT, "segment");
	return verdict == XDP_REDIRECT ? expect_record(p, &in, &out, kind, f) : NULL;
}

void expect_refused(const struct packet *p, const char *what)
{
	struct frame in, out;

	packet_build(p, &in);
	expect_verdict(run_xdp(&in, &out), XDP_DROP, what);
	expect_same(&in, &out);
}

struct porch_flow *handed(int v6, const char *offers, struct packet *syn, struct packet *ack)
{
	struct porch_tuple t;
	struct decoded d;
	struct frame out;

	*syn = client_syn(v6, offers);
	if (!connect_syn(syn, NULL, &d))
		return NULL;
	*ack = client_ack(syn, &d);
	ack->window = 501;
	expect_verdict(send_packet(ack, &out), XDP_REDIRECT, "final ACK");
	t = tuple_of(syn);
	if (!flow_of(&t))
		fail("there is no flow");
	return flow_of(&t);
}
