/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "agent/control/protocol.h"
#include "cli/cli.h"
#include "datapath/datapath.h"

struct detach_values {
	const char *bpffs;
};

static const struct option detach_options[] = {
	{"bpffs", 0, OPTION_TEXT, offsetof(struct detach_values, bpffs), "DIR",
	 "where the agent pins what it loads", .fallback = PROTOCOL_BPFFS},
};

static enum exit_code run_detach(const struct arguments *args)
{
	const struct detach_values *values = args->values;
	bool is_there = !access(values->bpffs, F_OK);
	size_t links = 0;
	int err;

	if (args->operands.count)
		return cli_error("detach: takes no '%s'", args->operands.items[0]);
	err = datapath_remove(values->bpffs, &links);
	if (err)
		return cli_error("detach: '%s' cannot be removed: %s%s", values->bpffs,
				 strerror(-err),
				 err == -EPERM || err == -EACCES ? "; root may" : "");
	if (is_there)
		printf("removed %zu links and everything pinned in %s\n", links, values->bpffs);
	else
		printf("nothing is attached from %s\n", values->bpffs);
	return EXIT_FINE;
}

const struct command detach_command = {
	.name = "detach",
	.arguments = "[--bpffs DIR]",
	.summary = "Remove every trace from the kernel: links, pins, maps",
	.details = "Works with the agent dead. Afterwards nothing is enforced. A running agent "
		   "should\n"
		   "be stopped first.",
	.examples = "bulkhead detach\n"
		    "bulkhead detach --bpffs /sys/fs/bpf/bulkhead-b",
	.options = OPTION_TABLE(detach_options),
	.values_size = sizeof(struct detach_values),
	.run = run_detach,
};
