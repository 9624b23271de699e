// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/log.h"

#define LINE_MAX_OCTETS 1024

static int limit = LOG_INFO;
static bool terminal;
static const char *name = "porchd";

void log_level(int level)
{
	limit = level;
}

void log_start(const char *as)
{
	name = as;
	terminal = isatty(STDERR_FILENO);
}

/* One write() per line: lines of several processes do not mix. Whoever is named
 * by a peer cannot begin a line of his own. */
void log_line(int level, const char *format, ...)
{
	char line[LINE_MAX_OCTETS];
	va_list args;
	int at, n, i;
	ssize_t r;

	if (level > limit)
		return;
	at = terminal ? snprintf(line, sizeof(line), "%s: ", name)
		      : snprintf(line, sizeof(line), "<%d>", level);
	va_start(args, format);
	n = vsnprintf(line + at, sizeof(line) - at - 1, format, args);
	va_end(args);
	if (n < 0)
		return;
	n += at;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	for (i = at; i < n; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	}
	line[n++] = '\n';
	/* nobody reads it: nobody to tell */
	r = write(STDERR_FILENO, line, n);
	(void)r;
}

bool log_rate_allow(struct log_rate *rate, uint64_t now, uint32_t *held)
{
	*held = 0;
	if (!rate->since || now - rate->since >= LOG_WINDOW_NS) {
		*held = rate->held;
		*rate = (struct log_rate){ .since = now ? now : 1, .lines = 1 };
		return true;
	}
	if (rate->lines < LOG_BURST) {
		rate->lines++;
		return true;
	}
	rate->held++;
	return false;
}
