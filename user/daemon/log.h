/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * log_line() of daemon.h, and what keeps it from flooding: lines of one kind
 * are counted, and beyond LOG_BURST in LOG_WINDOW_NS only the count is said.
 */
#ifndef PORCH_DAEMON_LOG_H
#define PORCH_DAEMON_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <syslog.h>

#define LOG_BURST     10
#define LOG_WINDOW_NS 10000000000ull

/* Lines above this level are not written: LOG_INFO (the default) or LOG_DEBUG. */
void log_level(int level);
/* On stderr goes a prefix <N> for journald; without it when a person reads (a terminal). */
void log_start(const char *name);

struct log_rate {
	uint64_t since; /* CLOCK_MONOTONIC ns */
	uint32_t lines, held;
};

/* May another line of this kind be written at `now`? *held: lines that were not, since the last that was. */
bool log_rate_allow(struct log_rate *rate, uint64_t now, uint32_t *held);

/* One kind per place in the source: that is where it is limited. */
#define log_limited(now, level, ...)                                                                         \
	do {                                                                                                 \
		static struct log_rate rate_;                                                                \
		uint32_t held_;                                                                              \
		if (log_rate_allow(&rate_, now, &held_)) {                                                   \
			if (held_)                                                                           \
				log_line(level, "%u lines like the next were left out", held_);              \
			log_line(level, __VA_ARGS__);                                                        \
		}                                                                                            \
	} while (0)

#endif /* PORCH_DAEMON_LOG_H */
