/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * SipHash-2-4 (Aumasson, Bernstein 2012) over 64-bit words. porch only ever
 * hashes whole words, so the last block is the length alone. Compared with
 * libsodium's crypto_shorthash in tests/unit/siphash.c; compiles natively too.
 */
#ifndef PORCH_BPF_SIPHASH_H
#define PORCH_BPF_SIPHASH_H

struct sip {
	__u64 v0, v1, v2, v3;
};

#define SIP_ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

static inline __attribute__((always_inline)) void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = SIP_ROTL(s->v1, 13);
	s->v3 = SIP_ROTL(s->v3, 16);
	s->v1 ^= s->v0;
	s->v3 ^= s->v2;
	s->v0 = SIP_ROTL(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = SIP_ROTL(s->v1, 17);
	s->v3 = SIP_ROTL(s->v3, 21);
	s->v1 ^= s->v2;
	s->v3 ^= s->v0;
	s->v2 = SIP_ROTL(s->v2, 32);
}

static inline __attribute__((always_inline)) void sip_init(struct sip *s, const struct porch_key *key)
{
	__u64 k0 = key->k[0], k1 = key->k[1];

	s->v0 = k0 ^ 0x736f6d6570736575ull;
	s->v1 = k1 ^ 0x646f72616e646f6dull;
	s->v2 = k0 ^ 0x6c7967656e657261ull;
	s->v3 = k1 ^ 0x7465646279746573ull;
}

static inline __attribute__((always_inline)) void sip_word(struct sip *s, __u64 m)
{
	s->v3 ^= m;
	sip_round(s);
	sip_round(s);
	s->v0 ^= m;
}

/* `length`: octets hashed so far, a multiple of 8. */
static inline __attribute__((always_inline)) __u64 sip_end(struct sip *s, __u64 length)
{
	sip_word(s, length << 56);
	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	sip_round(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif /* PORCH_BPF_SIPHASH_H */
