/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* parked_add() and parked_del() of daemon.h: who calls what, see retransmit.h. */
#ifndef PORCH_DAEMON_PARKED_H
#define PORCH_DAEMON_PARKED_H

#include <stdbool.h>
#include <stdint.h>

struct daemon;

int parked_start(struct daemon *d);
void parked_stop(struct daemon *d);
/* Sends what is due, forgets whom it is over for. Anybody left? */
bool parked_tick(struct daemon *d);
/* How many. */
uint32_t parked_count(const struct daemon *d);
/* A next hop has another MAC: theirs is in porch_steer, written by XDP, so the change is kept here. */
void parked_neighbour(struct daemon *d, uint32_t ifindex, const uint8_t was[6], const uint8_t is[6]);

#endif /* PORCH_DAEMON_PARKED_H */
