/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A wire into the test's own namespace: a TAP device with porch_xdp and
 * porch_tc on it, and porch_sk_state on the kernel's sockets. What is written
 * goes XDP, tc, IP, TCP before the call returns; what the kernel, or XDP_TX,
 * sends is read back.
 */
#ifndef PORCH_TESTS_TAP_H
#define PORCH_TESTS_TAP_H

#include "client.h"

/* Forget what was sent so far. */
void tap_drain(void);
void tap_send(const struct packet *p);
/* The next frame of TCP that was sent; false: none. */
bool tap_receive(struct decoded *d);

/* SYN, SYN-ACK (from XDP), ACK as `change` makes it. true: the SYN-ACK was good. */
bool tap_connect(const struct packet *syn, struct decoded *synack, struct packet *ack);

/* A listening socket on any address; `v6` makes it dual-stack. */
int listen_on(int v6, __u16 port, int backlog);
int listen_mptcp(int v6, __u16 port);
int listen_md5(int v6, __u16 port, const __u8 client[16]);
#define SYNACK "syn_received synack_sent "
/* The SYN that has the socket looked at takes the general path. */
#define WHOLE SYNACK "synack_slow probes proven delivered"

/* A client nobody has seen: the kernel's TIME-WAITs outlive our tables. */
struct packet fresh_syn(int v6, const char *offers);
__u16 fresh_port(void);
int flow_state(const struct packet *p);
/* The wire's next frame must be TCP with these flags. */
bool expect_frame(__u16 flags, struct decoded *d, const char *what);
void expect_silence(const char *what);
/* main() of a table on the wire: `rows` for both families. */
int tap_main(void (*rows)(int v6));

/* Accepted within a second, or -1. */
int accept_from(int listener);

void sysctl_set(const char *name, const char *value);

#endif /* PORCH_TESTS_TAP_H */
