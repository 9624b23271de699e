// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Segments of a flow that no engine holds yet. Nothing is acknowledged: what is
 * kept goes to the worker with the connection, the rest the client sends again.
 */
#include "daemon/accept_queue.h"
#include "daemon/admit.h"
#include "daemon/answer.h"
#include "daemon/early.h"

/* A challenge ACK, no more than one in CHALLENGE_MS. */
static void challenge(struct daemon *d, uint32_t flow, struct flow_row *row)
{
	uint32_t ms = d->now / 1000000;

	if (row->state != ROW_QUEUED || (row->challenged_ms && ms - row->challenged_ms < CHALLENGE_MS))
		return;
	row->challenged_ms = ms ? ms : 1;
	answer_send(d, flow, ANSWER_CHALLENGE, row->rcv_nxt);
}

/* RFC 5961 3.2, in SYN-RECEIVED or ESTABLISHED. */
static void on_reset(struct daemon *d, const struct porch_record *r, struct flow_row *row,
		     const struct admit_segment *seg, const uint8_t *frame)
{
	uint32_t next = d->tables.flows[r->flow].irs + 1;

	if (!answer_sum_right(frame, r->l3, r->l4, r->length)) {
		d->count.bad_frame++;
		return;
	}
	/* early frames that were kept count as received, those dropped do not */
	if (seg->seq == next || (row->state == ROW_QUEUED && seg->seq == row->rcv_nxt)) {
		d->tables.queues[d->tables.flows[r->flow].listener].aborted++;
		parked_del(d, r->flow, r->serial);
		flow_over(d, r->flow, r->serial, PORCH_PHASE_TOMBSTONE);
	} else if (seg->seq - next < PORCH_AFXDP_WINDOW) {
		challenge(d, r->flow, row);
	}
}

static void keep(struct daemon *d, const struct porch_record *r, struct flow_row *row,
		 const struct admit_segment *seg, const uint8_t *frame, uint32_t length)
{
	uint32_t end = seg->seq + seg->payload + (seg->flags & SEGMENT_FIN ? 1 : 0);

	if (end - (d->tables.flows[r->flow].irs + 1) > PORCH_AFXDP_WINDOW + 1)
		return; /* outside what our SYN-ACK announced */
	if (!early_add(d, row, r, frame, length))
		return;
	if ((int32_t)(seg->seq - row->rcv_nxt) <= 0 && (int32_t)(end - row->rcv_nxt) > 0)
		row->rcv_nxt = end;
}

void pending_segment(struct daemon *d, const struct porch_record *r, const struct admit_segment *seg,
		     const uint8_t *frame, uint32_t length)
{
	struct flow_row *row = flow_row_of(d, r->flow, r->serial);

	if (seg->flags & SEGMENT_RST) {
		on_reset(d, r, row, seg, frame);
		return;
	}
	if (seg->flags & SEGMENT_SYN) {
		challenge(d, r->flow, row); /* RFC 5961 4.2 */
		return;
	}
	if (!(seg->flags & SEGMENT_ACK))
		return;
	if (row->state == ROW_NONE) {
		/* Parked: only another proof tries again. Not noted: its proof was lost on
		 * the way, or comes by another queue; XDP has seen it, so it is proven. */
		if (r->kind != PORCH_RECORD_PROOF && flow_noted(d, r->flow, r->serial))
			return;
		if (!admit_flow(d, r->flow, r->serial))
			return;
	}
	if (row->state == ROW_QUEUED && (seg->payload || (seg->flags & SEGMENT_FIN)))
		keep(d, r, row, seg, frame, length);
}
