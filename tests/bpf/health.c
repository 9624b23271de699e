// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Listeners that the kernel cannot serve through porch, and how that is noticed. */
#include "tap.h"

#include <sys/socket.h>
#include <unistd.h>

static void unserved(int v6, int listener, int health, const char *what, const char *counters)
{
	struct packet syn = fresh_syn(v6, OFFERS_LINUX), ack;
	struct decoded d;

	if (listener == -1) {
		row("a proof for %s, %s", what, FAMILY(v6));
		row_skip("no such socket here");
		row_end("");
		return;
	}
	/* one address of many without a socket must not speak for the others */
	row(listener == -2 ? "a proof for %s leaves the others their listener, %s" :
			     "a proof for %s makes the listener unhealthy, %s", what, FAMILY(v6));
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		expect_u32("health", l()->health[v6], listener == -2 ? PORCH_HEALTH_WELL : health);
		expect_u32("flow", flow_state(&syn), PORCH_FLOW_FREE);
	}
	row_end(counters);

	row("a SYN for %s passes once it is looked at, %s", what, FAMILY(v6));
	l()->health[v6] = PORCH_HEALTH_UNPROBED;
	l()->probe_tick[v6] = 0;
	syn.sport = fresh_port();
	tap_send(&syn);
	expect_u32("health", l()->health[v6], health);
	row_end("syn_received syn_passed probes");
	if (listener >= 0)
		close(listener);
}

static void unhealthy(int v6)
{
	struct packet syn = fresh_syn(v6, OFFERS_LINUX), ack;
	struct decoded d, reply;
	int listener, fd;
	__u8 client[16];

	address_client(client, v6, 7);
	unserved(v6, -2, PORCH_HEALTH_NO_SOCKET, "a socket that is gone",
		 SYNACK "proven refused_no_listener");
	unserved(v6, listen_mptcp(v6, PORT), PORCH_HEALTH_MPTCP, "an MPTCP socket",
		 SYNACK "proven refused_listener_refused");
	unserved(v6, listen_md5(v6, PORT, client), PORCH_HEALTH_MD5, "a socket with MD5 keys",
		 SYNACK "proven refused_listener_refused");
	sysctl_set("tcp_syncookies", "0");
	unserved(v6, listen_on(v6, PORT, 16), PORCH_HEALTH_SYNCOOKIES_OFF, "a host without SYN cookies",
		 SYNACK "proven refused_listener_refused");
	sysctl_set("tcp_syncookies", "1");

	row("a client of a socket that is gone is told so, %s", FAMILY(v6));
	if (tap_connect(&syn, &d, &ack)) {
		tap_send(&ack);
		expect_frame(RST, &reply, "the kernel's reset");
	}
	row_end(SYNACK "proven refused_no_listener");

	row("a socket that begins to listen makes its listener be looked at, %s", FAMILY(v6));
	l()->health[v6] = PORCH_HEALTH_NO_SOCKET;
	l()->probe_tick[v6] = world.host->tick;
	listener = listen_on(v6, PORT, 16);
	expect_u32("health", l()->health[v6], PORCH_HEALTH_UNPROBED);
	syn.sport = fresh_port();
	if (tap_connect(&syn, &d, &ack)) {
		expect_u32("health", l()->health[v6], PORCH_HEALTH_WELL);
		tap_send(&ack);
		fd = accept_from(listener);
		if (fd < 0)
			fail("nobody was accepted");
		close(fd);
	}
	close(listener);
	expect_u32("health when it ends", l()->health[v6], PORCH_HEALTH_UNPROBED);
	row_end(WHOLE);

	row("sysctls are taken over by a probe, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	sysctl_set("tcp_sack", "0");
	syn.sport = fresh_port();
	tap_drain();
	tap_send(&syn);
	sysctl_set("tcp_sack", "1");
	expect_u32("host.tcp_sack", world.host->tcp_sack, 0);
	if (expect_frame(SYN | ACK, &reply, "SYN-ACK"))
		expect_u32("SACK permitted", reply.has_sack, 0);
	close(listener);
	row_end(SYNACK "synack_slow probes");

	row("timestamps forbidden after the SYN-ACK cost the client nothing, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	well(l(), v6);
	syn.sport = fresh_port();
	if (tap_connect(&syn, &d, &ack)) {
		sysctl_set("tcp_timestamps", "0");
		tap_send(&ack);
		sysctl_set("tcp_timestamps", "1");
		fd = accept_from(listener);
		if (fd < 0)
			fail("nobody was accepted");
		close(fd);
		expect_u32("health", l()->health[v6], PORCH_HEALTH_WELL);
	}
	close(listener);
	row_end(SYNACK "proven delivered");

	row("scaling forbidden after the SYN-ACK is noticed at the proof, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	well(l(), v6);
	syn.sport = fresh_port();
	if (tap_connect(&syn, &d, &ack)) {
		sysctl_set("tcp_window_scaling", "0");
		tap_send(&ack);
		sysctl_set("tcp_window_scaling", "1");
		expect_u32("health", l()->health[v6], PORCH_HEALTH_REFUSED);
	}
	close(listener);
	row_end(SYNACK "proven refused_listener_refused");

	row("a well listener is looked at again after a second, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	well(l(), v6);
	world.host->tick += 9;
	syn.sport = fresh_port();
	tap_drain();
	tap_send(&syn);
	expect_frame(SYN | ACK, &reply, "SYN-ACK after 0.9 s");
	sysctl_set("tcp_syncookies", "0");
	world.host->tick++;
	syn.sport = fresh_port();
	tap_send(&syn);
	sysctl_set("tcp_syncookies", "1");
	expect_u32("health", l()->health[v6], PORCH_HEALTH_SYNCOOKIES_OFF);
	close(listener);
	row_end("syn_received=2 synack_sent syn_passed probes");

	row("a socket with a receive buffer of its own announces its own window, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 16);
	setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &(int){ 8192 }, sizeof(int));
	syn.sport = fresh_port();
	if (tap_connect(&syn, &d, &ack)) {
		expect_u32("scale", d.wscale, 0);
		if (d.window > 16384)
			fail("a window of %u from a buffer of 16384", d.window);
	}
	close(listener);
	row_end(SYNACK "synack_slow probes");
}

int main(void)
{
	return tap_main(unhealthy);
}
