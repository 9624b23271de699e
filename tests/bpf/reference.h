/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cookie worked out a second time, from its description alone and with
 * libsodium's SipHash: octets into a buffer, no word tricks, no tables.
 */
#ifndef PORCH_TESTS_REFERENCE_H
#define PORCH_TESTS_REFERENCE_H

#include "packets.h"
#include "porch/maps.h"

struct carried {
	__u8 ts; /* the form */
	__u16 mss;
	int wscale; /* -1: not offered */
	__u8 sack;
	__u8 ecn;
};

struct cookie {
	__u32 isn;
	__u32 tsval; /* form "timestamps" */
};

struct ends {
	__u8 v6;
	__u8 remote[16];
	__u8 local[16];
	__u16 remote_port;
	__u16 local_port;
	__u32 irs;
};

/* Key of an epoch, as 16 octets, from the masters (newest first). */
void reference_key(const struct porch_master masters[PORCH_MASTERS], __u32 epoch, __u8 key[16]);

struct cookie reference_cookie(const __u8 key[16], __u32 epoch, const struct ends *e,
			       const struct carried *c);

/* Which epoch a segment's cookie claims to be of. */
__u32 reference_epoch(__u32 now, int ts, __u32 isn, __u32 tsecr);
/* 1: right, and `c` is what it carries (MSS and scale of a plain one rounded down). */
int reference_check(const __u8 key[16], __u32 epoch, const struct ends *e, int ts, __u32 isn, __u32 tsecr,
		    struct carried *c);

/* What a plain cookie makes of an MSS and a scale. */
__u16 reference_round_mss(int v6, __u16 mss);
int reference_round_wscale(int wscale);

#endif /* PORCH_TESTS_REFERENCE_H */
