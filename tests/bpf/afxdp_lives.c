// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* deliver=afxdp: one life of a tuple after the other; serials; what the kernel holds beside it. */
#include "handed.h"

static const struct harness_options options = { .flow_sets = 4096, .half_open_max = 64 };

/* ---- the word and its serial ---- */

static void words(int v6)
{
	struct packet syn, ack, again;
	struct porch_flow *f;
	struct decoded d;

	row("a word for an earlier owner of the entry counts as {pending, porchd}, %s", FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		slot_fill(XSK_BASE + 1);
		steer_of(f)->word = PORCH_STEER(steer_of(f)->serial - 1, PORCH_PHASE_STEERED, 1);
		expect_steered(&ack, PORCH_RECORD_PROOF, f);
		steer_of(f)->word = PORCH_STEER(steer_of(f)->serial + 1, PORCH_PHASE_TOMBSTONE, 0);
		expect_steered(&ack, PORCH_RECORD_PROOF, f);
		phase_set(f, PORCH_PHASE_STEERED, 1);
		expect_steered(&ack, PORCH_RECORD_SEGMENT, f);
	}
	row_end(MORE_SYNS "proven");

	row("the next life of a tuple has the next serial; a late store for the last one does nothing, %s",
	    FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		phase_set(f, PORCH_PHASE_TOMBSTONE, 0);
		syn.seq += 100000;
		if (connect_syn(&syn, NULL, &d)) {
			again = client_ack(&syn, &d);
			send_packet(&again, &(struct frame){});
			expect_u32("serial", steer_of(f)->serial, 2);
			steer_of(f)->word = PORCH_STEER(1, PORCH_PHASE_TOMBSTONE, 0);
			expect_steered(&again, PORCH_RECORD_PROOF, f);
			expect_u32("irs", f->irs, syn.seq);
		}
	}
	row_end("syn_received=2 synack_sent=2 proven=2");

	row("what a dead worker left gives way to its tuple's next life, and to nothing else, %s",
	    FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		phase_set(f, PORCH_PHASE_CLOSING, 0);
		syn.seq += 100000;
		if (connect_syn(&syn, NULL, &d)) {
			expect_steered(&ack, PORCH_RECORD_SEGMENT, f);
			again = client_ack(&syn, &d);
			again.ack++; /* proves nothing */
			expect_steered(&again, PORCH_RECORD_SEGMENT, f);
			again.ack--;
			send_packet(&again, &(struct frame){});
			expect_u32("serial", steer_of(f)->serial, 2);
			expect_u32("irs", f->irs, syn.seq);
			expect_steered(&again, PORCH_RECORD_PROOF, f);
		}
	}
	row_end("syn_received=2 synack_sent=2 proven=2");

	row("a serial is never 0, %s", FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		steer_of(f)->serial = 0xffffffff;
		phase_set(f, PORCH_PHASE_FORGOTTEN, 0);
		expect_steered(&ack, PORCH_RECORD_PROOF, f);
		expect_u32("serial", steer_of(f)->serial, 1);
	}
	row_end(MORE_SYNS "proven=2");

	row("an entry that another CPU is writing is nobody's, and not everybody's, %s", FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		f->state = PORCH_FLOW_BUSY;
		expect_refused(&ack, "ACK");
		expect_refused(&syn, "SYN");
	}
	row_end("syn_received=2 synack_sent proven refused_duplicate_ack refused_duplicate_syn");

	row("a stranger with the flow's fingerprint is told apart, %s", FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		phase_set(f, PORCH_PHASE_STEERED, 1);
		f->remote_port++;
		world_forget();
		ack.ack++;
		expect_refused(&ack, "stranger");
	}
	row_end("refused_bad_cookie");
}

/* What the kernel holds stays the kernel's; what shares a fingerprint with it does not. */
static void kernels(int v6)
{
	struct packet syn, ack;
	struct porch_flow *f;
	struct frame in, out;
	__u32 index;

	row("a flow that the kernel holds passes, %s", FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		world_forget();
		index = f - world.flows;
		f->state = PORCH_FLOW_DELIVERED;
		world.tags[index / PORCH_SET_WAYS] |= (__u64)PORCH_TAG_HELD << index % PORCH_SET_WAYS * 16;
		packet_build(&ack, &in);
		expect_verdict(run_xdp(&in, &out), XDP_PASS, "ACK");
		expect_same(&in, &out);
		packet_build(&syn, &in);
		expect_verdict(run_xdp(&in, &out), XDP_PASS, "SYN");
	}
	row_end("syn_received syn_passed");

	row("a HANDED flow whose fingerprint a held one shares loses nothing, %s", FAMILY(v6));
	world_afxdp();
	f = handed(v6, OFFERS_LINUX, &syn, &ack);
	if (f) {
		__u32 other;
		__u64 tag;

		index = f - world.flows;
		other = index ^ 1; /* another way of the same set */
		world.flows[other] = *f;
		world.flows[other].remote_port++;
		world.flows[other].state = PORCH_FLOW_DELIVERED;
		tag = (world.tags[index / PORCH_SET_WAYS] >> index % PORCH_SET_WAYS * 16) & PORCH_TAG_MASK;
		world.tags[index / PORCH_SET_WAYS] |= (tag | PORCH_TAG_HELD) << other % PORCH_SET_WAYS * 16;
		phase_set(f, PORCH_PHASE_STEERED, 0);
		world_forget();
		expect_steered(&ack, PORCH_RECORD_SEGMENT, f);
		syn.seq++;
		expect_steered(&syn, PORCH_RECORD_SEGMENT, f);
	}
	row_end("syn_received");
}

int main(void)
{
	harness_load(&options);
	for (int v6 = 0; v6 < 2; v6++) {
		words(v6);
		kernels(v6);
	}
	return harness_end();
}
