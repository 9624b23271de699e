/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What will not work on an interface, and what to do about it.
 *
 * A check is a row of a table: a name and a function that looks at one thing
 * and adds findings to a report. Checks read; none changes anything, and none
 * depends on another having run. They are grouped by subject, one file each.
 */
#ifndef PORCH_CORE_DOCTOR_H
#define PORCH_CORE_DOCTOR_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include <porch/maps.h>

enum porch_doctor_result {
	PORCH_DOCTOR_OK,
	PORCH_DOCTOR_WARN, /* works, but not as somebody may expect */
	PORCH_DOCTOR_FAIL, /* connections, or the attachment, would fail */
};

struct porch_finding {
	const char *check; /* a JSON value, never renamed: the row's name unless the check gave another */
	enum porch_doctor_result result;
	char text[320];
	char advice[320]; /* empty: nothing to do */
};

struct porch_report {
	struct porch_finding *findings;
	size_t n;
	bool lost; /* memory ran out: some findings are missing */
};

struct porch_doctor_listener {
	__u8 address[16]; /* as in maps.h */
	bool any;
	__u16 port;
	bool afxdp;	 /* deliver=afxdp: no socket of the kernel is behind it */
	bool always;	 /* protect=always */
	__u32 workers; /* that listen over AF_XDP */
};

/* What is looked at. What follows `attached` is of the attachment and empty without one. */
struct porch_doctor_target {
	char ifname[IFNAMSIZ];
	int ifindex;
	bool attached; /* to this interface */
	bool skb_mode;
	bool zero_copy; /* AF_XDP sockets on it are */
	const struct porch_host *host; /* NULL: this namespace has no porch */
	const struct porch_doctor_listener *listeners;
	size_t n_listeners;
};

struct porch_doctor_check {
	const char *name;
	void (*run)(const struct porch_doctor_target *target, struct porch_report *report);
};

/* Tables of each subject; a row without `run` ends them. */
extern const struct porch_doctor_check porch_doctor_kernel_checks[];
extern const struct porch_doctor_check porch_doctor_topology_checks[];
extern const struct porch_doctor_check porch_doctor_device_checks[];
extern const struct porch_doctor_check porch_doctor_sysctl_checks[];
extern const struct porch_doctor_check porch_doctor_listening_checks[];
extern const struct porch_doctor_check porch_doctor_firewall_checks[];
extern const struct porch_doctor_check porch_doctor_diversion_checks[];
extern const struct porch_doctor_check porch_doctor_afxdp_checks[];

/* Runs every check. 0, or -ENOMEM; free with porch_report_free(). */
int porch_doctor_run(const struct porch_doctor_target *target, struct porch_report *report);
void porch_report_free(struct porch_report *report);
bool porch_report_failed(const struct porch_report *report);
const char *porch_doctor_result_name(enum porch_doctor_result result);

/*
 * For checks: adds a finding with `text`; porch_advise() adds to the last one
 * what to do about it. Too long a text is cut.
 */
void porch_find(struct porch_report *report, enum porch_doctor_result result, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void porch_advise(struct porch_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Is there one among these ports whose connections the kernel gets? With no listener known, any may become one. */
bool porch_doctor_concerns(const struct porch_doctor_target *target, __u16 first, __u16 last);
/* Listeners with deliver=afxdp; and whether there is one with deliver=kernel, or could be. */
size_t porch_doctor_afxdp(const struct porch_doctor_target *target);
bool porch_doctor_needs_kernel(const struct porch_doctor_target *target);

#endif /* PORCH_CORE_DOCTOR_H */
