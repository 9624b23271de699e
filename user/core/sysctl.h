/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Settings of this network namespace that a SYN-ACK must agree with. */
#ifndef PORCH_CORE_SYSCTL_H
#define PORCH_CORE_SYSCTL_H

#include <porch/maps.h>

struct porch_err;

/* Number `field` (0: first) of /proc/sys/net/PATH. 0 or -errno. */
int porch_sysctl_get(const char *path, unsigned int field, long *ret);

/* Fills what porch_host takes from sysctls and from the clock; leaves the rest. */
int porch_sysctl_host(struct porch_host *host, struct porch_err *err);
/* A setting under which the kernel refuses every delivery: -EOPNOTSUPP, named, with its cure. */
int porch_sysctl_can_deliver(struct porch_err *err);

/* Pure: tcp_select_initial_window(): window scale for a socket with `space` octets. */
__u8 porch_rcv_wscale(__u32 space, __u32 tcp_rmem_max, __u32 rmem_max);

#endif /* PORCH_CORE_SYSCTL_H */
