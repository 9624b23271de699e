// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The guard of deliver=afxdp: what reaches tc, for XDP is gone or was told to
 * pass, meets the kernel only where a socket would take it.
 */
#include "handed.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/pkt_cls.h>

static const struct harness_options options = { .flow_sets = 64, .half_open_max = 64 };

#define NEXT TC_ACT_UNSPEC
#define DROP TC_ACT_SHOT

struct guard_row {
	const char *sentence;
	void (*change)(struct packet *p);
	__u8 socket; /* a kernel socket listens */
	int verdict;
	const char *counters;
};

/* IPv6: the fragment header names TCP and lies behind `before` */
#define FRAGMENT(word) 6, 0, (word) >> 8, (word)&0xff, 0, 0, 0, 1

/* clang-format off */
static void as_is(struct packet *p) { }
static void kernels(struct packet *p) { l()->deliver = PORCH_DELIVER_KERNEL; tick_once(); }
static void both(struct packet *p) { listener_add(2, NULL, 81, PORCH_PROTECT_ON_ATTACK, PORCH_REGIME_KERNEL); p->dport = 81; }
static void other_port(struct packet *p) { p->dport = 82; }
static void other_address(struct packet *p) { address_server(p->dest, p->v6, 2); }
static void syn(struct packet *p) { p->flags = SYN; }
static void rst(struct packet *p) { p->flags = RST; }
static void data(struct packet *p) { p->payload = 100; }
static void udp(struct packet *p) { p->protocol = 17; }
static void arp(struct packet *p) { p->ethertype = 0x0806; }
static void ip_options(struct packet *p) { if (!p->v6) p->ip_options = BYTES(1, 1, 1, 1); }
static void extension(struct packet *p) { if (p->v6) { p->extension = 0; p->extensions = BYTES(6, 0, 1, 4, 0, 0, 0, 0); } }
static void first_fragment(struct packet *p)
{
	if (p->v6) {
		p->extension = 44;
		p->extensions = BYTES(FRAGMENT(1));
	} else {
		p->fragment = MORE_FRAGMENTS;
	}
	p->payload = 64;
}
static void hidden_fragment(struct packet *p)
{
	first_fragment(p);
	if (p->v6) {
		p->extension = 60;
		p->extensions = BYTES(44, 0, 1, 4, 0, 0, 0, 0, FRAGMENT(1));
	}
}
static void later_fragment(struct packet *p)
{
	first_fragment(p);
	if (p->v6)
		p->extensions = BYTES(FRAGMENT(64));
	else
		p->fragment = 8;
}
static void other_fragment(struct packet *p) { first_fragment(p); p->dport = 82; }
static void off(struct packet *p) { l()->protect = PORCH_PROTECT_OFF; }
static void monitor_syn(struct packet *p) { l()->protect = PORCH_PROTECT_MONITOR; syn(p); }
static void fall_back(struct packet *p) { world.host->fallback = PORCH_FALLBACK_KERNEL; }
static void fall_back_syn(struct packet *p) { fall_back(p); syn(p); }
static void fall_back_rst(struct packet *p) { fall_back(p); p->flags = SYN | RST; }
static void fall_back_fragment(struct packet *p) { fall_back_syn(p); first_fragment(p); }
static void no_meta(struct packet *p) { world.host->flags |= PORCH_HOST_NO_META; }

static const struct guard_row rows[] = {
	{ "an ACK without a socket is dropped", as_is, 0, DROP, "refused_guarded" },
	{ "data", data, 0, DROP, "refused_guarded" },
	{ "a RST", rst, 0, DROP, "refused_guarded" },
	{ "a SYN", syn, 0, DROP, "refused_guarded" },
	{ "behind IPv4 options", ip_options, 0, DROP, "refused_guarded" },
	{ "behind an extension header", extension, 0, DROP, "refused_guarded" },
	{ "also where a driver has no room for metadata", no_meta, 0, DROP, "refused_guarded" },
	{ "an ACK that only a listening socket would have", as_is, 1, DROP, "refused_guarded" },
	{ "a SYN that a listening socket would have", syn, 1, DROP, "refused_guarded" },
	{ "with fallback=kernel the SYN passes", fall_back_syn, 1, NEXT, "" },
	{ "but not where nobody listens", fall_back_syn, 0, DROP, "refused_guarded" },
	{ "the ACK does not", fall_back, 1, DROP, "refused_guarded" },
	{ "SYN+RST does not", fall_back_rst, 1, DROP, "refused_guarded" },
	{ "with protect=off a listening socket serves", off, 1, NEXT, "" },
	{ "and where there is none nothing is reset", off, 0, DROP, "refused_guarded" },
	{ "with protect=monitor likewise", monitor_syn, 1, NEXT, "" },
	{ "the first fragment is dropped by its own name", first_fragment, 0, DROP, "refused_fragment" },
	{ "behind another header", hidden_fragment, 0, DROP, "refused_fragment" },
	{ "beside a listening socket", first_fragment, 1, DROP, "refused_fragment" },
	{ "a later fragment has no ports and passes", later_fragment, 0, NEXT, "" },
	{ "a fragment to another port passes", other_fragment, 0, NEXT, "" },
	{ "with fallback=kernel a fragmented SYN passes", fall_back_fragment, 1, NEXT, "" },
	{ "without any listener of deliver=afxdp nobody looks", kernels, 0, NEXT, "" },
	{ "a listener of deliver=kernel beside it is left alone", both, 0, NEXT, "" },
	{ "a port without listener", other_port, 0, NEXT, "" },
	{ "another address", other_address, 0, NEXT, "" },
	{ "UDP", udp, 0, NEXT, "" },
	{ "ARP", arp, 0, NEXT, "" },
};
/* clang-format on */

static int listening(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(PORT) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	harness_must(fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) &&
			     !bind(fd, (void *)&a, sizeof(a)) && !listen(fd, 16),
		     "a listening socket");
	return fd;
}

static void run_row(const struct guard_row *r, int v6)
{
	struct packet p = client_syn(v6, "");
	struct frame in, out;
	int fd = -1, verdict;

	row("guard: %s, %s", r->sentence, FAMILY(v6));
	world_afxdp();
	tick_once(); /* as the timer does: some listener has deliver=afxdp */
	if (r->socket)
		fd = listening();
	p.flags = ACK;
	r->change(&p);
	packet_build(&p, &in);
	verdict = run_tc(&in, &out);
	if (verdict != r->verdict)
		fail("verdict is %d, not %d", verdict, r->verdict);
	expect_same(&in, &out);
	if (fd >= 0)
		close(fd);
	row_end(r->counters);
}

/* A connection over lo: its tuple has a socket of its own. */
static void established(int v6)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
				  .sin6_port = htons(PORT),
				  .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct packet p = client_syn(v6, "");
	socklen_t length = sizeof(a);
	struct frame in, out;
	int fd, client;

	row("guard: a segment whose tuple has a socket of its own passes, %s", FAMILY(v6));
	world_afxdp();
	fd = listening();
	if (!v6) { /* ::ffff:127.0.0.1 */
		memset(&a.sin6_addr, 0, 16);
		a.sin6_addr.s6_addr[10] = a.sin6_addr.s6_addr[11] = 0xff;
		a.sin6_addr.s6_addr[12] = 127;
		a.sin6_addr.s6_addr[15] = 1;
	}
	client = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (system("ip link set lo up") || connect(client, (void *)&a, sizeof(a)) ||
	    getsockname(client, (void *)&a, &length)) {
		row_skip("no connection over lo");
	} else {
		memcpy(p.source, &a.sin6_addr, 16);
		memcpy(p.dest, &a.sin6_addr, 16);
		p.sport = ntohs(a.sin6_port);
		p.flags = ACK;
		address_add(p.dest);
		tick_once();
		packet_build(&p, &in);
		expect_u32("verdict", run_tc(&in, &out), (__u32)NEXT);
		p.sport ^= 1; /* and its neighbour's does not */
		packet_build(&p, &in);
		expect_u32("verdict", run_tc(&in, &out), DROP);
	}
	close(client);
	close(fd);
	row_end("refused_guarded");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			run_row(&rows[i], v6);
		established(v6);
	}
	return harness_end();
}
