// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who is to make the sums, and what the kernel says of a device. */
#include <errno.h>

#include "daemon/tx_checksum.h"
#include "tests/unit/unit.h"

static void decided_by_what_is_asked_and_what_there_is(void **state)
{
	static const struct {
		uint8_t asked;
		bool zero_copy, can;
		uint32_t octets;
	} rows[] = {
		{ PORCH_TX_CHECKSUM_AUTO, false, false, 0 },
		{ PORCH_TX_CHECKSUM_AUTO, false, true, 0 },
		{ PORCH_TX_CHECKSUM_AUTO, true, false, 0 },
		{ PORCH_TX_CHECKSUM_AUTO, true, true, PORCH_TX_METADATA },
		{ PORCH_TX_CHECKSUM_NO, false, true, 0 },
		{ PORCH_TX_CHECKSUM_NO, true, true, 0 },
		{ PORCH_TX_CHECKSUM_YES, false, false, PORCH_TX_METADATA },
		{ PORCH_TX_CHECKSUM_YES, false, true, PORCH_TX_METADATA },
		/* what a driver ignores would go out wrong */
		{ PORCH_TX_CHECKSUM_YES, true, false, 0 },
		{ PORCH_TX_CHECKSUM_YES, true, true, PORCH_TX_METADATA },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(tx_checksum_decide(rows[i].asked, rows[i].zero_copy, rows[i].can),
				 rows[i].octets);
}

/* The loopback device has no AF_XDP driver: no feature, on kernels that can say so. */
static void the_loopback_device_makes_no_sums(void **state)
{
	uint64_t features = ~0ull;
	int r = tx_checksum_features(1, &features);

	if (r == -EOPNOTSUPP) {
		assert_true(features == ~0ull);
		skip();
	}
	assert_int_equal(r, 0);
	assert_true(features == 0);
}

static void a_device_that_is_not_there(void **state)
{
	uint64_t features = 7;

	assert_true(tx_checksum_features(0x7ffffff0, &features) < 0);
	assert_true(features == 7);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(decided_by_what_is_asked_and_what_there_is),
		cmocka_unit_test(the_loopback_device_makes_no_sums),
		cmocka_unit_test(a_device_that_is_not_there),
	};

	return unit_run("tx_checksum", tests);
}
