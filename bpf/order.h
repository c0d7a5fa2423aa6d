/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Loads that are made here and now, and in this order. */
#ifndef BPF_ORDER_H
#define BPF_ORDER_H

#include "config.h"

#define READ_NOW(place) (*(volatile const __typeof__(place) *)&(place))

/* No load or store passes this one.  An atomic operation that returns something is a barrier. */
static __always_inline void keep_order(void)
{
	if (bh_is_weakly_ordered) {
		__u32 zero = 0, word;

		/* Here, or the compiler stores it for everybody. */
		asm volatile("" : "+r"(zero));
		word = zero;
		asm volatile("" ::"r"(__sync_fetch_and_add(&word, 1)));
	}
	asm volatile("" ::: "memory");
}

#endif
