/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What came from outside, short enough for a message. */
#ifndef POLICY_SHOWN_H
#define POLICY_SHOWN_H

#define SHOWN_SIZE 64

/* @s itself in @buf, or its start and "..." if it is long. */
const char *shown(const char *s, char buf[static SHOWN_SIZE]);

#endif
