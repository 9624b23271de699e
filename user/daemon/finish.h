/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What workers are done with: finish_worker() of daemon.h. */
#ifndef PORCH_DAEMON_FINISH_H
#define PORCH_DAEMON_FINISH_H

#include "daemon/daemon.h"

#define FINISH_PER_TURN 512 /* of one worker; the rest is taken in the next turn */

#endif /* PORCH_DAEMON_FINISH_H */
