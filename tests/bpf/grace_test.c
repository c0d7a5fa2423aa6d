/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* That who waits for programs that run waits for a grace period of the kernel: for as long as the
 * least of those that a barrier takes, which is one by its definition (membarrier(2)). */
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "datapath/internal.h"
#include "tests/test.h"
#include "util/clock.h"

#define TIMES 5
#define PART  4 /* no two grace periods take as long */

typedef int wait_fn(void);

static int barrier(void)
{
	return (int)syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

static uint64_t least_of(wait_fn *wait)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < TIMES; i++) {
		uint64_t start = clock_monotonic_ns(), took;

		assert_int_equal(wait(), 0);
		took = clock_monotonic_ns() - start;
		if (took < least)
			least = took;
	}
	return least;
}

static void a_wait_takes_a_grace_period(void **state)
{
	(void)state;
	if (barrier()) /* not with nohz_full */
		skip();
	assert_true(least_of(grace_wait) >= least_of(barrier) / PART);
}

static void a_wait_in_a_thread_says_that_it_is_over(void **state)
{
	(void)state;
	assert_true(datapath_grace_end(datapath_grace_begin()));
	assert_false(datapath_grace_end(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_takes_a_grace_period),
		cmocka_unit_test(a_wait_in_a_thread_says_that_it_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
