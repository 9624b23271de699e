/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who makes the TCP sums of what workers send: they, while they copy the payload,
 * or whoever comes behind AF_XDP, by a request in front of each frame
 * (PORCH_TX_METADATA in porch/wire.h; Linux 6.11).
 *
 * In copy mode every kernel that takes requests honours them, on any device: it
 * hands the frame on as one without sums, and makes them itself where the device
 * cannot. That is no gain: with bulk data over veth it takes as much CPU time as sums
 * made while copying, and 8 % more where the kernel has to make them. And over a veth
 * pair nobody makes them, as with the kernel's own TCP. So `auto` does not. In
 * zero-copy mode it is the driver that must, and one that cannot sends what is wrong:
 * whether it can is asked, and what it says counts more than `yes`.
 */
#ifndef PORCH_DAEMON_TX_CHECKSUM_H
#define PORCH_DAEMON_TX_CHECKSUM_H

#include <stdint.h>

#include "daemon/daemon.h"

/* What the device's driver can do for AF_XDP in zero-copy mode: bits of `xsk-features` of the
 * netdev generic netlink family. 0; -EOPNOTSUPP: a kernel before 6.8; -errno. */
int tx_checksum_features(uint32_t ifindex, uint64_t *ret);
#define TX_CHECKSUM_FEATURE 2u /* tx-checksum */

/* Octets in front of each frame that the UMEM of this area is to be registered with: 0 or PORCH_TX_METADATA. */
uint32_t tx_checksum_wanted(const struct daemon *d, const struct area *a);
/* The same, told its arguments. `can`: what tx_checksum_features() says of it. */
uint32_t tx_checksum_decide(uint8_t asked, bool zero_copy, bool can);

#endif /* PORCH_DAEMON_TX_CHECKSUM_H */
