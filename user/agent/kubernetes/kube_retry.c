/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/kubernetes/kube_retry.h"

#include <sys/random.h>

#define NS_PER_MS 1000000ull
#define SLACK_MS  60000 /* between a wait's end and the answer, with all that is written first */

uint64_t kube_retry_wait(struct kube_retry *r, uint64_t now_ns)
{
	uint64_t since_ms = (now_ns - r->refused_ns) / NS_PER_MS;

	if (!r->wait_ms || since_ms > 2 * r->wait_ms + SLACK_MS)
		r->wait_ms = KUBE_RETRY_FIRST_MS;
	else if (2 * r->wait_ms < KUBE_RETRY_MOST_MS)
		r->wait_ms *= 2;
	else
		r->wait_ms = KUBE_RETRY_MOST_MS;
	r->refused_ns = now_ns;
	return r->wait_ms;
}

uint64_t kube_chance(uint64_t below)
{
	uint32_t number = 0;

	(void)!getrandom(&number, sizeof(number), GRND_NONBLOCK);
	return below ? number % below : 0;
}

uint64_t kube_about(uint64_t ms)
{
	return ms / 2 + kube_chance(ms / 2);
}
