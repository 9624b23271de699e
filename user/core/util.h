/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ownership on one glance: locals that clean up, and moves that say so. */
#ifndef PORCH_CORE_UTIL_H
#define PORCH_CORE_UTIL_H

#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void porch_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void porch_freep(void *p)
{
	free(*(void **)p);
}

#define _cleanup_close_ __attribute__((cleanup(porch_closep)))
#define _cleanup_free_ __attribute__((cleanup(porch_freep)))

#define TAKE_FD(fd)                                                                                          \
	({                                                                                                   \
		int *taken_ = &(fd);                                                                         \
		int fd_ = *taken_;                                                                           \
		*taken_ = -1;                                                                                \
		fd_;                                                                                         \
	})

#define TAKE_PTR(p)                                                                                          \
	({                                                                                                   \
		__typeof__(p) *taken_ = &(p);                                                                \
		__typeof__(p) p_ = *taken_;                                                                  \
		*taken_ = NULL;                                                                              \
		p_;                                                                                          \
	})

#endif /* PORCH_CORE_UTIL_H */
