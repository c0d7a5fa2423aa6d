#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What an older kernel or a NIC without XDP makes of the agent: it attaches by the next best method,
# and enforces the same.
. "$(dirname "$0")/lib.sh"

add_station server 192.0.2.10 2001:db8::10
add_station visitor 198.51.100.7 2001:db8:1::7
serve server tcp/80 tcp/8080
serve visitor tcp/80

# What a direction of what comes in and goes out is shut to shows that both have their program.
enforces()
{
	reaches visitor 192.0.2.10 tcp/80 && reaches visitor 2001:db8::10 tcp/80 &&
		shut visitor 192.0.2.10,8080 2001:db8::10,8080 &&
		shut server 198.51.100.7,80 2001:db8:1::7,80
}

# start_without METHODS OPTION…
start_without()
{
	export BULKHEAD_METHODS_OFF=$1
	shift
	start_agent server --policy "$policies/web-server.yaml" "$@"
}

# is_attached INTERFACE INGRESS EGRESS
is_attached()
{
	"$BULKHEAD" list endpoints | grep -E "$1.* $2 .*$3"
}

count_filters()
{
	in_ns server tc filter show dev eth0 "$1" | grep -c ' bh_'
}

# try_method OFF INGRESS EGRESS: a whole life, with a restart in it.
try_method()
{
	local name="$2 and $3" filters

	it "$name: the agent enforces" start_without "$1" --attach eth0
	it "$name: by these methods" is_attached eth0 "$2" "$3"
	it "$name: as the policy says" enforces
	filters="$(count_filters ingress || :) $(count_filters egress || :)"
	stop_agent TERM || :
	it "$name: without the agent, too" enforces
	it "$name: the next agent takes over" start_without "$1" --attach eth0
	it "$name: where the first one was" is_attached eth0 "$2" "$3"
	it "$name: with as many filters" test "$filters" = \
		"$(count_filters ingress || :) $(count_filters egress || :)"
	it "$name: the policy is in force" enforces
	stop_agent TERM || :
	it "$name: detach" exits_with 0 in_ns server "$BULKHEAD" detach
	it "$name: detach leaves no trace" has_no_trace server
	it "$name: everything answers again" reaches visitor 192.0.2.10 tcp/8080
}

it "a method nobody knows is refused" exits_with 2 \
	in_ns server env BULKHEAD_METHODS_OFF="tcx ebtables" \
	timeout 60 "$BULKHEAD" run --state-dir "$work/state" \
	--policy "$policies/web-server.yaml" --attach eth0

try_method 'xdp-native xdp-generic tcx' clsact clsact
try_method 'tcx' 'xdp-(native|generic)' clsact

# Frames that don't fit into a page: native from kernel 5.18 on, else generic.
ip link set dev server mtu 9000
try_method '' 'xdp-(native|generic)' '(tcx|clsact)'
try_method xdp-native xdp-generic '(tcx|clsact)'

# A bridge has no XDP of its own.
ip link set dev server mtu 1500
in_ns server ip link add name spare0 type bridge
in_ns server ip link set dev spare0 up
it "a bridge is enforced on" start_without '' --attach spare0
it "with generic XDP" is_attached spare0 xdp-generic '(tcx|clsact)'
stop_agent TERM || :
it "which detach removes" exits_with 0 in_ns server "$BULKHEAD" detach
it_not "from the bridge" sh -c "nsenter --net=/run/netns/server ip link show spare0 | grep xdp"

# --- a qdisc of others ---

in_ns server tc qdisc add dev eth0 clsact
it "somebody else's qdisc will do" start_without 'xdp-native xdp-generic tcx' --attach eth0
it "the policy is in force in it" enforces
stop_agent TERM || :
it "detach takes what is ours" exits_with 0 in_ns server "$BULKHEAD" detach
it "no filter is left" test "$(count_filters ingress || :) $(count_filters egress || :)" = '0 0'
it "the qdisc stays" sh -c "nsenter --net=/run/netns/server tc qdisc show dev eth0 | grep clsact"

end_test
