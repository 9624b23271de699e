/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Putting porch on an interface and taking it off again.
 *
 * Attaching, in this order: the tracepoint that knows which connections the
 * kernel holds, then those it held before (sock_diag), then tc, and only then
 * XDP. So there is no moment in which a connection is neither seen nor known.
 * Detaching is the reverse, after the cookies under way have come home.
 */
#ifndef PORCH_CORE_ATTACH_H
#define PORCH_CORE_ATTACH_H

#include <stdbool.h>
#include <stddef.h>

#include "core/config.h"
#include "core/err.h"

struct porch_attach_opts {
	const char *ifname;
	enum porch_mode mode;
	bool mode_given;	/* else: native, or as it is attached */
	const struct porch_listen_spec *listeners;
	size_t n_listeners;
	const struct porch_prefix *deny;
	size_t n_deny;
	__u32 flows, half_open, reply_rate, unknown_rate;
	__u32 given;		/* PORCH_GIVEN_FLOWS ...: the others hold defaults */
};

struct porch_attach_result {
	bool changed;		/* false: everything was as asked already */
	char note[512];		/* worth saying although it worked; empty: nothing */
};

/* 0 or -errno; -ENOTSUP when another mode would work, and `err` says which. */
int porch_attach(const struct porch_attach_opts *opts, struct porch_attach_result *ret, struct porch_err *err);
/* `changed` is false when it was not attached. */
int porch_detach(const char *ifname, struct porch_attach_result *ret, struct porch_err *err);

#endif /* PORCH_CORE_ATTACH_H */
