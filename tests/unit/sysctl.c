// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>

#include "core/err.h"
#include "core/sysctl.h"

/* tcp_select_initial_window() as the kernel writes it: a loop, clamped. */
static unsigned int by_the_kernel(__u32 space, __u32 tcp_rmem_max, __u32 rmem_max)
{
	unsigned int scale = 0;
	__u64 room = space;

	if (room < tcp_rmem_max)
		room = tcp_rmem_max;
	if (room < rmem_max)
		room = rmem_max;
	while (room > 65535 && scale < 14) {
		room >>= 1;
		scale++;
	}
	return scale;
}

static void window_scale_is_the_kernels(void **state)
{
	uint64_t seed = 77;
	int i;

	/* the usual ones: 6 MiB, 32 MiB, and the smallest */
	assert_int_equal(porch_rcv_wscale(65536, 6291456, 212992), 7);
	assert_int_equal(porch_rcv_wscale(65536, 33554432, 4194304), 10);
	assert_int_equal(porch_rcv_wscale(4096, 4096, 0), 0);
	assert_int_equal(porch_rcv_wscale(0, 0, 0), 0);
	for (i = 0; i < 32; i++) {
		__u32 power = 1u << i;

		assert_int_equal(porch_rcv_wscale(power, 0, 0), by_the_kernel(power, 0, 0));
		assert_int_equal(porch_rcv_wscale(power - 1, 0, 0), by_the_kernel(power - 1, 0, 0));
	}
	for (i = 0; i < 20000; i++) {
		__u32 a = unit_random(&seed) >> (unit_random(&seed) % 32 + 32);
		__u32 b = unit_random(&seed) >> (unit_random(&seed) % 32 + 32);
		__u32 c = unit_random(&seed) >> (unit_random(&seed) % 32 + 32);

		assert_int_equal(porch_rcv_wscale(a, b, c), by_the_kernel(a, b, c));
	}
}

static void numbers_of_a_line_are_found(void **state)
{
	long first = -1, last = -1, none = 12345;

	assert_int_equal(porch_sysctl_get("ipv4/tcp_rmem", 0, &first), 0);
	assert_int_equal(porch_sysctl_get("ipv4/tcp_rmem", 2, &last), 0);
	assert_in_range(first, 1, last);
	assert_int_equal(porch_sysctl_get("ipv4/no_such_thing", 0, &none), -ENOENT);
	assert_int_equal(porch_sysctl_get("ipv4/tcp_rmem", 3, &none), -EINVAL);
	assert_int_equal(none, 12345);
}

static void a_host_is_filled_and_the_rest_left(void **state)
{
	struct porch_host host = { .tick = 99, .reply_rate = 5, .flags = PORCH_HOST_DENY };
	struct porch_err err;

	assert_int_equal(porch_sysctl_host(&host, &err), 0);
	assert_int_equal(host.tick, 99);
	assert_int_equal(host.reply_rate, 5);
	assert_int_equal(host.flags, PORCH_HOST_DENY);
	assert_in_range(host.ttl, 1, 255);
	assert_in_range(host.hop_limit, 1, 255);
	assert_in_range(host.rcv_wscale, 0, 14);
	assert_in_range(host.rcv_space, 1, 0x7fffffff);
	/* whole seconds, or none */
	assert_int_equal(host.wall_offset % 1000000000, 0);
	assert_true(host.wall_offset <= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_scale_is_the_kernels),
		cmocka_unit_test(numbers_of_a_line_are_found),
		cmocka_unit_test(a_host_is_filled_and_the_rest_left),
	};

	return unit_run("sysctl", tests);
}
