/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "cli/top_draw.h"
#include "cli/values.h"
#include "util/clock.h"

#define NS_PER_S 1e9
#define KEYS_MAX 256 /* bytes at once */
#define PAGE     10  /* rows */

#define TAKE_NS 200000000ull /* at most, for events before what is shown of them */

#define FOLLOW "{\"op\":\"observe\",\"last\":0,\"follow\":true}"
#define SETTLE "{\"op\":\"observe\",\"last\":0}"
#define STATUS "{\"op\":\"status\"}"
#define RULES  "{\"op\":\"list\",\"what\":\"rules\"}"

struct top_values {
	const char *socket;
	const char *format;
	const char *sort;
	const char *part;
	const char *filter;
	uint32_t delay_s;
	uint32_t count;
	uint32_t rows;
	bool is_once;
};

/* clang-format off */
#define AT(member) .offset = offsetof(struct top_values, member)
static const struct option top_options[] = {
	{ "delay", 'd', OPTION_DURATION, AT(delay_s), "TIME", "between two looks", "1s" },
	{ "once", 0, OPTION_FLAG, AT(is_once), NULL, "print once, and end: the same as -n 1" },
	{ "count", 'n', OPTION_NUMBER, AT(count), "N", "print that often, and end" },
	{ "rows", 0, OPTION_NUMBER, AT(rows), "N", "of each part, when printing (default: all)" },
	{ "part", 0, OPTION_CHOICE, AT(part), "talkers|zones|rules", "show only this one" },
	{ "sort", 0, OPTION_CHOICE, AT(sort), "rate|total|name", "in which order", "rate" },
	{ "filter", 0, OPTION_TEXT, AT(filter), "TEXT", "only rows that have it in a word" },
	SOCKET_OPTION(struct top_values, socket),
	OUTPUT_OPTION(struct top_values, format, "text|json", "text"),
};
#undef AT
/* clang-format on */

struct top {
	const struct top_values *values;
	struct top_data data;
	struct top_look look;
	struct client client; /* its stop_fd is the one of everything else that happens */
	struct terminal terminal;
	struct text error;
	int timer_fd;
	int signal_fd;
	uint64_t looked_ns; /* CLOCK_MONOTONIC */
	uint32_t shown;
	bool is_ended;
};

/* --- the agent --- */

static void lose(struct top *top, const char *why)
{
	client_release(&top->client);
	text_reset(&top->error);
	text_add_plain(&top->error, why, strlen(why));
	top->look.error = top->error.buf;
}

static int follow(struct top *top)
{
	_text_ struct text why = TEXT_INIT;
	int err = client_ask(&top->client, top->values->socket, FOLLOW, &why);

	if (err)
		lose(top, why.buf);
	return err;
}

static int take_rule(void *context, const char *line, const cJSON *rule)
{
	struct top *top = context;

	(void)line;
	top_data_rule(&top->data, rule);
	return 0;
}

static void take_line(struct top *top, const char *line)
{
	_cjson_ cJSON *event = cJSON_Parse(line);

	if (event)
		top_data_event(&top->data, event);
}

/* What the agent has told so far; under a flood as much as there is time for. */
static void take_waiting(struct top *top)
{
	uint64_t until_ns = clock_monotonic_ns() + TAKE_NS;
	const char *line;

	while (client_has_more(&top->client) && clock_monotonic_ns() < until_ns) {
		if (client_read(&top->client, &line))
			return;
		take_line(top, line);
	}
}

/*
 * What is on the screen stays there when the agent is gone.  Whoever asks it for events makes it
 * tell all that it holds to those who follow, before it answers the next question.
 */
static int look(struct top *top)
{
	const char *socket = top->values->socket;
	uint64_t now_ns = clock_monotonic_ns();
	double seconds = (double)(now_ns - top->looked_ns) / NS_PER_S;
	_text_ struct text why = TEXT_INIT;
	_cjson_ cJSON *settled = NULL;
	_cjson_ cJSON *last = NULL;
	cJSON *status = NULL;
	int err = top->client.fd < 0 ? follow(top) : 0;

	if (err)
		return err;
	err = client_call(socket, SETTLE, NULL, NULL, &why, &settled);
	if (!err)
		err = client_call(socket, RULES, take_rule, top, &why, &last);
	if (!err)
		err = client_call(socket, STATUS, NULL, NULL, &why, &status);
	if (err) {
		lose(top, why.buf);
		return err;
	}
	take_waiting(top);
	top->look.error = NULL;
	top_data_status(&top->data, status, top->looked_ns ? seconds : 0);
	top->looked_ns = now_ns;
	return 0;
}

/* --- the screen --- */

static void show(struct top *top)
{
	_text_ struct text out = TEXT_INIT;

	if (top->terminal.is_open) {
		terminal_size(&top->look.width, &top->look.height);
		top_draw(&top->data, &top->look, &out);
		terminal_show(&out);
		return;
	}
	if (output_is_json(top->values->format))
		top_json(&top->data, &top->look, &out);
	else
		top_draw(&top->data, &top->look, &out);
	if (top->shown++ && !output_is_json(top->values->format))
		putchar('\n');
	fwrite(out.buf, 1, out.len, stdout);
	fflush(stdout);
	top->is_ended = ferror(stdout) || top->shown == top->values->count;
}

static void on_time(struct top *top)
{
	if (!top->look.is_paused)
		look(top);
	show(top);
}

/* --- keys --- */

static void type(struct top *top, unsigned int key)
{
	struct text *filter = &top->look.filter;

	if (key == KEY_ESCAPE)
		text_reset(filter);
	if (key == KEY_ESCAPE || key == '\r' || key == '\n') {
		top->look.is_typing = false;
	} else if (key == KEY_BACKSPACE && filter->len) {
		filter->buf[--filter->len] = '\0';
	} else if (key >= ' ' && key < KEY_UP) {
		text_addc(filter, (char)key);
	}
	top->look.skip = 0;
}

static void next_part(struct top_look *look)
{
	if (!look->is_single)
		look->part = 0;
	else
		look->part++;
	look->is_single = look->part < TOP_PARTS;
	look->skip = 0;
}

static void scroll(struct top_look *look, unsigned int key)
{
	size_t step = key == KEY_PAGE_UP || key == KEY_PAGE_DOWN ? PAGE : 1;
	bool is_up = key == KEY_UP || key == KEY_PAGE_UP || key == 'k';

	if (!is_up)
		look->skip += step;
	else
		look->skip -= step < look->skip ? step : look->skip;
}

static void press(struct top *top, unsigned int key)
{
	struct top_look *look = &top->look;

	if (key == KEY_END || (key == 'q' && !look->is_typing))
		top->is_ended = true;
	else if (look->is_typing)
		type(top, key);
	else if (key == '\t')
		next_part(look);
	else if (key == 's')
		look->sort = (look->sort + 1) % TOP_SORTS;
	else if (key == 'p' || key == ' ')
		look->is_paused = !look->is_paused;
	else if (key == '/')
		look->is_typing = true;
	else if (key == KEY_ESCAPE)
		text_reset(&look->filter);
	else if ((key >= KEY_UP && key <= KEY_PAGE_DOWN) || key == 'j' || key == 'k')
		scroll(look, key);
}

static void on_keys(struct top *top)
{
	char bytes[KEYS_MAX];
	ssize_t len = read(STDIN_FILENO, bytes, sizeof(bytes));
	size_t at = 0, step;

	if (len < 0)
		len = 0;
	do {
		press(top, terminal_key(bytes + at, (size_t)len - at, &step));
		at += step;
	} while (at < (size_t)len);
	if (!top->is_ended)
		show(top);
}

/* --- what happens --- */

static void on_signal(struct top *top)
{
	struct signalfd_siginfo info;

	if (read(top->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH)
		show(top);
	else
		top->is_ended = true;
}

static void on_timer(struct top *top)
{
	uint64_t times;

	if (read(top->timer_fd, &times, sizeof(times)) == sizeof(times))
		on_time(top);
}

static void handle(struct top *top)
{
	struct epoll_event event;

	while (!top->is_ended && epoll_wait(top->client.stop_fd, &event, 1, 0) > 0) {
		if (event.data.fd == top->signal_fd)
			on_signal(top);
		else if (event.data.fd == top->timer_fd)
			on_timer(top);
		else
			on_keys(top);
	}
}

/* Without an agent there is only the rest to wait for. */
static void wait_for_rest(struct top *top)
{
	struct epoll_event event;

	epoll_wait(top->client.stop_fd, &event, 1, -1);
	handle(top);
}

static void run_loop(struct top *top)
{
	while (!top->is_ended) {
		const char *line;
		int err;

		if (top->client.fd < 0) {
			wait_for_rest(top);
			continue;
		}
		err = client_read(&top->client, &line);
		if (!err)
			take_line(top, line);
		else if (err == -EINTR)
			handle(top);
		else
			lose(top, "the agent is gone; waiting for it");
	}
}

/* --- the start --- */

static int watch(const struct top *top, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(top->client.stop_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_signals(struct top *top)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	if (top->terminal.is_open)
		sigaddset(&signals, SIGWINCH);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	top->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return top->signal_fd < 0 ? -errno : watch(top, top->signal_fd);
}

static int open_timer(struct top *top)
{
	const struct timespec delay = {.tv_sec = top->values->delay_s};
	const struct itimerspec times = {delay, delay};

	top->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (top->timer_fd < 0 || timerfd_settime(top->timer_fd, 0, &times, NULL))
		return -errno;
	return watch(top, top->timer_fd);
}

static int open_all(struct top *top)
{
	bool is_interactive = !top->values->count && !output_is_json(top->values->format) &&
			      isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	int err = 0;

	top->client.stop_fd = epoll_create1(EPOLL_CLOEXEC);
	if (top->client.stop_fd < 0)
		return -errno;
	if (is_interactive)
		err = terminal_open(&top->terminal);
	if (!err && is_interactive)
		err = watch(top, STDIN_FILENO);
	if (!err)
		err = open_signals(top);
	if (!err)
		err = open_timer(top);
	top->look.is_interactive = is_interactive;
	return err;
}

static void release(struct top *top)
{
	terminal_close(&top->terminal);
	closep(&top->client.stop_fd);
	client_release(&top->client);
	closep(&top->timer_fd);
	closep(&top->signal_fd);
	top_data_release(&top->data);
	text_release(&top->look.filter);
	text_release(&top->error);
}

static struct top_look look_of(const struct top_values *values)
{
	struct top_look look = {
		.width = TOP_ENDLESS,
		.height = TOP_ENDLESS,
		.rows = values->rows ? values->rows : TOP_ENDLESS,
		.is_single = values->part != NULL,
		.filter = TEXT_INIT,
		.has_colour = output_has_colour(stdout),
	};

	for (enum top_part part = 0; values->part && part < TOP_PARTS; part++) {
		if (!strcmp(values->part, top_part_word(part)))
			look.part = part;
	}
	for (enum top_sort sort = 0; sort < TOP_SORTS; sort++) {
		if (!strcmp(values->sort, top_sort_word(sort)))
			look.sort = sort;
	}
	text_add(&look.filter, values->filter ? values->filter : "");
	if (isatty(STDOUT_FILENO)) {
		size_t height;

		terminal_size(&look.width, &height);
	}
	return look;
}

static int start(struct top *top, struct text *reterr)
{
	int err = look(top);

	if (err) {
		text_add(reterr, top->error.buf);
		return err;
	}
	err = open_all(top);
	if (err) {
		text_addf(reterr, "cannot use this terminal: %s", strerror(-err));
		return err;
	}
	if (top->terminal.is_open)
		show(top);
	return 0;
}

static enum exit_code run_top(const struct arguments *args)
{
	struct top_values values = *(const struct top_values *)args->values;
	_text_ struct text error = TEXT_INIT;
	struct top top = {
		.values = &values,
		.client = CLIENT_INIT,
		.error = TEXT_INIT,
		.timer_fd = -1,
		.signal_fd = -1,
	};
	int err;

	if (args->operands.count)
		return cli_error("top: takes no '%s'", args->operands.items[0]);
	if (!values.delay_s)
		return cli_error("top: --delay must be a second at least");
	if (values.is_once)
		values.count = 1;
	top.look = look_of(&values);
	top_data_init(&top.data);
	err = start(&top, &error);
	if (!err)
		run_loop(&top);
	release(&top);
	return err ? cli_error("top: %s", error.buf) : EXIT_FINE;
}

const struct command top_command = {
	.name = "top",
	.arguments = "[OPTION...]",
	.summary = "Watch who is denied what, by talker, zone and rule, as it happens",
	.details =
		"Talkers and zones are events, as 'observe' shows them, added up from now on; a\n"
		"workload is one talker, whatever address it has. What is over the rate limit of\n"
		"events is not among them: the lines above say how much was suppressed or lost.\n"
		"Drops and rules are the agent's own counters, and exact.\n\n"
		"Keys: q ends, tab shows one part after the other, s sorts by rate, total or "
		"name,\n"
		"/ types a filter (enter keeps it, escape takes it away), p or space pauses, up,\n"
		"down, page up and page down scroll. With --once or -n, with -o json, or where\n"
		"there is no terminal, it prints text: first after one delay.",
	.examples = "bulkhead top\n"
		    "bulkhead top --once --rows 10\n"
		    "bulkhead top -n 12 -d 5s --part rules --sort total -o json",
	.options = OPTION_TABLE(top_options),
	.values_size = sizeof(struct top_values),
	.run = run_top,
};
