/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The SYN-ACK that XDP sent, once more: the same numbers, options and window, so
 * that the client sees a copy. In bpf/reply.h two paths write it; this is the
 * general one: options in the order MSS, SACK and timestamps, window scale.
 */
#ifndef PORCH_DAEMON_SYNACK_H
#define PORCH_DAEMON_SYNACK_H

#include <stdint.h>

#include <porch/maps.h>

struct daemon;

#define SYNACK_FRAME_MAX 106 /* Ethernet, two tags, IPv6, TCP with 24 octets of options: rounded up */

struct synack {
	uint8_t remote[16], local[16]; /* as in maps.h */
	uint16_t remote_port, local_port;
	uint32_t irs, iss;
	uint32_t tsval, ts_recent;
	uint16_t mss; /* announced */
	uint16_t window;
	uint8_t options; /* PORCH_OPT_* */
	uint8_t wscale;	 /* ours */
	uint8_t ttl;	 /* or hop limit */
	uint8_t remote_mac[6], local_mac[6];
	uint16_t tags[2];
};

/* Returns the frame's length. */
uint32_t synack_build(const struct synack *s, uint8_t frame[SYNACK_FRAME_MAX]);

/* The window of the first SYN-ACK: bpf/syn.h, window_round(). mss: the client's. */
uint16_t synack_window(uint32_t space, uint32_t mss);

/* What depends on listener, host, interface and route, as bpf/syn.h decides it. `s` has its addresses;
 * client_mss: of its SYN. */
void synack_settings(struct daemon *d, const struct porch_listener_entry *l, uint32_t ifindex, uint16_t client_mss,
		     struct synack *s);

#endif /* PORCH_DAEMON_SYNACK_H */
