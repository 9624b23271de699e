/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Closing an AF_XDP socket waits for a grace period, 8 to 17 ms: threads that do
 * nothing else take that off the daemon's own. They know file descriptors alone.
 */
#ifndef PORCH_DAEMON_REAP_H
#define PORCH_DAEMON_REAP_H

#include <stdint.h>

#define REAP_THREADS 4

/* Until it has been called, and without a thread, reap_fd() closes at once. 0 or -errno. */
int reap_start(void);
/* Closes what is left, and ends the threads. */
void reap_stop(void);
/* Takes `fd`; all of its mappings must be gone, or the last munmap() waits instead. */
void reap_fd(int fd);
/* Not yet closed. */
uint32_t reap_left(void);

#endif /* PORCH_DAEMON_REAP_H */
