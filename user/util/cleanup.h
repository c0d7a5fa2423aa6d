/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Scope-bound ownership: what a function opens, it closes on every exit, visibly. */
#ifndef UTIL_CLEANUP_H
#define UTIL_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* _cleanup_(f) runs f(&var) when var leaves scope.  Such a variable is always initialised. */
#define _cleanup_(f) __attribute__((cleanup(f)))
#define _free_       _cleanup_(freep)
#define _close_      _cleanup_(closep)
#define _fclose_     _cleanup_(fclosep)

/* Hands the value on and disarms the cleanup. */
/* clang-format off */
#define TAKE_PTR(p) ({ typeof(p) taken_ = (p); (p) = NULL; taken_; })
#define TAKE_FD(fd) ({ int taken_ = (fd); (fd) = -1; taken_; })
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline void freep(void *p)
{
	free(*(void **)p);
}

static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

#endif
