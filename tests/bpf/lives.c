// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the kernel holds: connections that end, come back, or were forgotten by the table. */
#include "tap.h"

#include <sys/socket.h>
#include <unistd.h>

static void lives(int v6)
{
	struct packet syn = fresh_syn(v6, OFFERS_LINUX), ack, fin;
	struct decoded d, reply;
	int listener = -1, fd;

	row("the final ACK twice delivers once, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		tap_send(&ack);
		fd = accept_from(listener);
		if (fd < 0 || accept(listener, NULL, NULL) >= 0)
			fail("not exactly one connection");
		close(fd);
	}
	row_end(WHOLE);
	close(listener);

	syn.sport = fresh_port();
	row("the server closes first: the tuple is closing, its SYN is the kernel's, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		close(fd);
		expect_frame(FIN | ACK, &reply, "the server's FIN");
		fin = ack;
		fin.flags = FIN | ACK;
		fin.ack += 1;
		tap_send(&fin);
		expect_frame(ACK, &reply, "the server's last ACK");
		expect_u32("flow", flow_state(&syn), PORCH_FLOW_CLOSING);
		/* the client reuses its port: TIME-WAIT is reused as without porch */
		syn.seq += 100000;
		offers_parse("M1460 S T16909999 N W7", &syn.options);
		tap_send(&syn);
		if (expect_frame(SYN | ACK, &reply, "the kernel's SYN-ACK")) {
			ack = client_ack(&syn, &reply);
			put32(ack.options.at + 4, 16910000); /* later than the SYN */
			tap_send(&ack);
			fd = accept_from(listener);
			if (fd < 0)
				fail("the second life was not accepted");
			expect_u32("flow", flow_state(&syn), PORCH_FLOW_DELIVERED);
			close(fd);
		}
	}
	row_end("syn_received=2 synack_sent synack_slow syn_passed probes proven delivered");
	close(listener);

	syn.sport = fresh_port();
	offers_parse(OFFERS_LINUX, &syn.options);
	row("the client closes first: a replayed final ACK is refused, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		fin = ack;
		fin.flags = FIN | ACK;
		tap_send(&fin);
		close(fd);
		tap_receive(&reply); /* perhaps an ACK of its own, perhaps with the FIN */
		if (reply.flags == ACK)
			expect_frame(FIN | ACK, &reply, "the server's FIN");
		fin.flags = ACK;
		fin.seq += 1;
		fin.ack += 1;
		tap_send(&fin);
		expect_u32("flow", flow_state(&syn), PORCH_FLOW_TOMBSTONE);
		tap_send(&ack);
		expect_silence("a replay");
		if (accept(listener, NULL, NULL) >= 0)
			fail("the replay made a connection");
	}
	row_end(WHOLE " refused_replayed");
	close(listener);

	syn.sport = fresh_port();
	row("a client that died and comes back meets the kernel, which asks, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		syn.seq += 5000;
		tap_send(&syn);
		expect_frame(ACK, &reply, "the challenge ACK");
		fin = ack;
		fin.flags = RST;
		fin.options.length = 0;
		tap_send(&fin);
		expect_u32("flow", flow_state(&syn), PORCH_FLOW_TOMBSTONE);
		tap_send(&syn);
		expect_frame(SYN | ACK, &reply, "porch's SYN-ACK");
		ack = client_ack(&syn, &reply);
		tap_send(&ack);
		close(fd);
		fd = accept_from(listener);
		if (fd < 0)
			fail("the second life was not accepted");
		close(fd);
	}
	row_end("syn_received=3 synack_sent=2 synack_slow syn_passed probes proven=2 delivered=2");
	close(listener);

	syn = fresh_syn(v6, OFFERS_LINUX);
	row("in its own regime the kernel's connections are known as well, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	l()->regime = PORCH_REGIME_KERNEL;
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		if (fd < 0)
			fail("nobody was accepted");
		expect_u32("flow", flow_state(&syn), PORCH_FLOW_DELIVERED);
		/* the flood begins; the connection does not notice */
		l()->regime = PORCH_REGIME_STATELESS;
		ack.payload = 5;
		tap_send(&ack);
		if (expect_frame(ACK, &reply, "acknowledgment"))
			expect_u32("ack", reply.ack, syn.seq + 6);
		close(fd);
	}
	row_end("syn_received syn_passed");
	close(listener);

	syn = fresh_syn(v6, OFFERS_LINUX);
	row("an unknown address on which the kernel connects is learned, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	address_server(syn.dest, v6, 9);
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		close(fd);
		syn.sport = fresh_port();
		tap_drain();
		tap_send(&syn);
		expect_frame(SYN | ACK, &reply, "porch's SYN-ACK");
	}
	row_end("syn_received synack_sent synack_slow probes addresses_learned");
	close(listener);
}

static void lost(int v6)
{
	struct packet syn = fresh_syn(v6, OFFERS_LINUX), ack, fin;
	struct decoded d, reply;
	struct porch_tuple t;
	struct porch_flow *f;
	int listener, fd;

	row("a connection the table lost is found in the kernel again, %s", FAMILY(v6));
	world.host->unknown_rate = 8;
	listener = listen_on(v6, PORT, 16);
	well(l(), v6);
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		memset(world.tags, 0, sizeof(*world.tags) * world.sets);
		memset(world.flows, 0, sizeof(*world.flows) * world.sets * PORCH_SET_WAYS);
		l()->issued_ts = 0; /* nor would its cookie count any more */
		ack.payload = 5;
		tap_drain();
		tap_send(&ack);
		if (expect_frame(ACK, &reply, "acknowledgment"))
			expect_u32("ack", reply.ack, syn.seq + 6);
		expect_u32("flow", flow_state(&syn), PORCH_FLOW_DELIVERED);
		close(fd);
	}
	close(listener);
	row_end(SYNACK "proven delivered flows_lost unknown_passed");

	syn.sport = fresh_port();
	row("a proof of a tuple whose TIME-WAIT the table lost goes to the kernel, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	well(l(), v6);
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		fd = accept_from(listener);
		close(fd);
		fin = ack;
		fin.flags = FIN | ACK;
		fin.ack += 1;
		tap_send(&fin);
		memset(world.tags, 0, sizeof(*world.tags) * world.sets);
		memset(world.flows, 0, sizeof(*world.flows) * world.sets * PORCH_SET_WAYS);
		syn.seq += 9999;
		if (tap_connect(&syn, &d, &ack)) {
			tap_send(&ack);
			t = tuple_of(&syn);
			f = flow_of(&t);
			expect_u32("flow", f ? f->state : 0, PORCH_FLOW_CLOSING);
		}
	}
	close(listener);
	row_end("syn_received=2 synack_sent=2 proven=2 delivered refused_held_elsewhere");
}

static void rows_of(int v6)
{
	lives(v6);
	lost(v6);
}

int main(void)
{
	return tap_main(rows_of);
}
