// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "offers.h"

#include <stdio.h>
#include <stdlib.h>

static void add(struct bytes *out, const __u8 *octets, __u32 n)
{
	if (out->length + n > sizeof(out->at))
		abort();
	memcpy(out->at + out->length, octets, n);
	out->length += n;
}

#define ADD(...) add(out, (const __u8[]){ __VA_ARGS__ }, sizeof((const __u8[]){ __VA_ARGS__ }))

static void add_hex(struct bytes *out, const char *hex)
{
	for (; hex[0] && hex[1]; hex += 2) {
		__u8 octet = strtoul((char[]){ hex[0], hex[1], 0 }, NULL, 16);

		add(out, &octet, 1);
	}
}

void offers_parse(const char *text, struct bytes *out)
{
	char copy[256], *save = NULL;

	out->length = 0;
	snprintf(copy, sizeof(copy), "%s", text);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		__u32 n = strtoul(word + 1, NULL, 10), echo = 0;
		char *colon = strchr(word, ':');

		switch (word[0]) {
		case 'M':
			ADD(2, 4, n >> 8, n);
			break;
		case 'W':
			ADD(3, 3, n);
			break;
		case 'S':
			ADD(4, 2);
			break;
		case 'T':
			n = word[1] ? n : CLIENT_TSVAL;
			echo = colon ? strtoul(colon + 1, NULL, 10) : 0;
			ADD(8, 10, n >> 24, n >> 16, n >> 8, n, echo >> 24, echo >> 16, echo >> 8, echo);
			break;
		case 'N':
			ADD(1);
			break;
		case 'E':
			ADD(0);
			break;
		case 'D':
			ADD(19, 18, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
			break;
		case 'A':
			ADD(29, 16, 100, 100, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
			break;
		case 'F':
			ADD(34, 2);
			break;
		case 'P':
			ADD(30, 4, 1, 0x81);
			break;
		case 'X':
			add_hex(out, word + 1);
			break;
		default:
			abort();
		}
	}
}

const char *offers_text(const struct bytes *options)
{
	static char text[512];
	size_t at = 0;

	text[0] = 0;
	for (__u32 i = 0; i < options->length && at < sizeof(text) - 32;) {
		const __u8 *o = options->at + i;
		__u32 length = o[0] < 2 ? 1 : o[1];

		if (at)
			text[at++] = ' ';
		if (o[0] == 0)
			at += sprintf(text + at, "E");
		else if (o[0] == 1)
			at += sprintf(text + at, "N");
		else if (o[0] == 2)
			at += sprintf(text + at, "M%u", get16(o + 2));
		else if (o[0] == 3)
			at += sprintf(text + at, "W%u", o[2]);
		else if (o[0] == 4)
			at += sprintf(text + at, "S");
		else if (o[0] == 8)
			at += sprintf(text + at, "T");
		else
			at += sprintf(text + at, "X%02x%02x", o[0], o[1]);
		i += length < 1 ? 1 : length;
	}
	return text;
}
