/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef PORCH_CORE_DOCTOR_EXEC_H
#define PORCH_CORE_DOCTOR_EXEC_H

#include <stddef.h>

/*
 * Output of a program: no shell, no search path beyond the system's own
 * folders, no stdin, at most `seconds` and 16 MiB. 0 with `*ret` (NUL behind
 * `*len`; the caller frees), -ENOENT when there is no such program, -ETIME,
 * -EFBIG, -EIO when it exits with anything but 0.
 */
int porch_doctor_output_of(const char *const *argv, int seconds, char **ret, size_t *len);

#endif /* PORCH_CORE_DOCTOR_EXEC_H */
