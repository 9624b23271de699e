// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "reference.h"

#include <sodium.h>

static const __u16 mss_classes[2][4] = { { 536, 1300, 1440, 1460 }, { 1220, 1360, 1420, 1440 } };
static const int scale_classes[8] = { -1, 0, 2, 4, 6, 7, 8, 10 };

static void little(__u8 *at, __u64 v, int octets)
{
	for (int i = 0; i < octets; i++)
		at[i] = v >> 8 * i;
}

static __u64 siphash(const __u8 key[16], const __u8 *message, __u32 n)
{
	__u8 out[crypto_shorthash_BYTES];
	__u64 v = 0;

	crypto_shorthash(out, message, n, key);
	for (int i = 7; i >= 0; i--)
		v = v << 8 | out[i];
	return v;
}

void reference_key(const struct porch_master masters[PORCH_MASTERS], __u32 epoch, __u8 key[16])
{
	int chosen = PORCH_MASTERS - 1;
	__u8 master[16], message[16] = {};

	for (int i = 0; i < PORCH_MASTERS; i++)
		if ((masters[i].key.k[0] || masters[i].key.k[1]) &&
		    (__s32)(epoch - masters[i].from_epoch) >= 0) {
			chosen = i;
			break;
		}
	little(master, masters[chosen].key.k[0], 8);
	little(master + 8, masters[chosen].key.k[1], 8);
	little(message, epoch, 4);
	for (int half = 0; half < 2; half++) {
		message[8] = half;
		little(key + 8 * half, siphash(master, message, 16), 8);
	}
}

static __u64 mac(const __u8 key[16], __u32 epoch, const struct ends *e, __u32 carried)
{
	__u8 m[48];
	int n = 0, size = e->v6 ? 16 : 4, skip = 16 - size;

	memcpy(m, e->remote + skip, size);
	memcpy(m + size, e->local + skip, size);
	n = 2 * size;
	put16(m + n, e->remote_port);
	put16(m + n + 2, e->local_port);
	little(m + n + 4, e->irs, 4);
	little(m + n + 8, carried, 3);
	little(m + n + 11, epoch, 4);
	return siphash(key, m, n + 15);
}

static int class_of_mss(int v6, __u16 mss)
{
	int class = 3;

	while (class && mss < mss_classes[v6][class])
		class --;
	return class;
}

static int class_of_scale(int wscale)
{
	int class = 7;

	while (class && (wscale < 0 || wscale < scale_classes[class]))
		class --;
	return class;
}

__u16 reference_round_mss(int v6, __u16 mss)
{
	return mss_classes[v6][class_of_mss(v6, mss)];
}

int reference_round_wscale(int wscale)
{
	return scale_classes[class_of_scale(wscale)];
}

static __u32 ts_fields(__u32 epoch, const struct carried *c)
{
	return (epoch & 1) << 20 | (__u32)c->mss << 6 | (c->wscale < 0 ? 15 : c->wscale) << 2 |
	       !!c->sack << 1 | !!c->ecn;
}

struct cookie reference_cookie(const __u8 key[16], __u32 epoch, const struct ends *e, const struct carried *c)
{
	struct cookie out = {};
	__u32 fields;
	__u64 h;

	if (c->ts) {
		fields = ts_fields(epoch, c);
		h = mac(key, epoch, e, fields | 1u << 23);
		out.isn = h;
		out.tsval = fields << 11 | (h >> 32 & 0x7ff);
		return out;
	}
	fields = class_of_mss(e->v6, c->mss) << 4 | class_of_scale(c->wscale) << 1 | !!c->sack;
	h = mac(key, epoch, e, fields);
	out.isn = ((__u32)h & 0xffffff80u) | (epoch & 1) << 6 | fields;
	return out;
}

__u32 reference_epoch(__u32 now, int ts, __u32 isn, __u32 tsecr)
{
	__u32 parity = ts ? tsecr >> 31 : isn >> 6 & 1;

	return (now & 1) == parity ? now : now - 1;
}

int reference_check(const __u8 key[16], __u32 epoch, const struct ends *e, int ts, __u32 isn, __u32 tsecr,
		    struct carried *c)
{
	struct cookie right;

	*c = (struct carried){ .ts = ts };
	if (ts) {
		c->mss = tsecr >> 17 & 0x3fff;
		c->wscale = (tsecr >> 13 & 15) == 15 ? -1 : (int)(tsecr >> 13 & 15);
		c->sack = tsecr >> 12 & 1;
		c->ecn = tsecr >> 11 & 1;
	} else {
		c->mss = mss_classes[e->v6][isn >> 4 & 3];
		c->wscale = scale_classes[isn >> 1 & 7];
		c->sack = isn & 1;
	}
	right = reference_cookie(key, epoch, e, c);
	return right.isn == isn && (!ts || right.tsval == tsecr);
}
