/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The built object, loaded without pins into a namespace of its own, with
 * fixed keys and a clock that only the test moves.
 *
 * A row is one sentence. row() begins it in a world of the same known state;
 * run_xdp() and run_tc() put packets through the real programs; expect_*()
 * note what is wrong; row_end() compares every counter (those it does not
 * name must not have moved) and prints the row's line.
 */
#ifndef PORCH_TESTS_HARNESS_H
#define PORCH_TESTS_HARNESS_H

#include <stdbool.h>
#include <linux/bpf.h>
#include "porch/maps.h"
#include "packets.h"

#define TICK_START  100000u
#define EPOCH_START 57000000u /* even */
#define LISTENER    1
#define PORT	    80
#define MSS4	    1460
#define MSS6	    1440
#define SPACE	    65536u
#define SCALE	    7

/* Set with the harness; `flow_sets` and `half_open_max` at most what maps.h says. */
struct harness_options {
	__u32 flow_sets;
	__u32 half_open_max;
};

/* Load, or load again in other sizes. Exits with a skip when not root. */
void harness_load(const struct harness_options *o);
/* The last line; the value for exit(). */
int harness_end(void);

struct handshake *harness_skeleton(void);
/* What has to be true for any test to make sense. */
void harness_must(int ok, const char *what);

/* ---- the world of a row ---- */

struct world {
	struct porch_host *host;
	struct porch_listener_entry *listeners; /* [0] unused */
	struct porch_ports *ports;
	struct porch_addrs *addrs;
	struct porch_flow *flows;
	struct porch_steer *steer; /* one per flow */
	struct porch_queue *queues; /* one per listener */
	struct porch_iface *ifaces;
	__u64 *tags;
	__u32 sets;
};
extern struct world world;

/* The listener of every row. */
static inline struct porch_listener_entry *l(void)
{
	return &world.listeners[LISTENER];
}

void row(const char *sentence, ...) __attribute__((format(printf, 1, 2)));
void row_end(const char *counters);
/* A row whose counters do not matter. */
void row_end_any(void);
void fail(const char *what, ...) __attribute__((format(printf, 1, 2)));
/* A row that cannot be run here. */
void row_skip(const char *why);

void world_reset(void);
/* Counters and statistics to zero: what came before is of no interest. */
void world_forget(void);
/* Listener 1 as row() makes it: *:80, on-attack, stateless, well. */
/* Its socket was looked at just now and found well, for one family. */
void well(struct porch_listener_entry *l, int v6);
struct porch_listener_entry *listener_add(__u32 index, const __u8 *address, __u16 port, __u8 protect, __u8 regime);
void address_add(const __u8 address[16]);
void deny_add(const __u8 address[16], __u32 length);
void route_add(const __u8 address[16], __u32 length, __u16 mss);
/* From now on rows begin with this interface, too, in porch_ifaces. */
void world_wire(__u32 ifindex);
void iface_set(__u32 ifindex, __u16 mss4, __u16 mss6);

void keys_get(struct porch_keys *k);
void keys_set(const struct porch_keys *k);
/* porch_tick_once, clock as it stands. */
void tick_once(void);
/* Move the clock by `ticks`, and the epoch with it, keys included. */
void clock_forward(__u32 ticks);
void clock_epoch(__u32 epoch);

int half_open_get(const struct porch_tuple *t, struct porch_half_open *e);
void half_open_put(const struct porch_tuple *t, const struct porch_half_open *e);
void half_open_forget(const struct porch_tuple *t);
__u32 half_open_count(void);
void stats_get(__u32 listener, struct porch_stats *s);
/* Sum over CPUs since row(); by the name of the field in porch_counters. */
__u64 counter(const char *name);

__u32 flows_in_state(int state);
/* Any flow of this tuple; 0: none. */
struct porch_flow *flow_of(const struct porch_tuple *t);
struct porch_tuple tuple_of(const struct packet *p);

/* ---- running ---- */

/* Where run_xdp() and run_tc() say that frames come in: 1 and 0, lo's only queue,
 * with every row anew. */
extern __u32 run_ifindex, run_queue;
/* XDP verdict, or a negative errno of the kernel's. */
int run_xdp(const struct frame *in, struct frame *out);
/* A well listener is looked at once a second of porch_host.tick. Tables that are
 * about something else need not say so: unless this is set, run_xdp() makes it
 * look as if that had just been done. */
extern int probe_well_listeners;
/* tc verdict; RUN_FAILED when the kernel does not run it. */
#define RUN_FAILED (-1000)
int run_tc(const struct frame *in, struct frame *out);
int run_syscall(const char *program, void *args, __u32 size);

const char *verdict_name(int verdict);
void expect_verdict(int got, int wanted, const char *of);
/* The frame came out as it went in. */
void expect_same(const struct frame *in, const struct frame *out);
void expect_u32(const char *what, __u32 got, __u32 wanted);
/* What XDP put in front of the frame; 0 and a failed row: nothing. */
const struct porch_meta *expect_meta(const struct frame *in, const struct frame *out, int kind);

#endif /* PORCH_TESTS_HARNESS_H */
