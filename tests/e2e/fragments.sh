#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Datagrams in pieces, as the kernel and as an attacker makes them; and a service's address, whose
# packets are judged by the end that really gets them.
. "$(dirname "$0")/lib.sh"

readonly many=1000
db4=10.0.32.10 db6=fd00:0:0:30::10 virtual4=192.0.2.30 virtual6=2001:db8:30::1

add_station app 10.0.16.10 fd00:0:0:20::10
add_station db "$db4" "$db6"
add_station visitor 198.51.100.7 2001:db8:1::7

# write_policy FILE RULE…
write_policy()
{
	local file=$1
	shift

	two_workloads pieces '{name: visitors, cidrs: [198.51.100.0/24, "2001:db8:1::/64"]}' \
		"{name: service, cidrs: [$virtual4, \"$virtual6\"]}" \
		-- '{name: good, from: app, to: db, services: udp/7801}' "$@" >"$file"
}

pieces()
{
	local name=$1
	shift

	in_ns "$name" "$python" "$here/pieces.py" "$@"
}

# answered STATION ADDRESS PORT COUNT WANTED
answered()
{
	local came seconds=10

	[ "$5" -gt 0 ] || seconds=1
	came=$(pieces "$1" ask "$2" "$3" "$4" "$seconds")
	echo "$came came back"
	[ "$came" -eq "$5" ]
}

# sends FAMILY PIECE…: from app to db.
sends()
{
	local source=10.0.16.10 target=$db4 family=$1
	shift

	[ "$family" = 4 ] || source=fd00:0:0:20::10 target=$db6
	: >echoed
	pieces app pieces "$gateway" "$source" "$target" "$@"
	sleep 0.2
	cat echoed
}

# arrive WANTED FAMILY PIECE…: WANTED is the ports of what was put together, one after another.
arrive()
{
	local wanted=$1
	shift

	sends "$@"
	wait_for 5 have_arrived "$wanted"
}

have_arrived()
{
	[ "$(cut -d' ' -f1 echoed | xargs)" = "$1" ]
}

has_event()
{
	"$BULKHEAD" observe --last 1000 --reason "$1" | grep -E -- "$2"
}

gateway=$(ip -o link show dev app | grep -oE 'ether [0-9a-f:]+' | cut -d' ' -f2)
pieces db echo 7801 7802 >>echoed 2>&1 &
wait_for 5 grep -q serving echoed
it "without an agent pieces are put together" arrive 7802 4 first:7802:1 middle:7802:1 tail:7802:1
it "without an agent they are over IPv6" arrive 7802 6 first:7802:1 middle:7802:1 tail:7802:1
it "without an agent their order is no matter" \
	arrive 7802 4 tail:7802:2 middle:7802:2 first:7802:2
write_policy policy.yaml
it "the agent enforces" start_agent - --policy policy.yaml --attach app=app --attach db=db

for address in "$db4" "$db6"; do
	it "FR-01 large datagrams pass, and their answers, $address" \
		answered app "$address" 7801 "$many" "$many"
	: >echoed
	it "FR-02 denied ones don't, $address" answered app "$address" 7802 2 0
	it "FR-02 and nothing of them arrives, $address" test ! -s echoed
done
it "FR-02 the first piece is told with its ports" \
	has_event policy "10\.0\.16\.10:[0-9]+ -> .*$db4:7802 udp "
it "FR-02 and over IPv6" has_event policy "fd00:0:0:20::10\]:[0-9]+ -> .*:7802 udp "
it "FR-02 the others have none" has_event fragment "10\.0\.16\.10 -> .*$db4 udp "
it "FR-02 and none over IPv6" has_event fragment "fd00:0:0:20::10 -> .* udp "

for family in 4 6; do
	it "FR-03 tails alone are nothing, IPv$family" \
		arrive "" "$family" middle:7801:10 tail:7801:10
	it "FR-04 the end first is lost, IPv$family" \
		arrive "" "$family" tail:7801:11 middle:7801:11 first:7801:11
	it "FR-04 the next try in order works, IPv$family" \
		arrive 7801 "$family" first:7801:12 middle:7801:12 tail:7801:12
	it "FR-04 of a denied one nothing works, IPv$family" \
		arrive "" "$family" tail:7802:13 middle:7802:13 first:7802:13 \
		first:7802:13 middle:7802:13 tail:7802:13
	it "FR-06 a denied first doesn't take over the tails, IPv$family" \
		arrive 7801 "$family" first:7801:14 first:7802:14 middle:7801:14 tail:7801:14
	it "FR-06 nor when it is first, IPv$family" \
		arrive 7801 "$family" first:7802:15 first:7801:15 middle:7801:15 tail:7801:15
	it "FR-06 what reaches into the first opens no port, IPv$family" \
		arrive "" "$family" first:7801:16 overlap:7802:16 tail:7802:16
done

# --- a service's address ---

"$python" "$here/pieces.py" translate nat "$virtual4,$virtual6" "$db4,$db6" >translated 2>&1 &
wait_for 5 grep -q serving translated
ip link set dev nat up
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.nat.rp_filter=0
ip route add "$virtual4" dev nat
ip -6 route add "$virtual6" dev nat
ip route add default dev nat table 100
ip -6 route add default dev nat table 100
ip rule add iif db lookup 100
ip -6 rule add iif db lookup 100
serve db tcp/7801
serve visitor tcp/7801

for rule in "" "{name: virtual, from: visitors, to: service, services: any}"; do
	write_policy policy.yaml ${rule:+"$rule"}
	it "the policy changes" exits_with 0 "$BULKHEAD" apply policy.yaml
	it "CT-18 a service's end must be allowed${rule:+, its address is not enough}" \
		shut visitor "$virtual4,30080" "$virtual6,30080"
	it "CT-18 nor directly" shut visitor "$db4,7801" "$db6,7801"
done
it "CT-18 the end is told" has_event policy "198\.51\.100\.7:[0-9]+ -> db\(data\) $db4:7801 tcp "
it "CT-18 and over IPv6" has_event policy "2001:db8:1::7\]:[0-9]+ -> db\(data\) .*:7801 tcp "
write_policy policy.yaml "{name: real, from: visitors, to: db, services: [tcp/7801, udp/7801]}"
it "the policy changes" exits_with 0 "$BULKHEAD" apply policy.yaml
for address in "$virtual4" "$virtual6"; do
	it "CT-18 a service answers, $address" open visitor "$address,30080"
	it "FR-10 large datagrams to a service, and their answers, $address" \
		answered visitor "$address" 30080 20 20
done
it "CT-18 its end answers directly" open visitor "$db4,7801" "$db6,7801"
it "CT-18 the end opens nothing itself" shut db 198.51.100.7,7801 2001:db8:1::7,7801
it "the agent ends" stop_agent TERM

end_test
