// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* porch doctor IFACE: what will not work here, and what to do about it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>

#include "cli/cli.h"
#include "core/doctor.h"
#include "core/util.h"

static json_t *finding_json(const struct porch_finding *f)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "check", f->check, "result",
			 porch_doctor_result_name(f->result), "text", f->text, "advice", f->advice);
}

static void print(const struct porch_report *report)
{
	static const char *const labels[] = { "ok  ", "WARN", "FAIL" };
	size_t i, count[3] = {};

	for (i = 0; i < report->n; i++) {
		const struct porch_finding *f = &report->findings[i];

		count[f->result]++;
		printf("%s  %-16s  %s\n", labels[f->result], f->check, f->text);
		if (*f->advice && f->result != PORCH_DOCTOR_OK)
			printf("%24s-> %s\n", "", f->advice);
	}
	printf("%zu ok, %zu to know, %zu to mend\n", count[PORCH_DOCTOR_OK], count[PORCH_DOCTOR_WARN],
	       count[PORCH_DOCTOR_FAIL]);
}

static bool any_zero_copy(const struct porch_tables *tables, int ifindex)
{
	__u32 i;

	for (i = 0; i < PORCH_SLOTS; i++) {
		if (tables->slots[i].ifindex == (__u32)ifindex && tables->slots[i].zero_copy)
			return true;
	}
	return false;
}

/* What the attachment adds to the question; an interface without one is looked at all the same. */
static int take_attachment(struct porch_namespace *ns, struct porch_doctor_target *target,
			   struct porch_doctor_listener **listeners)
{
	struct porch_doctor_listener *list;
	struct porch_interface iface;
	__u32 index;

	list = calloc(PORCH_LISTENERS_MAX, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for_each_listener (&ns->tables, index) {
		const struct porch_listener_entry *l = &ns->tables.listeners[index];
		struct porch_doctor_listener *to = &list[target->n_listeners++];

		memcpy(to->address, l->address, sizeof(to->address));
		to->any = l->any_address;
		to->port = l->port;
		to->afxdp = l->deliver == PORCH_DELIVER_AFXDP;
		to->always = l->protect == PORCH_PROTECT_ALWAYS;
		to->workers = to->afxdp ? ns->tables.queues[index].workers : 0;
	}
	target->host = ns->tables.host;
	target->listeners = *listeners = list;
	if (!porch_interface_get(ns, target->ifname, &iface, NULL)) {
		target->attached = true;
		target->skb_mode = iface.skb_mode;
		target->zero_copy = any_zero_copy(&ns->tables, target->ifindex);
	}
	return 0;
}

int verb_doctor(struct cli *cli, int argc, char **argv)
{
	_cleanup_namespace_ struct porch_namespace *ns = NULL;
	_cleanup_free_ struct porch_doctor_listener *listeners = NULL;
	struct porch_doctor_target target = {};
	struct porch_report report = {};
	struct porch_err err = {};
	json_t *findings;
	bool failed;
	size_t i;
	int r;

	if (argc != 2)
		return cli_usage(cli, "doctor wants one interface, as in 'porch doctor eth0'");
	target.ifindex = if_nametoindex(argv[1]);
	if (!target.ifindex || strlen(argv[1]) >= sizeof(target.ifname)) {
		porch_err_set(&err, -ENODEV, "%s: no such interface; 'ip link' lists them", argv[1]);
		return cli_fail(cli, &err);
	}
	if (geteuid()) {
		porch_err_set(&err, -EPERM,
			      "doctor needs root: what it looks at is hidden from others; run 'sudo porch "
			      "doctor %s'",
			      argv[1]);
		return cli_fail(cli, &err);
	}
	strcpy(target.ifname, argv[1]);
	/* no attachment, or none that can be read, is no reason not to look */
	if (!porch_namespace_open(PORCH_READ, &ns, NULL) && take_attachment(ns, &target, &listeners)) {
		porch_err_set(&err, -ENOMEM, "out of memory");
		return cli_fail(cli, &err);
	}
	r = porch_doctor_run(&target, &report);
	failed = porch_report_failed(&report);
	if (r) {
		porch_err_set(&err, r, "%s: %s", target.ifname, strerror(-r));
	} else if (cli->output.json || cli->output.pretty) {
		findings = json_array();
		for (i = 0; i < report.n; i++)
			json_array_append_new(findings, finding_json(&report.findings[i]));
		r = output(stdout, &cli->output, NULL, NULL, findings);
	} else {
		print(&report);
		if (fflush(stdout) == EOF || ferror(stdout))
			r = -EIO;
	}
	porch_report_free(&report);
	if (r) {
		if (!*err.text)
			porch_err_set(&err, r, "writing: %s", strerror(-r));
		return cli_fail(cli, &err);
	}
	return failed ? PORCH_EXIT_FAILED : PORCH_EXIT_DONE;
}
