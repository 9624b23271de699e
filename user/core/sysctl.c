// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/err.h"
#include "core/sysctl.h"
#include "core/util.h"

#define WSCALE_MAX 14 /* RFC 7323 2.3 */

int porch_sysctl_get(const char *path, unsigned int field, long *ret)
{
	char name[256], line[256], *at = line, *end;
	FILE *file;
	long value;

	snprintf(name, sizeof(name), "/proc/sys/net/%s", path);
	file = fopen(name, "re");
	if (!file)
		return -errno;
	if (!fgets(line, sizeof(line), file)) {
		fclose(file);
		return -EIO;
	}
	fclose(file);
	do {
		errno = 0;
		value = strtol(at, &end, 10);
		if (end == at || errno)
			return -EINVAL;
		at = end;
	} while (field--);
	*ret = value;
	return 0;
}

__u8 porch_rcv_wscale(__u32 space, __u32 tcp_rmem_max, __u32 rmem_max)
{
	int scale;

	if (tcp_rmem_max > space)
		space = tcp_rmem_max;
	if (rmem_max > space)
		space = rmem_max;
	if (!space)
		return 0;
	scale = 31 - __builtin_clz(space) - 15;
	return scale < 0 ? 0 : scale > WSCALE_MAX ? WSCALE_MAX : scale;
}

/* CLOCK_TAI is CLOCK_REALTIME plus an offset that only a leap second changes; BPF can read TAI alone. */
static __s64 wall_offset(void)
{
	struct timespec real, tai;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_TAI, &tai);
	/* two reads, nanoseconds apart: the offset itself is whole seconds */
	return -(((tai.tv_sec - real.tv_sec) * 1000000000LL + tai.tv_nsec - real.tv_nsec + 500000000LL) /
		 1000000000LL) *
	       1000000000LL;
}

int porch_sysctl_host(struct porch_host *host, struct porch_err *err)
{
	/* field by field in the end: the timer writes others of *host meanwhile */
	struct porch_host next = {};
	long rmem, rmem_max, core_max, value;
	static const struct {
		const char *path;
		size_t offset;
		long max, missing;
	} bytes[] = {
#define FIELD(path, field, max, missing) { path, offsetof(struct porch_host, field), max, missing }
		FIELD("ipv4/tcp_timestamps", tcp_timestamps, 255, -1),
		FIELD("ipv4/tcp_sack", tcp_sack, 1, -1),
		FIELD("ipv4/tcp_window_scaling", tcp_window_scaling, 1, -1),
		FIELD("ipv4/tcp_ecn", tcp_ecn, 255, -1),
		FIELD("ipv4/ip_default_ttl", ttl, 255, -1),
		/* no such file where IPv6 is switched off */
		FIELD("ipv6/conf/default/hop_limit", hop_limit, 255, 64),
#undef FIELD
	};
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(bytes); i++) {
		r = porch_sysctl_get(bytes[i].path, 0, &value);
		if (r && bytes[i].missing < 0)
			return porch_err_set(err, r, "/proc/sys/net/%s: %s; is /proc mounted?", bytes[i].path,
					     strerror(-r));
		if (r)
			value = bytes[i].missing;
		((__u8 *)&next)[bytes[i].offset] = value > bytes[i].max ? bytes[i].max : value;
	}
	r = porch_sysctl_get("ipv4/tcp_rmem", 1, &rmem);
	if (!r)
		r = porch_sysctl_get("ipv4/tcp_rmem", 2, &rmem_max);
	if (r)
		return porch_err_set(err, r, "/proc/sys/net/ipv4/tcp_rmem: %s", strerror(-r));
	/* one for the whole machine, and not shown in every namespace; then the kernel's default */
	if (porch_sysctl_get("core/rmem_max", 0, &core_max))
		core_max = 212992;
	for (i = 0; i < ARRAY_SIZE(bytes); i++)
		((__u8 *)host)[bytes[i].offset] = ((__u8 *)&next)[bytes[i].offset];
	/* tcp_win_from_space() with the ratio that a fresh socket has */
	host->rcv_space = rmem / 2;
	host->rcv_wscale = next.tcp_window_scaling ? porch_rcv_wscale(rmem / 2, rmem_max, core_max) : 0;
	host->wall_offset = wall_offset();
	return 0;
}

int porch_sysctl_can_deliver(struct porch_err *err)
{
	long value;

	if (!porch_sysctl_get("ipv4/tcp_syncookies", 0, &value) && !value)
		return porch_err_set(
			err, -EOPNOTSUPP,
			"net.ipv4.tcp_syncookies is 0: the kernel takes no proven connection then; "
			"run 'sysctl -w net.ipv4.tcp_syncookies=1', or use protect=monitor");
	return 0;
}
