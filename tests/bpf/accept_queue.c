// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A full accept queue: nobody is reset, nobody is forgotten. */
#include "tap.h"

#include <unistd.h>

static void queue(int v6)
{
	struct packet syn[5], ack[5], late;
	struct decoded d[5], reply;
	int listener, fd[5], accepted = 0;

	row("a full accept queue parks proofs and delivers them when there is room, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 1); /* two places, as Linux counts */
	well(l(), v6);
	for (int i = 0; i < 5; i++) {
		syn[i] = fresh_syn(v6, OFFERS_LINUX);
		tap_connect(&syn[i], &d[i], &ack[i]);
	}
	tap_drain();
	for (int i = 0; i < 5; i++)
		tap_send(&ack[i]);
	for (int i = 0; i < 5; i++)
		expect_u32("flow", flow_state(&syn[i]), i < 2 ? PORCH_FLOW_DELIVERED : PORCH_FLOW_PROVEN);
	expect_u32("accept_queue_full", l()->accept_queue_full, 1);
	expect_silence("parked");
	/* room: whoever sends again is let in, as long as there is room */
	for (int i = 0; i < 2; i++)
		fd[accepted++] = accept_from(listener);
	for (int i = 2; i < 5; i++) {
		ack[i].payload = 7;
		tap_send(&ack[i]);
	}
	for (int i = 0; i < 2; i++)
		fd[accepted++] = accept_from(listener);
	tap_send(&ack[4]);
	fd[accepted++] = accept_from(listener);
	for (int i = 0; i < 5; i++) {
		expect_u32("flow at last", flow_state(&syn[i]), PORCH_FLOW_DELIVERED);
		if (fd[i] < 0)
			fail("client %d was not accepted", i);
		close(fd[i]);
	}
	close(listener);
	row_end("syn_received=5 synack_sent=5 proven=5 delivered=5 refused_parked=4");

	late = fresh_syn(v6, OFFERS_LINUX);
	row("SYNs while the queue is full are not answered; with room they are, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 0); /* one place */
	well(l(), v6);
	syn[0] = fresh_syn(v6, OFFERS_LINUX);
	if (tap_connect(&syn[0], &d[0], &ack[0]))
		tap_send(&ack[0]);
	expect_u32("accept_queue_full", l()->accept_queue_full, 1);
	tap_drain();
	tap_send(&late);
	expect_silence("a SYN");
	fd[0] = accept_from(listener);
	world.host->tick++;
	tap_send(&late);
	expect_frame(SYN | ACK, &reply, "SYN-ACK");
	expect_u32("accept_queue_full with room", l()->accept_queue_full, 0);
	close(fd[0]);
	close(listener);
	row_end("syn_received=3 synack_sent=2 synack_slow proven delivered probes "
		"refused_accept_queue_full");

	row("what a parked client sends beyond its proof waits as well, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 0);
	well(l(), v6);
	for (int i = 0; i < 2; i++) {
		syn[i] = fresh_syn(v6, OFFERS_LINUX);
		tap_connect(&syn[i], &d[i], &ack[i]);
	}
	tap_send(&ack[0]);
	tap_send(&ack[1]);
	tap_drain();
	late = ack[1];
	late.seq += 7;
	late.payload = 9;
	tap_send(&late);
	expect_silence("data of a parked client");
	expect_u32("flow", flow_state(&syn[1]), PORCH_FLOW_PROVEN);
	row_end("syn_received=2 synack_sent=2 proven=2 delivered refused_parked "
		"refused_undelivered");
	fd[0] = accept_from(listener);
	close(fd[0]);
	close(listener);

	row("a parked client may give up, %s", FAMILY(v6));
	listener = listen_on(v6, PORT, 0);
	well(l(), v6);
	for (int i = 0; i < 2; i++) {
		syn[i] = fresh_syn(v6, OFFERS_LINUX);
		tap_connect(&syn[i], &d[i], &ack[i]);
	}
	tap_send(&ack[0]);
	tap_send(&ack[1]);
	late = ack[1];
	late.flags = RST;
	late.options.length = 0;
	tap_send(&late);
	expect_u32("flow", flow_state(&syn[1]), PORCH_FLOW_TOMBSTONE);
	row_end("syn_received=2 synack_sent=2 proven=2 delivered refused_parked");
	fd[0] = accept_from(listener);
	close(fd[0]);
	close(listener);
}

int main(void)
{
	return tap_main(queue);
}
