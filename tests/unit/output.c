// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "tests/unit/unit.h"

#include <errno.h>

#include "cli/output.h"

static const struct output_field fields[] = {
	{ "name", "NAME", NULL },
	{ "count", "COUNT", NULL },
	{ "on", "ON", output_yes_no },
	{ "late", "LATE", NULL },
	{},
};

static const struct output_options human, json = { .json = true }, pretty = { .pretty = true };

/* What `output` writes; the caller frees. Takes `data`. */
static char *print(const struct output_options *options, const char *empty, json_t *data, int want)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(output(out, options, fields, empty, data), want);
	fclose(out);
	return text;
}

static json_t *rows(void)
{
	return json_pack("[{s:s, s:i, s:b}, {s:s, s:I, s:b, s:n}]", "name", "a", "count", 7, "on", 1, "name",
			 "longer", "count", (json_int_t)5000000000, "on", 0, "late");
}

static void rows_become_a_table(void **state)
{
	char *text = print(&human, NULL, rows(), 0);

	assert_string_equal(text, "NAME         COUNT  ON   LATE\n"
				  "a                7  yes     -\n"
				  "longer  5000000000  no      -\n");
	free(text);
}

static void an_object_becomes_lines(void **state)
{
	char *text = print(&human, NULL, json_pack("{s:s, s:i, s:b}", "name", "x", "count", 1, "on", 1), 0);

	assert_string_equal(text, "NAME:  x\nCOUNT: 1\nON:    yes\nLATE:  -\n");
	free(text);
}

static void nothing_is_said_in_words(void **state)
{
	char *text = print(&human, "no rows", json_array(), 0);

	assert_string_equal(text, "no rows\n");
	free(text);
	text = print(&human, NULL, json_array(), 0);
	assert_string_equal(text, "");
	free(text);
	text = print(&json, "no rows", json_array(), 0);
	assert_string_equal(text, "[]\n");
	free(text);
}

static void json_keeps_numbers_as_numbers(void **state)
{
	char *text = print(&json, NULL, rows(), 0);
	json_t *back = json_loads(text, 0, NULL), *want = rows();

	assert_non_null(back);
	assert_true(json_equal(back, want));
	assert_true(json_is_integer(json_object_get(json_array_get(back, 1), "count")));
	assert_null(strchr(text, ' '));
	json_decref(back);
	json_decref(want);
	free(text);
}

static void pretty_is_json_too(void **state)
{
	char *text = print(&pretty, NULL, rows(), 0);
	json_t *back = json_loads(text, 0, NULL);

	assert_non_null(back);
	assert_non_null(strstr(text, "\n  "));
	json_decref(back);
	free(text);
}

static void terminals_are_not_steered(void **state)
{
	char *text = print(&human, NULL, json_pack("[{s:s}]", "name", "a\033[2Jb\n"), 0);

	assert_non_null(strstr(text, "a?[2Jb?"));
	assert_null(strchr(text, '\033'));
	free(text);
}

static void failures_are_told(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	free(print(&human, NULL, NULL, -ENOMEM));
	if (full) {
		assert_int_equal(output(full, &json, fields, NULL, rows()), -EIO);
		fclose(full);
	}
}

/* Writes an error and returns stdout and stderr joined by '|'. */
static char *complain(const struct output_options *options, const char *name)
{
	char *out_text = NULL, *err_text = NULL, *both = NULL;
	size_t out_size, err_size;
	FILE *out = open_memstream(&out_text, &out_size), *err = open_memstream(&err_text, &err_size);

	output_error(out, err, options, "%s: no", name);
	fclose(out);
	fclose(err);
	assert_true(asprintf(&both, "%s|%s", out_text, err_text) > 0);
	free(out_text);
	free(err_text);
	return both;
}

static void errors_have_two_forms(void **state)
{
	char *text = complain(&human, "eth0");

	assert_string_equal(text, "|porch: eth0: no\n");
	free(text);
	text = complain(&json, "et\"h0");
	assert_string_equal(text, "{\"error\":\"et\\\"h0: no\"}\n|");
	free(text);
	/* what is no UTF-8 still makes JSON */
	text = complain(&json, "\xff");
	assert_string_equal(text, "{\"error\":\"?: no\"}\n|");
	free(text);
}

static void times_are_readable(void **state)
{
	static const struct {
		int seconds;
		const char *text;
	} ages[] = { { 0, "0 s" },	    { 59, "59 s" },
		     { 60, "1 min 0 s" },   { 3599, "59 min 59 s" },
		     { 3600, "1 h 0 min" }, { 86399, "23 h 59 min" },
		     { 90000, "1 d 1 h" },  { -30, "in 30 s" } };
	char buf[64];
	json_t *value;
	size_t i;

	for (i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		value = json_integer(ages[i].seconds);
		assert_string_equal(output_age(value, buf, sizeof(buf)), ages[i].text);
		json_decref(value);
	}
	value = json_integer(951827696);
	assert_string_equal(output_utc(value, buf, sizeof(buf)), "2000-02-29 12:34:56 UTC");
	json_decref(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_become_a_table),	    cmocka_unit_test(an_object_becomes_lines),
		cmocka_unit_test(nothing_is_said_in_words), cmocka_unit_test(json_keeps_numbers_as_numbers),
		cmocka_unit_test(pretty_is_json_too),	    cmocka_unit_test(terminals_are_not_steered),
		cmocka_unit_test(failures_are_told),	    cmocka_unit_test(errors_have_two_forms),
		cmocka_unit_test(times_are_readable),
	};

	return unit_run("output", tests);
}
