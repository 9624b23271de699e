/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Frames out of an interface by AF_PACKET: raw_send() of daemon.h. One socket per
 * interface, from the opener when it is first needed.
 */
#ifndef PORCH_DAEMON_RAW_H
#define PORCH_DAEMON_RAW_H

#include <stdint.h>

struct daemon;

int raw_start(struct daemon *d);
void raw_stop(struct daemon *d);
/* The interface's own MAC. 0 or -errno. */
int raw_mac(struct daemon *d, uint32_t ifindex, uint8_t mac[6]);
/* It has changed, or is gone: what is known of it is asked anew. */
void raw_forget(struct daemon *d, uint32_t ifindex);

#endif /* PORCH_DAEMON_RAW_H */
