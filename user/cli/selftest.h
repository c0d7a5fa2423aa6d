/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A corpus of packets through the programs, and where they made something else of one. */
#ifndef CLI_SELFTEST_H
#define CLI_SELFTEST_H

#include "cli/selftest_corpus.h"
#include "datapath/trial.h"
#include "util/vec.h"

struct selftest_finding {
	const struct hostile *packet;
	bool is_v6;
	enum program program;
	struct trial_outcome seen;
};

struct selftest {
	VEC(struct selftest_finding) findings;
	size_t packets;                    /* of one family each */
	size_t hooks;                      /* at which some were seen */
	uint64_t runs;                     /* packets, each at every hook where it makes sense */
	uint64_t drops;                    /* of these, as the programs returned them */
	uint64_t reasons[BH_REASON_COUNT]; /* the same, as events told them */
	struct trial_books books;
	struct features kernel;
};

/*
 * Sends the corpus through programs that have the tables of the @policy, a document.  -errno with a
 * sentence in @reterr if it cannot be tried; findings are none.
 */
int selftest_run(const struct hostile *corpus, size_t count, const char *policy,
		 struct text *reterr, struct selftest *ret);
void selftest_release(struct selftest *test);
#define _selftest_ _cleanup_(selftest_release)

/* Whether a packet came to what is due. */
bool selftest_agrees(const struct hostile *packet, const struct trial_outcome *seen);

/* Every drop has one reason and one event, and every event is delivered: nothing limits them here.
 */
bool selftest_is_balanced(const struct selftest *test);

/* The sum over verdicts, and over reasons. */
struct books selftest_books(const struct selftest *test);
uint64_t selftest_drops(const struct selftest *test);

/* Those of packets, and one if books don't balance. */
size_t selftest_findings(const struct selftest *test);

#endif
