#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Under sanitizers, with the table of who owns which frame: what goes away, and comes back.
exec "$(dirname "$0")/sanitize.sh" afxdp_fail_stop afxdp_fail_restart afxdp_fail_accept afxdp_fail_link \
	afxdp_fail_program afxdp_handback afxdp_next_hop
