/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Recordings for tests, written as "10.0.0.10 10.0.1.10 tcp/5432 deny; ...". */
#ifndef UNIT_RECORDED_TEXT_H
#define UNIT_RECORDED_TEXT_H

#include "policy/recording.h"
#include "policy/services.h"
#include "util/mem.h"

static inline enum bh_verdict recorded_verdict(const char *word)
{
	static const char *const words[] = {
#define X(id, word, help) word,
		BH_VERDICTS(X)
#undef X
	};

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!strcmp(words[i], word))
			return (enum bh_verdict)i;
	}
	fail_msg("no verdict: %s", word);
	return BH_VERDICT_DENY;
}

/* An address, or NAME@ADDRESS where the event names a workload. */
static inline struct recorded_end recorded_end_of(char *word)
{
	char *at = strchr(word, '@');
	struct recorded_end end = {};

	if (at) {
		*at = '\0';
		end.workload = word;
		word = at + 1;
	}
	assert_null(addr_parse(word, &end.addr));
	return end;
}

/* The words are FROM TO SERVICE VERDICT; a range of services is an event for each. */
static inline void recorded_text(const char *text, struct recording *r)
{
	_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, ";"))) {
		char *words[4] = {}, *word;
		struct text unused = TEXT_INIT;
		struct recorded_event event;
		services list = {};
		size_t n = 0;

		while (n < COUNT(words) && (word = strsep(&line, " "))) {
			if (*word)
				words[n++] = word;
		}
		if (!n)
			continue;
		assert_int_equal(n, COUNT(words));
		event = (struct recorded_event){
			.src = recorded_end_of(words[0]),
			.dst = recorded_end_of(words[1]),
			.verdict = recorded_verdict(words[3]),
			.rule = "then",
			.time_ns = 1000000000,
			.count = 1,
		};
		assert_true(services_parse(words[2], &list, &unused));
		event.table = list.items[0].table;
		for (unsigned int i = list.items[0].lo; i <= list.items[0].hi; i++) {
			event.number = (uint16_t)i;
			recording_add(r, &event);
			if (event.table == BH_SERVICE_ICMP || event.table == BH_SERVICE_ICMP6)
				break;
		}
		vec_release(&list);
		text_release(&unused);
	}
}

#endif
