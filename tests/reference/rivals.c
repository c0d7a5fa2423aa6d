/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/reference/rivals.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/reference/dump.h"
#include "tests/test.h"

struct reference rivals_reference(const struct random_policy *r)
{
	return (struct reference){r->policy, r->hosts.items, r->hosts.count, .now = r->now};
}

struct compiled *rivals_compile(const struct random_policy *r)
{
	const struct environment env = {
		.host = r->hosts.items,
		.host_count = r->hosts.count,
		.now = r->now,
	};
	struct compiled *c = NULL;
	_diags_ struct diags d = {};

	assert_int_equal(policy_compile(r->policy, &env, &d, &c), 0);
	assert_int_equal(d.list.count, 0);
	return c;
}

/* Longer than what cmocka prints at once. */
void rivals_print(const struct random_policy *r, uint64_t seed)
{
	char buf[ADDRESS_STRLEN];
	_text_ struct text model = TEXT_INIT;

	dump_policy(r->policy, &model);
	fprintf(stderr, "SEED=%llu\n%snow: %lld\n", (unsigned long long)seed, model.buf,
		(long long)r->now);
	vec_foreach (host, &r->hosts)
		fprintf(stderr, "host: %s\n", addr_format(host, buf));
}

uint64_t rivals_given(const char *name, uint64_t otherwise)
{
	const char *given = getenv(name);

	return given ? strtoull(given, NULL, 10) : otherwise;
}
