// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>

#include "core/err.h"
#include "core/prefix.h"

static void prefixes_have_one_form(void **state)
{
	static const struct {
		const char *text, *canonical;
		__u32 length;
	} good[] = {
		{ "192.0.2.0/24", "192.0.2.0/24", 120 },
		{ "192.0.2.7", "192.0.2.7", 128 },
		{ "192.0.2.7/32", "192.0.2.7", 128 },
		{ "0.0.0.0/0", "0.0.0.0/0", 96 },
		{ "128.0.0.0/1", "128.0.0.0/1", 97 },
		{ "2001:db8::/32", "2001:db8::/32", 32 },
		{ "2001:DB8:0:0:0:0:0:1", "2001:db8::1", 128 },
		{ "2001:db8::1/128", "2001:db8::1", 128 },
		{ "2000::/3", "2000::/3", 3 },
		{ "::ffff:192.0.2.0/120", "192.0.2.0/24", 120 },
		{ "::1", "::1", 128 },
		{ "::/128", "::", 128 },
		{ "fe80::/10", "fe80::/10", 10 },
	};
	struct porch_prefix prefix, again;
	char text[PORCH_PREFIX_TEXT];
	struct porch_err err;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(porch_prefix_parse(good[i].text, &prefix, &err), 0);
		assert_int_equal(prefix.length, good[i].length);
		assert_string_equal(porch_prefix_format(&prefix, text), good[i].canonical);
		assert_int_equal(porch_prefix_parse(text, &again, &err), 0);
		assert_memory_equal(&prefix, &again, sizeof(prefix));
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *word;
	} wrong[] = {
		{ "", "not a prefix" },
		{ "/24", "not a prefix" },
		{ "example.org", "not a prefix" },
		{ "192.0.2/24", "not a prefix" },
		{ "2001:db8::/32/1", "length" },
		{ "192.0.2.0/33", "0 to 32" },
		{ "192.0.2.0/", "0 to 32" },
		{ "192.0.2.0/024", "0 to 32" },
		{ "192.0.2.0/-1", "0 to 32" },
		{ "2001:db8::/129", "0 to 128" },
		{ "192.0.2.7/24", "the prefix is 192.0.2.0/24" },
		{ "2001:db8::1/64", "the prefix is 2001:db8::/64" },
		{ "::/0", "every IPv4 address" },
		{ "::/80", "every IPv4 address" },
		{ "::ffff:0:0/95", "bits behind" },
		{ "::fffe:0:0/95", "every IPv4 address" },
	};
	struct porch_prefix prefix, before;
	struct porch_err err;
	size_t i;

	memset(&prefix, 0x5a, sizeof(prefix));
	before = prefix;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(porch_prefix_parse(wrong[i].text, &prefix, &err), -EINVAL);
		assert_memory_equal(&prefix, &before, sizeof(prefix));
		if (!strstr(err.text, wrong[i].word))
			fail_msg("for '%s': %s", wrong[i].text, err.text);
	}
}

static void lists_are_read_in_order(void **state)
{
	static const char *const order[] = { "10.0.0.0/8",   "10.0.0.0/16",   "10.0.0.0",
					     "192.0.2.0/24", "2001:db8::/32", "2001:db8::" };
	struct porch_prefix list[6];
	char text[PORCH_PREFIX_TEXT];
	struct porch_err err;
	int i;

	for (i = 0; i < 6; i++)
		assert_int_equal(porch_prefix_parse(order[5 - i], &list[i], &err), 0);
	qsort(list, 6, sizeof(list[0]), porch_prefix_compare);
	for (i = 0; i < 6; i++)
		assert_string_equal(porch_prefix_format(&list[i], text), order[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_have_one_form),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(lists_are_read_in_order),
	};

	return unit_run("prefix", tests);
}
