// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * deliver=afxdp on a wire: what real AF_XDP sockets find, record and all; what
 * XDP answers for a connection that is over; what the kernel never says, with
 * XDP and without.
 */
#include "tap.h"
#include "handed.h"

#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/if_xdp.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "handshake.skel.h"

#define FRAMES	   64
#define FRAME_SIZE 2048

/* porchd's socket and one worker's, on the TAP device's only queue. */
struct socket {
	int fd;
	__u32 *produced, *consumed;
	struct xdp_desc *at;
};

static __u8 *umem;
static struct socket daemon_socket, worker_socket;
static __u32 ifindex;

static void *ring(int fd, __u64 place, __u64 size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, place);

	harness_must(at != MAP_FAILED, "a ring of an AF_XDP socket");
	return at;
}

static void set(int fd, int option, __u32 value)
{
	harness_must(!setsockopt(fd, SOL_XDP, option, &value, sizeof(value)),
		     "an option of an AF_XDP socket");
}

static void socket_open(struct socket *s, const struct socket *owner)
{
	struct sockaddr_xdp a = { .sxdp_family = AF_XDP, .sxdp_ifindex = ifindex, .sxdp_flags = XDP_COPY };
	struct xdp_umem_reg reg = { .addr = (unsigned long)umem,
				    .len = FRAMES * FRAME_SIZE,
				    .chunk_size = FRAME_SIZE };
	struct xdp_mmap_offsets off;
	socklen_t length = sizeof(off);
	__u8 *rx, *fill;

	s->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	harness_must(s->fd >= 0, "an AF_XDP socket");
	set(s->fd, XDP_RX_RING, FRAMES);
	if (owner) {
		a.sxdp_flags = XDP_SHARED_UMEM;
		a.sxdp_shared_umem_fd = owner->fd;
	} else {
		harness_must(!setsockopt(s->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof(reg)), "XDP_UMEM_REG");
		set(s->fd, XDP_UMEM_FILL_RING, FRAMES);
		set(s->fd, XDP_UMEM_COMPLETION_RING, FRAMES);
	}
	harness_must(!getsockopt(s->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &length), "XDP_MMAP_OFFSETS");
	rx = ring(s->fd, XDP_PGOFF_RX_RING, off.rx.desc + FRAMES * sizeof(struct xdp_desc));
	s->produced = (void *)(rx + off.rx.producer);
	s->consumed = (void *)(rx + off.rx.consumer);
	s->at = (void *)(rx + off.rx.desc);
	if (!owner) {
		fill = ring(s->fd, XDP_UMEM_PGOFF_FILL_RING, off.fr.desc + FRAMES * sizeof(__u64));
		for (__u64 i = 0; i < FRAMES; i++)
			((__u64 *)(fill + off.fr.desc))[i] = i * FRAME_SIZE;
		__atomic_store_n((__u32 *)(fill + off.fr.producer), FRAMES, __ATOMIC_RELEASE);
	}
	harness_must(!bind(s->fd, (void *)&a, sizeof(a)), "bind() of an AF_XDP socket");
}

static void slot_put(__u32 slot, const struct socket *s)
{
	int map = bpf_map__fd(harness_skeleton()->maps.porch_xsks);

	if (s)
		harness_must(!bpf_map_update_elem(map, &slot, &s->fd, BPF_ANY), "porch_xsks");
	else
		bpf_map_delete_elem(map, &slot);
}

/* A fresh pair, for FILL is not filled again. */
static void sockets_up(void)
{
	if (!umem)
		umem = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);
	harness_must(umem != MAP_FAILED, "memory");
	ifindex = if_nametoindex("porch0");
	socket_open(&daemon_socket, NULL);
	socket_open(&worker_socket, &daemon_socket);
	slot_put(XSK_BASE, &daemon_socket);
	slot_put(XSK_BASE + 1, &worker_socket);
}

/* The next frame that the socket has got; NULL: none. */
static const __u8 *received(struct socket *s, __u32 *length)
{
	__u32 at = *s->consumed;
	struct xdp_desc d;

	if (at == __atomic_load_n(s->produced, __ATOMIC_ACQUIRE))
		return NULL;
	d = s->at[at & (FRAMES - 1)];
	__atomic_store_n(s->consumed, at + 1, __ATOMIC_RELEASE);
	*length = d.len;
	return umem + d.addr;
}

/* It must be this packet, with a record of this kind below it. */
static void expect_at(struct socket *s, const struct packet *p, int kind, const char *what)
{
	struct porch_tuple t = tuple_of(p);
	const struct porch_flow *f = flow_of(&t);
	struct porch_record r;
	const __u8 *at;
	struct frame in;
	__u32 length;

	packet_build(p, &in);
	at = received(s, &length);
	if (!at || !f) {
		fail("%s: %s", what, f ? "nothing came" : "there is no flow");
		return;
	}
	memcpy(&r, at - sizeof(r), sizeof(r));
	if (length != in.length || memcmp(at, in.bytes, length))
		fail("%s: another frame came", what);
	expect_u32("magic", r.magic, PORCH_RECORD_MAGIC);
	expect_u32("kind", r.kind, kind);
	expect_u32("flow", r.flow, f - world.flows);
	expect_u32("serial", r.serial, steer_of(f)->serial);
	expect_u32("l4", r.l4, packet_l4(p));
	expect_u32("length of the segment", r.length, in.length - packet_l4(p));
	expect_u32("rx_queue", r.rx_queue, 0);
}

static void expect_empty(struct socket *s, const char *what)
{
	__u32 length;

	if (received(s, &length))
		fail("%s got a frame", what);
}

static void begin(void)
{
	world_afxdp();
	slots_empty();
	slots_of(ifindex, XSK_BASE, 1);
	slot_put(XSK_BASE, &daemon_socket);
	slot_put(XSK_BASE + 1, &worker_socket);
	tick_once();
}

static void journey(int v6)
{
	struct packet syn = fresh_syn(v6, OFFERS_LINUX), ack, data;
	struct porch_tuple t = tuple_of(&syn);
	struct porch_flow *f;
	struct decoded d;

	row("a connection's frames go to porchd, then to the worker, %s", FAMILY(v6));
	begin();
	if (tap_connect(&syn, &d, &ack)) {
		expect_u32("window", d.window, PORCH_AFXDP_WINDOW);
		ack.payload = 20;
		tap_send(&ack);
		expect_at(&daemon_socket, &ack, PORCH_RECORD_PROOF, "the proof");
		data = ack;
		data.seq += 20;
		data.payload = 1400;
		tap_send(&data);
		expect_at(&daemon_socket, &data, PORCH_RECORD_SEGMENT, "early data");
		f = flow_of(&t);
		if (f)
			phase_set(f, PORCH_PHASE_STEERED, 1);
		data.seq += 1400;
		tap_send(&data);
		expect_at(&worker_socket, &data, PORCH_RECORD_SEGMENT, "data");
		slot_put(XSK_BASE + 1, NULL);
		data.seq += 1400;
		tap_send(&data);
		expect_at(&daemon_socket, &data, PORCH_RECORD_SEGMENT, "data, without the worker's socket");
		expect_empty(&worker_socket, "the worker");
		slot_put(XSK_BASE, NULL);
		tap_send(&data);
		expect_empty(&daemon_socket, "porchd");
		expect_silence("without sockets");
	}
	row_end(SYNACK "proven refused_no_slot");
}

static void ending(int v6)
{
	struct packet syn = fresh_syn(v6, OFFERS_LINUX), ack, fin;
	struct porch_tuple t = tuple_of(&syn);
	struct decoded d, reply;
	struct porch_steer *s;

	row("a repeated FIN is answered on the wire, %s", FAMILY(v6));
	begin();
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		expect_at(&daemon_socket, &ack, PORCH_RECORD_PROOF, "the proof");
		if (flow_of(&t)) {
			s = steer_of(flow_of(&t));
			s->snd_nxt = ack.ack + 1;
			s->rcv_nxt = ack.seq + 1;
			s->until = world.host->tick + 600;
			phase_set(flow_of(&t), PORCH_PHASE_TIME_WAIT, 0);
		}
		fin = ack;
		fin.flags = FIN | ACK;
		fin.ack += 1;
		tap_send(&fin);
		if (expect_frame(ACK, &reply, "the last ACK")) {
			expect_u32("seq", reply.seq, ack.ack + 1);
			expect_u32("ack", reply.ack, ack.seq + 1);
		}
		expect_empty(&daemon_socket, "porchd");
	}
	row_end(SYNACK "proven");
}

static void xdp(int attached)
{
	int fd = attached ? bpf_program__fd(harness_skeleton()->progs.porch_xdp) : -1;

	if (bpf_xdp_attach(ifindex, fd, 0, NULL))
		fail("XDP cannot be %s", attached ? "attached" : "detached");
}

static void without_xdp(int v6)
{
	struct packet syn = fresh_syn(v6, OFFERS_LINUX), ack, p;
	struct decoded d;
	int listener, fd;

	row("without the XDP program the kernel resets nothing, %s", FAMILY(v6));
	begin();
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		expect_at(&daemon_socket, &ack, PORCH_RECORD_PROOF, "the proof");
		xdp(0);
		p = ack;
		p.payload = 100;
		tap_send(&p);
		expect_silence("data");
		p.flags |= FIN;
		tap_send(&p);
		expect_silence("FIN");
		syn.sport = fresh_port();
		tap_send(&syn);
		expect_silence("SYN");
		xdp(1);
		tap_send(&p);
		expect_at(&daemon_socket, &p, PORCH_RECORD_PROOF, "XDP is back");
	}
	row_end(SYNACK "proven refused_guarded=3");

	row("fallback=kernel: while porchd is silent a kernel socket serves, %s", FAMILY(v6));
	begin();
	listener = listen_on(v6, PORT, 16);
	world.host->daemon_tick = 0;
	world.host->fallback = PORCH_FALLBACK_KERNEL;
	syn = fresh_syn(v6, OFFERS_LINUX);
	tap_drain();
	tap_send(&syn);
	if (expect_frame(SYN | ACK, &d, "the kernel's SYN-ACK")) {
		ack = client_ack(&syn, &d);
		tap_send(&ack);
		fd = accept_from(listener);
		if (fd < 0)
			fail("nobody was accepted");
		expect_u32("flow", flow_state(&syn), PORCH_FLOW_DELIVERED);
		/* it goes on when porchd is back */
		world.host->daemon_tick = world.host->tick;
		ack.payload = 5;
		tap_send(&ack);
		if (fd >= 0 && recv(fd, &(char[8]){}, 8, 0) != 5)
			fail("the data did not arrive");
		expect_empty(&daemon_socket, "porchd");
		tap_drain();
		ack.payload = 0;
		ack.seq += 5;
		ack.flags = RST | ACK;
		tap_send(&ack);
		close(fd);
	}
	close(listener);
	row_end("syn_received syn_passed");
}

static void fragments(int v6)
{
	struct packet p = fresh_syn(v6, "");

	row("a fragment is dropped before the kernel puts it together, %s", FAMILY(v6));
	begin();
	p.flags = ACK;
	p.payload = 64;
	if (v6) {
		p.extension = 44;
		p.extensions = BYTES(6, 0, 0, 1, 0, 0, 0, 1);
	} else {
		p.fragment = MORE_FRAGMENTS;
	}
	tap_drain();
	tap_send(&p);
	expect_silence("fragment");
	row_end("refused_fragment");
}

static void rows_of(int v6)
{
	static int up;

	if (!up++)
		sockets_up();
	journey(v6);
	ending(v6);
	without_xdp(v6);
	fragments(v6);
}

int main(void)
{
	return tap_main(rows_of);
}
