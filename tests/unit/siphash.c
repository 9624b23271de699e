// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch's SipHash-2-4 against libsodium's, and against the paper's own vector. */
#include "tests/unit/unit.h"

#include <sodium.h>

#include "core/siphash.h"

static __u64 sodium(const __u8 *key, const void *data, size_t size)
{
	__u8 out[crypto_shorthash_BYTES];
	__u64 value = 0;
	int i;

	crypto_shorthash(out, data, size, key);
	for (i = 7; i >= 0; i--)
		value = value << 8 | out[i];
	return value;
}

static void the_vector_of_the_paper(void **state)
{
	__u8 key[16], data[15];
	int i;

	for (i = 0; i < 16; i++)
		key[i] = i;
	memcpy(data, key, sizeof(data));
	assert_true(porch_siphash24(key, data, 15) == 0xa129ca6149be45e5ull);
}

static void every_length_agrees_with_libsodium(void **state)
{
	uint64_t seed = 4242;
	__u8 key[16], data[257];
	size_t i, j;

	for (i = 0; i < 20000; i++) {
		size_t size = i % sizeof(data);

		for (j = 0; j < sizeof(key); j++)
			key[j] = unit_random(&seed) >> 32;
		for (j = 0; j < size; j++)
			data[j] = unit_random(&seed) >> 32;
		if (porch_siphash24(key, data, size) != sodium(key, data, size))
			fail_msg("case %zu, %zu octets", i, size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vector_of_the_paper),
		cmocka_unit_test(every_length_agrees_with_libsodium),
	};

	if (sodium_init() < 0)
		return 1;
	return unit_run("siphash", tests);
}
