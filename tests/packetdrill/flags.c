// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * --so_flags, with commas between them:
 *
 *   cc=cubic|reno            congestion control of new sockets
 *   backend=auto|bpf|model   who answers SYNs: the BPF programs, run by
 *                            BPF_PROG_TEST_RUN as root; a model of them; auto, which
 *                            is the default: the programs if they can be loaded
 *   synack-retries=N         as in porch.conf(5); default 5
 *   mtu=N                    of the interface; default: what packetdrill was given with
 *                            --mtu (scripts for both families are run with
 *                            --ip_version=ipv6 --mtu=1520), else 1500
 *   isn=N                    where the model begins to number
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/util.h"
#include "daemon/retransmit.h"
#include "drill.h"

#define MTU_MIN 576

static const char known[] = "cc=cubic|reno, backend=auto|bpf|model, synack-retries=N, mtu=N, isn=N";

static bool number(const char *s, unsigned long least, unsigned long most, unsigned long *ret)
{
	char *end;
	unsigned long v = strtoul(s, &end, 0);

	if (end == s || *end || v < least || v > most)
		return false;
	*ret = v;
	return true;
}

static bool take(struct drill *d, const char *word, const char *value)
{
	static const char *const backends[] = {
		[BACKEND_AUTO] = "auto", [BACKEND_MODEL] = "model", [BACKEND_BPF] = "bpf"
	};
	unsigned long n;

	if (!strcmp(word, "cc")) {
		d->congestion = strcmp(value, "reno") ? TCP_CONGESTION_CUBIC : TCP_CONGESTION_NEWRENO;
		return !strcmp(value, "reno") || !strcmp(value, "cubic");
	}
	if (!strcmp(word, "backend")) {
		for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
			if (strcmp(value, backends[i]))
				continue;
			d->backend = (enum backend)i;
			return true;
		}
		return false;
	}
	if (!strcmp(word, "synack-retries") && number(value, 0, RETRANSMIT_RETRIES_MAX, &n))
		d->synack_retries = (uint32_t)n;
	else if (!strcmp(word, "mtu") && number(value, MTU_MIN, DRILL_MTU_MAX, &n))
		d->mtu = (uint16_t)n;
	else if (!strcmp(word, "isn") && number(value, 0, UINT32_MAX, &n))
		d->isn = (uint32_t)n;
	else
		return false;
	return true;
}

/* The interface has no word for it: it is the device's that packetdrill makes when it tests a kernel. */
static void mtu_of_program(struct drill *d)
{
	_cleanup_close_ int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	char line[4096];
	ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof(line) - 1);
	unsigned long mtu;

	if (n <= 0)
		return;
	line[n] = 0;
	for (const char *at = line; at < line + n; at += strlen(at) + 1) {
		if (!strncmp(at, "--mtu=", 6) && number(at + 6, MTU_MIN, DRILL_MTU_MAX, &mtu))
			d->mtu = (uint16_t)mtu;
	}
}

void flags_read(struct drill *d, const char *flags)
{
	char copy[256], *word, *value, *rest = copy;

	d->isn = 0x70000000;
	d->synack_retries = DRILL_SYNACKS;
	d->mtu = DRILL_MTU;
	mtu_of_program(d);
	snprintf(copy, sizeof(copy), "%s", flags ? flags : "");
	while ((word = strsep(&rest, ", "))) {
		value = word;
		strsep(&value, "=");
		if (!*word || take(d, word, value ? value : ""))
			continue;
		/* with a wrong one nothing would be a test of what was meant */
		fprintf(stderr, "porch_packetdrill: --so_flags: \"%s%s%s\" is none of %s\n", word,
			value ? "=" : "", value ? value : "", known);
		exit(2);
	}
}
