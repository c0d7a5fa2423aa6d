/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "agent/flows/flow_log.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "agent/flows/flow_text.h"
#include "util/clock.h"
#include "util/log.h"

#define BATCHES_AT_ONCE 8  /* others wait */
#define BATCHES_IN_ALL  64 /* a full ring */
#define RETRY_MS        20 /* until a pipe takes more */
#define NS_PER_S        UINT64_C(1000000000)

/* --- lines --- */

static const char *interface_of(const struct flow_log *log, uint16_t id)
{
	if (id == BH_ENDPOINT_HOST)
		return "host";
	vec_foreach (e, &log->endpoints->list) {
		if (e->id == id)
			return endpoint_label(e);
	}
	return NULL;
}

static struct event_names names_of(const struct flow_log *log, const struct bh_event *event)
{
	struct event_names names;

	naming_event(log->naming, event, &names);
	names.interface = interface_of(log, event->endpoint);
	names.endpoint = endpoints_name(log->endpoints, event->endpoint);
	return names;
}

static void add_flow(const struct bh_flow *flow, void *user)
{
	const struct bh_event event = flow_event(flow);
	struct flow_log *log = user;
	const struct event_names names = names_of(log, &event);

	flow_add(log->config->format, flow, &names, &log->batch);
}

/* --- writing --- */

/* Told once, when it begins and when it is over. */
static void note_result(struct flow_log *log, int err)
{
	if (err == -EAGAIN)
		return;
	if (err && err != log->err)
		log_error("msg=\"flow log not written; records wait in the kernel\" file='%s' "
			  "error=\"%s\"",
			  log->config->path, strerror(-err));
	if (!err && log->err)
		log_info("msg=\"flow log is written again\" file='%s'", log->config->path);
	log->err = err;
}

/* So that whoever comes after us knows what to take back. */
static int mark(const struct flow_log *log, bool is_whole)
{
	const struct bh_flow_mark mark = {
		.position = datapath_flows_position(log->dp),
		.inode = log->file.is_regular && !is_whole ? log->file.inode : 0,
		.size = log->file.size,
		.lost = log->lost,
		.denied = log->said,
	};

	return datapath_flows_mark(log->dp, &mark);
}

/* What an agent wrote that ended before it said so is in the ring still. */
static void take_back(struct flow_log *log)
{
	struct bh_flow_mark mark;
	int err = datapath_flows_marked(log->dp, &mark);

	if (err)
		return;
	log->lost = mark.lost;
	if (mark.denied)
		log->said = mark.denied;
	if (log->file.is_regular && mark.inode == log->file.inode &&
	    mark.position == datapath_flows_position(log->dp) && mark.size < log->file.size)
		err = flow_file_cut(&log->file, mark.size);
	if (err)
		log_error("msg=\"flow log may repeat lines\" file='%s' error=\"%s\"",
			  log->config->path, strerror(-err));
}

static int open_file(struct flow_log *log)
{
	int err;

	if (log->file.fd >= 0)
		return 0;
	err = flow_file_open(&log->file);
	if (!err && !log->has_batch)
		take_back(log);
	return err;
}

static void rotate(struct flow_log *log)
{
	int err;

	if (!flow_file_is_full(&log->file))
		return;
	err = flow_file_rotate(&log->file);
	if (err)
		log_error("msg=\"flow log not rotated\" file='%s' error=\"%s\"", log->config->path,
			  strerror(-err));
}

/* The present batch; what is not written stays there. */
static int write_batch(struct flow_log *log)
{
	int err = log->sent ? 0 : mark(log, false);

	if (!err)
		err = flow_file_write(&log->file, log->batch.buf + log->sent,
				      log->batch.len - log->sent, &log->sent);
	if (err)
		return err;
	datapath_flows_done(log->dp);
	log->said += log->batch_says;
	log->batch_says = 0;
	err = mark(log, true);
	text_reset(&log->batch);
	log->sent = 0;
	log->has_batch = false;
	rotate(log);
	return err;
}

/* Its end may be another file by then; to that one goes the whole batch. */
static void give_up(struct flow_log *log, int err)
{
	if (!err || err == -EAGAIN)
		return;
	flow_file_close(&log->file);
	log->sent = 0;
}

void flow_log_read(struct flow_log *log, bool is_all)
{
	int most = is_all ? BATCHES_IN_ALL : BATCHES_AT_ONCE, err;

	if (!log->is_open)
		return;
	err = open_file(log);
	for (int i = 0; !err && i < most; i++) {
		if (!log->has_batch) {
			log->has_batch = datapath_flows_read(log->dp, add_flow, log) > 0;
			if (!log->has_batch)
				break;
		}
		err = write_batch(log);
	}
	note_result(log, err);
	give_up(log, err);
	/* The ring stays readable as long as nobody reads it. */
	loop_watch_want(log->watch, err ? 0 : LOOP_READ);
	if (err == -EAGAIN)
		loop_timer_start(log->retry, RETRY_MS, 0);
}

/* --- time --- */

/* Where nothing waits to be written, the file tells of what the ring had no room for. */
static void tell_lost(struct flow_log *log)
{
	uint64_t now = clock_wall_ns(), before = log->checked_ns;
	struct bh_flow_books books;

	if (log->has_batch || datapath_read_flow_books(log->dp, &books))
		return;
	log->checked_ns = now;
	if (books.lost <= log->lost)
		return;
	log_warning("msg=\"records of flows lost\" records=%ju all=%ju packets=%ju bytes=%ju",
		    (uintmax_t)(books.lost - log->lost), (uintmax_t)books.lost,
		    (uintmax_t)books.lost_packets, (uintmax_t)books.lost_bytes);
	flow_add_lost(log->config->format, before, now, books.lost - log->lost, &log->batch);
	log->has_batch = true;
	log->lost = books.lost;
}

/* --- denied packets --- */

void flow_log_event(struct flow_log *log, const struct bh_event *event)
{
	if (log->is_open && log->config->has_denied)
		denied_flows_add(&log->denied, event);
}

static uint64_t read_produced(const struct flow_log *log)
{
	struct accounts accounts;

	if (datapath_read_accounts(log->dp, &accounts, NULL))
		return log->produced;
	return accounts_of_drops(&accounts).produced;
}

/* @produced: of which all events were read since. */
static void add_denied(struct flow_log *log, uint64_t produced)
{
	uint64_t now = clock_wall_ns(), said = log->said + log->denied.packets, skipped;

	vec_foreach (flow, &log->denied.list) {
		const struct event_names names = names_of(log, &flow->first);

		flow_add_denied(log->config->format, flow, &names, &log->batch);
	}
	skipped = produced > said ? produced - said : 0;
	if (skipped)
		flow_add_skipped(log->config->format, log->denied_from_ns, now, skipped,
				 &log->batch);
	log->has_batch = log->batch.len > 0;
	log->batch_says = log->denied.packets + skipped;
	log->in_lines += log->denied.packets;
	log->skipped += skipped;
	log->denied_from_ns = now;
	denied_flows_release(&log->denied);
}

/* Once an interval, or, while what was there before can't be written, later. */
static void tell_denied(struct flow_log *log)
{
	uint64_t produced = log->produced;

	log->produced = read_produced(log);
	if (!log->has_batch &&
	    clock_wall_ns() - log->denied_from_ns >= log->config->interval_s * NS_PER_S)
		add_denied(log, produced);
	if (log->has_batch)
		flow_log_read(log, false);
}

void flow_log_tick(struct flow_log *log)
{
	if (!log->is_open)
		return;
	flow_log_read(log, false);
	tell_lost(log);
	if (log->has_batch)
		flow_log_read(log, false);
	if (log->config->has_denied)
		tell_denied(log);
	if (log->has_batch)
		flow_log_read(log, false);
}

/* Lines of which a part is written are finished where they were begun. */
void flow_log_reopen(struct flow_log *log)
{
	if (!log->is_open || log->sent)
		return;
	flow_file_close(&log->file);
	flow_log_read(log, false);
}

/* --- begin and end --- */

static void on_retry(void *user)
{
	flow_log_read(user, false);
}

static void on_ring(void *user, unsigned int ready)
{
	(void)ready;
	flow_log_read(user, false);
}

void flow_log_start(struct flow_log *log, struct loop *loop)
{
	int err;

	if (!log->config->path)
		return;
	log->file = (struct flow_file){
		.path = log->config->path,
		.size_max = log->config->size,
		.keep = log->config->keep,
		.fd = -1,
	};
	log->checked_ns = log->denied_from_ns = clock_wall_ns();
	/* What was denied before there was a log; a mark in the kernel knows better. */
	log->produced = log->said = read_produced(log);
	err = datapath_flows_open(log->dp);
	if (!err)
		err = loop_watch_new(loop, datapath_flows_fd(log->dp), on_ring, log, &log->watch);
	if (err) {
		log_error("msg=\"flows are not logged\" error=\"%s\"", strerror(-err));
		return;
	}
	log->retry = loop_timer_new(loop, on_retry, log);
	log->is_open = true;
	flow_log_read(log, false);
}

void flow_log_release(struct flow_log *log)
{
	flow_log_read(log, true);
	if (log->is_open && log->config->has_denied && !log->has_batch) {
		add_denied(log, read_produced(log));
		flow_log_read(log, true);
	}
	if (log->is_open)
		flow_file_close(&log->file);
	denied_flows_release(&log->denied);
	text_release(&log->batch);
	log->is_open = false;
}

void flow_log_json(const struct flow_log *log, struct json *j)
{
	struct bh_flow_books books = {};

	if (!log->config->path) {
		json_string(j, "flow_log", NULL);
		return;
	}
	datapath_read_flow_books(log->dp, &books);
	json_object(j, "flow_log");
	json_string(j, "file", log->config->path);
	json_string(j, "format", flow_format_word(log->config->format));
	json_number(j, "records", books.told);
	json_number(j, "lost", books.lost);
	json_number(j, "lost_packets", books.lost_packets);
	json_number(j, "lost_bytes", books.lost_bytes);
	json_object(j, "denied");
	json_number(j, "packets", log->in_lines);
	json_number(j, "skipped", log->skipped);
	json_number(j, "waiting", log->denied.packets);
	json_end(j, '}');
	json_string(j, "error", log->err ? strerror(-log->err) : NULL);
	json_end(j, '}');
}
