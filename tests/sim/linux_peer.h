/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Linux at the other end: namespaces of our own, a TUN device in each, what their TCP complains of. */
#ifndef PORCH_TESTS_LINUX_PEER_H
#define PORCH_TESTS_LINUX_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PORT_SENDS    80 /* the server sends when it has heard an octet */
#define PORT_RECEIVES 81

struct transfer {
	const char *congestion; /* as setsockopt() knows it */
	uint16_t port;
	uint32_t octets;
	bool no_timestamps, no_sack, no_wscale, ecn;
	bool reordered; /* what is late is old by then */
};

struct outcome {
	double seconds;	 /* of the transfer; below 0: it failed */
	uint64_t errors; /* counted by the client's TCP */
	char what[200];	 /* their names and numbers */
};

/* What octet i of a transfer is. */
uint8_t peer_octet(uint32_t i);

/*
 * A process in a network namespace of its own, as client (10.9.0.1) or server
 * (10.9.0.2); its TUN device in *tun, its struct outcome to be read from *result.
 * Below 0: failed.
 */
pid_t peer_start(const struct transfer *t, bool server, int *tun, int *result);

/* linux_counters.c: of the calling process' namespace */
void counters_check(const struct transfer *t, struct outcome *o);

#endif /* PORCH_TESTS_LINUX_PEER_H */
