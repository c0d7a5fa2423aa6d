/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/fixture.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/clsact.h"

#define TCX_INGRESS 46
#define TCX_EGRESS  47

#define ONLY_CLSACT (1u << ATTACH_XDP_NATIVE | 1u << ATTACH_XDP_GENERIC | 1u << ATTACH_TCX)

static int make_veth(void **state)
{
	(void)state;
	run_command("ip link add bh0 type veth peer name bh1");
	return 0;
}

static struct bpf_link_info link_at(const char *name)
{
	_close_ int fd = bpf_obj_get(name);
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		fail_msg("no link at %s", name);
	return info;
}

static char *link_path(const char *interface, const char *direction)
{
	struct text path = TEXT_INIT;

	text_addf(&path, PINS "/links/%u-%s", if_nametoindex(interface), direction);
	return text_take(&path);
}

static unsigned int count_tcx(const char *interface, int type)
{
	__u32 ids[8], count = COUNT(ids);

	if (bpf_prog_query((int)if_nametoindex(interface), type, 0, NULL, ids, &count))
		fail_msg("cannot query tcx of %s", interface);
	return count;
}

static unsigned int count_xdp(const char *interface)
{
	__u32 id = 0;

	if (bpf_xdp_query_id((int)if_nametoindex(interface), 0, &id))
		fail_msg("cannot query xdp of %s", interface);
	return id != 0;
}

static void assert_nothing_on(const char *interface)
{
	assert_int_equal(count_xdp(interface), 0);
	assert_int_equal(count_tcx(interface, TCX_INGRESS), 0);
	assert_int_equal(count_tcx(interface, TCX_EGRESS), 0);
}

static struct attachment attach_host(struct datapath *dp)
{
	struct attachment attachment = {};
	_text_ struct text why = TEXT_INIT;

	if (datapath_attach_host(dp, if_nametoindex("bh0"), &why, &attachment))
		fail_msg("%s", why.buf);
	return attachment;
}

static void a_host_has_xdp_and_tc(void **state)
{
	_datapath_ struct datapath *dp = open_at(PINS);
	uint32_t ifindex = if_nametoindex("bh0");
	struct bh_endpoint endpoint;
	struct attachment a = attach_host(dp);

	(void)state;
	assert_int_equal(a.ingress, ATTACH_XDP_GENERIC);
	assert_int_equal(a.egress, ATTACH_TCX);
	read_entry(dp->skel->maps.bh_endpoints, ifindex, &endpoint);
	assert_int_equal(endpoint.kind, BH_ENDPOINT_IS_HOST);
	assert_int_equal(count_xdp("bh0"), 1);
	assert_int_equal(count_tcx("bh0", TCX_EGRESS), 1);
	assert_int_equal(datapath_detach(dp, ifindex), 0);
	assert_nothing_on("bh0");
	assert_int_not_equal(
		bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_endpoints), &ifindex, &endpoint),
		0);
}

static void a_host_without_native_xdp_has_the_next_best(void **state)
{
	_datapath_ struct datapath *dp = open_at(PINS);
	uint32_t ifindex = if_nametoindex("bh0");

	(void)state;
	/* A veth has it, but loses what native programs send back. */
	assert_int_equal(attach_host(dp).ingress, ATTACH_XDP_GENERIC);
	datapath_detach(dp, ifindex);
	dp->methods_off = 1u << ATTACH_XDP_GENERIC;
	assert_int_equal(attach_host(dp).ingress, ATTACH_TCX);
	datapath_detach(dp, ifindex);
	dp->methods_off |= 1u << ATTACH_TCX;
	assert_int_equal(attach_host(dp).ingress, ATTACH_CLSACT);
	datapath_detach(dp, ifindex);
	assert_nothing_on("bh0");
}

static void a_restart_replaces_programs_in_their_links(void **state)
{
	_free_ char *in = link_path("bh0", "in");
	_free_ char *out = link_path("bh0", "out");
	struct datapath *dp = open_at(PINS);
	struct bpf_link_info in_info, out_info;
	struct attachment a;

	(void)state;
	attach_host(dp);
	datapath_free(dp);
	in_info = link_at(in);
	out_info = link_at(out);

	dp = open_at(PINS);
	assert_int_equal(link_at(in).id, in_info.id);
	assert_int_equal(link_at(out).id, out_info.id);
	assert_int_not_equal(link_at(in).prog_id, in_info.prog_id);
	assert_int_not_equal(link_at(out).prog_id, out_info.prog_id);
	a = attach_host(dp);
	assert_int_equal(a.ingress, ATTACH_XDP_GENERIC);
	assert_int_equal(a.egress, ATTACH_TCX);
	assert_int_equal(link_at(in).id, in_info.id);
	datapath_free(dp);
}

static uint32_t count_sources(struct datapath *dp)
{
	_keys_ struct keys keys = {};

	keys_read(bpf_map__fd(dp->skel->maps.bh_sources), sizeof(struct bh_source_key), &keys);
	return (uint32_t)keys.count;
}

static bool may_send(const struct datapath *dp, uint32_t id, uint32_t address)
{
	struct bh_source_key key = {.prefix_len = BH_SOURCE_ENDPOINT_BITS + 128, .endpoint = id};
	uint32_t value;

	key.addr.word[2] = htonl(0xffff);
	key.addr.word[3] = htonl(address);
	return !bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_sources), &key, &value);
}

static struct attachment attach_workload(struct datapath *dp, uint16_t id, uint32_t first,
					 size_t count)
{
	struct attachment attachment = {};
	_text_ struct text why = TEXT_INIT;
	struct prefix sources[4] = {};

	for (uint32_t i = 0; i < count; i++) {
		sources[i].addr.word[2] = htonl(0xffff);
		sources[i].addr.word[3] = htonl(first + i);
		sources[i].len = 128;
	}
	if (datapath_attach_workload(dp,
				     &(struct workload_endpoint){
					     .ifindex = if_nametoindex("bh0"),
					     .id = id,
					     .sources = sources,
					     .source_count = count,
				     },
				     &why, &attachment))
		fail_msg("%s", why.buf);
	return attachment;
}

static void a_workload_sends_only_from_its_sources(void **state)
{
	_datapath_ struct datapath *dp = open_at(PINS);
	struct attachment a = attach_workload(dp, 7, 0x0a000001, 3);

	(void)state;
	assert_int_equal(a.ingress, ATTACH_TCX);
	assert_int_equal(a.egress, ATTACH_TCX);
	assert_int_equal(count_sources(dp), 3);
	assert_true(may_send(dp, 7, 0x0a000001));
	attach_workload(dp, 7, 0x0a000003, 2);
	assert_int_equal(count_sources(dp), 2);
	assert_false(may_send(dp, 7, 0x0a000001));
	assert_true(may_send(dp, 7, 0x0a000003));
	assert_true(may_send(dp, 7, 0x0a000004));
	attach_workload(dp, 8, 0x0a000009, 1);
	assert_int_equal(count_sources(dp), 1);
	assert_true(may_send(dp, 8, 0x0a000009));
	assert_int_equal(count_tcx("bh0", TCX_INGRESS), 1);
	datapath_detach(dp, if_nametoindex("bh0"));
	assert_int_equal(count_sources(dp), 0);
	assert_nothing_on("bh0");
}

static void a_host_that_becomes_a_workload_loses_xdp(void **state)
{
	_datapath_ struct datapath *dp = open_at(PINS);

	(void)state;
	attach_host(dp);
	attach_workload(dp, 7, 0x0a000001, 1);
	assert_int_equal(count_xdp("bh0"), 0);
	assert_int_equal(count_tcx("bh0", TCX_INGRESS), 1);
	assert_int_equal(count_tcx("bh0", TCX_EGRESS), 1);
}

/* A program that is not ours there, by its name. */
static void add_foreign_filter(struct datapath *dp)
{
	struct clsact_filter filter = {
		.ifindex = if_nametoindex("bh0"), .handle = 1, .priority = 7};

	assert_int_equal(clsact_attach(&filter, bpf_program__fd(dp->skel->progs.bh_tc_host_out)),
			 0);
}

static void our_filters_share_a_qdisc(void **state)
{
	struct datapath *dp = open_at(PINS);
	struct attachment a;
	size_t links;

	(void)state;
	run_command("tc qdisc add dev bh0 clsact");
	add_foreign_filter(dp);
	dp->methods_off = ONLY_CLSACT;
	a = attach_workload(dp, 7, 0x0a000001, 1);
	assert_int_equal(a.ingress, ATTACH_CLSACT);
	assert_int_equal(a.egress, ATTACH_CLSACT);
	run_command("tc filter show dev bh0 ingress | grep -q bh_tc_from");
	run_command("tc filter show dev bh0 egress | grep -q bh_tc_to");
	datapath_free(dp);

	dp = open_at(PINS);
	a = attach_workload(dp, 7, 0x0a000001, 1);
	assert_int_equal(a.ingress, ATTACH_CLSACT);
	run_command("test $(tc filter show dev bh0 ingress | grep -c bh_tc_from) = 1");
	datapath_free(dp);

	assert_int_equal(datapath_remove(PINS, &links), 0);
	assert_int_equal(links, 2);
	run_command("! tc filter show dev bh0 ingress | grep -q bh_tc_from");
	run_command("! tc filter show dev bh0 egress | grep -q bh_tc");
	run_command("tc filter show dev bh0 ingress | grep -q 'pref 7 bpf.*bh_tc_host_out'");
}

static void a_qdisc_made_for_us_goes_with_us(void **state)
{
	_datapath_ struct datapath *dp = open_at(NULL);

	(void)state;
	dp->methods_off = ONLY_CLSACT;
	attach_workload(dp, 7, 0x0a000001, 1);
	run_command("tc qdisc show dev bh0 | grep -q clsact");
	datapath_detach(dp, if_nametoindex("bh0"));
	run_command("! tc qdisc show dev bh0 | grep -q clsact");
}

static void nothing_stays_without_pins(void **state)
{
	struct datapath *dp = open_at(NULL);

	(void)state;
	attach_host(dp);
	assert_int_equal(count_xdp("bh0"), 1);
	datapath_free(dp);
	assert_nothing_on("bh0");
}

static void removal_leaves_nothing(void **state)
{
	_datapath_ struct datapath *running = open_at(PINS);
	size_t links = 99;

	(void)state;
	attach_host(running);
	swap_to(running, 10, BH_RULE_FIRST);
	assert_int_equal(datapath_remove(PINS, &links), 0);
	assert_int_equal(links, 2);
	assert_nothing_on("bh0");
	assert_false(is_there(PINS));
	assert_int_equal(datapath_remove(PINS, &links), 0);
	assert_int_equal(links, 0);
}

static void an_interface_that_is_gone_is_forgotten(void **state)
{
	_free_ char *in = link_path("bh0", "in");
	uint32_t ifindex = if_nametoindex("bh0");
	struct bh_endpoint endpoint;
	struct datapath *dp = open_at(PINS);

	(void)state;
	attach_workload(dp, 7, 0x0a000001, 1);
	datapath_free(dp);
	run_command("ip link del bh0");
	assert_true(is_there(in));
	dp = open_at(PINS);
	assert_false(is_there(in));
	assert_int_equal(count_sources(dp), 0);
	assert_int_not_equal(
		bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_endpoints), &ifindex, &endpoint),
		0);
	datapath_free(dp);
}

static void an_interface_that_is_not_there_is_refused(void **state)
{
	_datapath_ struct datapath *dp = open_at(PINS);
	_text_ struct text why = TEXT_INIT;
	struct bh_endpoint endpoint;
	struct attachment a;
	uint32_t ifindex = 4711;

	(void)state;
	assert_int_not_equal(datapath_attach_host(dp, ifindex, &why, &a), 0);
	assert_non_null(strstr(why.buf, "interface 4711"));
	assert_int_not_equal(
		bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_endpoints), &ifindex, &endpoint),
		0);
}

static void local_addresses_replace_each_other(void **state)
{
	_datapath_ struct datapath *dp = open_at(NULL);
	const struct bh_addr first[] = {{{1}}, {{2}}, {{3}}}, second[] = {{{3}}, {{4}}};
	_keys_ struct keys keys = {};
	int fd = bpf_map__fd(dp->skel->maps.bh_local);
	uint32_t value;

	(void)state;
	assert_int_equal(datapath_set_local(dp, first, COUNT(first)), 0);
	assert_int_equal(datapath_set_local(dp, second, COUNT(second)), 0);
	assert_int_equal(keys_read(fd, sizeof(struct bh_addr), &keys), 0);
	assert_int_equal(keys.count, 2);
	assert_int_equal(bpf_map_lookup_elem(fd, &second[0], &value), 0);
	assert_int_equal(bpf_map_lookup_elem(fd, &second[1], &value), 0);
	assert_int_equal(datapath_set_local(dp, NULL, 0), 0);
	assert_int_not_equal(bpf_map_lookup_elem(fd, &second[0], &value), 0);
}

#define WITH_VETH(test) cmocka_unit_test_setup_teardown(test, make_veth, remove_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_VETH(a_host_has_xdp_and_tc),
		WITH_VETH(a_host_without_native_xdp_has_the_next_best),
		WITH_VETH(a_restart_replaces_programs_in_their_links),
		WITH_VETH(a_workload_sends_only_from_its_sources),
		WITH_VETH(a_host_that_becomes_a_workload_loses_xdp),
		WITH_VETH(our_filters_share_a_qdisc),
		WITH_VETH(a_qdisc_made_for_us_goes_with_us),
		WITH_VETH(nothing_stays_without_pins),
		WITH_VETH(removal_leaves_nothing),
		WITH_VETH(an_interface_that_is_gone_is_forgotten),
		WITH_VETH(an_interface_that_is_not_there_is_refused),
		WITH_VETH(local_addresses_replace_each_other),
	};

	return cmocka_run_group_tests(tests, enter_namespaces, NULL);
}
