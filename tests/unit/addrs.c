// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>
#include <sys/socket.h>

#include "core/addrs.h"

static __u32 slot(__u64 multiplier, const __u8 address[16])
{
	__u64 half[2];

	memcpy(half, address, 16);
	return porch_addr_slot(multiplier, half[0], half[1]);
}

/* What XDP relies on: one look tells whether an address is this host's. */
static void no_two_addresses_share_a_slot(void **state)
{
	static __u8 addresses[48][16];
	uint64_t seed = 5;
	int round, n, i, j;

	for (round = 0; round < 200; round++) {
		bool taken[PORCH_ADDR_SLOTS] = {};
		__u64 multiplier = 0;

		n = 1 + unit_random(&seed) % 48;
		for (i = 0; i < n; i++) {
			/* neighbours, as hosts have them: IPv4 in one net, IPv6 in one prefix */
			memset(addresses[i], 0, 16);
			if (i % 2) {
				addresses[i][10] = addresses[i][11] = 0xff;
				addresses[i][12] = 10;
				addresses[i][15] = i;
			} else {
				addresses[i][0] = 0x20;
				addresses[i][15] = i;
				addresses[i][14] = round;
			}
		}
		assert_int_equal(porch_addrs_multiplier((const __u8(*)[16])addresses, n, unit_random(&seed),
							&multiplier),
				 0);
		assert_int_equal(multiplier & 1, 1);
		for (j = 0; j < n; j++) {
			__u32 s = slot(multiplier, addresses[j]);

			assert_in_range(s, 0, PORCH_ADDR_SLOTS - 1);
			assert_false(taken[s]);
			taken[s] = true;
		}
	}
}

static void the_same_address_twice_cannot_be_placed(void **state)
{
	static const __u8 twice[2][16] = { { 1 }, { 1 } };
	__u64 multiplier = 42;

	assert_int_equal(porch_addrs_multiplier(twice, 2, 1, &multiplier), -ENOSPC);
	assert_true(multiplier == 42);
}

static void no_address_is_fine(void **state)
{
	__u64 multiplier = 0;

	assert_int_equal(porch_addrs_multiplier(NULL, 0, 1, &multiplier), 0);
	assert_int_equal(multiplier & 1, 1);
}

static void mss_is_announced_as_the_kernel_does(void **state)
{
	assert_int_equal(porch_mss(AF_INET, 1500, 0), 1460);
	assert_int_equal(porch_mss(AF_INET6, 1500, 0), 1440);
	assert_int_equal(porch_mss(AF_INET6, 1280, 0), 1220);
	assert_int_equal(porch_mss(AF_INET, 9000, 0), 8960);
	assert_int_equal(porch_mss(AF_INET, 1500, 1300), 1300);
	assert_int_equal(porch_mss(AF_INET6, 1500, 1300), 1300);
	/* not below what the kernel announces at least, not above what 16 bits carry */
	assert_int_equal(porch_mss(AF_INET, 68, 0), 256);
	assert_int_equal(porch_mss(AF_INET6, 68, 0), 1220);
	assert_int_equal(porch_mss(AF_INET, 65536, 0), 65495);
	assert_int_equal(porch_mss(AF_INET6, 100000, 0), 65475);
	assert_int_equal(porch_mss(AF_INET, 0, 0), 256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_addresses_share_a_slot),
		cmocka_unit_test(the_same_address_twice_cannot_be_placed),
		cmocka_unit_test(no_address_is_fine),
		cmocka_unit_test(mss_is_announced_as_the_kernel_does),
	};

	return unit_run("addrs", tests);
}
