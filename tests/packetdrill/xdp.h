/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The BPF programs without a wire: loaded, their maps filled as porch and porchd would, each frame a test
 * run. */
#ifndef PORCH_PACKETDRILL_XDP_H
#define PORCH_PACKETDRILL_XDP_H

#include "drill.h"

#define XDP_SETS      256u /* of four flows */
#define XDP_HALF_OPEN 256u
#define XDP_IFINDEX   1u   /* lo is there in every network namespace, and nothing is attached to it */
#define XDP_FRAME_MAX 3400 /* a test run takes a page with head- and tailroom */
#define XDP_WORKER    1u

struct handshake;

struct xdp {
	struct handshake *skel;
	struct porch_host *host;
	struct porch_listener_entry *listeners;
	struct porch_ports *ports;
	struct porch_addrs *addrs;
	struct porch_flow *flows;
	struct porch_steer *steer;
	struct porch_queue *queues;
	int sockets[2]; /* porchd's and the worker's: the programs look whether they are there */
};

/* ---- xdp_world.c ---- */
/* The clocks, what porchd says of itself, the accept queues: as of d->now. */
void world_now(struct drill *d);
/* An address that `*` listens on. */
void world_address(struct xdp *x, const uint8_t address[16]);
/* A test run of porch_xdp: the XDP action, `out` and its length, of which *meta octets lie in front; or
 * -errno. */
int world_run(struct xdp *x, const uint8_t *frame, uint32_t length, uint8_t out[4096], uint32_t *n,
	      uint32_t *meta);
int world_half_open(struct xdp *x, const struct porch_tuple *t, struct porch_half_open *ret);

#endif /* PORCH_PACKETDRILL_XDP_H */
