#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Packets of other shapes than one of 1500 bytes in one piece: they are judged, and are not changed.
. "$(dirname "$0")/lib.sh"

readonly megabytes=32 # of each stream

add_station app 10.0.16.10 fd00:0:0:20::10
add_station db 10.0.32.10 fd00:0:0:30::10

two_workloads shapes -- \
	'{name: good, from: app, to: db, services: [tcp/7801, udp/7801]}' >policy.yaml

shapes()
{
	local name=$1
	shift

	in_ns "$name" "$python" "$here/shapes.py" "$@"
}

gives()
{
	shapes app give "$1" "$2" $((megabytes << 20))
}

# counts_fit ADDRESS joined|any: every end counted that much on 7801, within one percent; joined: in
# fewer packets than the cable takes.
counts_fit()
{
	"$BULKHEAD" list connections -o json >listed
	"$python" - "$1" $((megabytes << 20)) "$2" <<-'END'
	import json, sys
	address, sent, how = sys.argv[1], int(sys.argv[2]), sys.argv[3]
	headers = 86 if ":" in address else 66
	found = [c for c in json.load(open("listed"))
	         if (c["dst"]["ip"], c["dst"].get("port"), c["protocol"]) == (address, 7801, "tcp")]
	for c in found:
	    packets, octets = c["packets"][0], c["bytes"][0]
	    print(c["endpoint"], packets, octets)
	    if not 0.99 * sent <= octets - packets * headers <= 1.01 * sent:
	        sys.exit("another number of bytes")
	    if how == "joined" and packets > sent / 9000 / 2:
	        sys.exit("none were joined")
	sys.exit(not found)
	END
}

# datagrams ADDRESS PORT BYTES: whether of 20 large ones just so much arrives.
datagrams()
{
	local listener

	: >gathered
	shapes db gather "$2" "$3" >>gathered &
	listener=$!
	wait_for 5 grep -q serving gathered
	shapes app segments "$1" "$2" 20 >sent
	wait "$listener"
	echo "sent $(cat sent), gathered $(tail -n 1 gathered)"
	[ "$(tail -n 1 gathered)" -eq "$3" ]
}

# send_frame KIND PORT FAMILY: from app to db.
send_frame()
{
	local source=10.0.16.10 target=10.0.32.10

	[ "$3" = 4 ] || source=fd00:0:0:20::10 target=fd00:0:0:30::10
	: >caught
	shapes app frame "$1" "$gateway" "$source" "$target" "$2" >sent
}

is_caught()
{
	grep -qxFf sent caught
}

# arrives KIND PORT FAMILY: whether the frame's datagram reaches db, as it was sent.
arrives()
{
	send_frame "$@"
	wait_for 5 is_caught && return
	cat sent caught
	return 1
}

# stays_out KIND PORT FAMILY: whether it doesn't.
stays_out()
{
	send_frame "$@"
	sleep 0.3
	! is_caught
}

drops_rise()
{
	local before after

	before=$(status_value dropped)
	"$@" || :
	after=$(status_value dropped)
	echo "from $before to $after"
	[ "$after" -gt "$before" ] && [ "$after" -le $((before + 20)) ]
}

# streams_pass WHERE joined|any
streams_pass()
{
	local where=$1 how=$2 address

	for address in 10.0.32.10 fd00:0:0:30::10; do
		it "SK-02 a stream arrives whole, $where, $address" gives "$address" 7801
		it "SK-02 and is counted, $where, $address" counts_fit "$address" "$how"
	done
	it "SK-02 its twin opens no connection, $where" \
		shut app 10.0.32.10,7802 fd00:0:0:30::10,7802
}

datagrams_pass()
{
	local where=$1 address

	for address in 10.0.32.10 fd00:0:0:30::10; do
		it "SK-05 large datagrams arrive whole, $where, $address" \
			datagrams "$address" 7801 1200000
		it "SK-05 of denied ones nothing does, $where, $address" \
			datagrams "$address" 7802 0
	done
}

# frames_pass WHERE KIND…
frames_pass()
{
	local where=$1 family kind
	shift

	for family in 4 6; do
		for kind; do
			it "L2-04 $kind arrives, $where, IPv$family" \
				arrives "$kind" 7801 "$family"
			it "L2-04 $kind to the denied port doesn't, $where, IPv$family" \
				stays_out "$kind" 7802 "$family"
		done
		it "SK-06 a wrong checksum stays so, $where, IPv$family" \
			arrives wrong 7801 "$family"
	done
	it "SK-06 no checksum stays none, $where" arrives unsummed 7801 4
}

set_mtu()
{
	local name

	for name in app db; do
		ip link set dev "$name" mtu "$1"
		in_ns "$name" ip link set dev eth0 mtu "$1"
	done
}

gateway=$(ip -o link show dev app | grep -oE 'ether [0-9a-f:]+' | cut -d' ' -f2)
for port in 7801 7802; do
	shapes db take "$port" >"taken.$port" 2>&1 &
	wait_for 5 grep -q serving "taken.$port"
done
shapes db catch >>caught 2>&1 &
wait_for 5 grep -q serving caught

# --- without an agent all of it arrives, on the other port, too ---

it "without an agent a stream arrives" gives 10.0.32.10 7802
it "without an agent large datagrams arrive" datagrams 10.0.32.10 7802 1200000
for kind in plain ring priority priorities wrong; do
	it "without an agent $kind arrives" arrives "$kind" 7802 4
	it "without an agent $kind arrives over IPv6" arrives "$kind" 7802 6
done

# --- a node's workloads: tc ---

it "the node's agent enforces" \
	start_agent - --policy policy.yaml --attach app=app --attach db=db
streams_pass "workload" joined
datagrams_pass "workload"
frames_pass "workload" plain ring priority priorities
it "SK-05 denied datagrams are counted, each at most once" drops_rise datagrams 10.0.32.10 7802 0
it "L2-04 a tag hides no port" drops_rise stays_out tag 7802 4
it "L2-04 and none over IPv6" drops_rise stays_out tag 7802 6
it_not "L2-04 nor is what is allowed dropped for it" drops_rise stays_out tag 7801 4
set_mtu 9000
streams_pass "workload, jumbo frames" joined
it "the node's agent ends" stop_agent TERM
"$BULKHEAD" detach >/dev/null

# --- a host: XDP, in the driver and before the stack ---

it "the host's agent enforces" start_agent db --policy policy.yaml --attach eth0
it "SK-03 by native XDP" sh -c "'$BULKHEAD' list endpoints | grep -q xdp-native"
streams_pass "host, native XDP, jumbo frames" any
set_mtu 1500
datagrams_pass "host, native XDP"
frames_pass "host, native XDP" plain ring priority priorities
it "the host's agent ends" stop_agent TERM
"$BULKHEAD" detach >/dev/null
export BULKHEAD_METHODS_OFF=xdp-native
it "the host's agent enforces another way" start_agent db --policy policy.yaml --attach eth0
it "SK-03 by generic XDP" sh -c "'$BULKHEAD' list endpoints | grep -q xdp-generic"
streams_pass "host, generic XDP" any
datagrams_pass "host, generic XDP"
frames_pass "host, generic XDP" ring
it "the host's agent ends again" stop_agent TERM

end_test
