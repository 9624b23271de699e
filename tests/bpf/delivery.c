// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Delivery: frames on a wire, porch's three programs, and what real sockets say of it. */
#include "tap.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

static int info_of(int fd, struct tcp_info *i)
{
	socklen_t n = sizeof(*i);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, i, &n);
}

/* ---- delivery as TCP_INFO shows it ---- */

struct delivery {
	const char *sentence;
	const char *offers;
	__u16 flags;
	__u16 mss; /* the client's, as TCP_INFO shows it: less the timestamps */
	__u8 options;
	__u8 snd_wscale;
	__u16 mss6;
};

#define TS TCPI_OPT_TIMESTAMPS
#define SK TCPI_OPT_SACK
#define WS TCPI_OPT_WSCALE

static const struct delivery deliveries[] = {
	{ "Linux", OFFERS_LINUX, 0, 1460, TS | SK | WS, 7, 1440 },
	{ "Linux without timestamps", OFFERS_LINUX_PLAIN, 0, 1460, SK | WS, 7, 1440 },
	{ "Windows", OFFERS_WINDOWS, 0, 1460, SK | WS, 8, 1440 },
	{ "Apple", OFFERS_APPLE, 0, 1460, TS | SK | WS, 6, 1440 },
	{ "no options", "", 0, 536, 0, 0, 1220 },
	{ "MSS alone", "M1300", 0, 1300, 0, 0, 1220 },
	{ "timestamps alone", "M1337 T", 0, 1337, TS, 0, 1337 },
	{ "window scale alone", "M1460 W4", 0, 1460, WS, 4, 1440 },
	{ "SACK alone", "M1460 S", 0, 1460, SK, 0, 1440 },
	{ "SACK and timestamps", "M1333 S T", 0, 1333, TS | SK, 0, 1333 },
	{ "window scale and timestamps", "M1333 W14 T", 0, 1333, TS | WS, 14, 1333 },
	{ "SACK and window scale", "M1460 S W2", 0, 1460, SK | WS, 2, 1440 },
	{ "ECN", OFFERS_LINUX, ECE | CWR, 1460, TS | SK | WS | TCPI_OPT_ECN, 7, 1440 },
};

static void delivered_as(const struct delivery *r, int v6)
{
	struct packet syn = fresh_syn(v6, r->offers), ack;
	struct decoded d, again;
	struct tcp_info info;
	int listener, fd;
	__u32 mss = v6 ? r->mss6 : r->mss;

	row("delivered with %s, %s", r->sentence, FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	syn.flags |= r->flags;
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		if (fd < 0) {
			fail("nobody was accepted");
		} else if (!info_of(fd, &info)) {
			expect_u32("state", info.tcpi_state, TCP_ESTABLISHED);
			expect_u32("options", info.tcpi_options & (TS | SK | WS | TCPI_OPT_ECN), r->options);
			expect_u32("snd_wscale", info.tcpi_snd_wscale, r->snd_wscale);
			expect_u32("rcv_wscale", info.tcpi_rcv_wscale, d.has_wscale ? d.wscale : 0);
			expect_u32("snd_mss", info.tcpi_snd_mss, mss - (r->options & TS ? 12 : 0));
			expect_u32("flow", flow_state(&syn), PORCH_FLOW_DELIVERED);
			/* both directions carry data, the sequence numbers fit */
			if (write(fd, "hello", 5) != 5 || !expect_frame(ACK | PSH, &again, "data"))
				fail("the server cannot speak");
			expect_u32("seq of the server's data", again.seq, d.seq + 1);
			expect_u32("ack of the server's data", again.ack, syn.seq + 1);
			if (d.has_ts && (__s32)(again.tsval - d.tsval) < 0)
				fail("TSval went back from %u to %u", d.tsval, again.tsval);
		}
		if (fd >= 0)
			close(fd);
	}
	close(listener);
	row_end(WHOLE);
}

static void payload_first(int v6)
{
	struct packet syn = fresh_syn(v6, OFFERS_LINUX), ack;
	struct decoded d, reply;
	char buffer[512];
	int listener, fd;

	row("a proof with payload delivers both, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	if (tap_connect(&syn, &d, &ack)) {
		ack.payload = 300;
		ack.flags |= PSH;
		tap_send(&ack);
		fd = accept_from(listener);
		if (fd < 0 || read(fd, buffer, sizeof(buffer)) != 300)
			fail("the payload did not arrive");
		if (expect_frame(ACK, &reply, "acknowledgment"))
			expect_u32("ack", reply.ack, syn.seq + 301);
		close(fd);
	}
	close(listener);
	row_end(WHOLE);

	syn.sport = fresh_port();
	row("a proof with payload and FIN delivers all three, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	if (tap_connect(&syn, &d, &ack)) {
		ack.payload = 10;
		ack.flags |= FIN;
		tap_send(&ack);
		fd = accept_from(listener);
		if (fd < 0 || read(fd, buffer, sizeof(buffer)) != 10 || read(fd, buffer, 1) != 0)
			fail("payload and end did not arrive");
		close(fd);
	}
	close(listener);
	row_end(WHOLE);
}

static void dual_stack(void)
{
	struct packet syn = fresh_syn(0, OFFERS_LINUX), ack;
	struct decoded d;
	int listener, fd;

	row("an IPv6 socket takes IPv4 clients, too");
	listener = listen_on(1, PORT, 16);
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		if (fd < 0)
			fail("nobody was accepted");
		expect_u32("flow", flow_state(&syn), PORCH_FLOW_DELIVERED);
		close(fd);
	}
	close(listener);
	row_end(WHOLE);
}

static void rows_of(int v6)
{
	for (size_t i = 0; i < sizeof(deliveries) / sizeof(deliveries[0]); i++)
		delivered_as(&deliveries[i], v6);
	payload_first(v6);
	if (v6)
		dual_stack();
}

int main(void)
{
	return tap_main(rows_of);
}
