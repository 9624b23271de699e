/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Segments of a flow that nobody has accepted yet: data, FIN. Copied out of the
 * UMEM, kept in the order they came, at most config.early_frames of a
 * connection and config.early_memory octets of all. Nothing is acknowledged,
 * so what is dropped the client sends again.
 */
#ifndef PORCH_DAEMON_EARLY_H
#define PORCH_DAEMON_EARLY_H

#include "daemon/admit.h"

struct early_frame {
	struct early_frame *next; /* the newest points to the oldest */
	uint32_t seq, end;	  /* of the segment, its FIN counted */
	uint32_t length;
	uint16_t l3, l4, segment;
	uint8_t kind;
	uint8_t nth; /* from 1 on */
	uint8_t frame[];
};

/* true: kept; false: dropped and counted. */
bool early_add(struct daemon *d, struct flow_row *row, const struct porch_record *record,
	       const struct admit_segment *seg, const uint8_t *frame, uint32_t length);
void early_free(struct daemon *d, struct flow_row *row);
/* What is expected of the client next: behind the frames that are in order. */
uint32_t early_rcv_nxt(const struct daemon *d, uint32_t flow);

static inline uint32_t early_count(const struct flow_row *row)
{
	return row->state == ROW_QUEUED && row->early ? row->early->nth : 0;
}

/* The oldest, or NULL; the one after, or NULL. */
static inline struct early_frame *early_first(const struct flow_row *row)
{
	return early_count(row) ? row->early->next : NULL;
}

static inline struct early_frame *early_next(const struct flow_row *row, const struct early_frame *e)
{
	return e == row->early ? NULL : e->next;
}

#endif /* PORCH_DAEMON_EARLY_H */
