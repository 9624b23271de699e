/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The cookie: what the ISN, and the TSval, of a SYN-ACK carry so that the
 * final ACK proves the handshake with nothing stored.
 *
 * MAC = SipHash-2-4(key of the epoch, message), the message being, as octets,
 *   IPv4  saddr 4, daddr 4, ports 4, irs 4, carried 3, epoch 4      23 octets
 *   IPv6  saddr 16, daddr 16, ports 4, irs 4, carried 3, epoch 4    47 octets
 * with addresses and ports as on the wire, the rest little-endian: irs the
 * client's ISN, epoch = unix time / 30 s, and `carried` all option bits below
 * plus the form in bit 23. Every carried bit is therefore inside the MAC. The
 * odd length makes the last three fields SipHash's last block: one less.
 *
 * Form "timestamps" (client offered them):
 *   ISN    32 bits of MAC
 *   TSval  31     parity of the epoch
 *          30-17  MSS of the client, exact up to 16383
 *          16-13  window scale of the client, 15: not offered
 *          12     SACK permitted
 *          11     ECN agreed
 *          10-0   11 more bits of MAC
 * Form "plain":
 *   ISN    31-7   25 bits of MAC
 *          6      parity of the epoch
 *          5-4    MSS class, rounded down   (cookie_mss4, cookie_mss6)
 *          3-1    window scale class, rounded down; 0: not offered
 *          0      SACK permitted
 *   ECN has no bit here and is declined.
 *
 * The parity says which of the two accepted epochs to check, so one SipHash
 * suffices. Odds of a blind packet (it may choose every carried bit and the
 * parity): plain 2^-25; timestamps 2^-43 (ISN and TSecr both). An attacker
 * picks the weaker form, so a form counts only within a minute of its last use
 * by that listener: a listener whose clients all send timestamps stays at
 * 2^-43, and one that has only tracked handshakes demands the entry as well.
 * A cookie lives 30 to 60 s.
 */
#ifndef PORCH_BPF_COOKIE_H
#define PORCH_BPF_COOKIE_H

#include "siphash.h"

#define COOKIE_FORM_TS 0x800000u
#define COOKIE_PLAIN_BITS 7		/* parity and six option bits */
#define COOKIE_PLAIN_OPTIONS 0x3f
#define COOKIE_TS_BITS 11		/* MAC bits in TSval */
#define COOKIE_TS_MAC 0x7ff
#define COOKIE_MSS_MAX 0x3fff
#define COOKIE_NO_WSCALE 15

static inline __attribute__((always_inline)) __u64
cookie_mac(const struct porch_key *key, int v6, const __u64 s[2], const __u64 d[2], __u32 ports, __u32 irs,
	   __u32 carried, __u32 epoch)
{
	struct sip sip;

	sip_init(&sip, key);
	if (v6) {
		sip_word(&sip, s[0]);
		sip_word(&sip, s[1]);
		sip_word(&sip, d[0]);
		sip_word(&sip, d[1]);
	} else {
		sip_word(&sip, (s[1] >> 32) | (d[1] & 0xffffffff00000000ull));
	}
	sip_word(&sip, ports | ((__u64)irs << 32));
	return sip_end(&sip, carried | ((__u64)epoch << 24), v6 ? 47 : 23);
}

/* ---- form "timestamps" ---- */

/* Bits 31-11 of TSval, shifted down. wscale: 0-14 or COOKIE_NO_WSCALE. */
static inline __attribute__((always_inline)) __u32
cookie_ts_fields(__u32 epoch, __u32 mss, __u32 wscale, __u32 sack, __u32 ecn)
{
	return (epoch & 1) << 20 | (mss & COOKIE_MSS_MAX) << 6 | wscale << 2 | sack << 1 | ecn;
}

static inline __attribute__((always_inline)) __u32 cookie_ts_epoch(__u32 tsecr, __u32 epoch)
{
	return epoch - ((epoch ^ (tsecr >> 31)) & 1);
}

/* ---- form "plain" ---- */

/* MSS classes 0..3; wscale classes 1..7, 0 being "not offered". */
#define COOKIE_MSS4(class) ((class) == 3 ? 1460 : (class) == 2 ? 1440 : (class) == 1 ? 1300 : 536)
#define COOKIE_MSS6(class) ((class) == 3 ? 1440 : (class) == 2 ? 1420 : (class) == 1 ? 1360 : 1220)

static inline __attribute__((always_inline)) __u32 cookie_mss_class(int v6, __u32 mss)
{
	if (v6)
		return mss >= 1440 ? 3 : mss >= 1420 ? 2 : mss >= 1360 ? 1 : 0;
	return mss >= 1460 ? 3 : mss >= 1440 ? 2 : mss >= 1300 ? 1 : 0;
}

static inline __attribute__((always_inline)) __u32 cookie_class_mss(int v6, __u32 class)
{
	return v6 ? COOKIE_MSS6(class) : COOKIE_MSS4(class);
}

/* Scales 0 2 4 6 7 8 10 have classes 1..7; one nibble each below. */
#define COOKIE_SCALE_OF_CLASS 0xa8764200u
/* Class of scale 0..15, one nibble each: 0,1 -> 1; 2,3 -> 2; 4,5 -> 3; 6; 7; 8,9; 10.. */
#define COOKIE_CLASS_OF_SCALE 0x7777776654332211ull

static inline __attribute__((always_inline)) __u32 cookie_wscale_class(__u32 wscale)
{
	return (COOKIE_CLASS_OF_SCALE >> ((wscale & 15) * 4)) & 7;
}

static inline __attribute__((always_inline)) __u32 cookie_class_wscale(__u32 class)
{
	return (COOKIE_SCALE_OF_CLASS >> ((class & 7) * 4)) & 15;
}

static inline __attribute__((always_inline)) __u32
cookie_plain_fields(int v6, __u32 mss, int has_wscale, __u32 wscale, __u32 sack)
{
	return cookie_mss_class(v6, mss) << 4 | (has_wscale ? cookie_wscale_class(wscale) : 0) << 1 | sack;
}

static inline __attribute__((always_inline)) __u32 cookie_plain_isn(__u64 mac, __u32 epoch, __u32 fields)
{
	return ((__u32)mac & ~((1u << COOKIE_PLAIN_BITS) - 1)) | (epoch & 1) << 6 | fields;
}

static inline __attribute__((always_inline)) __u32 cookie_plain_epoch(__u32 isn, __u32 epoch)
{
	return epoch - ((epoch ^ (isn >> 6)) & 1);
}

#endif /* PORCH_BPF_COOKIE_H */
