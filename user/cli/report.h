/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Tables as JSON values; the keys are those of the man page and never change. */
#ifndef PORCH_CLI_REPORT_H
#define PORCH_CLI_REPORT_H

#include <jansson.h>

#include "core/err.h"
#include "core/namespace.h"

/* NULL with `err` set on failure; the reference is the caller's. */
json_t *report_listeners(const struct porch_tables *tables, struct porch_err *err);
/* Adds "half_open", "flows", "counters" and "refused" to `object`: 0 or -errno. */
int report_totals(const struct porch_tables *tables, json_t *object, struct porch_err *err);

/* Entries now, counted. */
json_int_t report_count_half_open(const struct porch_tables *tables);
json_int_t report_count_flows(const struct porch_tables *tables);

/* report_daemon.c: porchd gives a sign / and what sign; accept queues of afxdp listeners; AF_XDP sockets. */
bool report_daemon_runs(const struct porch_tables *tables);
json_t *report_daemon(const struct porch_tables *tables);
json_t *report_queues(const struct porch_tables *tables);
json_t *report_slots(const struct porch_tables *tables);

/* "ADDR:PORT", IPv6 in brackets, as a string value. */
json_t *report_endpoint(const __u8 address[16], __u16 port);

#endif /* PORCH_CLI_REPORT_H */
