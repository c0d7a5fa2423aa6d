/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/metrics/readiness.h"

#include <inttypes.h>

#define LINES_MAX 20 /* of endpoints; the others are counted */

bool endpoint_is_missing(const struct endpoint *e)
{
	return !e->ifindex;
}

static void say_policy(const struct agent *a, struct text *why)
{
	const struct policy_version *v = a->policies.current;
	enum policy_origin origin;

	if (!v || !datapath_generation(a->dp)) {
		text_add(why, "no policy is in force\n");
		return;
	}
	origin = v->loaded->origin;
	if (origin == POLICY_FALLBACK || origin == POLICY_OPEN)
		text_addf(why, "the policy is not the one given, but %s\n",
			  policy_origin_word(origin));
	if (datapath_is_removed(a->dp))
		text_add(why, "'bulkhead detach' took everything off\n");
}

static void say_endpoint(const struct endpoint *e, struct text *why)
{
	const char *what = watchdog_trouble(e);

	if (!what)
		what = e->is_match ? "not attached yet" : "there is no such interface";
	text_addf(why, "interface '%s': %s\n", endpoint_label(e), what);
}

static void say_endpoints(const struct endpoints *es, struct text *why)
{
	uint64_t count = 0;

	vec_foreach (e, &es->list) {
		if (!endpoint_is_missing(e) && !watchdog_trouble(e))
			continue;
		if (count < LINES_MAX)
			say_endpoint(e, why);
		count++;
	}
	if (count > LINES_MAX)
		text_addf(why, "and %" PRIu64 " more\n", count - LINES_MAX);
}

bool readiness_check(const struct agent *a, struct text *why)
{
	size_t before = why->len;

	say_policy(a, why);
	say_endpoints(&a->endpoints, why);
	return why->len == before;
}
