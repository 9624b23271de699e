// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Run time of processes and kernel threads, from the scheduler's own account of each thread. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/cputime.h"

static int thread_time(int pid, const char *tid, __u64 *sum)
{
	char path[64], text[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", pid, tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	text[n] = '\0';
	*sum += strtoull(text, NULL, 10);
	return 0;
}

static int process_time(int pid, __u64 *sum)
{
	struct dirent *e;
	char path[64];
	DIR *dir;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while (!r && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			r = thread_time(pid, e->d_name, sum);
	closedir(dir);
	return r;
}

static int total(const struct cputime *c, int i, __u64 *ret)
{
	__u64 sum = 0;

	for (int j = 0; j < c->of[i].n_pids; j++) {
		int r = process_time(c->of[i].pids[j], &sum);

		if (r)
			return r;
	}
	*ret = sum;
	return 0;
}

int cputime_parse(const char *text, struct cputime *ret)
{
	struct cputime c = {};

	while (*text) {
		size_t length = strcspn(text, ":");

		if (c.n == CPUTIME_MAX || !text[length] || length >= sizeof(c.of[0].name))
			return -EINVAL;
		memcpy(c.of[c.n].name, text, length);
		text += length;
		while (*text == ':' || *text == '+') {
			char *end;

			if (c.of[c.n].n_pids == 4)
				return -EINVAL;
			c.of[c.n].pids[c.of[c.n].n_pids++] = strtol(text + 1, &end, 10);
			text = end;
		}
		if (*text && *text++ != ',')
			return -EINVAL;
		c.n++;
	}
	*ret = c;
	return 0;
}

int cputime_start(struct cputime *c)
{
	int r = 0;

	for (int i = 0; i < c->n && !r; i++)
		r = total(c, i, &c->of[i].start_ns);
	return r;
}

int cputime_print(const struct cputime *c)
{
	for (int i = 0; i < c->n; i++) {
		__u64 now;
		int r = total(c, i, &now);

		if (r)
			return r;
		printf(" %s_ns=%llu", c->of[i].name, now - c->of[i].start_ns);
	}
	return 0;
}
