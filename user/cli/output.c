// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/output.h"

#define CELL_MAX    512
#define COLUMNS_MAX 24

/* What came from outside (names, tags) must not steer the terminal. */
static void defuse(char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
	}
}

static const char *plain(const json_t *value, char *buf, size_t size)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		snprintf(buf, size, "%s", json_string_value(value));
		return buf;
	case JSON_INTEGER:
		snprintf(buf, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return buf;
	case JSON_REAL:
		snprintf(buf, size, "%.3f", json_real_value(value));
		return buf;
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_ARRAY:
		snprintf(buf, size, "%zu", json_array_size(value));
		return buf;
	default:
		return "-";
	}
}

static void cell(const struct output_field *field, const json_t *object, char *buf)
{
	const json_t *value = json_object_get(object, field->key);
	char room[CELL_MAX];
	const char *text;

	if (!value || json_is_null(value))
		text = "-";
	else
		text = field->format ? field->format(value, room, sizeof(room))
				     : plain(value, room, sizeof(room));
	snprintf(buf, CELL_MAX, "%s", text);
	defuse(buf);
}

/* Columns, not octets: a UTF-8 continuation takes no room. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

static void pad(FILE *out, const char *text, size_t width, bool right, bool last)
{
	size_t own = width_of(text);
	int room = width > own ? (int)(width - own) : 0;

	if (right)
		fprintf(out, "%*s%s", room, "", text);
	else
		fprintf(out, "%s%*s", text, last ? 0 : room, "");
	fputs(last ? "\n" : "  ", out);
}

int output_table(FILE *out, const struct output_field *fields, const json_t *rows)
{
	size_t width[COLUMNS_MAX], n, column, row;
	bool number[COLUMNS_MAX];
	char text[CELL_MAX];
	const json_t *object;

	for (n = 0; fields[n].key && n < COLUMNS_MAX; n++) {
		width[n] = width_of(fields[n].title);
		number[n] = json_array_size(rows) > 0;
	}
	json_array_foreach(rows, row, object)
	{
		for (column = 0; column < n; column++) {
			const json_t *value = json_object_get(object, fields[column].key);
			size_t own;

			cell(&fields[column], object, text);
			own = width_of(text);
			if (own > width[column])
				width[column] = own;
			if (value && !json_is_null(value) &&
			    (fields[column].format || !json_is_number(value)))
				number[column] = false;
		}
	}
	for (column = 0; column < n; column++)
		pad(out, fields[column].title, width[column], number[column], column == n - 1);
	json_array_foreach(rows, row, object)
	{
		for (column = 0; column < n; column++) {
			cell(&fields[column], object, text);
			pad(out, text, width[column], number[column], column == n - 1);
		}
	}
	return ferror(out) ? -EIO : 0;
}

int output_fields(FILE *out, const struct output_field *fields, const json_t *object)
{
	char text[CELL_MAX];
	size_t width = 0, i;

	for (i = 0; fields[i].key; i++) {
		if (width_of(fields[i].title) > width)
			width = width_of(fields[i].title);
	}
	for (i = 0; fields[i].key; i++) {
		cell(&fields[i], object, text);
		fprintf(out, "%s:%*s %s\n", fields[i].title, (int)(width - width_of(fields[i].title)), "",
			text);
	}
	return ferror(out) ? -EIO : 0;
}

static int output_json(FILE *out, const struct output_options *options, const json_t *data)
{
	size_t flags = JSON_ENCODE_ANY | (options->pretty ? JSON_INDENT(2) : JSON_COMPACT);

	if (json_dumpf(data, out, flags) || fputc('\n', out) == EOF)
		return -EIO;
	return 0;
}

int output(FILE *out, const struct output_options *options, const struct output_field *fields,
	   const char *empty, json_t *data)
{
	int r;

	if (!data)
		return -ENOMEM;
	if (options->json || options->pretty)
		r = output_json(out, options, data);
	else if (!json_is_array(data))
		r = output_fields(out, fields, data);
	else if (json_array_size(data))
		r = output_table(out, fields, data);
	else
		r = empty && fprintf(out, "%s\n", empty) < 0 ? -EIO : 0;
	json_decref(data);
	if (fflush(out) == EOF)
		r = -EIO;
	return r;
}

void output_error(FILE *out, FILE *err, const struct output_options *options, const char *format, ...)
{
	char *text = NULL;
	va_list args;
	json_t *object;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	if (n < 0) {
		fprintf(err, "porch: out of memory\n");
		return;
	}
	if (!options->json && !options->pretty) {
		defuse(text);
		fprintf(err, "porch: %s\n", text);
		free(text);
		return;
	}
	/* a file name or an argument in the text need not be UTF-8, JSON must */
	object = json_pack("{s:s}", "error", text);
	if (!object) {
		char *c;

		for (c = text; *c; c++) {
			if ((unsigned char)*c >= 0x80)
				*c = '?';
		}
		object = json_pack("{s:s}", "error", text);
	}
	if (object)
		output_json(out, options, object);
	json_decref(object);
	fflush(out);
	free(text);
}

const char *output_yes_no(const json_t *value, char *buf, size_t size)
{
	return json_is_true(value) ? "yes" : "no";
}

const char *output_utc(const json_t *value, char *buf, size_t size)
{
	time_t seconds = json_integer_value(value);
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || !strftime(buf, size, "%Y-%m-%d %H:%M:%S UTC", &tm))
		return "-";
	return buf;
}

const char *output_age(const json_t *value, char *buf, size_t size)
{
	json_int_t s = json_integer_value(value);
	const char *sign = s < 0 ? "in " : "";

	if (s < 0)
		s = -s;
	if (s < 60)
		snprintf(buf, size, "%s%" JSON_INTEGER_FORMAT " s", sign, s);
	else if (s < 3600)
		snprintf(buf, size, "%s%" JSON_INTEGER_FORMAT " min %" JSON_INTEGER_FORMAT " s", sign, s / 60,
			 s % 60);
	else if (s < 86400)
		snprintf(buf, size, "%s%" JSON_INTEGER_FORMAT " h %" JSON_INTEGER_FORMAT " min", sign,
			 s / 3600, s / 60 % 60);
	else
		snprintf(buf, size, "%s%" JSON_INTEGER_FORMAT " d %" JSON_INTEGER_FORMAT " h", sign,
			 s / 86400, s / 3600 % 24);
	return buf;
}
