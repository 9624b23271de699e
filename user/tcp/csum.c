// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Copy and checksum in one pass: AVX2 where the machine has it, 64-bit adds elsewhere. */
#include "tcp/csum.h"

#include <stdbool.h>

static inline uint32_t fold64(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

static inline uint64_t add_carry(uint64_t sum, uint64_t word)
{
	sum += word;
	return sum + (sum < word);
}

/* What is left below eight octets. */
static inline uint64_t tail(const uint8_t *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n);
	return word;
}

uint32_t tcp_csum_scalar(const void *from, size_t n)
{
	const uint8_t *p = from;
	uint64_t sum = 0, word;

	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		sum = add_carry(sum, word);
	}
	if (n)
		sum = add_carry(sum, tail(p, n));
	return fold64(sum);
}

uint32_t tcp_csum_copy_scalar(void *to, const void *from, size_t n)
{
	const uint8_t *p = from;
	uint8_t *q = to;
	uint64_t sum = 0, word;

	for (; n >= 8; n -= 8, p += 8, q += 8) {
		memcpy(&word, p, 8);
		memcpy(q, &word, 8);
		sum = add_carry(sum, word);
	}
	if (n) {
		sum = add_carry(sum, tail(p, n));
		memcpy(q, p, n);
	}
	return fold64(sum);
}

#ifdef __x86_64__
#include <immintrin.h>

#define VECTOR_MIN 64 /* below, setting up costs more than it saves */

/*
 * 32-bit lanes are widened to 64 before they are added: no carry is ever lost.
 * Always inlined, so that `copy` is a constant in each of its two users.
 */
__attribute__((target("avx2"), always_inline)) static inline uint32_t vector(uint8_t *to, const uint8_t *p,
									     size_t n, bool copy)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i low = zero, high = zero, a, b;
	uint64_t sum, word;
	__m128i half;

	for (; n >= 64; n -= 64, p += 64) {
		a = _mm256_loadu_si256((const void *)p);
		b = _mm256_loadu_si256((const void *)(p + 32));
		if (copy) {
			_mm256_storeu_si256((void *)to, a);
			_mm256_storeu_si256((void *)(to + 32), b);
			to += 64;
		}
		low = _mm256_add_epi64(low, _mm256_unpacklo_epi32(a, zero));
		high = _mm256_add_epi64(high, _mm256_unpackhi_epi32(a, zero));
		low = _mm256_add_epi64(low, _mm256_unpacklo_epi32(b, zero));
		high = _mm256_add_epi64(high, _mm256_unpackhi_epi32(b, zero));
	}
	low = _mm256_add_epi64(low, high);
	half = _mm_add_epi64(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
	sum = (uint64_t)_mm_cvtsi128_si64(half);
	sum = add_carry(sum, (uint64_t)_mm_extract_epi64(half, 1));
	for (; n >= 8; n -= 8, p += 8) {
		memcpy(&word, p, 8);
		if (copy) {
			memcpy(to, &word, 8);
			to += 8;
		}
		sum = add_carry(sum, word);
	}
	if (n) {
		sum = add_carry(sum, tail(p, n));
		if (copy)
			memcpy(to, p, n);
	}
	return fold64(sum);
}

__attribute__((target("avx2"))) static uint32_t csum_avx2(const void *from, size_t n)
{
	return vector(NULL, from, n, false);
}

__attribute__((target("avx2"))) static uint32_t csum_copy_avx2(void *to, const void *from, size_t n)
{
	return vector(to, from, n, true);
}

uint32_t tcp_csum(const void *from, size_t n)
{
	if (n >= VECTOR_MIN && __builtin_cpu_supports("avx2"))
		return csum_avx2(from, n);
	return tcp_csum_scalar(from, n);
}

uint32_t tcp_csum_copy(void *to, const void *from, size_t n)
{
	if (n >= VECTOR_MIN && __builtin_cpu_supports("avx2"))
		return csum_copy_avx2(to, from, n);
	return tcp_csum_copy_scalar(to, from, n);
}

#else

uint32_t tcp_csum(const void *from, size_t n)
{
	return tcp_csum_scalar(from, n);
}

uint32_t tcp_csum_copy(void *to, const void *from, size_t n)
{
	return tcp_csum_copy_scalar(to, from, n);
}

#endif
