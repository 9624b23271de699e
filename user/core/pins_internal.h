/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What pins.c and pins_stage.c share. */
#ifndef PORCH_CORE_PINS_INTERNAL_H
#define PORCH_CORE_PINS_INTERNAL_H

#include <stdbool.h>

struct porch_pins;

/* Removes `name` and all below: interfaces first, of each the XDP link first. */
int porch_pins_remove_tree(int parent_fd, const char *name);
/* Completes or removes what a crash left, and what is left of interfaces that are gone. Holds the lock. */
int porch_pins_settle(struct porch_pins *pins);
/* (Re)opens dir_fd; -ENOENT leaves it -1. */
int porch_pins_open_dir(struct porch_pins *pins);
/* A name of digits only: an inode or an ifindex. */
bool porch_pins_is_number(const char *name);
/* The directory was made by this very namespace, not by an earlier one with its inode number. */
bool porch_pins_is_own(int dir_fd);

#endif /* PORCH_CORE_PINS_INTERNAL_H */
