/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The compiled policy against the BPF programs, packet by packet. */
#ifndef CLI_CHECK_KERNEL_H
#define CLI_CHECK_KERNEL_H

#include "cli/check_report.h"

/*
 * Tries what @c can decide on programs that have the tables of @image: in tests other ones than
 * its own.  Each packet that they judge otherwise is an error in @d.  -errno with a sentence in
 * @reterr if it cannot be tried.
 */
int check_kernel(const struct compiled *c, const struct image *image, struct diags *d,
		 struct text *reterr, struct check_kernel *ret);

#endif
