/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/hooks.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tests/bpf/fixture.h"
#include "util/text.h"

#define TCX_INGRESS 46
#define TCX_EGRESS  47

static int query_tcx(const char *interface, bool is_egress, __u32 *count)
{
	__u32 ids[8];

	*count = COUNT(ids);
	return bpf_prog_query((int)if_nametoindex(interface), is_egress ? TCX_EGRESS : TCX_INGRESS,
			      0, NULL, ids, count);
}

bool kernel_has_tcx(void)
{
	__u32 count;

	return !query_tcx("lo", false, &count);
}

unsigned int count_xdp(const char *interface)
{
	__u32 id = 0;

	if (bpf_xdp_query_id((int)if_nametoindex(interface), 0, &id))
		fail_msg("cannot query xdp of %s", interface);
	return id != 0;
}

unsigned int count_tcx(const char *interface, bool is_egress)
{
	__u32 count;

	if (!kernel_has_tcx())
		return 0;
	if (query_tcx(interface, is_egress, &count))
		fail_msg("cannot query tcx of %s", interface);
	return count;
}

/* The number that a command prints about the filters of one direction. */
static unsigned int ask_filters(const char *interface, bool is_egress, const char *command)
{
	_text_ struct text line = TEXT_INIT;
	unsigned int number;
	FILE *answer;

	text_addf(&line, "tc filter show dev %s %s | %s", interface,
		  is_egress ? "egress" : "ingress", command);
	answer = popen(line.buf, "r");
	if (!answer || fscanf(answer, "%u", &number) != 1)
		fail_msg("no number from: %s", line.buf);
	pclose(answer);
	return number;
}

unsigned int count_filters(const char *interface, bool is_egress)
{
	return ask_filters(interface, is_egress, "grep -c ' bh_'");
}

void assert_nothing_on(const char *interface)
{
	_text_ struct text qdisc = TEXT_INIT;

	assert_int_equal(count_xdp(interface), 0);
	for (int is_egress = 0; is_egress < 2; is_egress++) {
		assert_int_equal(count_tcx(interface, is_egress), 0);
		assert_int_equal(count_filters(interface, is_egress), 0);
	}
	text_addf(&qdisc, "! tc qdisc show dev %s | grep -q clsact", interface);
	run_command(qdisc.buf);
}

void assert_tc_on(const char *interface, bool is_egress, enum attach_method method)
{
	assert_int_equal(count_tcx(interface, is_egress), method == ATTACH_TCX);
	assert_int_equal(count_filters(interface, is_egress), method == ATTACH_CLSACT);
}

static struct hung hung_at_link(const char *path)
{
	_close_ int fd = bpf_obj_get(path);
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		fail_msg("no link at %s", path);
	return (struct hung){.link_id = info.id, .prog_id = info.prog_id};
}

struct hung hung_at(const char *interface, bool is_egress, enum attach_method method)
{
	_text_ struct text path = TEXT_INIT;

	if (method == ATTACH_CLSACT)
		return (struct hung){
			.prog_id = ask_filters(interface, is_egress,
					       "sed -n 's/.* bh_.* id \\([0-9]*\\) .*/\\1/p'"),
		};
	text_addf(&path, PINS "/links/%u-%s", if_nametoindex(interface), is_egress ? "out" : "in");
	return hung_at_link(path.buf);
}
