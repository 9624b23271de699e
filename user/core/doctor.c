// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/doctor.h"

/* In the order in which a reader can act on them. */
static const struct porch_doctor_check *const subjects[] = {
	porch_doctor_kernel_checks,    porch_doctor_topology_checks,  porch_doctor_device_checks,
	porch_doctor_sysctl_checks,    porch_doctor_listening_checks, porch_doctor_firewall_checks,
	porch_doctor_diversion_checks, porch_doctor_afxdp_checks,
};

void porch_find(struct porch_report *report, enum porch_doctor_result result, const char *format, ...)
{
	struct porch_finding *grown, *finding;
	va_list args;

	grown = reallocarray(report->findings, report->n + 1, sizeof(*grown));
	if (!grown) {
		report->lost = true;
		return;
	}
	report->findings = grown;
	finding = &grown[report->n++];
	memset(finding, 0, sizeof(*finding));
	finding->result = result;
	va_start(args, format);
	vsnprintf(finding->text, sizeof(finding->text), format, args);
	va_end(args);
}

void porch_advise(struct porch_report *report, const char *format, ...)
{
	struct porch_finding *last;
	va_list args;

	if (!report->n || report->lost)
		return;
	last = &report->findings[report->n - 1];
	va_start(args, format);
	vsnprintf(last->advice, sizeof(last->advice), format, args);
	va_end(args);
}

int porch_doctor_run(const struct porch_doctor_target *target, struct porch_report *report)
{
	const struct porch_doctor_check *check;
	size_t i, before;

	for (i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
		for (check = subjects[i]; check->run; check++) {
			before = report->n;
			check->run(target, report);
			for (; before < report->n; before++) {
				if (!report->findings[before].check)
					report->findings[before].check = check->name;
			}
		}
	}
	return report->lost ? -ENOMEM : 0;
}

void porch_report_free(struct porch_report *report)
{
	free(report->findings);
	memset(report, 0, sizeof(*report));
}

bool porch_report_failed(const struct porch_report *report)
{
	size_t i;

	for (i = 0; i < report->n; i++) {
		if (report->findings[i].result == PORCH_DOCTOR_FAIL)
			return true;
	}
	return false;
}

const char *porch_doctor_result_name(enum porch_doctor_result result)
{
	switch (result) {
	case PORCH_DOCTOR_OK:
		return "ok";
	case PORCH_DOCTOR_WARN:
		return "warn";
	case PORCH_DOCTOR_FAIL:
		break;
	}
	return "fail";
}

bool porch_doctor_concerns(const struct porch_doctor_target *target, __u16 first, __u16 last)
{
	size_t i;

	if (!target->n_listeners)
		return true;
	for (i = 0; i < target->n_listeners; i++) {
		const struct porch_doctor_listener *l = &target->listeners[i];

		if (!l->afxdp && l->port >= first && l->port <= last)
			return true;
	}
	return false;
}

size_t porch_doctor_afxdp(const struct porch_doctor_target *target)
{
	size_t i, n = 0;

	for (i = 0; i < target->n_listeners; i++)
		n += target->listeners[i].afxdp;
	return n;
}

bool porch_doctor_needs_kernel(const struct porch_doctor_target *target)
{
	return !target->n_listeners || porch_doctor_afxdp(target) < target->n_listeners;
}
