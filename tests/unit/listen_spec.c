// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>

#include "core/config.h"
#include "core/err.h"

static void addresses(void **state)
{
	static const __u8 v4[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 };
	static const __u8 v6[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 };
	static const __u8 zero[16];
	struct porch_listen_spec spec, mapped;
	struct porch_err err;

	assert_int_equal(porch_listen_spec_parse("192.0.2.1:80", &spec, &err), 0);
	assert_memory_equal(spec.address, v4, 16);
	assert_int_equal(spec.port, 80);
	assert_false(spec.any);
	assert_int_equal(porch_listen_spec_parse("[2001:db8::1]:65535", &spec, &err), 0);
	assert_memory_equal(spec.address, v6, 16);
	assert_int_equal(spec.port, 65535);
	assert_int_equal(porch_listen_spec_parse("*:1", &spec, &err), 0);
	assert_memory_equal(spec.address, zero, 16);
	assert_true(spec.any);
	/* two ways to write one address */
	assert_int_equal(porch_listen_spec_parse("192.0.2.1:80", &spec, &err), 0);
	assert_int_equal(porch_listen_spec_parse("[::ffff:192.0.2.1]:80", &mapped, &err), 0);
	assert_true(porch_listen_spec_same(&spec, &mapped));
	assert_int_equal(porch_listen_spec_parse("192.0.2.1:81", &mapped, &err), 0);
	assert_false(porch_listen_spec_same(&spec, &mapped));
	assert_int_equal(porch_listen_spec_parse("*:80", &mapped, &err), 0);
	assert_false(porch_listen_spec_same(&spec, &mapped));
}

static void keys_and_defaults(void **state)
{
	struct porch_listen_spec spec;
	struct porch_err err;

	assert_int_equal(porch_listen_spec_parse("*:80", &spec, &err), 0);
	assert_int_equal(spec.deliver, PORCH_DELIVER_KERNEL);
	assert_int_equal(spec.protect, PORCH_PROTECT_ON_ATTACK);
	assert_int_equal(spec.overflow, PORCH_OVERFLOW_DROP);
	assert_int_equal(spec.syn_rate, PORCH_SYN_RATE_DEFAULT);
	assert_int_equal(spec.mss + spec.backlog + spec.given, 0);
	assert_int_equal(porch_listen_spec_parse(
				 "*:80,deliver=kernel,protect=always,backlog=128,mss=536,overflow=reset,"
				 "syn-rate=10",
				 &spec, &err),
			 0);
	assert_int_equal(spec.protect, PORCH_PROTECT_ALWAYS);
	assert_int_equal(spec.backlog, 128);
	assert_int_equal(spec.mss, 536);
	assert_int_equal(spec.overflow, PORCH_OVERFLOW_RESET);
	assert_int_equal(spec.syn_rate, 10);
	assert_int_equal(spec.given, PORCH_GIVEN_DELIVER | PORCH_GIVEN_PROTECT | PORCH_GIVEN_BACKLOG |
					     PORCH_GIVEN_MSS | PORCH_GIVEN_OVERFLOW | PORCH_GIVEN_SYN_RATE);
	/* 0 is how a later `listen set` goes back to the route's MSS */
	assert_int_equal(porch_listen_spec_parse("*:80,mss=0", &spec, &err), 0);
	assert_int_equal(spec.given, PORCH_GIVEN_MSS);
}

static void afxdp_has_defaults_of_its_own(void **state)
{
	struct porch_listen_spec spec, before;
	struct porch_err err;

	assert_int_equal(porch_listen_spec_parse("*:80,deliver=afxdp", &spec, &err), 0);
	assert_int_equal(spec.deliver, PORCH_DELIVER_AFXDP);
	assert_int_equal(spec.protect, PORCH_PROTECT_ALWAYS);
	assert_int_equal(spec.backlog, PORCH_BACKLOG_DEFAULT);
	assert_int_equal(spec.overflow, PORCH_OVERFLOW_DROP);
	assert_int_equal(spec.given, PORCH_GIVEN_DELIVER);
	assert_int_equal(
		porch_listen_spec_parse(
			"*:80,overflow=reset,backlog=5,protect=monitor,deliver=afxdp,mss=1400", &spec, &err),
		0);
	assert_int_equal(spec.protect, PORCH_PROTECT_MONITOR);
	assert_int_equal(spec.backlog, 5);
	assert_int_equal(spec.overflow, PORCH_OVERFLOW_RESET);
	assert_int_equal(spec.mss, 1400);
	assert_int_equal(porch_listen_spec_parse("*:80,deliver=afxdp,protect=off,backlog=0", &spec, &err), 0);
	assert_int_equal(spec.protect, PORCH_PROTECT_OFF);
	assert_int_equal(spec.backlog, 0);
	/* as argv has it: words behind the address, then the whole */
	assert_int_equal(porch_listen_spec_parse("*:80", &spec, &err), 0);
	assert_int_equal(porch_listen_spec_set(&spec, "deliver=afxdp", &err), 0);
	assert_int_equal(porch_listen_spec_complete(&spec, &err), 0);
	assert_int_equal(spec.protect, PORCH_PROTECT_ALWAYS);
	assert_int_equal(porch_listen_spec_parse("*:80,protect=on-attack", &spec, &err), 0);
	assert_int_equal(porch_listen_spec_set(&spec, "deliver=afxdp", &err), 0);
	before = spec;
	assert_int_equal(porch_listen_spec_complete(&spec, &err), -EINVAL);
	assert_memory_equal(&spec, &before, sizeof(spec));
}

static void every_protect_has_its_word(void **state)
{
	static const struct {
		const char *text;
		int protect;
	} words[] = {
		{ "*:80,protect=off", PORCH_PROTECT_OFF },
		{ "*:80,protect=monitor", PORCH_PROTECT_MONITOR },
		{ "*:80,protect=on-attack", PORCH_PROTECT_ON_ATTACK },
		{ "*:80,protect=always", PORCH_PROTECT_ALWAYS },
	};
	struct porch_listen_spec spec;
	struct porch_err err;
	size_t i;

	for (i = 0; i < 4; i++) {
		assert_int_equal(porch_listen_spec_parse(words[i].text, &spec, &err), 0);
		assert_int_equal(spec.protect, words[i].protect);
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *word;
	} wrong[] = {
		{ "", "ADDR:PORT" },
		{ "80", "ADDR:PORT" },
		{ ":80", "ADDR:PORT" },
		{ "*", "ADDR:PORT" },
		{ "*:", "port" },
		{ "*:0", "port" },
		{ "*:65536", "port" },
		{ "*:080", "port" },
		{ "*:http", "port" },
		{ "*:+80", "port" },
		{ "*: 80", "port" },
		{ "localhost:80", "IPv4 address" },
		{ "192.0.2:80", "IPv4 address" },
		{ "192.0.2.256:80", "IPv4 address" },
		{ "2001:db8::1:80", "brackets" },
		{ "[2001:db8::1:80", "brackets" },
		{ "[]:80", "brackets" },
		{ "[192.0.2.1]:80", "brackets" },
		{ "[fe80::1%eth0]:80", "scope" },
		{ "0.0.0.0:80", "'*'" },
		{ "[::]:80", "'*'" },
		{ "224.0.0.1:80", "multicast" },
		{ "255.255.255.255:80", "multicast" },
		{ "[ff02::1]:80", "multicast" },
		{ "*:80,", "key=value" },
		{ "*:80,protect", "key=value" },
		{ "*:80,=always", "key=value" },
		{ "*:80,Protect=always", "unknown key" },
		{ "*:80,color=red", "unknown key" },
		{ "*:80,protect=", "protect is" },
		{ "*:80,deliver=tape", "deliver is" },
		{ "*:80,deliver=afxdp,protect=on-attack", "always" },
		{ "*:80,protect=on-attack,deliver=afxdp", "always" },
		{ "*:80,deliver=afxdp,deliver=kernel", "twice" },
		{ "*:80,deliver=afxdp,backlog=65536", "0 to" },
		{ "*:80,deliver=AFXDP", "deliver is" },
		{ "*:80,overflow=spill", "overflow is" },
		{ "*:80,mss=535", "536 to" },
		{ "*:80,mss=65496", "536 to" },
		{ "*:80,backlog=65536", "0 to" },
		{ "*:80,syn-rate=9", "10 to" },
		{ "*:80,mss=1400,mss=1400", "twice" },
	};
	struct porch_listen_spec spec, before;
	struct porch_err err;
	char text[400];
	size_t i;

	memset(&spec, 0x5a, sizeof(spec));
	before = spec;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(porch_listen_spec_parse(wrong[i].text, &spec, &err), -EINVAL);
		assert_memory_equal(&spec, &before, sizeof(spec));
		if (!strstr(err.text, wrong[i].word))
			fail_msg("for '%s': %s", wrong[i].text, err.text);
	}
	memset(text, 'x', sizeof(text));
	text[399] = '\0';
	assert_int_equal(porch_listen_spec_parse(text, &spec, &err), -EINVAL);
}

static void one_key_at_a_time(void **state)
{
	struct porch_listen_spec spec, before;
	struct porch_err err;

	assert_int_equal(porch_listen_spec_parse("*:80", &spec, &err), 0);
	assert_int_equal(porch_listen_spec_set(&spec, "protect=always", &err), 0);
	assert_int_equal(spec.protect, PORCH_PROTECT_ALWAYS);
	before = spec;
	assert_int_equal(porch_listen_spec_set(&spec, "mss=1", &err), -EINVAL);
	assert_int_equal(porch_listen_spec_set(&spec, "protect=off", &err), -EINVAL);
	assert_memory_equal(&spec, &before, sizeof(spec));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(keys_and_defaults),
		cmocka_unit_test(afxdp_has_defaults_of_its_own),
		cmocka_unit_test(every_protect_has_its_word),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(one_key_at_a_time),
	};

	return unit_run("listen_spec", tests);
}
