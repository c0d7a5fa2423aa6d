/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/last_good.h"

#include <errno.h>
#include <string.h>

#include "agent/durable.h"
#include "util/log.h"

void last_good_keep(struct last_good *lg, struct loaded_policy *loaded)
{
	_text_ struct text content = TEXT_INIT;
	_source_list_ source_list texts = {};
	int err;

	if (loaded->is_kept)
		return;
	loaded_policy_texts(loaded, &texts);
	last_good_format(&texts, &content);
	err = durable_write(lg->directory, LAST_GOOD_FILE, &content);
	loaded->is_kept = !err;
	if (err && !lg->is_failing)
		log_error("msg=\"policy not kept for the next start\" file=\"%s/%s\" error=\"%s\"",
			  lg->directory, LAST_GOOD_FILE, strerror(-err));
	if (!err && lg->is_failing)
		log_info("msg=\"policy kept for the next start again\" file=\"%s/%s\"",
			 lg->directory, LAST_GOOD_FILE);
	lg->is_failing = err;
}

static int say_unreadable(int err, struct text *reterr)
{
	if (err == -EPERM)
		text_add(reterr, "it is not a file that only the agent's user may write");
	else
		text_addf(reterr, "it cannot be read: %s", strerror(-err));
	return err;
}

int last_good_read(const struct last_good *lg, struct text *reterr, source_list *ret)
{
	_text_ struct text content = TEXT_INIT;
	int err = durable_read(lg->directory, LAST_GOOD_FILE, &content);

	if (err)
		return err == -ENOENT ? err : say_unreadable(err, reterr);
	return last_good_parse(&content, reterr, ret);
}
