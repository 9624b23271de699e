/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where programs meet an interface: XDP by libxdp or a bpf_link, tc by a TCX link or, before Linux 6.6, clsact. */
#ifndef PORCH_CORE_HOOK_H
#define PORCH_CORE_HOOK_H

#include <stdbool.h>

#include "core/config.h"

struct porch_err;
struct porch_namespace;
struct porch_pins;

struct porch_hook {
	const char *ifname;
	int ifindex;
	enum porch_mode mode;
};

/* Is another program's XDP in the way? -EBUSY, with `err` naming its id. */
int porch_hook_check_foreign(const struct porch_hook *hook, struct porch_err *err);

/*
 * Attach and pin in `dir`: "tc", "tc_prog", or `name`; "xdp" or "xdp_prog". The programs are those
 * pinned in `programs`. -ENOTSUP: the other mode would do.
 */
int porch_hook_tc(const struct porch_hook *hook, const char *programs, const char *dir, struct porch_err *err);
int porch_hook_tc_as(const struct porch_hook *hook, const char *programs, const char *dir, const char *name,
		     struct porch_err *err);
int porch_hook_xdp(const struct porch_hook *hook, const char *programs, const char *dir, struct porch_err *err);
/* Off, with their pins; when these return nothing of ours runs there any more. */
int porch_hook_xdp_off(const struct porch_hook *hook, struct porch_pins *pins, struct porch_err *err);
/* tc of the VLAN devices above as well. */
void porch_hook_tc_off(const struct porch_hook *hook, struct porch_pins *pins);
/* What porch_hook_tc() did, where no pin is kept: `dir` is about to go. */
void porch_hook_tc_undo(const struct porch_hook *hook, const char *dir);

#endif /* PORCH_CORE_HOOK_H */
