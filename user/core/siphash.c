// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "core/siphash.h"

static __u64 load(const __u8 *p, size_t n)
{
	__u64 v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

static __u64 rotate(__u64 x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static void rounds(__u64 v[4], int n)
{
	while (n--) {
		v[0] += v[1];
		v[1] = rotate(v[1], 13) ^ v[0];
		v[0] = rotate(v[0], 32);
		v[2] += v[3];
		v[3] = rotate(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = rotate(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = rotate(v[1], 17) ^ v[2];
		v[2] = rotate(v[2], 32);
	}
}

__u64 porch_siphash24(const __u8 key[16], const void *data, size_t size)
{
	__u64 k0 = load(key, 8), k1 = load(key + 8, 8), m;
	__u64 v[4] = { k0 ^ 0x736f6d6570736575ull, k1 ^ 0x646f72616e646f6dull, k0 ^ 0x6c7967656e657261ull,
		       k1 ^ 0x7465646279746573ull };
	const __u8 *p = data;
	size_t left;

	for (left = size; left >= 8; left -= 8, p += 8) {
		m = load(p, 8);
		v[3] ^= m;
		rounds(v, 2);
		v[0] ^= m;
	}
	m = (__u64)size << 56 | load(p, left);
	v[3] ^= m;
	rounds(v, 2);
	v[0] ^= m;
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
