/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The handshake in plain C, written from its description: lists instead of
 * tables, octets instead of words, libsodium's SipHash. Given a frame it says
 * what porch_xdp must do with it, octet by octet, and what it must remember.
 */
#ifndef PORCH_TESTS_MODEL_H
#define PORCH_TESTS_MODEL_H

#include <stdbool.h>
#include "harness.h"
#include "reference.h"

#define MODEL_LISTENERS 4 /* index 0 unused */
#define MODEL_FLOWS	512
#define MODEL_ENTRIES	64
#define MODEL_PREFIXES	4

struct model_flow {
	struct porch_tuple tuple;
	struct porch_flow flow; /* its tuple fields unused */
	bool held;
	/* HANDED; serial and word unused */
	struct porch_steer steer;
	__u8 phase, worker;
	bool noted; /* porchd has stored a word */
};

struct model_entry {
	struct porch_tuple tuple;
	struct porch_half_open entry;
};

struct model_prefix {
	__u8 address[16];
	__u32 length;
	__u16 mss; /* routes */
};

struct model {
	struct porch_host host;
	bool probed; /* the SYN at hand had the socket looked at */
	struct porch_listener_entry listener[MODEL_LISTENERS];
	struct porch_stats stats[MODEL_LISTENERS];
	struct porch_counters counters;
	struct model_flow flow[MODEL_FLOWS];
	int flows;
	struct model_entry entry[MODEL_ENTRIES];
	int entries, entries_max;
	__u8 local[4][16]; /* addresses of this host */
	int locals;
	struct model_prefix deny[MODEL_PREFIXES], route[MODEL_PREFIXES];
	int denies, routes;
	__u16 mss4, mss6; /* of the interface */
	struct porch_budget budget[PORCH_BUDGET_SLOTS];
	__u32 unknown_tick, unknown_spent;
	struct porch_keys keys;
	/* deliver=afxdp */
	struct porch_queue queue[MODEL_LISTENERS];
	__u32 slots;	  /* bit n: worker n has a socket, 0: porchd */
	__u32 seen_tsval; /* of the program's answer, whose clock is its own */
};

#define MODEL_WORKERS 4

/* What the segment in a frame says; see model_parse(). */
struct model_segment {
	struct porch_tuple tuple;
	bool v6, short_header, bad_checksum, bad_header, plain_ip;
	__u32 l3, l4, tags;
	__u8 ect;
	__u32 seq, ack;
	__u16 flags;
	const __u8 *options; /* in the frame */
	__u32 options_length, payload;
	/* of the options */
	__u16 mss;
	bool ts, sack, scaled, foreign;
	__u8 wscale;
	__u32 tsval, tsecr;
};

/* false: nothing that could be a segment of a listener; it passes. */
bool model_parse(const struct frame *f, struct model_segment *s);

/* Tag `i` of a frame, 0 the outer one, as the tables keep it; 0xffff: it has none. */
__u16 model_tag(const struct frame *f, const struct model_segment *s, __u32 i);
/* Is it one of the layouts that are answered in place? */
bool model_usual(const struct model_segment *s);

/* What becomes of the frame. `out` is what comes out. */
int model_xdp(struct model *m, const struct frame *in, struct frame *out);
/* One tick of the timer, clock as it stands. `per_second`: rates that the timer
 * has worked out, rounding being its own business; false: one is out of bounds. */
bool model_tick(struct model *m, const __u32 per_second[MODEL_LISTENERS]);

struct model_flow *model_flow_of(struct model *m, const struct porch_tuple *t);
struct model_entry *model_entry_of(struct model *m, const struct porch_tuple *t);
void model_flow_remove(struct model *m, struct model_flow *f);
void model_entry_remove(struct model *m, struct model_entry *e);

#endif /* PORCH_TESTS_MODEL_H */
