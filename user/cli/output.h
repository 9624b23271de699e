/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What a verb found out, for people or for programs.
 *
 * A verb builds one JSON value. With -j that value is printed; without, a list
 * of fields says which members people see, in which order and under which
 * title. So nothing can be in one form and be forgotten in the other, and what
 * is a number here is a number there.
 */
#ifndef PORCH_CLI_OUTPUT_H
#define PORCH_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

struct output_options {
	bool json;
	bool pretty; /* indented JSON; implies `json` */
};

/* One member as people see it; a list ends with a NULL key. */
struct output_field {
	const char *key;   /* member of the object */
	const char *title; /* column head or label */
	/* Text of a value that needs more than its plain form; may be NULL. Returns `buf` or a constant. */
	const char *(*format)(const json_t *value, char *buf, size_t size);
};

/*
 * Prints `data`: JSON as it stands, or an array of objects as a table, or an
 * object as "title: value" lines. Members that are missing or null show as "-".
 * An empty array prints `empty` (may be NULL) instead of a table with no rows.
 * Takes the reference to `data`. 0, -ENOMEM (also for a NULL `data`, so that
 * json_pack() can be passed directly), or -EIO when nothing could be written.
 */
int output(FILE *out, const struct output_options *options, const struct output_field *fields,
	   const char *empty, json_t *data);
/* The two human forms alone, for verbs that print several parts. They borrow. */
int output_table(FILE *out, const struct output_field *fields, const json_t *rows);
int output_fields(FILE *out, const struct output_field *fields, const json_t *object);

/*
 * One line: "porch: text" on `err`, or with -j {"error": "text"} on `out`, as
 * bpftool does, so that a program reading stdout learns why.
 */
void output_error(FILE *out, FILE *err, const struct output_options *options, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Ready made `format` members. */
const char *output_yes_no(const json_t *value, char *buf, size_t size);
const char *output_utc(const json_t *value, char *buf, size_t size); /* unix time */
const char *output_age(const json_t *value, char *buf, size_t size); /* seconds as "3 h 12 min" */

#endif /* PORCH_CLI_OUTPUT_H */
