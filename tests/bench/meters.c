// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a run costs the server: run time of its XDP program (kernel statistics,
 * switched on by a descriptor and off when it closes), run time of its NAPI
 * thread, packets its interface received, porch's own counters.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bench/flood.h"

struct meter {
	int stats; /* keeps run-time statistics enabled */
	int prog;  /* the server's XDP program */
	int dev;   /* /proc/net/dev of the server's namespace */
	int schedstat;
	int counters; /* porch_counters */
	char interface[IFNAMSIZ];
};

/* Into the server's namespace and back, for what is read by name there. */
static int open_server(struct meter *meter, const struct flood *flood)
{
	char path[128];
	int home, there, ret = 0;
	__u32 id = 0;

	snprintf(path, sizeof(path), "/run/netns/%s", flood->server_ns);
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET)) {
		ret = -errno;
	} else {
		meter->dev = open("/proc/thread-self/net/dev", O_RDONLY | O_CLOEXEC);
		snprintf(meter->interface, sizeof(meter->interface), "%s", flood->server_if);
		if (!bpf_xdp_query_id(if_nametoindex(flood->server_if), 0, &id) && id)
			meter->prog = bpf_prog_get_fd_by_id(id);
		if (setns(home, CLONE_NEWNET))
			ret = -errno;
	}
	if (home >= 0)
		close(home);
	if (there >= 0)
		close(there);
	return ret;
}

int meter_open(const struct flood *flood, struct meter **ret)
{
	struct meter *meter = calloc(1, sizeof(*meter));
	char path[256];
	int r = 0;

	if (!meter)
		return -ENOMEM;
	meter->prog = meter->dev = meter->schedstat = meter->counters = -1;
	meter->stats = flood->runtime ? bpf_enable_stats(BPF_STATS_RUN_TIME) : -1;
	if (flood->runtime && meter->stats < 0)
		r = -errno;
	if (!r && flood->server_ns)
		r = open_server(meter, flood);
	if (!r && flood->napi) {
		snprintf(path, sizeof(path), "/proc/%d/schedstat", flood->napi);
		meter->schedstat = open(path, O_RDONLY | O_CLOEXEC);
		if (meter->schedstat < 0)
			r = -errno;
	}
	if (!r && flood->pins) {
		snprintf(path, sizeof(path), "%s/porch_counters", flood->pins);
		meter->counters = bpf_obj_get(path);
		if (meter->counters < 0)
			r = -errno;
	}
	if (r)
		meter_close(meter);
	else
		*ret = meter;
	return r;
}

void meter_close(struct meter *meter)
{
	const int fds[] = { meter->stats, meter->prog, meter->dev, meter->schedstat, meter->counters };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(meter);
}

static int read_text(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);

	if (n < 0)
		return -errno;
	text[n] = '\0';
	return 0;
}

static void packets(const char *text, const char *interface, struct meters *ret)
{
	char name[IFNAMSIZ + 2];
	const char *line;

	snprintf(name, sizeof(name), "%s:", interface);
	line = strstr(text, name);
	if (line)
		sscanf(line + strlen(name), "%*u %llu %*u %*u %*u %*u %*u %*u %*u %llu", &ret->rx, &ret->tx);
}

int meter_read(struct meter *meter, struct meters *ret)
{
	struct meters now = {};
	char text[8192];
	int r;

	if (meter->prog >= 0) {
		struct bpf_prog_info info = {};
		__u32 length = sizeof(info);

		if (bpf_obj_get_info_by_fd(meter->prog, &info, &length))
			return -errno;
		now.run_ns = info.run_time_ns;
		now.run_cnt = info.run_cnt;
	}
	if (meter->schedstat >= 0) {
		r = read_text(meter->schedstat, text, sizeof(text));
		if (r)
			return r;
		now.napi_ns = strtoull(text, NULL, 10);
	}
	if (meter->dev >= 0) {
		r = read_text(meter->dev, text, sizeof(text));
		if (r)
			return r;
		packets(text, meter->interface, &now);
	}
	if (meter->counters >= 0) {
		r = pins_counters(meter->counters, &now);
		if (r)
			return r;
	}
	*ret = now;
	return 0;
}
