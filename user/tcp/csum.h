/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The Internet checksum (RFC 1071). Partial sums are 32 bits, of 16-bit words as
 * they lie in memory; they are added with csum_add() and end in csum_fold().
 */
#ifndef PORCH_TCP_CSUM_H
#define PORCH_TCP_CSUM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Sum of n octets; the copying one stores them at `to` in the same pass. */
uint32_t tcp_csum(const void *from, size_t n);
uint32_t tcp_csum_copy(void *to, const void *from, size_t n);

/* The same without vector instructions; for tests, and for other machines. */
uint32_t tcp_csum_scalar(const void *from, size_t n);
uint32_t tcp_csum_copy_scalar(void *to, const void *from, size_t n);

static inline uint32_t csum_add(uint32_t a, uint32_t b)
{
	uint32_t sum = a + b;

	return sum + (sum < a);
}

static inline uint16_t csum_fold16(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* What goes into the header; 0 when that header, with its sum, is right. */
static inline uint16_t csum_fold(uint32_t sum)
{
	return ~csum_fold16(sum);
}

/* `sum` of a piece that begins at an odd offset. */
static inline uint32_t csum_odd(uint32_t sum, size_t offset)
{
	return offset & 1 ? __builtin_bswap16(csum_fold16(sum)) : sum;
}

/* Headers: a few 32-bit words. */
__attribute__((always_inline)) static inline uint32_t csum_words(const void *from, uint32_t words)
{
	const uint8_t *p = from;
	uint64_t sum = 0;
	uint32_t word;

	while (words--) {
		memcpy(&word, p, 4);
		sum += word;
		p += 4;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)sum + (uint32_t)(sum >> 32);
}

#endif /* PORCH_TCP_CSUM_H */
