/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bench/filters.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "util/text.h"

#define SCRIPT        "tests/bench/filters.sh"
#define NOT_INSTALLED 3 /* what it exits with then */

static const struct {
	const char *name;
	bool has_pass, has_drop;
} filters[] = {
#define X(id, name, has_pass, has_drop) [FILTER_##id] = {name, has_pass, has_drop},
	FILTERS_OF(X)
#undef X
};

const char *filter_name(enum filter filter)
{
	return filters[filter].name;
}

bool filter_has(enum filter filter, bool is_drop)
{
	return is_drop ? filters[filter].has_drop : filters[filter].has_pass;
}

static int run(const char *what, enum filter filter)
{
	_text_ struct text line = TEXT_INIT;
	int status;

	text_addf(&line, SCRIPT " %s %s", what, filters[filter].name);
	status = system(line.buf);
	/* Meanwhile this process ignored it. */
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
		raise(SIGINT);
	if (!status)
		return 0;
	return WIFEXITED(status) && WEXITSTATUS(status) == NOT_INSTALLED ? -ENOENT : -EIO;
}

int filter_begin(enum filter filter, bool is_drop)
{
	return run(is_drop ? "drop" : "pass", filter);
}

int filter_end(enum filter filter)
{
	return run("end", filter);
}
