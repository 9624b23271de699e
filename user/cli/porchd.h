/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Asking porchd itself, where the maps do not say: its control socket. */
#ifndef PORCH_CLI_PORCHD_H
#define PORCH_CLI_PORCHD_H

#include <linux/types.h>

struct porch_err;

/* $PORCH_SOCKET, or where porchd listens by default. */
const char *porchd_socket(void);
/*
 * Has every worker write the frames of an interface to `pipe`, its write end,
 * until the last reader is gone. 0, or -errno with `err` set.
 */
int porchd_capture(__u32 ifindex, __u32 snaplen, int pipe, struct porch_err *err);

#endif /* PORCH_CLI_PORCHD_H */
