/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * tc on the VLAN devices above an interface.
 *
 * XDP sees all tags, tc on the interface sees a frame whose outer tag alone is
 * taken off. With two tags (QinQ) there is still one in front of IP, and the
 * kernel takes no connection from there; on the VLAN device of the outer tag
 * the inner one is off as well. So tc runs there too.
 */
#ifndef PORCH_CORE_HOOK_VLAN_H
#define PORCH_CORE_HOOK_VLAN_H

#include <stdbool.h>

struct porch_err;
struct porch_hook;

/*
 * TCX links on all VLAN devices above the interface in this namespace, pinned
 * in `dir` as tc-IFINDEX; links of devices that are gone are removed. *changed
 * is set when there was something to do.
 */
int porch_hook_vlan(const struct porch_hook *hook, const char *programs, const char *dir, bool *changed,
		    struct porch_err *err);
/* Off, with their pins. */
void porch_hook_vlan_off(const char *dir);

#endif /* PORCH_CORE_HOOK_VLAN_H */
