/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is seen when others take programs off, or put theirs before ours; and put right. */
#include "tests/bpf/fixture.h"

#include <linux/if_link.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "datapath/attached.h"
#include "datapath/clsact.h"
#include "tests/bpf/hooks.h"

#define ONLY_CLSACT (1u << ATTACH_XDP_NATIVE | 1u << ATTACH_XDP_GENERIC | 1u << ATTACH_TCX)
#define FIRST       (1u << 3) /* BPF_F_BEFORE */
#define LAST        (1u << 4) /* BPF_F_AFTER */

static struct datapath *dp;

static int open_pinned(void **state)
{
	int err = enter_namespaces(state);

	if (!err)
		dp = open_at(PINS);
	return err;
}

static int close_pinned(void **state)
{
	datapath_free(dp);
	return remove_all(state);
}

static int make_veth(void **state)
{
	(void)state;
	dp->methods_off = 0;
	run_command("ip link add bh0 type veth peer name bh1");
	return 0;
}

static int drop_veth(void **state)
{
	uint32_t ifindex = if_nametoindex("bh0");

	(void)state;
	if (ifindex) {
		datapath_detach(dp, ifindex);
		run_command("ip link del bh0");
	}
	return 0;
}

static struct attachment attached;

static int try_host(struct text *why)
{
	return datapath_attach_host(dp, if_nametoindex("bh0"), why, &attached);
}

static void attach_host(void)
{
	_text_ struct text why = TEXT_INIT;

	if (try_host(&why))
		fail_msg("%s", why.buf);
}

static struct hook_states look(void)
{
	struct hook_states states;

	assert_int_equal(
		datapath_verify(dp, if_nametoindex("bh0"), BH_ENDPOINT_IS_HOST, &attached, &states),
		0);
	/* XDP on a veth has somebody to send its answers. */
	assert_int_equal(states.count, attached.ingress == ATTACH_XDP_NATIVE ? 3 : 2);
	assert_true(states.of[0].is_ingress);
	assert_false(states.of[1].is_ingress);
	return states;
}

static void assert_faults(enum hook_fault ingress, enum hook_fault egress)
{
	struct hook_states states = look();

	assert_string_equal(hook_fault_word(states.of[0].fault), hook_fault_word(ingress));
	assert_string_equal(hook_fault_word(states.of[1].fault), hook_fault_word(egress));
}

static void assert_repaired(void)
{
	attach_host();
	assert_faults(HOOK_INTACT, HOOK_INTACT);
}

/* A program that lets all through, and no other sees what it saw. */
static int other_program(enum bpf_prog_type type, int returned)
{
	const struct bpf_insn accept[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = returned},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(type, "other", "GPL", accept, COUNT(accept), NULL);

	assert_true(fd >= 0);
	return fd;
}

static int other_at_tcx(bool is_egress, uint32_t place)
{
	_close_ int program = other_program(BPF_PROG_TYPE_SCHED_CLS, TC_ACT_OK);
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = place);
	int fd = bpf_link_create(program, (int)if_nametoindex("bh0"),
				 is_egress ? TCX_EGRESS : TCX_INGRESS, &opts);

	assert_true(fd >= 0);
	return fd;
}

static void detach_pin(const char *direction)
{
	_text_ struct text name = TEXT_INIT;
	_close_ int fd = -1;

	text_addf(&name, "%u-%s", if_nametoindex("bh0"), direction);
	fd = pins_get(&dp->pins, PIN_LINK, name.buf);
	assert_true(fd >= 0);
	assert_int_equal(bpf_link_detach(fd), 0);
}

static void what_was_attached_is_intact(void **state)
{
	(void)state;
	attach_host();
	assert_faults(HOOK_INTACT, HOOK_INTACT);
	dp->methods_off = ONLY_CLSACT;
	datapath_detach(dp, if_nametoindex("bh0"));
	assert_faults(HOOK_DETACHED, HOOK_DETACHED);
	attach_host();
	assert_faults(HOOK_INTACT, HOOK_INTACT);
}

static void a_detached_link_is_seen(void **state)
{
	(void)state;
	attach_host();
	detach_pin("in");
	assert_faults(HOOK_DETACHED, HOOK_INTACT);
	assert_repaired();
	assert_int_equal(attached.ingress, ATTACH_XDP_NATIVE);
	if (attached.egress != ATTACH_TCX)
		return;
	detach_pin("out");
	assert_faults(HOOK_INTACT, HOOK_DETACHED);
	assert_repaired();
}

/* LI-10 */
static void a_deleted_qdisc_is_seen(void **state)
{
	(void)state;
	dp->methods_off = ONLY_CLSACT;
	attach_host();
	run_command("tc filter del dev bh0 egress");
	assert_faults(HOOK_INTACT, HOOK_DETACHED);
	assert_repaired();
	run_command("tc qdisc del dev bh0 clsact");
	assert_faults(HOOK_DETACHED, HOOK_DETACHED);
	assert_repaired();
	assert_int_equal(count_filters("bh0", false), 1);
	assert_int_equal(count_filters("bh0", true), 1);
	datapath_detach(dp, if_nametoindex("bh0"));
	assert_nothing_on("bh0");
}

static void who_comes_first_at_tcx_is_passed(void **state)
{
	_close_ int first = -1, last = -1;
	struct hook_states states;

	(void)state;
	if (!kernel_has_tcx())
		return;
	attach_host();
	last = other_at_tcx(true, LAST);
	assert_faults(HOOK_INTACT, HOOK_INTACT);
	first = other_at_tcx(true, FIRST);
	assert_faults(HOOK_INTACT, HOOK_DISPLACED);
	states = look();
	assert_non_null(strstr(states.of[1].other, "program 'other' (id "));
	assert_int_equal(states.of[1].other_method, ATTACH_TCX);
	assert_repaired();
	assert_int_equal(count_tcx("bh0", true), 3);
}

static void who_comes_first_at_clsact_is_passed(void **state)
{
	struct clsact_filter other = {.ifindex = if_nametoindex("bh0"), .is_egress = true};
	_close_ int program = other_program(BPF_PROG_TYPE_SCHED_CLS, TC_ACT_OK);
	struct hook_states states;

	(void)state;
	dp->methods_off = ONLY_CLSACT;
	attach_host();
	assert_int_equal(clsact_attach(&other, program), 0);
	assert_faults(HOOK_INTACT, HOOK_DISPLACED);
	states = look();
	assert_int_equal(states.of[1].other_method, ATTACH_CLSACT);
	assert_repaired();
	assert_int_equal(count_filters("bh0", true), 1);
	run_command("tc filter show dev bh0 egress | grep -q other");
}

/* A priority has filters of one kind, and there is none before the first. */
static void a_filter_that_can_not_be_passed_is_seen(void **state)
{
	struct hook_states states;

	(void)state;
	dp->methods_off = ONLY_CLSACT;
	run_command("tc qdisc add dev bh0 clsact");
	run_command("tc filter add dev bh0 ingress prio 1 u32 match u32 0 0 classid 1:1");
	attach_host();
	assert_faults(HOOK_DISPLACED, HOOK_INTACT);
	states = look();
	assert_string_equal(states.of[0].other, "u32 filter of priority 1");
	attach_host();
	assert_int_equal(count_filters("bh0", false), 1);
	run_command("tc filter del dev bh0 ingress prio 1");
	assert_faults(HOOK_INTACT, HOOK_INTACT);
}

/* Behind another one that took the place of ours, tc is better than nothing.  LI-11 */
static void another_xdp_program_is_never_replaced(void **state)
{
	_close_ int program = other_program(BPF_PROG_TYPE_XDP, XDP_PASS);
	int ifindex = (int)if_nametoindex("bh0");
	_text_ struct text why = TEXT_INIT;

	(void)state;
	assert_int_equal(bpf_xdp_attach(ifindex, program, XDP_FLAGS_SKB_MODE, NULL), 0);
	assert_int_equal(try_host(&why), -EBUSY);
	assert_non_null(strstr(why.buf, "program 'other' (id "));
	assert_non_null(strstr(why.buf, "ip link set dev bh0 xdp off"));
	assert_int_equal(count_tcx("bh0", true), 0);
	bpf_xdp_detach(ifindex, XDP_FLAGS_SKB_MODE, NULL);
	attach_host();
	detach_pin("in");
	assert_int_equal(bpf_xdp_attach(ifindex, program, XDP_FLAGS_SKB_MODE, NULL), 0);
	assert_faults(HOOK_DETACHED, HOOK_INTACT);
	attach_host();
	assert_false(attach_method_is_xdp(attached.ingress));
	assert_faults(HOOK_DISPLACED, HOOK_INTACT);
	assert_int_equal(look().of[0].other_method, ATTACH_XDP_GENERIC);
	attach_host();
	assert_faults(HOOK_DISPLACED, HOOK_INTACT);
	bpf_xdp_detach(ifindex, XDP_FLAGS_SKB_MODE, NULL);
	assert_faults(HOOK_INTACT, HOOK_INTACT);
}

static void tc_is_asked_for_behind_another_xdp_program(void **state)
{
	_close_ int program = other_program(BPF_PROG_TYPE_XDP, XDP_PASS);

	(void)state;
	dp->methods_off = 1u << ATTACH_XDP_NATIVE | 1u << ATTACH_XDP_GENERIC;
	assert_int_equal(
		bpf_xdp_attach((int)if_nametoindex("bh0"), program, XDP_FLAGS_SKB_MODE, NULL), 0);
	attach_host();
	assert_faults(HOOK_INTACT, HOOK_INTACT);
}

static void another_mode_is_seen(void **state)
{
	(void)state;
	attach_host();
	attached.ingress = ATTACH_XDP_GENERIC;
	assert_faults(HOOK_MODE, HOOK_INTACT);
}

static void an_interface_that_is_gone_is_no_fault(void **state)
{
	uint32_t ifindex = if_nametoindex("bh0");
	struct hook_states states;

	(void)state;
	attach_host();
	run_command("ip link del bh0");
	assert_int_equal(datapath_verify(dp, ifindex, BH_ENDPOINT_IS_HOST, &attached, &states),
			 -ENODEV);
	datapath_detach(dp, ifindex);
}

/* Last: nothing can be pinned afterwards. */
static void who_removed_everything_meant_it(void **state)
{
	_text_ struct text why = TEXT_INIT;
	size_t links;

	(void)state;
	attach_host();
	assert_false(datapath_is_removed(dp));
	assert_int_equal(datapath_remove(PINS, &links), 0);
	assert_int_equal(links, attached.ingress == ATTACH_XDP_NATIVE ? 3 : 2);
	assert_true(datapath_is_removed(dp));
	assert_faults(HOOK_DETACHED, HOOK_DETACHED);
	dp->methods_off = ONLY_CLSACT;
	assert_int_not_equal(try_host(&why), 0);
	assert_nothing_on("bh0");
}

#define WITH_VETH(test) cmocka_unit_test_setup_teardown(test, make_veth, drop_veth)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VETH(what_was_attached_is_intact),
		WITH_VETH(a_detached_link_is_seen),
		WITH_VETH(a_deleted_qdisc_is_seen),
		WITH_VETH(who_comes_first_at_tcx_is_passed),
		WITH_VETH(who_comes_first_at_clsact_is_passed),
		WITH_VETH(a_filter_that_can_not_be_passed_is_seen),
		WITH_VETH(another_xdp_program_is_never_replaced),
		WITH_VETH(tc_is_asked_for_behind_another_xdp_program),
		WITH_VETH(another_mode_is_seen),
		WITH_VETH(an_interface_that_is_gone_is_no_fault),
		WITH_VETH(who_removed_everything_meant_it),
	};

	return cmocka_run_group_tests(tests, open_pinned, close_pinned);
}
