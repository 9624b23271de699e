#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Kernel 6.12: a listener behind a bond of two.
. /vm/lib.sh
. /vm/lib.sh
finish
