/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/control/answer.h"
#include "agent/control/words.h"
#include "policy/model.h"
#include "util/mem.h"

void answer_book(struct json *j, const struct books *books)
{
	json_number(j, "produced", books->produced);
	json_number(j, "delivered", books->delivered);
	json_number(j, "suppressed", books->suppressed);
	json_number(j, "lost", books->lost);
}

static void add_verdicts(struct json *j, const struct accounts *sum)
{
	json_object(j, "books");
	for (unsigned int v = 0; v < BH_VERDICT_COUNT; v++) {
		struct books books = accounts_of_verdict(sum, v);

		json_object(j, verdict_word(v));
		answer_book(j, &books);
		json_end(j, '}');
	}
	json_end(j, '}');
}

static void add_reasons(struct json *j, const struct accounts *sum)
{
	json_object(j, "drops");
	for (unsigned int r = BH_REASON_NONE + 1; r < BH_REASON_COUNT; r++) {
		struct books books = accounts_of_reason(sum, r);

		if (!books.produced)
			continue;
		json_object(j, reason_word(r));
		json_number(j, "packets", books.produced);
		json_number(j, "bytes", accounts_drops(sum, r).bytes);
		json_number(j, "delivered", books.delivered);
		json_number(j, "suppressed", books.suppressed);
		json_number(j, "lost", books.lost);
		json_end(j, '}');
	}
	json_end(j, '}');
	json_number(j, "dropped", accounts_of_drops(sum).produced);
}

static void add_cpus(struct json *j, const struct accounts *cpus, size_t count)
{
	json_array(j, "cpus");
	for (size_t i = 0; i < count; i++) {
		struct books books = accounts_of_drops(&cpus[i]);

		json_object(j, NULL);
		json_number(j, "cpu", i);
		json_number(j, "dropped", books.produced);
		json_number(j, "delivered", books.delivered);
		json_number(j, "suppressed", books.suppressed);
		json_number(j, "lost", books.lost);
		json_end(j, '}');
	}
	json_end(j, ']');
}

void answer_books(struct agent *a, struct json *j)
{
	size_t count = datapath_cpus(a->dp);
	_free_ struct accounts *cpus = xcalloc(count, sizeof(*cpus));
	struct accounts sum = {};

	datapath_read_accounts(a->dp, &sum, cpus);
	add_verdicts(j, &sum);
	add_reasons(j, &sum);
	add_cpus(j, cpus, count);
}
