// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>

#include "core/err.h"

int porch_err_set(struct porch_err *err, int r, const char *format, ...)
{
	va_list args;

	if (!err)
		return r;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return r;
}
