/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Why something failed, in one line for a person.
 *
 * user/core never prints: a function that can fail for a reason worth saying
 * takes a `struct porch_err *` and returns -errno. The line names the thing,
 * then the reason, then the next step: "eth0: no such interface; see ip link".
 */
#ifndef PORCH_CORE_ERR_H
#define PORCH_CORE_ERR_H

#define PORCH_ERR_TEXT 640

struct porch_err {
	char text[PORCH_ERR_TEXT];	/* one line, no newline; cut when too long */
};

/* Fills `err` (NULL: nobody wants to know) and returns `r`, so that it can be returned at once. */
int porch_err_set(struct porch_err *err, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif /* PORCH_CORE_ERR_H */
