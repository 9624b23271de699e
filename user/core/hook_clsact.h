/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tc ingress by a filter of the clsact qdisc, where the kernel has no TCX links
 * (before Linux 6.6). A filter is not kept by a pin: what is pinned, tc_prog,
 * tells the filter apart, and the filter stays until it is taken off, or its
 * interface goes. One that a crash left behind is replaced by the next attach.
 */
#ifndef PORCH_CORE_HOOK_CLSACT_H
#define PORCH_CORE_HOOK_CLSACT_H

#include <stdbool.h>

struct porch_err;
struct porch_hook;

/* First of the filters; pins `program` as tc_prog in `dir`. 0 or -errno. */
int porch_clsact_attach(const struct porch_hook *hook, int program, const char *dir);
/* Is `program` the one that the filter runs? */
bool porch_clsact_runs(int ifindex, int program);
/* The filter goes if it runs `program`; others' filters, and the qdisc, stay. */
void porch_clsact_detach(int ifindex, int program);

#endif /* PORCH_CORE_HOOK_CLSACT_H */
