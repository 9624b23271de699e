/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The flood tool: what its files say to each other. */
#ifndef PORCH_BENCH_FLOOD_H
#define PORCH_BENCH_FLOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "tests/bench/generator.h"

/* What a run sends; flood.c fills it from the command line. */
struct flood {
	const char *interface;
	const char *layout;
	const char *pins;      /* porch's directory under /sys/fs/bpf, or NULL */
	const char *server_ns; /* name of the namespace whose numbers are read, or NULL */
	const char *server_if;
	__u32 kind; /* enum generator_kind */
	bool v6;
	__u8 source[16];
	__u32 source_bits; /* of an IPv4 source, how many vary */
	__u8 destination[16];
	__u16 port;
	__u8 source_mac[6];
	__u8 destination_mac[6];
	__u32 payload;
	__u32 tuples;
	__u64 count; /* 0: until `seconds` are over */
	double seconds;
	__u64 rate; /* frames per second, 0: as fast as it goes */
	__u64 seed;
	int cpu;      /* -1: wherever */
	bool runtime; /* measure the run time of the server's XDP program: costs it tens of ns */
	int napi;     /* process id of the server's NAPI thread, 0: none */
};

/* frame.c: the template and everything in `config` that follows from it; 0 or -EINVAL. */
int frame_build(const struct flood *flood, struct generator_config *config);

/* Numbers that only ever grow; a run prints their differences. */
struct meters {
	__u64 run_ns, run_cnt;		       /* of the server's XDP program */
	__u64 napi_ns;			       /* of its NAPI thread */
	__u64 rx, tx;			       /* packets of its interface */
	__u64 synack_sent, proven, bad_cookie; /* porch's counters */
	__u64 syn_passed, unknown_passed, half_open_full, flow_table_full, synack_slow;
};

struct meter;

/* meters.c: opens what `flood` names, with `runtime` enables the kernel's run-time statistics while open; 0
 * or -errno. */
int meter_open(const struct flood *flood, struct meter **ret);
int meter_read(struct meter *meter, struct meters *ret);
void meter_close(struct meter *meter);

/* pins.c: porch's maps, through their pins; 0 or -errno. */
int pins_epoch_key(const char *pins, __u32 *epoch, __u64 key[2]);
int pins_counters(int map, struct meters *ret);
int pins_seed(const char *pins, const struct flood *flood); /* flows 0 to tuples - 1 */
int pins_forget(const char *pins);			    /* empty flow and half-open tables */

#endif /* PORCH_BENCH_FLOOD_H */
