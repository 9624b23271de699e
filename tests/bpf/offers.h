/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * TCP options as words, for tables that people read:
 *
 *   M1460  MSS          S     SACK permitted      T  T7  T7:9   timestamps (value, echo)
 *   W7     window scale N     NOP                 E  an octet of end-of-list
 *   D      MD5          A     AO                  F  Fast Open, cookie asked for
 *   P      MPTCP        X0102 these octets
 */
#ifndef PORCH_TESTS_OFFERS_H
#define PORCH_TESTS_OFFERS_H

#include "packets.h"

#define CLIENT_TSVAL 0x01020304u

/* What common clients send. */
#define OFFERS_LINUX	   "M1460 S T N W7"
#define OFFERS_LINUX_PLAIN "M1460 N N S N W7"
#define OFFERS_WINDOWS	   "M1460 N W8 N N S"
#define OFFERS_WINDOWS_TS  "M1460 N W8 S T"
#define OFFERS_APPLE	   "M1460 N W6 N N T S E E"
#define OFFERS_FREEBSD	   "M1460 N W6 S T"

void offers_parse(const char *text, struct bytes *out);
/* The reverse; timestamps without values. */
const char *offers_text(const struct bytes *options);

#endif /* PORCH_TESTS_OFFERS_H */
