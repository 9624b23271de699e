/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The world and the model side by side. */
#ifndef PORCH_TESTS_COMPARE_H
#define PORCH_TESTS_COMPARE_H

#include "model.h"

#define SETS 256 /* small enough to be swept whole in every tick */

/* Set by disagree(), which says what differs. */
extern bool disagreed;
void disagree(const char *what, ...) __attribute__((format(printf, 1, 2)));

struct porch_flow *flow_in_world(const struct porch_tuple *t, bool *held);
/* The table may take a stranger for somebody, once in many thousands, and it may
 * be full: such a case says nothing. */
bool confused(const struct porch_tuple *t);

void compare_counters(const struct model *m);
void compare_listeners(const struct model *m);
void compare_flow(struct model *m, const struct porch_tuple *t);
void compare_entry(struct model *m, const struct porch_tuple *t);
/* All that is remembered. */
void compare_all(struct model *m);

#endif /* PORCH_TESTS_COMPARE_H */
