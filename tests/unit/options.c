// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* bpf/options.h, compiled natively: the walk, the usual layouts, and that the two agree. */
#include "tests/unit/unit.h"

#include "tests/unit/bpf_native.h"
#include "bpf/options.h"

#define BEHIND 4 /* octets that stand in front of the TCP header in these frames */

struct header {
	__u8 frame[BEHIND + 60];
	__u32 length; /* of the TCP header */
};

static void build(struct header *h, __u8 flags, const __u8 *options, __u32 n)
{
	memset(h, 0xee, sizeof(*h));
	memset(h->frame + BEHIND, 0, TCP_HLEN);
	h->length = TCP_HLEN + n;
	h->frame[BEHIND + 12] = h->length / 4 << 4;
	h->frame[BEHIND + 13] = flags;
	memcpy(h->frame + BEHIND + TCP_HLEN, options, n);
}

static int walk(const struct header *h, struct segment *seg)
{
	struct xdp_md ctx = { h->frame, BEHIND + h->length };
	struct general g = { .l4 = BEHIND, .header = h->length };
	struct porch_scratch scratch;

	memset(&scratch, 0x01, sizeof(scratch)); /* what the last packet left must not matter */
	memset(seg, 0, sizeof(*seg));
	seg->flags = h->frame[BEHIND + 13];
	return options_walk(&ctx, &scratch, &g, seg);
}

static struct segment walked(__u8 flags, const __u8 *options, __u32 n)
{
	struct segment seg;
	struct header h;

	build(&h, flags, options, n);
	assert_int_equal(walk(&h, &seg), 0);
	return seg;
}

#define WALK(flags, ...) walked(flags, (const __u8[]){ __VA_ARGS__ }, sizeof((const __u8[]){ __VA_ARGS__ }))

static void known_options_are_read(void **state)
{
	struct segment s = WALK(TCP_SYN, 2, 4, 5, 180, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 0, 1, 3, 3, 7);

	assert_int_equal(s.mss, 1460);
	assert_int_equal(s.options, PORCH_OPT_SACK | PORCH_OPT_TIMESTAMPS | PORCH_OPT_WSCALE);
	assert_int_equal(s.tsval, 0x01020304);
	assert_int_equal(s.wscale, 7);
}

static void odd_ones_are_met_as_the_kernel_meets_them(void **state)
{
	struct segment s = WALK(TCP_SYN, 3, 3, 15, 1);

	assert_int_equal(s.wscale, 14);				/* RFC 7323 2.3 */
	s = WALK(TCP_SYN, 0, 2, 4, 5, 180, 0, 0, 0);
	assert_int_equal(s.mss, 0);				/* behind the end of the list */
	s = WALK(TCP_SYN, 2, 3, 5, 4, 2, 1, 1, 1);
	assert_int_equal(s.mss, 0);				/* wrong length: skipped */
	assert_int_equal(s.options, PORCH_OPT_SACK);
	s = WALK(TCP_SYN, 99, 1, 4, 2);
	assert_int_equal(s.options, 0);				/* length below 2: the walk ends */
	s = WALK(TCP_SYN, 4, 2, 99, 40);
	assert_int_equal(s.options, PORCH_OPT_SACK);		/* beyond the header: likewise */
	s = WALK(TCP_SYN, 2, 4, 1, 2, 2, 4, 3, 4);
	assert_int_equal(s.mss, 0x304);				/* the last of two */
	s = WALK(TCP_SYN, 19, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1);
	assert_true(s.foreign);
	s = WALK(TCP_SYN, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1);
	assert_int_equal(s.options, 0);				/* a SYN that echoes has no timestamps */
	s = WALK(TCP_ACK, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1);
	assert_int_equal(s.options, PORCH_OPT_TIMESTAMPS);
	assert_int_equal(s.tsecr, 2);
}

static void nops_are_nothing_in_any_number(void **state)
{
	__u8 options[40];

	for (__u32 n = 0; n <= 36; n += 4)
		for (__u32 before = 0; before <= n; before++) {
			struct segment s;

			memset(options, 1, sizeof(options));
			memcpy(options + before, "\2\4\5\264", 4);
			s = walked(TCP_SYN, options, n + 4);
			assert_int_equal(s.mss, 1460);
		}
}

/* Layouts compared whole say what the walk says. */
static void usual_layouts_agree_with_the_walk(void **state)
{
	static const struct {
		enum layout layout;
		__u32 n;
		__u8 o[24];
	} rows[] = {
		{ LAYOUT_LINUX, 20, { 2, 4, 5, 180, 4, 2, 8, 10, 9, 8, 7, 6, 0, 0, 0, 0, 1, 3, 3, 7 } },
		{ LAYOUT_LINUX_PLAIN, 12, { 2, 4, 5, 120, 1, 1, 4, 2, 1, 3, 3, 9 } },
		{ LAYOUT_BSD, 20, { 2, 4, 35, 0, 1, 3, 3, 15, 4, 2, 8, 10, 1, 1, 1, 1, 0, 0, 0, 0 } },
		{ LAYOUT_WINDOWS, 12, { 2, 4, 5, 180, 1, 3, 3, 8, 1, 1, 4, 2 } },
		{ LAYOUT_APPLE, 24, { 2, 4, 5, 160, 1, 3, 3, 6, 1, 1, 8, 10, 5, 5, 5, 5, 0, 0, 0, 0, 4, 2, 0, 0 } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct segment usual = {}, general;
		struct header h;

		build(&h, TCP_SYN, rows[i].o, rows[i].n);
		assert_int_equal(options_usual((void *)(h.frame + BEHIND), h.frame + BEHIND + h.length, &usual),
				 rows[i].layout);
		assert_int_equal(walk(&h, &general), 0);
		assert_int_equal(usual.mss, general.mss);
		assert_int_equal(usual.wscale, general.wscale);
		assert_int_equal(usual.options, general.options);
		if (usual.options & PORCH_OPT_TIMESTAMPS)
			assert_int_equal(usual.tsval, general.tsval);
	}
}

/* Random octets, a little biased: never out of bounds (the sanitizers would say), never a wrong layout. */
static void soups_never_lead_astray(void **state)
{
	static const __u8 kinds[] = { 0, 1, 2, 3, 4, 8, 10, 19, 29, 254 };
	uint64_t seed = 77;

	for (int i = 0; i < 200000; i++) {
		__u32 n = unit_random(&seed) % 11 * 4;
		struct segment usual = {}, general;
		struct header h;
		__u8 o[40];

		for (__u32 j = 0; j < n; j++) {
			uint64_t r = unit_random(&seed);

			o[j] = r & 1 ? kinds[(r >> 8) % sizeof(kinds)] : r >> 16;
		}
		build(&h, TCP_SYN, o, n);
		assert_int_equal(walk(&h, &general), 0);
		assert_true(general.wscale <= 14);
		if (options_usual((void *)(h.frame + BEHIND), h.frame + BEHIND + h.length, &usual) != LAYOUT_OTHER) {
			assert_int_equal(usual.mss, general.mss);
			assert_int_equal(usual.options, general.options);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_options_are_read),
		cmocka_unit_test(odd_ones_are_met_as_the_kernel_meets_them),
		cmocka_unit_test(nops_are_nothing_in_any_number),
		cmocka_unit_test(usual_layouts_agree_with_the_walk),
		cmocka_unit_test(soups_never_lead_astray),
	};

	return unit_run("options", tests);
}
