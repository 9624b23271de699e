/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The MSS that the kernel would announce: porch_ifaces and porch_routes. */
#ifndef PORCH_CORE_MSS_H
#define PORCH_CORE_MSS_H

#include "core/addrs.h"

/* Both maps follow MTUs and routes; part of porch_addrs_refresh(). */
int porch_mss_refresh(const struct porch_tables *tables, struct porch_err *err);

#endif /* PORCH_CORE_MSS_H */
