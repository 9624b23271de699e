/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From root to nobody, for good.
 *
 * What porchd needs root for, it does first: the pinned maps (bpffs is root's),
 * the control socket in /run, resource limits, the opener. Everything later works
 * on descriptors it holds: maps are memory, or written through their descriptors
 * (which Linux allows without a capability from 5.19 on; `keep` may hold CAP_BPF
 * where it does not), AF_XDP sockets are bound and AF_PACKET sockets sent on with no check,
 * netlink is only listened to.
 */
#ifndef PORCH_DAEMON_PRIVILEGES_H
#define PORCH_DAEMON_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct porch_err;

#define PRIVILEGES_NET_RAW (1ull << 13)
#define PRIVILEGES_IPC_LOCK (1ull << 14)
#define PRIVILEGES_BPF	   (1ull << 39)

struct privileges {
	uid_t uid;
	gid_t gid;
	uint64_t keep; /* capabilities, PRIVILEGES_* */
};

/* -ENOENT: no such user. */
int privileges_find(const char *user, struct privileges *ret, struct porch_err *err);
/* Locked memory (UMEM) without limit, descriptors up to what the loop takes. Best effort: `err` says what
 * could not be had, and 0 that all was. Where locked memory stays limited (a container without
 * CAP_SYS_RESOURCE), CAP_IPC_LOCK is added to what is kept: it lifts that limit and nothing else. */
int privileges_limits(struct privileges *to, struct porch_err *err);
/*
 * Becomes that user, with those capabilities and no others ever again, and checks that
 * it cannot be undone. After a failure the process is neither: it has to end.
 */
int privileges_drop(const struct privileges *to, struct porch_err *err);

/* After the drop to that, could this process still update a map it holds? Tried in a child. */
bool privileges_may_write_map(const struct privileges *to, int map_fd);

#endif /* PORCH_DAEMON_PRIVILEGES_H */
