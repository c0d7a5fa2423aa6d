#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# The flow log has what tcpdump counts, to the byte: whatever becomes of the agent, the file and the
# disk meanwhile.
. "$(dirname "$0")/lib.sh"

readonly duration=6
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

# are_same LOG…: what is logged, and what tcpdump has seen.
are_same()
{
	"$python" "$here/flow_sums.py" compare "$@" -- app=app.pcap db=db.pcap
}

are_same_soon()
{
	wait_for 10 are_same "$@"
	are_same "$@"
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
it 'what is allowed goes through over IPv4' is_whole 5001
it 'what is allowed goes through over IPv6' is_whole 5002
it 'it goes on in a new file after SIGHUP' wait_for 5 test -e flow.log
it 'every packet and byte is logged that tcpdump saw, and once' are_same_soon flow.log*
it 'what goes on is told again and again' has_many_records_of 5001
it 'each line is one of a VPC flow log' are_vpc_lines flow.log*
it 'it was rotated' test -s flow.log.2
it 'nothing was lost' test "$(status_value flow_log.lost)" = 0

# --- a full disk ---

mkdir small
mount -t tmpfs -o size=64k tmpfs small
head -c 64K /dev/zero >small/others || :
it 'the agent ends' stop_agent TERM
write_config "$work/small/flow.log" size: 0
it 'the agent enforces with a full disk' start_logging
it 'what is allowed goes through with a full disk' talk
it 'status tells of it' wait_for 5 grep -q 'No space left' <(sleep 2; "$BULKHEAD" status -o json)
it 'nothing is logged in parts' test ! -s small/flow.log
rm small/others
it 'what waited is logged once there is room' are_same_soon flow.log* small/flow.log
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

end_test
