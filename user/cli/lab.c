/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "lab/lab.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/lab_output.h"
#include "cli/output.h"
#include "cli/policy_files.h"
#include "policy/promise.h"
#include "util/clock.h"
#include "util/mem.h"

#define EXIT_INTERRUPTED (128 + SIGINT)

struct lab_values {
	const char *topology;
	bool is_kept;
	uint32_t repetitions;
	uint32_t timeout_ms;
	bool is_verbose;
	const char *format;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct lab_values, member)
static const struct option lab_options[] = {
	{ "topology", 't', OPTION_CHOICE, AT(topology), "node|hosts|both",
	  "workloads on one node, a host each, or both in turn",
	  "node" },
	{ "keep", 'k', OPTION_FLAG, AT(is_kept), NULL, "stay after the probes until Ctrl-C" },
	{ "probe", 0, OPTION_NUMBER, AT(repetitions), "N",
	  "send every probe N times", "1", .max = 1000 },
	{ "timeout", 0, OPTION_NUMBER, AT(timeout_ms), "MS",
	  "how long a probe waits for its answer", "500", .max = 60000 },
	{ "verbose", 'v', OPTION_FLAG, AT(is_verbose), NULL, "print every probe" },
	OUTPUT_OPTION(struct lab_values, format, "text|json", "text"),
};
#undef AT
/* clang-format on */

_Static_assert(LAB_TIMEOUT_MS == 500, "what --help says");

/* What the view's functions share. */
struct screen {
	bool is_verbose;
	bool is_tty;
	bool has_line;         /* a progress line stands there */
	const char *last_what; /* not a terminal: one line for each step */
	struct json *json;     /* NULL: text */
};

static void clear_line(struct screen *screen)
{
	if (screen->has_line)
		fputs("\r\033[K", stderr);
	screen->has_line = false;
}

static void show_progress(const char *what, size_t done, size_t of, void *user)
{
	struct screen *screen = user;

	if (screen->is_tty) {
		fprintf(stderr, "\r\033[Klab: %s %zu/%zu", what, done, of);
		screen->has_line = true;
	} else if (!screen->last_what || strcmp(screen->last_what, what) != 0) {
		fprintf(stderr, "lab: %s\n", what);
	}
	screen->last_what = what;
}

static void show_result(const struct lab_result *result, void *user)
{
	struct screen *screen = user;

	clear_line(screen);
	if (screen->json)
		lab_json(result, screen->json);
	else
		lab_print(result, screen->is_verbose);
	fflush(stdout);
}

static void show_kept(const struct lab_built *built, void *user)
{
	clear_line(user);
	fprintf(stderr, "\nlab: the stations stay until Ctrl-C; to enter one:\n");
	for (size_t i = 0; i < built->plan->stations.count; i++)
		fprintf(stderr, "  nsenter -t %d -n    # %s\n", (int)built->spaces[i].pid,
			built->plan->stations.items[i].name);
	fprintf(stderr, "  nsenter -t %d -n    # the node\n", (int)built->node->pid);
	fprintf(stderr, "control sockets: nsenter -t %d -m ls %s/\n", (int)built->node->pid,
		built->scratch->path);
}

/* Operands in front of `--` are files. */
static size_t file_count(const struct arguments *args)
{
	return args->operands.count - args->behind_dashes;
}

/* The first line is ours, those behind it are an agent's. */
static void print_failure(const char *lines)
{
	int len = strcspn(lines, "\n");

	cli_error("lab: %.*s", len, lines);
	for (lines += len; *lines; lines += len) {
		len = strcspn(++lines, "\n");
		put_plain(lines, len, stderr);
		fputc('\n', stderr);
	}
}

static int run_topology(const struct lab_config *config, struct screen *screen)
{
	const struct lab_view view = {show_progress, show_result, show_kept, screen};
	_text_ struct text error = TEXT_INIT;
	int status = lab_run(config, &view, &error);

	clear_line(screen);
	if (status >= 0)
		return status;
	if (status == -EINTR)
		return EXIT_INTERRUPTED;
	print_failure(error.len ? error.buf : strerror(-status));
	return EXIT_USAGE;
}

/* The first status that is not 0, when both topologies are asked for. */
static int run_topologies(const struct arguments *args, struct lab_config *config,
			  struct screen *screen)
{
	const struct lab_values *values = args->values;
	bool is_both = !strcmp(values->topology, "both");
	int first = 0, second = 0;

	if (is_both || !strcmp(values->topology, "node")) {
		config->topology = LAB_NODE_TOPOLOGY;
		first = run_topology(config, screen);
	}
	if (first > EXIT_FINDING || !(is_both || !strcmp(values->topology, "hosts")))
		return first;
	if (is_both && !screen->json && !config->command)
		putchar('\n');
	config->topology = LAB_HOSTS_TOPOLOGY;
	second = run_topology(config, screen);
	return first ? first : second;
}

static int run_json(const struct arguments *args, struct lab_config *config, struct screen *screen)
{
	_text_ struct text out = TEXT_INIT;
	struct json json = {.out = &out};
	int status;

	screen->json = &json;
	json_object(&json, NULL);
	json_array(&json, "labs");
	status = run_topologies(args, config, screen);
	json_end(&json, ']');
	json_bool(&json, "ok", status == EXIT_FINE);
	json_end(&json, '}');
	screen->json = NULL;
	if (!config->command && status <= EXIT_FINDING)
		puts(out.buf);
	return status;
}

static int run_compiled(const struct arguments *args, const struct compiled *c)
{
	const struct lab_values *values = args->values;
	_free_ const char **command = NULL;
	struct screen screen = {.is_verbose = values->is_verbose, .is_tty = isatty(STDERR_FILENO)};
	struct lab_config config = {
		.compiled = c,
		.files = args->operands.items,
		.file_count = file_count(args),
		.repetitions = values->repetitions ? values->repetitions : 1,
		.timeout_ms = values->timeout_ms ? values->timeout_ms : 1,
		.is_kept = values->is_kept,
	};

	if (args->behind_dashes) {
		command = xcalloc(args->behind_dashes + 1, sizeof(*command));
		memcpy(command, args->operands.items + config.file_count,
		       args->behind_dashes * sizeof(*command));
		config.command = command;
	}
	if (output_is_json(values->format))
		return run_json(args, &config, &screen);
	return run_topologies(args, &config, &screen);
}

static enum exit_code check_use(const struct arguments *args)
{
	const struct lab_values *values = args->values;

	if (!file_count(args))
		return cli_error("lab: a policy file is due; see 'bulkhead lab --help'");
	for (size_t i = 0; i < file_count(args); i++)
		if (!strcmp(args->operands.items[i], "-"))
			return cli_error("lab: the policy is read several times, so it can't come "
					 "from standard input; give a file");
	if (values->is_kept && args->behind_dashes)
		return cli_error("lab: --keep goes with the probes; a command keeps the lab as "
				 "long as it runs");
	if (values->is_kept && !strcmp(values->topology, "both"))
		return cli_error("lab: --keep is for one topology; choose node or hosts");
	if (geteuid())
		return cli_error("lab: namespaces and BPF programs need root");
	return EXIT_FINE;
}

static enum exit_code run_lab(const struct arguments *args)
{
	_policy_files_ struct policy_files files = {};
	_diags_ struct diags diags = {};
	enum exit_code code = check_use(args);
	size_t broken;

	if (code != EXIT_FINE)
		return code;
	if (policy_files_load(&files, args->operands.items, file_count(args), clock_wall_s()))
		return EXIT_USAGE;
	broken = promise_check_never(files.compiled, &diags) +
		 promise_check_expect(files.compiled, &diags);
	diags_print(&diags, stderr);
	if (broken) {
		cli_error("lab: the policy breaks %zu promises or tests of its own; nothing was "
			  "built",
			  broken);
		return EXIT_FINDING;
	}
	/* Scripts get the command's own status. */
	return (enum exit_code)run_compiled(args, files.compiled);
}

const struct command lab_command = {
	.name = "lab",
	.arguments = "FILE... [OPTION...] [-- COMMAND...]",
	.summary = "Try a policy on namespaces of this machine: expected against seen",
	.details =
		"Every workload becomes a network namespace with the workload's addresses, the\n"
		"real programs enforce, and every pair and service is probed with TCP, UDP and\n"
		"ICMP, over IPv4 and IPv6. A zone without workloads gets a stand-in, and so do\n"
		"addresses outside every zone. Prints what should get through and what did, then\n"
		"the drop events. Nothing is left behind.\n\n"
		"A COMMAND is run instead of the probes, in a mount namespace where 'nsenter\n"
		"--net=/run/netns/NAME' enters a station; BULKHEAD_LAB_DIR has the control "
		"sockets\n"
		"(NAME.sock; with one node also BULKHEAD_SOCKET), BULKHEAD_TOPOLOGY is node or\n"
		"hosts. The exit status is the command's. Exit code 1: a mismatch.",
	.examples = "bulkhead lab policies/five-zone.yaml\n"
		    "bulkhead lab policies/three-tier.yaml --topology both --verbose\n"
		    "bulkhead lab policies/five-zone.yaml -- nsenter --net=/run/netns/api ping "
		    "10.0.32.10",
	.options = OPTION_TABLE(lab_options),
	.values_size = sizeof(struct lab_values),
	.run = run_lab,
};
