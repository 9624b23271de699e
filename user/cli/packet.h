/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One captured frame, in a line: what porch capture shows without -w.
 *
 * Pure: octets in, members and text out. A frame that is cut short or not what
 * it says it is yields as much as can be read of it; nothing behind `length`
 * is ever looked at.
 */
#ifndef PORCH_CLI_PACKET_H
#define PORCH_CLI_PACKET_H

#include <stddef.h>

#include <jansson.h>
#include <linux/types.h>

#define PACKET_TEXT 320

/*
 * {"source", "destination": "ADDR:PORT", "flags", "seq", "ack", "window",
 * "payload", ...}; of what is no TCP over IP, "protocol" alone. NULL: no memory.
 * `wire`: octets that the frame had before it was cut to `length`.
 */
json_t *packet_describe(const __u8 *frame, size_t length, size_t wire);
/* "SOURCE > DESTINATION: Flags [P.], seq 1, ack 1, win 512, length 5". Returns `buf`. */
const char *packet_text(const json_t *packet, char buf[PACKET_TEXT]);

#endif /* PORCH_CLI_PACKET_H */
