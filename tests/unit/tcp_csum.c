// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The checksum, vectorised and not, against the definition of RFC 1071. */
#include "tests/unit/unit.h"

#include "tcp/csum.h"

static uint16_t definition(const uint8_t *p, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (n & 1)
		sum += (uint32_t)p[n - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint16_t host(uint32_t sum)
{
	return __builtin_bswap16(csum_fold16(sum));
}

/* 0 and 0xffff are the same number. */
static void same(uint16_t a, uint16_t b, size_t n, size_t offset)
{
	if (a != b && !((a == 0 || a == 0xffff) && (b == 0 || b == 0xffff)))
		fail_msg("%zu octets at %zu: %04x, not %04x", n, offset, a, b);
}

static void every_length_and_alignment(void **state)
{
	static uint8_t from[9300], to[9300];
	uint64_t seed = 7;
	size_t n, offset, i;

	for (n = 0; n < 9000; n += n < 400 ? 1 : 97) {
		offset = unit_random(&seed) % 64;
		for (i = 0; i < n; i++)
			from[offset + i] = n % 3 ? unit_random(&seed) >> 32 : 0xff;
		memset(to, 0x11, sizeof(to));
		same(host(tcp_csum(from + offset, n)), definition(from + offset, n), n, offset);
		same(host(tcp_csum_scalar(from + offset, n)), definition(from + offset, n), n, offset);
		same(host(tcp_csum_copy(to + 1, from + offset, n)), definition(from + offset, n), n, offset);
		assert_memory_equal(to + 1, from + offset, n);
		assert_int_equal(to[0], 0x11);
		assert_int_equal(to[1 + n], 0x11);
		memset(to, 0x11, sizeof(to));
		same(host(tcp_csum_copy_scalar(to, from + offset, n)), definition(from + offset, n), n,
		     offset);
		assert_memory_equal(to, from + offset, n);
		assert_int_equal(to[n], 0x11);
	}
}

static void pieces_add_up(void **state)
{
	uint8_t data[3000];
	uint64_t seed = 9;
	size_t i, cut, again;
	uint32_t sum;

	for (i = 0; i < sizeof(data); i++)
		data[i] = unit_random(&seed) >> 32;
	for (cut = 0; cut < sizeof(data); cut += 37) {
		again = cut + (sizeof(data) - cut) / 3;
		sum = tcp_csum(data, cut);
		sum = csum_add(sum, csum_odd(tcp_csum(data + cut, again - cut), cut));
		sum = csum_add(sum, csum_odd(tcp_csum(data + again, sizeof(data) - again), again));
		same(host(sum), definition(data, sizeof(data)), cut, again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_length_and_alignment),
		cmocka_unit_test(pieces_add_up),
	};

	return unit_run("tcp_csum", tests);
}
