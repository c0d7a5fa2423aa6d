/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "tests/bpf/fixture.h"

#include <arpa/inet.h>
#include <glob.h>
#include <net/if.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bulkhead.skel.h"
#include "datapath/clsact.h"
#include "datapath/loader.h"
#include "tests/bpf/hooks.h"

#define WITHOUT_TCX (1u << ATTACH_TCX)
#define ONLY_CLSACT (1u << ATTACH_XDP_NATIVE | 1u << ATTACH_XDP_GENERIC | WITHOUT_TCX)

static uint32_t methods_off; /* in all tests of the group */
static struct datapath *kept;

static struct datapath *open_group(const char *bpffs)
{
	struct datapath *dp = open_at(bpffs);

	dp->methods_off = methods_off;
	return dp;
}

/* With pins.  Loading is what takes the time, so that tests share one as long as it has its pins.
 */
static struct datapath *share(void)
{
	if (!kept)
		kept = open_group(PINS);
	kept->methods_off = methods_off;
	return kept;
}

static void unshare_datapath(void)
{
	datapath_free(kept);
	kept = NULL;
}

static int make_veth(void **state)
{
	(void)state;
	run_command("ip link add bh0 type veth peer name bh1");
	return 0;
}

static int clean_up(void **state)
{
	uint32_t ifindex = if_nametoindex("bh0");

	(void)state;
	if (kept && ifindex)
		datapath_detach(kept, ifindex);
	if (ifindex)
		run_command("ip link del bh0");
	return 0;
}

static int end_group(void **state)
{
	unshare_datapath();
	return remove_all(state);
}

static enum attach_method best_tc(void)
{
	return kernel_has_tcx() && !(methods_off & WITHOUT_TCX) ? ATTACH_TCX : ATTACH_CLSACT;
}

/* By what the kernel has, and what the group leaves. */
static void assert_best_tc(bool is_egress, enum attach_method method)
{
	assert_int_equal(method, best_tc());
	assert_tc_on("bh0", is_egress, method);
}

static struct attachment attach_host(struct datapath *dp)
{
	struct attachment attachment = {};
	_text_ struct text why = TEXT_INIT;

	if (datapath_attach_host(dp, if_nametoindex("bh0"), &why, &attachment))
		fail_msg("%s", why.buf);
	return attachment;
}

/* At ingress, beside an XDP program; whether it is the one that answers is seen by its pin. */
static void assert_answerer(bool is_there)
{
	_text_ struct text pattern = TEXT_INIT;
	glob_t found = {};

	assert_int_equal(count_filters("bh0", false) + count_tcx("bh0", false), is_there);
	text_addf(&pattern, PINS "/links/%u-answer*", if_nametoindex("bh0"));
	assert_int_equal(!glob(pattern.buf, 0, NULL, &found), is_there);
	globfree(&found);
}

static void a_host_has_xdp_and_tc(void **state)
{
	struct datapath *dp = share();
	uint32_t ifindex = if_nametoindex("bh0");
	struct bh_endpoint endpoint;
	struct attachment a = attach_host(dp);

	(void)state;
	assert_int_equal(a.ingress, ATTACH_XDP_NATIVE);
	read_entry(dp->skel->maps.bh_endpoints, ifindex, &endpoint);
	assert_int_equal(endpoint.kind, BH_ENDPOINT_IS_HOST);
	assert_true(endpoint.flags & BH_ENDPOINT_HAS_ANSWERER);
	assert_int_equal(count_xdp("bh0"), 1);
	assert_answerer(true);
	assert_best_tc(true, a.egress);
	assert_int_equal(datapath_detach(dp, ifindex), 0);
	assert_nothing_on("bh0");
	assert_int_not_equal(
		bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_endpoints), &ifindex, &endpoint),
		0);
}

/* What XDP sends back leaves all interfaces but veths. */
static void only_a_veth_has_an_answerer(void **state)
{
	struct datapath *dp = share();
	uint32_t ifindex;
	struct bh_endpoint endpoint;

	(void)state;
	run_command("ip link del bh0 && ip tuntap add dev bh0 mode tap");
	ifindex = if_nametoindex("bh0");
	assert_int_equal(attach_host(dp).ingress, ATTACH_XDP_NATIVE);
	read_entry(dp->skel->maps.bh_endpoints, ifindex, &endpoint);
	assert_false(endpoint.flags & BH_ENDPOINT_HAS_ANSWERER);
	assert_answerer(false);
	datapath_detach(dp, ifindex);
	assert_nothing_on("bh0");
}

static void a_host_without_native_xdp_has_the_next_best(void **state)
{
	struct datapath *dp = share();
	uint32_t ifindex = if_nametoindex("bh0");
	struct attachment a;

	(void)state;
	dp->methods_off |= 1u << ATTACH_XDP_NATIVE;
	assert_int_equal(attach_host(dp).ingress, ATTACH_XDP_GENERIC);
	assert_answerer(false);
	datapath_detach(dp, ifindex);
	dp->methods_off |= 1u << ATTACH_XDP_GENERIC;
	a = attach_host(dp);
	assert_best_tc(false, a.ingress);
	assert_best_tc(true, a.egress);
	datapath_detach(dp, ifindex);
	dp->methods_off |= WITHOUT_TCX;
	assert_int_equal(attach_host(dp).ingress, ATTACH_CLSACT);
	assert_int_equal(count_filters("bh0", false), 1);
	datapath_detach(dp, ifindex);
	assert_nothing_on("bh0");
}

/* Its frames don't fit into a page: only a program that takes several buffers may be native, and
 * before 5.18 none does. */
static void a_jumbo_interface_has_native_xdp(void **state)
{
	struct datapath *dp = share();
	enum attach_method best = dp->skel->rodata->bh_has_xdp_frags ? ATTACH_XDP_NATIVE
								     : ATTACH_XDP_GENERIC;

	(void)state;
	run_command("ip link set dev bh1 mtu 9000");
	assert_int_equal(attach_host(dp).ingress, best);
	datapath_detach(dp, if_nametoindex("bh0"));
	assert_nothing_on("bh0");
}

static void a_host_with_no_method_left_is_refused(void **state)
{
	struct datapath *dp = share();
	_text_ struct text why = TEXT_INIT;
	struct attachment a;

	(void)state;
	dp->methods_off = ONLY_CLSACT | 1u << ATTACH_CLSACT;
	assert_int_not_equal(datapath_attach_host(dp, if_nametoindex("bh0"), &why, &a), 0);
	assert_non_null(strstr(why.buf, "no method is left"));
	assert_nothing_on("bh0");
}

/* As one of another build finds it, or of the same. */
static void restart(bool is_other_build)
{
	struct attachment a = attach_host(share()), b;
	const struct hung in = hung_at("bh0", false, a.ingress);
	const struct hung out = hung_at("bh0", true, a.egress);
	struct hung new_in, new_out;
	struct datapath *dp;

	unshare_datapath();
	if (is_other_build)
		run_command("rm " PINS "/rest/kept");
	dp = share();
	assert_answerer(true);
	new_in = hung_at("bh0", false, a.ingress);
	new_out = hung_at("bh0", true, a.egress);
	assert_int_equal(new_in.link_id, in.link_id);
	assert_int_equal(new_out.link_id, out.link_id);
	assert_int_equal(new_in.prog_id != in.prog_id, is_other_build);
	assert_int_equal(new_out.prog_id != out.prog_id, is_other_build);
	b = attach_host(dp);
	assert_int_equal(b.ingress, a.ingress);
	assert_int_equal(b.egress, a.egress);
	assert_int_equal(hung_at("bh0", false, b.ingress).link_id, in.link_id);
	assert_answerer(true);
	assert_best_tc(true, b.egress);
}

static void a_restart_replaces_programs_where_they_are(void **state)
{
	(void)state;
	restart(true);
}

static void a_restart_of_the_same_build_leaves_them(void **state)
{
	(void)state;
	restart(false);
}

/* As an agent of before answerers left it, or one whose answerer somebody took away. */
static void a_restart_brings_a_lost_answerer_back(void **state)
{
	_text_ struct text pin = TEXT_INIT;
	struct datapath *dp = share();

	(void)state;
	attach_host(dp);
	text_addf(&pin, "rm " PINS "/links/%u-answer*", if_nametoindex("bh0"));
	unshare_datapath();
	run_command("tc qdisc del dev bh0 clsact 2>&- || :");
	run_command(pin.buf);
	attach_host(share());
	assert_answerer(true);
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
	struct datapath *dp = share();
	struct attachment a = attach_workload(dp, 7, 0x0a000001, 3);

	(void)state;
	assert_best_tc(false, a.ingress);
	assert_best_tc(true, a.egress);
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
	assert_best_tc(false, a.ingress);
	datapath_detach(dp, if_nametoindex("bh0"));
	assert_int_equal(count_sources(dp), 0);
	assert_nothing_on("bh0");
}

static void a_host_that_becomes_a_workload_loses_xdp(void **state)
{
	struct datapath *dp = share();
	struct attachment a;

	(void)state;
	attach_host(dp);
	a = attach_workload(dp, 7, 0x0a000001, 1);
	assert_int_equal(count_xdp("bh0"), 0);
	assert_best_tc(false, a.ingress);
	assert_best_tc(true, a.egress);
}

/* A program that is not ours there, by its name. */
static void add_foreign_filter(struct datapath *dp)
{
	struct clsact_filter filter = {
		.ifindex = if_nametoindex("bh0"), .handle = 1, .priority = 7};

	assert_int_equal(clsact_attach(&filter, loader_program(dp, PROGRAM_HOST_OUT)), 0);
}

static void our_filters_share_a_qdisc(void **state)
{
	struct datapath *dp = share();
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
	unshare_datapath();

	dp = share();
	a = attach_workload(dp, 7, 0x0a000001, 1);
	assert_int_equal(a.ingress, ATTACH_CLSACT);
	run_command("test $(tc filter show dev bh0 ingress | grep -c bh_tc_from) = 1");
	unshare_datapath();

	assert_int_equal(datapath_remove(PINS, &links), 0);
	assert_int_equal(links, 2);
	run_command("! tc filter show dev bh0 ingress | grep -q bh_tc_from");
	run_command("! tc filter show dev bh0 egress | grep -q bh_tc");
	run_command("tc filter show dev bh0 ingress | grep -q 'pref 7 bpf.*bh_tc_host_out'");
}

static void a_qdisc_made_for_us_goes_with_us(void **state)
{
	struct datapath *dp = share();

	(void)state;
	dp->methods_off = ONLY_CLSACT;
	attach_workload(dp, 7, 0x0a000001, 1);
	run_command("tc qdisc show dev bh0 | grep -q clsact");
	datapath_detach(dp, if_nametoindex("bh0"));
	run_command("! tc qdisc show dev bh0 | grep -q clsact");
}

static void nothing_stays_without_pins(void **state)
{
	struct datapath *dp = open_group(NULL);

	(void)state;
	attach_host(dp);
	assert_int_equal(count_xdp("bh0"), 1);
	datapath_free(dp);
	assert_nothing_on("bh0");
}

static void removal_leaves_nothing(void **state)
{
	size_t links = 99;

	(void)state;
	attach_host(share());
	swap_to(share(), 10, BH_RULE_FIRST);
	assert_int_equal(datapath_remove(PINS, &links), 0);
	assert_int_equal(links, 3);
	assert_nothing_on("bh0");
	assert_false(is_there(PINS));
	assert_int_equal(datapath_remove(PINS, &links), 0);
	assert_int_equal(links, 0);
	unshare_datapath();
}

/* Pins of an interface: how a link is called, and how a filter, begins with its number. */
static bool has_records(uint32_t ifindex)
{
	_text_ struct text pattern = TEXT_INIT;
	glob_t found = {};
	bool has;

	text_addf(&pattern, PINS "/links/%u-*", ifindex);
	has = !glob(pattern.buf, 0, NULL, &found);
	globfree(&found);
	return has;
}

static void an_interface_that_is_gone_is_forgotten(void **state)
{
	uint32_t ifindex = if_nametoindex("bh0");
	struct bh_endpoint endpoint;
	struct datapath *dp = share();

	(void)state;
	attach_workload(dp, 7, 0x0a000001, 1);
	unshare_datapath();
	run_command("ip link del bh0");
	assert_true(has_records(ifindex));
	dp = share();
	assert_false(has_records(ifindex));
	assert_int_equal(count_sources(dp), 0);
	assert_int_not_equal(
		bpf_map_lookup_elem(bpf_map__fd(dp->skel->maps.bh_endpoints), &ifindex, &endpoint),
		0);
}

static void a_tunnel_without_ethernet_is_refused(void **state)
{
	struct datapath *dp = share();
	_text_ struct text why = TEXT_INIT;
	struct attachment a;

	(void)state;
	run_command("ip tuntap add dev bhtun mode tun");
	assert_int_equal(datapath_attach_host(dp, if_nametoindex("bhtun"), &why, &a), -EOPNOTSUPP);
	assert_non_null(strstr(why.buf, "no Ethernet"));
	assert_nothing_on("bhtun");
	run_command("ip tuntap del dev bhtun mode tun");
}

static void an_interface_that_is_not_there_is_refused(void **state)
{
	struct datapath *dp = share();
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

static struct local_prefix local_of(uint32_t number, uint8_t len, uint32_t flags)
{
	return (struct local_prefix){{{{number}}, len}, flags};
}

static void local_addresses_replace_each_other(void **state)
{
	struct datapath *dp = share();
	const struct local_prefix first[] = {local_of(1, 128, 0), local_of(2, 128, 0),
					     local_of(3, 128, 0)};
	const struct local_prefix second[] = {local_of(4, 128, BH_LOCAL_GROUP),
					      local_of(3, 128, BH_LOCAL_GROUP), local_of(3, 128, 0),
					      local_of(3, 64, BH_LOCAL_ANYONE)};
	struct bh_local_key key = {.prefix_len = 128, .addr = {{3}}};
	_keys_ struct keys keys = {};
	int fd = bpf_map__fd(dp->skel->maps.bh_local);
	uint32_t value;

	(void)state;
	assert_int_equal(datapath_set_local(dp, first, COUNT(first)), 0);
	assert_int_equal(datapath_set_local(dp, second, COUNT(second)), 0);
	assert_int_equal(keys_read(fd, sizeof(struct bh_local_key), &keys), 0);
	assert_int_equal(keys.count, 3);
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
	assert_int_equal(value, 0);
	key.addr.word[0] = 4;
	assert_int_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
	assert_int_equal(value, BH_LOCAL_GROUP);
	assert_int_equal(datapath_set_local(dp, NULL, 0), 0);
	assert_int_not_equal(bpf_map_lookup_elem(fd, &key, &value), 0);
}

#define WITH_VETH(test) cmocka_unit_test_setup_teardown(test, make_veth, clean_up)

int main(void)
{
	const struct CMUnitTest best[] = {
		WITH_VETH(a_host_has_xdp_and_tc),
		WITH_VETH(only_a_veth_has_an_answerer),
		WITH_VETH(a_host_without_native_xdp_has_the_next_best),
		WITH_VETH(a_jumbo_interface_has_native_xdp),
		WITH_VETH(a_host_with_no_method_left_is_refused),
		WITH_VETH(a_workload_sends_only_from_its_sources),
		WITH_VETH(a_host_that_becomes_a_workload_loses_xdp),
		WITH_VETH(a_qdisc_made_for_us_goes_with_us),
		WITH_VETH(a_tunnel_without_ethernet_is_refused),
		WITH_VETH(an_interface_that_is_not_there_is_refused),
		WITH_VETH(local_addresses_replace_each_other),
		WITH_VETH(a_restart_replaces_programs_where_they_are),
		WITH_VETH(a_restart_of_the_same_build_leaves_them),
		WITH_VETH(a_restart_brings_a_lost_answerer_back),
		WITH_VETH(an_interface_that_is_gone_is_forgotten),
		WITH_VETH(our_filters_share_a_qdisc),
		WITH_VETH(nothing_stays_without_pins),
		WITH_VETH(removal_leaves_nothing),
	};
	/* What an older kernel does, on one with tcx. */
	const struct CMUnitTest without_tcx[] = {
		WITH_VETH(a_host_has_xdp_and_tc),
		WITH_VETH(a_workload_sends_only_from_its_sources),
		WITH_VETH(a_host_that_becomes_a_workload_loses_xdp),
		WITH_VETH(a_restart_replaces_programs_where_they_are),
		WITH_VETH(a_restart_of_the_same_build_leaves_them),
		WITH_VETH(a_restart_brings_a_lost_answerer_back),
		WITH_VETH(an_interface_that_is_gone_is_forgotten),
		WITH_VETH(nothing_stays_without_pins),
		WITH_VETH(removal_leaves_nothing),
	};
	int failed = cmocka_run_group_tests(best, enter_namespaces, end_group);

	if (!kernel_has_tcx())
		return failed;
	methods_off = WITHOUT_TCX;
	return failed + cmocka_run_group_tests(without_tcx, NULL, end_group);
}
