/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What outlives the process: the bpffs directory of a network namespace.
 *
 *   ROOT/porch/INODE/           maps and programs by name; sk_state, flows
 *   ROOT/porch/INODE/cookie      symlink whose target is the namespace's cookie
 *   ROOT/porch/INODE/IFINDEX/   xdp, tc, tc-VLAN_IFINDEX (links); xdp_prog in place of xdp through libxdp,
 *                               tc_prog in place of tc without TCX
 *
 * ROOT is /sys/fs/bpf, or $PORCH_BPFFS. INODE is that of the network namespace;
 * since inode numbers come back when a namespace ends, its cookie, which does
 * not, tells a namespace from its forerunner.
 *
 * Locks and names, and why
 *   Writers hold an flock on the namespace itself (/proc/self/ns/net): it is
 *   there before the first directory is and after the last, and two bpffs
 *   instances cannot make two owners of one namespace.
 *   They also hold an flock on INODE (or its staging directory), so that whoever
 *   sweeps for the dead sees that somebody is at work in there.
 *   A directory is filled under a staging name and renamed when complete. What
 *   a crash left behind is completed when it had reached its XDP link, and
 *   removed otherwise: so there is only the old state or the new one.
 */
#ifndef PORCH_CORE_PINS_H
#define PORCH_CORE_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

struct porch_err;

#define PORCH_BPFFS_DEFAULT "/sys/fs/bpf"
#define PORCH_PIN_PATH 256

enum porch_access {
	PORCH_READ,	/* looks; takes no lock */
	PORCH_WRITE,	/* changes what is there; holds the namespace lock until closed */
	PORCH_CREATE,	/* the same, and there need not be anything: mounts bpffs */
};

struct porch_pins {
	char root[PORCH_PIN_PATH];	/* ROOT/porch */
	char dir[PORCH_PIN_PATH];	/* ROOT/porch/INODE */
	__u32 netns_inum;
	int netns_fd;			/* carries the namespace lock */
	int dir_fd;			/* -1: the directory does not exist */
	int stage_fd;			/* the namespace in the making, locked */
	enum porch_access access;
};

#define PORCH_PINS_INIT { .netns_fd = -1, .dir_fd = -1, .stage_fd = -1 }

/*
 * Finds the directory of the calling thread's network namespace. Writers wait
 * for the lock and settle what a crash left. 0 also when nothing is attached:
 * see porch_pins_exist().
 */
int porch_pins_open(struct porch_pins *pins, enum porch_access access, struct porch_err *err);
void porch_pins_close(struct porch_pins *pins);
static inline bool porch_pins_exist(const struct porch_pins *pins)
{
	return pins->dir_fd >= 0;
}

/* Path of `name` in the namespace's directory; of an interface's when ifindex > 0. Returns `buf`. */
char *porch_pins_path(const struct porch_pins *pins, int ifindex, const char *name, char buf[PORCH_PIN_PATH]);
/* An fd of a pinned object, or -errno. */
int porch_pins_get(const struct porch_pins *pins, int ifindex, const char *name);
/* The interfaces that have a directory: calls `fn` with each ifindex until it returns non-zero, returned then. */
int porch_pins_each_interface(const struct porch_pins *pins, int (*fn)(int ifindex, void *arg), void *arg);

/*
 * Staging. For the namespace (ifindex 0) or for one interface in it:
 * begin makes an empty staging directory and gives its path; commit renames it;
 * drop removes it with everything in it.
 */
int porch_pins_stage(struct porch_pins *pins, int ifindex, char path[PORCH_PIN_PATH], struct porch_err *err);
int porch_pins_commit(struct porch_pins *pins, int ifindex, struct porch_err *err);
void porch_pins_drop(struct porch_pins *pins, int ifindex);

/* Removes one object, an interface's directory (its links go, and with them what they hold), or all. */
int porch_pins_remove(struct porch_pins *pins, int ifindex, const char *name);
int porch_pins_remove_interface(struct porch_pins *pins, int ifindex);
int porch_pins_remove_all(struct porch_pins *pins);
/* Directories of namespaces that are gone. Called at attach. */
void porch_pins_sweep_dead(const struct porch_pins *pins);

/* bpf_obj_pin() with mode 0600. */
int porch_pin(int fd, const char *dir, const char *name);

#endif /* PORCH_CORE_PINS_H */
