#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The flow log has what tcpdump counts, to the byte: whatever becomes of the agent, the file and the
# disk meanwhile.
. "$(dirname "$0")/lib.sh"

readonly duration=8
readonly kills=3
captures=

add_station app 10.0.16.10 fd00:0:0:20::10
add_station db 10.0.32.10 fd00:0:0:30::10
two_workloads flows -- '{name: all, from: app, to: db, services: [tcp/5000-5999, udp/5000-5999]}' \
	>policy.yaml

# write_config FILE KEY…: small files, many of them, and a record a second.
write_config()
{
	local file=$1
	shift

	cat >agent.yaml <<-END
	policy: $work/policy.yaml
	attach: [app=app, db=db]
	flowLog: {file: $file, interval: 1s, $*}
	END
}

start_logging()
{
	start_agent - --config agent.yaml
}

start_capture()
{
	local interface

	for interface in app db; do
		tcpdump -i "$interface" -s 128 -B 65536 -U -n -w "$interface.pcap" \
			>"$interface.tcpdump" 2>&1 &
		captures="$captures $!"
		wait_for 10 grep -q 'listening on' "$interface.tcpdump"
	done
}

stop_capture()
{
	kill -INT $captures
	wait $captures || :
	captures=
	cat ./*.tcpdump
	! grep -qE '^[1-9][0-9]* packets dropped' ./*.tcpdump
}

kill_agent()
{
	kill -9 "$agent_pid"
	wait "$agent_pid" 2>/dev/null || :
}

# are_same PATTERN…, of files, which are more with each rotation: what is logged, and what tcpdump
# has seen.
are_same()
{
	"$python" "$here/flow_sums.py" compare $* -- app=app.pcap db=db.pcap
}

are_same_soon()
{
	wait_for 10 are_same "$@"
	are_same "$@"
}

tells_of_full_disk()
{
	status_value flow_log | grep 'No space left'
}

are_vpc_lines()
{
	"$python" "$here/flow_sums.py" lines "$@"
}

has_many_records_of()
{
	[ "$(cat flow.log* | grep -c " app .* $1 6 ")" -ge 2 ]
}

talk()
{
	reaches app 10.0.32.10 tcp/5003 udp/5004 && reaches app fd00:0:0:30::10 tcp/5003 udp/5004
}

# A busy machine has logged little so far.
is_rotated_by_talk()
{
	talk && test -s flow.log.2
}

# write_denied_config FILE FORMAT: few events are delivered of what is denied.
write_denied_config()
{
	cat >agent.yaml <<-END
	policy: $work/policy.yaml
	attach: [app=app, db=db]
	eventRate: 20
	flowLog: {file: $1, format: $2, interval: 1s}
	END
}

# deny COUNT
deny()
{
	in_ns app "$python" "$here/peer.py" flood 10.0.32.10 4000 "$1"
}

# What was dropped is what has lines, and what they say has none.
is_denied_balanced()
{
	"$python" - "$(status_value dropped)" denied.log <<-'END'
	import json, sys
	records = [json.loads(line) for line in open(sys.argv[2])]
	told = sum(r["packets"][0] for r in records if r.get("why") == "denied")
	skipped = sum(r.get("denied_skipped", 0) for r in records)
	print("dropped", sys.argv[1], "told", told, "skipped", skipped)
	sys.exit(not (told and skipped and told + skipped == int(sys.argv[1])))
	END
}

is_denied_balanced_soon()
{
	wait_for 10 is_denied_balanced
	is_denied_balanced
}

# --- exact, while it is rotated, moved away and killed ---

write_config "$work/flow.log" size: 2K, keep: 1000
serve db tcp/5003 udp/5004
start_capture
it 'the agent enforces' start_logging
start_stream app db 10.0.32.10 5001 "$duration"
start_stream app db fd00:0:0:30::10 5002 "$duration"
for _ in $(seq "$kills"); do
	it 'connections open and close' talk
	sleep 0.7
	kill_agent
	start_logging || fail 'the agent starts again'
done
mv flow.log flow.log.moved
kill -HUP "$agent_pid"
it 'what goes on is told again and again' wait_for 10 has_many_records_of 5001
it 'what is allowed goes through over IPv4' is_whole 5001
it 'what is allowed goes through over IPv6' is_whole 5002
it 'it goes on in a new file after SIGHUP' wait_for 5 test -e flow.log
it 'it is rotated' wait_for 20 is_rotated_by_talk
it 'every packet and byte is logged that tcpdump saw, and once' are_same_soon 'flow.log*'
it 'each line is one of a VPC flow log' are_vpc_lines flow.log*
it 'nothing was lost' test "$(status_value flow_log.lost)" = 0

# --- a full disk ---

mkdir small
mount -t tmpfs -o size=64k tmpfs small
head -c 64K /dev/zero >small/others || :
it 'the agent ends' stop_agent TERM
write_config "$work/small/flow.log" size: 0
it 'the agent enforces with a full disk' start_logging
it 'what is allowed goes through with a full disk' talk
it 'status tells of it' wait_for 10 tells_of_full_disk
it 'nothing is logged in parts' test ! -s small/flow.log
rm small/others
it 'what waited is logged once there is room' are_same_soon 'flow.log*' small/flow.log
it 'tcpdump has seen all of it' stop_capture

# --- other ways ---

it 'the agent ends' stop_agent TERM
write_config - format: json
it 'the agent logs to its standard output' start_logging
it 'what is allowed goes through' talk
it 'as JSON with names and rules' wait_for 5 grep -q \
	'"rule":"all".*"src":{.*"workload":"app".*"dst":{.*"workload":"db".*"packets":\[' agent.out
it 'the agent ends' stop_agent TERM
sed -i /flowLog/d agent.yaml
it 'the agent enforces without a log' start_logging
it 'there is none' test "$(status_value flow_log)" = None
it_not 'nor its tables' test -e /sys/fs/bpf/bulkhead/maps/bh_flow_told
it 'the agent ends' stop_agent TERM
"$BULKHEAD" detach

# --- what is denied ---

write_denied_config "$work/denied.log" json
it 'the agent logs what is denied' start_logging
it 'many packets are denied' deny 300
it 'each of them is in a line, or is told as skipped' is_denied_balanced_soon
it 'more of them are denied' deny 300
kill_agent
it 'the agent starts again' start_logging
it 'and more' deny 300
it 'so is each that a killed agent had not written' is_denied_balanced_soon
it 'with the reason' grep -q '"reason":"policy".*"rule":"default".*"workload":"app"' denied.log
it 'the agent ends' stop_agent TERM
write_denied_config "$work/denied.vpc" vpc
it 'the agent logs it as VPC does' start_logging
it 'yet more are denied' deny 300
it 'a line says so' wait_for 10 grep -qE \
	'^2 - app 10.0.16.10 10.0.32.10 [0-9]+ 4000 17 20( [0-9]+){3} REJECT OK$' denied.vpc
it 'and one that others were skipped' wait_for 10 grep -q 'SKIPDATA$' denied.vpc
it 'each is one of a VPC flow log' are_vpc_lines denied.vpc
it 'the agent ends' stop_agent TERM
"$BULKHEAD" detach

end_test
