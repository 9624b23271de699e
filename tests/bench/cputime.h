/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* CPU time of other processes. */
#ifndef PORCH_BENCH_CPUTIME_H
#define PORCH_BENCH_CPUTIME_H

#include <linux/types.h>

#define CPUTIME_MAX 8

/* `name:pid[+pid...],...`: what is measured, under which names. */
struct cputime {
	int n;
	struct {
		char name[16];
		int pids[4];
		int n_pids;
		__u64 start_ns;
	} of[CPUTIME_MAX];
};

/* 0 or -EINVAL. */
int cputime_parse(const char *text, struct cputime *ret);
/* Run time of all threads from here on; 0 or -errno. */
int cputime_start(struct cputime *c);
/* Prints ` name_ns=...` for each. 0 or -errno: one of them has ended. */
int cputime_print(const struct cputime *c);

#endif /* PORCH_BENCH_CPUTIME_H */
