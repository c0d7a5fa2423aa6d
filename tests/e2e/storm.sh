#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# LI-18, LI-19: a workload sends a million packets that are denied.  With a reader that stands still
# every event is delivered or counted as lost; with one that runs, it costs others no call.
. "$(dirname "$0")/lib.sh"

readonly storm=1000000
readonly calls=200
db4=10.0.32.10 db6=fd00:0:0:30::10

add_station attacker 198.18.0.1
add_station client 10.0.16.10 fd00:0:0:20::10
add_station db "$db4" "$db6"
ip route add 198.18.0.0/15 dev attacker
serve db tcp/443

cat >policy.yaml <<END
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: storm}
spec:
  zones:
    - {name: lab,      cidrs: [198.16.0.0/13]}
    - {name: internal, cidrs: [10.0.16.0/20, "fd00:0:0:20::/64"]}
    - {name: data,     cidrs: [10.0.32.0/20, "fd00:0:0:30::/64"]}
  workloads:
    - {name: attacker, zone: lab, addresses: [198.18.0.0/15]}
    - {name: client, zone: internal, addresses: [10.0.16.10, "fd00:0:0:20::10"]}
    - {name: db, zone: data, addresses: [$db4, "$db6"]}
  rules:
    - {name: call, from: client, to: db, services: tcp/443}
END

# start_storm: from the attacker to a port of db that nobody may reach.
start_storm()
{
	in_ns attacker "$python" "$here/flood.py" syns eth0 "$gateway" "$db4" 444 "$storm" \
		>stormed &
	storming=$!
}

# How many came out of the attacker's cable.
arrived()
{
	cat /sys/class/net/attacker/statistics/rx_packets
}

# books: dropped produced delivered suppressed lost
books()
{
	"$BULKHEAD" status -o json | "$python" -c '
import json, sys
status = json.load(sys.stdin)
books = status["books"]["deny"]
print(status["dropped"], books["produced"], books["delivered"], books["suppressed"],
      books["lost"])'
}

are_settled()
{
	local first

	first=$(books)
	sleep 0.3
	[ "$first" = "$(books)" ]
}

# is_exact ARRIVED: every packet was dropped, and every drop is in the books.
is_exact()
{
	local dropped produced delivered suppressed lost

	read -r dropped produced delivered suppressed lost <<<"$(books)"
	echo "of $1 packets dropped $dropped = produced $produced = delivered $delivered +" \
		"suppressed $suppressed + lost $lost"
	# Some packets on the cable are of the kernels themselves.
	[ "$dropped" -le "$1" ] && [ "$dropped" -gt $(($1 - 100)) ] &&
		[ "$produced" -eq "$dropped" ] &&
		[ "$produced" -eq $((delivered + suppressed + lost)) ]
}

# call: what nine of ten calls take less than.
call()
{
	in_ns client "$python" "$here/flood.py" call "$1" 443 "$calls" >called || return 1
	cat called
}

# spent: clock ticks of the CPU that the agent has used.
spent()
{
	awk '{ print $14 + $15 }' "/proc/$agent_pid/stat"
}

resident_kib()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$agent_pid/status"
}

start_here()
{
	start_agent - --policy policy.yaml --adopt 0 --attach attacker=attacker \
		--attach client=client --attach db=db "$@"
}

gateway=$(ip -o link show dev attacker | grep -oE 'ether [0-9a-f:]+' | cut -d' ' -f2)

# --- LI-18: the reader stands still ---

it "the agent enforces, with no limit of events" start_here --event-rate 0
before=$(arrived)
kill -STOP "$agent_pid"
start_storm
it "LI-18 while nobody reads, who may call calls" call "$db4"
it "LI-18 over IPv6, too" call "$db6"
it "LI-18 and what is denied is shut" shut client "$db4,444" "$db6,444"
it "LI-18 the storm is over" wait "$storming"
kill -CONT "$agent_pid"
wait_for 20 are_settled || :
# Beside the storm there is what was shut, some of it said twice.
it "LI-18 every drop is delivered or lost, exactly" is_exact $(($(arrived) - before + 20))
sed 's/^/# /' it.log
it "LI-18 some were lost" test "$(status_value books.deny.lost)" -gt 0
it "the agent ends" stop_agent TERM
"$BULKHEAD" detach >/dev/null

# --- LI-19: a storm of events ---

it "the agent enforces" start_here
resident=$(resident_kib)
it "LI-19 calls in peace" call "$db4"
peace=$(cat called)
ticks=$(spent) begin=$EPOCHREALTIME
before=$(arrived)
start_storm
it "LI-19 calls in the storm are all answered" call "$db4"
it "LI-19 the storm is over" wait "$storming"
ticks=$(($(spent) - ticks)) wall=$(((${EPOCHREALTIME/./} - ${begin/./}) / 10000))
echo "# nine of ten calls took less than $peace us in peace, $(cat called) us in the storm;" \
	"the agent: $ticks of $wall hundredths of a second, $resident KiB before," \
	"$(resident_kib) KiB after"
# Both CPUs are taken by the storm itself.
it "LI-19 they take little longer" test "$(cat called)" -lt $((2 * peace + 50000))
it "LI-19 the agent has most of a CPU to spare" test $((2 * ticks)) -lt "$wall"
it "LI-19 it doesn't grow" test "$(resident_kib)" -lt $((resident + 16384))
wait_for 20 are_settled || :
it "LI-19 the books are exact" is_exact $(($(arrived) - before))
sed 's/^/# /' it.log
it "LI-19 most events were suppressed" \
	test "$(status_value books.deny.suppressed)" -gt $((storm / 2))
it "the agent ends again" stop_agent TERM

end_test
