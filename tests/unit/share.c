// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is shipped beside the program says what the program does. */
#include "tests/unit/unit.h"

#include "core/config.h"
#include "core/err.h"
#include "core/names.h"

/* Tests run from the top of the tree. */
static char *slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 65536);

	if (!file)
		fail_msg("%s: not found; run the tests from the top of the tree", path);
	assert_non_null(text);
	assert_in_range(fread(text, 1, 65535, file), 1, 65534);
	fclose(file);
	return text;
}

/* A `.It Cm word` line. */
static void assert_item(const char *page, const char *word)
{
	char line[96];

	snprintf(line, sizeof(line), "\n.It Cm %s\n", word);
	if (!strstr(page, line))
		fail_msg("the manual has no item '%s'", word);
}

static void the_manual_names_every_refusal(void **state)
{
	char *page = slurp("user/share/man/porch.8");
	unsigned int i;

	for (i = 1; i < PORCH_REASON_END; i++)
		assert_item(page, porch_reason_name(i));
	for (i = PORCH_HEALTH_UNPROBED; i <= PORCH_HEALTH_REFUSED; i++)
		assert_item(page, porch_health_name(i));
	for (i = PORCH_REGIME_KERNEL; i <= PORCH_REGIME_STATELESS; i++)
		assert_item(page, porch_regime_name(i));
	for (i = PORCH_PHASE_PENDING; i <= PORCH_PHASE_FORGOTTEN; i++)
		assert_item(page, porch_phase_name(i));
	free(page);
}

static void the_manual_knows_the_limits(void **state)
{
	static const struct {
		const char *key;
		unsigned long numbers[3];
	} limits[] = {
		{ "flows", { PORCH_FLOWS_MIN, PORCH_FLOWS_MAX, PORCH_FLOWS_DEFAULT } },
		{ "half-open", { PORCH_HALF_OPEN_MIN, PORCH_HALF_OPEN_MAX, PORCH_HALF_OPEN_DEFAULT } },
		{ "unknown-rate", { PORCH_UNKNOWN_RATE_MAX, PORCH_UNKNOWN_RATE_DEFAULT } },
		{ "reply-rate", { PORCH_REPLY_RATE_MAX } },
		{ "mss", { PORCH_MSS_MIN, PORCH_MSS_MAX } },
		{ "backlog", { PORCH_BACKLOG_MAX } },
	};
	char *page = slurp("user/share/man/porch.conf.5"), item[64], number[24], *from, *to;
	size_t i, j;

	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		snprintf(item, sizeof(item), "\n.It Cm %s\n", limits[i].key);
		from = strstr(page, item);
		assert_non_null(from);
		to = strstr(from + 1, "\n.It ");
		if (!to)
			to = from + strlen(from);
		for (j = 0; j < 3 && limits[i].numbers[j]; j++) {
			char *found;

			snprintf(number, sizeof(number), "%lu", limits[i].numbers[j]);
			found = strstr(from, number);
			if (!found || found > to)
				fail_msg("porch.conf(5), %s: %s is not there", limits[i].key, number);
		}
	}
	assert_non_null(strstr(page, "At most 255 listeners"));
	assert_int_equal(PORCH_CONFIG_LISTENERS_MAX, 255);
	assert_non_null(strstr(page, "and 8 addresses"));
	assert_int_equal(PORCH_CHAIN_MAX, 8);
	free(page);
}

/* Every key of [porchd] is an item of the manual and a line of the example. */
static void the_section_of_porchd_is_documented(void **state)
{
	static const struct {
		const char *key;
		unsigned long numbers[3];
	} keys[] = {
		{ "socket", { 107 } },
		{ "user", {} },
		{ "allow-uid", { 64 } },
		{ "backlog", { 1, 65535, 4096 } },
		{ "accept-timeout", { 1, 3600, 30 } },
		{ "workers", { 1, 63, 16 } },
		{ "workers-per-queue", { 1, 63, 8 } },
		{ "rx-frames", { 256, 65536, 4096 } },
		{ "tx-frames", { 64, 65536, 1024 } },
		{ "early-frames", { 64, 8 } },
		{ "early-memory", { 1073741824, 16777216 } },
		{ "handback-memory", { 1073741824, 16777216 } },
		{ "synack-retries", { 10, 5 } },
		{ "zero-copy", {} },
		{ "tx-checksum", {} },
		{ "fallback", {} },
	};
	char *page = slurp("user/share/man/porch.conf.5"), *example = slurp("user/share/porch.conf");
	char *section = strstr(page, ".Sh [porchd]\n"), *given = strstr(example, "[porchd]\n");
	char text[96], *from, *to, *found;
	size_t i, j;

	assert_non_null(section);
	assert_non_null(given);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text), "\n#%s = ", keys[i].key);
		if (!strstr(given, text))
			fail_msg("porch.conf, [porchd]: %s is not there", keys[i].key);
		snprintf(text, sizeof(text), "\n.It Cm %s\n", keys[i].key);
		from = strstr(section, text);
		if (!from)
			fail_msg("porch.conf(5), [porchd]: %s is not there", keys[i].key);
		to = strstr(from + 1, "\n.It ");
		to = to ? to : from + strlen(from);
		for (j = 0; j < 3 && keys[i].numbers[j]; j++) {
			snprintf(text, sizeof(text), "%lu", keys[i].numbers[j]);
			found = strstr(from, text);
			if (!found || found > to)
				fail_msg("porch.conf(5), %s: %s is not there", keys[i].key, text);
		}
	}
	free(page);
	free(example);
}

static void the_example_is_valid(void **state)
{
	_cleanup_config_ struct porch_config *c = NULL;
	struct porch_err err = {};

	if (porch_config_read("user/share/porch.conf", &c, &err))
		fail_msg("%s", err.text);
	assert_int_equal(c->n_interfaces, 1);
	assert_int_equal(porch_config_count_listeners(c), 2);
	/* everything but listeners is a comment */
	assert_int_equal(c->given + c->n_deny, 0);
}

/* `#key = value` is a setting that may be switched on; `# Words` is prose. */
static void what_the_example_comments_out_is_valid_and_default(void **state)
{
	_cleanup_config_ struct porch_config *c = NULL;
	struct porch_daemon_config daemon;
	char *text = slurp("user/share/porch.conf"), *from, *to;
	struct porch_err err = {};

	for (from = to = text; *from; from++) {
		if (*from == '#' && (from == text || from[-1] == '\n') && from[1] != ' ')
			continue;
		*to++ = *from;
	}
	*to = '\0';
	if (porch_config_parse(text, strlen(text), &c, &err))
		fail_msg("%s", err.text);
	assert_int_equal(c->given, PORCH_GIVEN_FLOWS | PORCH_GIVEN_HALF_OPEN | PORCH_GIVEN_SYN_RATE_ALL |
					   PORCH_GIVEN_REPLY_RATE | PORCH_GIVEN_UNKNOWN_RATE);
	assert_int_equal(c->flows, PORCH_FLOWS_DEFAULT);
	assert_int_equal(c->half_open, PORCH_HALF_OPEN_DEFAULT);
	assert_int_equal(c->syn_rate, PORCH_SYN_RATE_DEFAULT);
	assert_int_equal(c->reply_rate, PORCH_REPLY_RATE_DEFAULT);
	assert_int_equal(c->unknown_rate, PORCH_UNKNOWN_RATE_DEFAULT);
	assert_int_equal(c->n_deny, 2);
	assert_int_equal(porch_config_count_listeners(c), 5);
	porch_daemon_config_default(&daemon);
	assert_memory_equal(&c->daemon, &daemon, sizeof(daemon));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_manual_names_every_refusal),
		cmocka_unit_test(the_manual_knows_the_limits),
		cmocka_unit_test(the_section_of_porchd_is_documented),
		cmocka_unit_test(the_example_is_valid),
		cmocka_unit_test(what_the_example_comments_out_is_valid_and_default),
	};

	return unit_run("share", tests);
}
