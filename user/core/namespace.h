/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What verbs open: the pins of this network namespace and the tables behind them. */
#ifndef PORCH_CORE_NAMESPACE_H
#define PORCH_CORE_NAMESPACE_H

#include <net/if.h>

#include "core/pins.h"
#include "core/tables.h"

struct porch_namespace {
	struct porch_pins pins;
	struct porch_tables tables;
};

/*
 * PORCH_WRITE also takes the addresses of the host over again. -ENOENT: porch
 * is attached to no interface of this namespace. `*ret` is the caller's.
 */
int porch_namespace_open(enum porch_access access, struct porch_namespace **ret, struct porch_err *err);
/* For attach: PORCH_CREATE, and when nothing is attached, pins only (see porch_pins_exist()). */
int porch_namespace_open_or_new(struct porch_namespace **ret, struct porch_err *err);
/* For detach, when another version of porch made the tables: none are opened. */
int porch_namespace_open_pins(struct porch_namespace **ret, struct porch_err *err);
void porch_namespace_free(struct porch_namespace *ns);

/* Runs porch_arm: derives the epoch keys and starts the timer unless it runs. Idempotent. */
int porch_namespace_arm(const struct porch_namespace *ns, struct porch_err *err);
/* The same for the programs pinned in `dir`, which may be a staging directory. */
int porch_arm(const char *dir, struct porch_err *err);

enum porch_attached_by {
	PORCH_BY_BPF_LINK,
	PORCH_BY_LIBXDP,
};

/* An interface that porch is attached to, as the kernel shows it now. */
struct porch_interface {
	int ifindex;
	char name[IFNAMSIZ];
	bool skb_mode;
	enum porch_attached_by by;
	bool tc;		/* the tc program is there: delivery to the kernel, guard of deliver=afxdp */
	bool lost;		/* our XDP program does not run there any more */
	__u32 foreign_id;	/* XDP program that runs instead, or 0 */
};

/* -ENODEV: no such interface; -ENOENT: porch is not attached to it. */
int porch_interface_get(const struct porch_namespace *ns, const char *name, struct porch_interface *ret,
			struct porch_err *err);
/* All of the namespace; *ret is malloc'ed. */
int porch_interface_list(const struct porch_namespace *ns, struct porch_interface **ret, size_t *n);

static inline void porch_namespace_freep(struct porch_namespace **ns)
{
	porch_namespace_free(*ns);
}

#define _cleanup_namespace_ __attribute__((cleanup(porch_namespace_freep)))

#endif /* PORCH_CORE_NAMESPACE_H */
