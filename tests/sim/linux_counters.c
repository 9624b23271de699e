// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What Linux' TCP counts of a peer that does wrong. Nothing but one transfer has
 * happened in the namespace, so each of these must be nothing at all. Loss and
 * marks on the way count elsewhere.
 */
#include "tests/sim/linux_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const never[] = {
	/* sums and headers */
	"InErrs",
	"InCsumErrors",
	"InHdrErrors",
	"InTruncatedPkts",
	/* resets, either way */
	"EstabResets",
	"OutRsts",
	"AttemptFails",
	"EmbryonicRsts",
	"TCPAbortOnData",
	"TCPAbortOnClose",
	"TCPAbortOnMemory",
	"TCPAbortOnTimeout",
	"TCPAbortOnLinger",
	"TCPAbortFailed",
	/* windows: data beyond them, or into none */
	"BeyondWindow",
	"TCPZeroWindowDrop",
	"TCPRcvQDrop",
	"TCPOFODrop",
	"RcvPruned",
	"OfoPruned",
	/* sequence and acknowledgement numbers out of range (RFC 5961), answers held back */
	"TCPChallengeACK",
	"TCPSYNChallenge",
	"TCPACKSkippedSeq",
	"TCPACKSkippedChallenge",
	"TCPACKSkippedSynRecv",
	"TCPACKSkippedFinWait2",
	"TCPACKSkippedTimeWait",
	/* timestamps that go back, echoes of what was never sent */
	"PAWSActive",
	"PAWSTimewait",
	"TSEcrRejected",
	/* SACK of what was never sent, or taken back */
	"TCPSACKDiscard",
	"TCPSACKReneging",
	"TCPDSACKIgnoredDubious",
};
/* A packet that comes late may be old by then, and so may a probe's or a needless retransmission's original.
 */
static const char *const in_order[] = { "PAWSEstab", "PAWSOldAck", "TCPACKSkippedPAWS" };

static bool listed(const char *const *list, size_t n, const char *name)
{
	while (n--)
		if (!strcmp(list[n], name))
			return true;
	return false;
}
#define LISTED(list, name) listed(list, sizeof(list) / sizeof((list)[0]), name)

static void check_file(const char *path, const struct transfer *t, struct outcome *o)
{
	char names[8192], values[8192], *n, *v, *sn, *sv;
	FILE *f = fopen(path, "r");

	while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		n = strtok_r(names, " \n", &sn);
		v = strtok_r(values, " \n", &sv);
		for (; n && v; n = strtok_r(NULL, " \n", &sn), v = strtok_r(NULL, " \n", &sv)) {
			uint64_t count = strtoull(v, NULL, 10);
			size_t at = strlen(o->what);

			if (!count || !(LISTED(never, n) || (!t->reordered && LISTED(in_order, n))))
				continue;
			o->errors += count;
			snprintf(o->what + at, sizeof(o->what) - at, " %s %s", n, v);
		}
	}
	if (f)
		fclose(f);
	else
		o->errors++;
}

void counters_check(const struct transfer *t, struct outcome *o)
{
	o->errors = 0;
	o->what[0] = 0;
	check_file("/proc/self/net/snmp", t, o);
	check_file("/proc/self/net/netstat", t, o);
}
