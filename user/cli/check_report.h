/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What `check` found, and the formats that it is told in. */
#ifndef CLI_CHECK_REPORT_H
#define CLI_CHECK_REPORT_H

#include "cli/cli.h"
#include "policy/budget.h"

/* What a finding is about; in the order of checking, lint by its id. */
enum check_group {
	CHECK_POLICY, /* reading and compiling */
	CHECK_LINT,
	CHECK_NEVER,
	CHECK_EXPECT,
	CHECK_KERNEL,
	CHECK_GROUPS
};

/* One never or expect. */
struct check_promise {
	size_t finding; /* into diags.list: where those that it made begin */
	size_t findings;
	bool is_kept;
	uint64_t took_ns;
};
typedef VEC(struct check_promise) check_promises;

/* What `--kernel` did. */
struct check_kernel {
	bool is_done;
	size_t cases;    /* connections that were tried, each at every program */
	size_t packets;  /* that ran */
	size_t unasked;  /* cells that no packet asks for: built-in rules judge it, or parsing */
	size_t left_out; /* cells beyond the limit */
	size_t wrong;    /* packets that the kernel judged otherwise than the tables */
};

struct check {
	struct policy *policy;
	struct diags diags;
	VEC(enum check_group) groups; /* of each of diags.list */
	uint64_t took_ns[CHECK_GROUPS];
	check_promises nevers, expects;
	bool is_compiled;
	struct budget budget;
	struct check_kernel kernel;
	bool is_strict;   /* warnings are failures */
	const char *base; /* places are told relative to this directory, if they are within */
	enum exit_code code;
};

const char *check_result(const struct check *check);
size_t check_findings(const struct check *check);

/* The word of a group: "policy", "lint", ... */
const char *check_group_word(enum check_group group);

/* One past the notes of the finding at @i. */
size_t check_notes_end(const struct check *check, size_t i);

/* The formats, each to stdout as a whole; text has its findings on stderr. */
void check_text(const struct check *check, bool has_colour, struct text *out);
void check_json(const struct check *check, struct text *out);
void check_sarif(const struct check *check, struct text *out);
void check_junit(const struct check *check, struct text *out);

/* Loads, compiles and checks; @check is zeroed but for is_strict and base. */
void check_files(const strings *files, bool has_kernel, struct check *check);
void check_release(struct check *check);
#define _check_ _cleanup_(check_release)

#endif
