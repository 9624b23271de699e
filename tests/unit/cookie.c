// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpf/siphash.h and bpf/cookie.h, compiled natively: the hash against libsodium's, the bits against their text. */
#include "tests/unit/unit.h"

#include <sodium.h>

#include "tests/unit/bpf_native.h"
#include "bpf/cookie.h"

static uint64_t seed = 20211;

static __u32 random32(void)
{
	return unit_random(&seed) >> 16;
}

static __u64 sodium(const struct porch_key *key, const void *data, size_t size)
{
	__u64 value;

	crypto_shorthash((void *)&value, data, size, (const void *)key); /* both little-endian */
	return value;
}

/* The message as the comment in cookie.h describes it, octet by octet. */
static size_t message(__u8 *m, int v6, const __u8 *s, const __u8 *d, __u32 ports, __u32 irs, __u32 carried, __u32 epoch)
{
	size_t skip = v6 ? 0 : 12, n = 16 - skip;
	__u8 *at = m;

	memcpy(at, s + skip, n);
	memcpy(at + n, d + skip, n);
	at += 2 * n;
	memcpy(at, &ports, 4);
	memcpy(at + 4, &irs, 4);
	memcpy(at + 8, &carried, 3);
	memcpy(at + 11, &epoch, 4);
	return 2 * n + 15;
}

static void the_mac_is_siphash_over_the_documented_message(void **state)
{
	for (int i = 0; i < 20000; i++) {
		__u32 ports = random32(), irs = random32(), carried = random32() & 0xffffff, epoch = random32();
		struct porch_key key = { { unit_random(&seed), unit_random(&seed) } };
		__u64 s[2], d[2];
		__u8 m[64];
		int v6 = i & 1;
		size_t size;

		for (int j = 0; j < 2; j++) {
			s[j] = unit_random(&seed);
			d[j] = unit_random(&seed);
		}
		size = message(m, v6, (void *)s, (void *)d, ports, irs, carried, epoch);
		if (cookie_mac(&key, v6, s, d, ports, irs, carried, epoch) != sodium(&key, m, size))
			fail_msg("case %d", i);
	}
}

static void every_field_of_a_timestamp_cookie_comes_back(void **state)
{
	for (__u32 mss = 0; mss <= COOKIE_MSS_MAX; mss += 37)
		for (__u32 wscale = 0; wscale < 16; wscale++)
			for (__u32 bits = 0; bits < 8; bits++) {
				__u32 f = cookie_ts_fields(bits >> 2, mss, wscale, bits & 1, bits >> 1 & 1);
				__u32 tsval = f << COOKIE_TS_BITS | COOKIE_TS_MAC;

				assert_int_equal(tsval >> 31, bits >> 2);
				f = tsval >> COOKIE_TS_BITS;
				assert_int_equal(f >> 6 & COOKIE_MSS_MAX, mss);
				assert_int_equal(f >> 2 & 15, wscale);
				assert_int_equal(f >> 1 & 1, bits & 1);
				assert_int_equal(f & 1, bits >> 1 & 1);
				assert_true(f < COOKIE_FORM_TS); /* the form has a bit of its own */
			}
}

static void plain_cookies_round_down_and_never_up(void **state)
{
	for (int v6 = 0; v6 < 2; v6++)
		for (__u32 mss = v6 ? 1220 : 536; mss < 9000; mss++) {
			__u32 kept = cookie_class_mss(v6, cookie_mss_class(v6, mss));

			assert_true(kept <= mss);
			assert_true(mss > 1460 || mss - kept < 765);
		}
	for (__u32 scale = 0; scale <= TCP_MAX_WSCALE; scale++) {
		__u32 class = cookie_wscale_class(scale);

		assert_in_range(class, 1, 7);
		assert_true(cookie_class_wscale(class) <= scale);
		assert_true(scale > 11 || scale - cookie_class_wscale(class) <= 1);
	}
	assert_int_equal(cookie_class_wscale(cookie_wscale_class(7)), 7);
	assert_int_equal(cookie_class_wscale(cookie_wscale_class(8)), 8);
	assert_int_equal(cookie_plain_fields(0, 1460, 0, 9, 0) >> 1 & 7, 0); /* not offered */
}

static void a_plain_isn_holds_mac_parity_and_options(void **state)
{
	for (int i = 0; i < 10000; i++) {
		__u64 mac = unit_random(&seed);
		__u32 epoch = random32(), fields = random32() & COOKIE_PLAIN_OPTIONS;
		__u32 isn = cookie_plain_isn(mac, epoch, fields);

		assert_int_equal(isn & COOKIE_PLAIN_OPTIONS, fields);
		assert_int_equal(isn >> 6 & 1, epoch & 1);
		assert_int_equal(isn >> COOKIE_PLAIN_BITS, (__u32)mac >> COOKIE_PLAIN_BITS);
	}
}

static void the_parity_names_this_epoch_or_the_last(void **state)
{
	for (__u32 now = 0; now < 50; now++) {
		assert_int_equal(cookie_plain_epoch((now & 1) << 6, now), now);
		assert_int_equal(cookie_plain_epoch((~now & 1) << 6, now), now - 1);
		assert_int_equal(cookie_ts_epoch((now & 1) << 31, now), now);
		assert_int_equal(cookie_ts_epoch((~now & 1) << 31, now), now - 1);
	}
}

/* The bound of the text, met by trying: 2^25 blind packets find about one. */
static void a_blind_packet_is_right_once_in_2_to_the_25(void **state)
{
	struct porch_key key = { { 1, 2 } };
	__u64 s[2] = { 0, 0x0100000affff0000ull }, d[2] = { 0, 0x0200000affff0000ull };
	int right = 0;

	for (__u32 i = 0; i < 1 << 25; i++) {
		__u32 isn = random32();
		__u64 mac = cookie_mac(&key, 0, s, d, 0x12345678, i, isn & COOKIE_PLAIN_OPTIONS, 7);

		right += !(((__u32)mac ^ isn) >> COOKIE_PLAIN_BITS);
	}
	assert_in_range(right, 0, 6); /* seeded, so always the same; more than 6 in 1 of 10^4 seeds */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mac_is_siphash_over_the_documented_message),
		cmocka_unit_test(every_field_of_a_timestamp_cookie_comes_back),
		cmocka_unit_test(plain_cookies_round_down_and_never_up),
		cmocka_unit_test(a_plain_isn_holds_mac_parity_and_options),
		cmocka_unit_test(the_parity_names_this_epoch_or_the_last),
		cmocka_unit_test(a_blind_packet_is_right_once_in_2_to_the_25),
	};

	if (sodium_init() < 0)
		return 1;
	return unit_run("cookie", tests);
}
