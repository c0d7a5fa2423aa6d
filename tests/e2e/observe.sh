#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What was dropped, in every format: live, later and from a file; packets as other programs read
# them; repeats as one line; and a summary that adds up.
. "$(dirname "$0")/lib.sh"

add_station server 192.0.2.10 2001:db8::10
add_station visitor 198.51.100.7 2001:db8:1::7

# try4|try6 PORT COUNT: so many packets to a port that is denied, from one source port each.
try4()
{
	in_ns visitor "$python" "$here/peer.py" flood 192.0.2.10 "$1" "$2"
}

try6()
{
	in_ns visitor "$python" "$here/peer.py" flood 2001:db8::10 "$1" "$2"
}

# sum FILE: of how many events its JSON lines are.
sum()
{
	"$python" -c '
import json, sys
print(sum(json.loads(line)["count"] for line in open(sys.argv[1])))' "$1"
}

sees()
{
	[ "$(wc -l <"$1")" -ge "$2" ]
}

follow()
{
	local name=$1
	shift

	"$BULKHEAD" observe -f "$@" >"$work/$name" 2>"$work/$name.err" &
	followers="$followers $!"
}

end_follows()
{
	# shellcheck disable=SC2086
	kill -INT $followers
	# shellcheck disable=SC2086
	wait $followers || :
	followers=
}

followers=
it "the agent enforces" start_agent server --policy "$policies/web-server.yaml" --attach eth0 \
	--event-rate 0

# --- live ---

follow all -o json
follow pcap --pcap "$work/drops.pcapng" --not --port 9003
follow flows -o flowlog
follow table -o table --port 9002
wait_for 5 is_followed 4
try4 9001 1
try6 9002 1
try4 9003 3
wait_for 5 sees all 3
sleep 2.2
delivered_before=$(status_value books.deny.delivered)
end_follows

# Kernels say something of their own now and then, which is denied, too.
has_every_event()
{
	local shown delivered

	shown=$(sum all) delivered=$(status_value books.deny.delivered)
	echo "$shown of $delivered_before to $delivered"
	[ "$shown" -ge "$delivered_before" ] && [ "$shown" -le "$delivered" ]
}

it "every event is in the tail" has_every_event
it "the summary adds up" grep -E \
	'^bulkhead: ([0-9]+) events = \1 shown \+ 0 filtered out \+ 0 missed; deny: ' all.err
it "and counts what a filter left out" grep -E \
	' = [0-9]+ shown \+ [1-9][0-9]* filtered out \+ 0 missed' table.err
it "a table has its heading, and what passes the filter" \
	sh -c "head -n 1 table | grep -q ^TIME && grep -q '2001:db8::10\]:9002' table"
it "a flow log is 14 fields of version 2" awk '
	/:9003/ { exit 1 }
	NF != 14 || $1 != 2 || $13 != "REJECT" || $14 != "OK" { bad = 1 }
	$7 == 9001 && $4 == "198.51.100.7" && $5 == "192.0.2.10" && $8 == 17 && $9 == 1 { seen = 1 }
	END { exit bad || !seen }' "$work/flows"

# --- packets ---

it "a capture is pcapng, says capinfos" sh -c "capinfos -t '$work/drops.pcapng' | grep -q pcapng"
tshark -r "$work/drops.pcapng" -T fields -e frame.interface_name -e ip.dst -e ipv6.dst \
	-e udp.dstport -e frame.comment -e udp.payload 2>/dev/null >packets || :
it "tshark reads the packet and why it was dropped" grep -E \
	$'eth0\t192.0.2.10\t\t9001\tdeny rule=default reason=policy .*from=internet to=web' packets
it "IPv6, too" grep -E $'^eth0\t\t2001:db8::10\t9002\tdeny rule=default' packets
it_not "what the filter left out is not in the capture" grep 9003 packets
it "nobody wants packets any more" sh -c "'$BULKHEAD' observe --last 1 -o json | grep -v packet"

# --- repeats ---

are_told_as_one()
{
	"$BULKHEAD" observe --port 9010 -o json >repeats
	[ "$(sum repeats)" -ge 45 ] && [ "$(wc -l <repeats)" -le 10 ]
}

try4 9010 50
it "repeats are told as one, with their number" wait_for 2 are_told_as_one
it "also to people" sh -c "'$BULKHEAD' observe --port 9010 | grep -qE ' count=[0-9]+\$'"

# --- at once, and nothing in vain ---

# Of drops that come one by one: half of them are told within 50 ms, however busy the machine is,
# and 99 of 100 where it isn't.
is_prompt()
{
	"$BULKHEAD" observe -f -o json | "$python" -c '
import datetime, json, sys, time
late = []
for line in sys.stdin:
    event = json.loads(line)
    if 20000 <= event["dst"].get("port", 0) < 20200:
        then = datetime.datetime.strptime(event["time"] + "+0000", "%Y-%m-%dT%H:%M:%S.%fZ%z")
        late.append(time.time() - then.timestamp())
    if len(late) == 200:
        break
late.sort()
print("ms from drop to line: median %.1f, p99 %.1f" % (late[100] * 1000, late[198] * 1000))
sys.exit(late[100] > 0.05)' >prompt &
	wait_for 5 is_followed 1
	in_ns visitor "$python" -c '
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in range(20000, 20200):
    s.sendto(b"x", ("192.0.2.10", port))
    time.sleep(0.007 + port % 10 / 1000)'
	wait $!
	cat prompt
}

wakeups()
{
	awk '/^voluntary/ { print $2 }' "/proc/$(status_value pid)/status"
}

sleeps_when_idle()
{
	local before begin ms woke

	sleep 1.5
	begin=${EPOCHREALTIME/./}
	before=$(wakeups)
	sleep 2
	woke=$(($(wakeups) - before)) ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
	echo "woke $woke times in $ms ms"
	[ $((woke * 1000)) -lt $((20 * ms)) ]
}

it "a drop is told at once" is_prompt
sed 's/^/# /' prompt
it "an agent with nothing to do sleeps" sleeps_when_idle

# --- from a file ---

# Unless a kernel says something of its own in between.
reads_file_like_agent()
{
	"$BULKHEAD" observe --last 1000 -o json >events.jsonl &&
		"$BULKHEAD" observe --last 1000 >from-agent &&
		"$BULKHEAD" observe --input-file events.jsonl >from-file && cmp from-agent from-file
}

it "a file is read like the agent" wait_for 2 reads_file_like_agent
it "filters hold there" sh -c "
	[ \$('$BULKHEAD' observe --input-file - --port 9001 <events.jsonl | wc -l) -eq 1 ]"
"$BULKHEAD" observe --input-file events.jsonl --to web-server >parts
"$BULKHEAD" observe --input-file events.jsonl --not --to web-server >>parts
it "a filter and its negation are all" test "$(wc -l <parts)" -eq "$(wc -l <events.jsonl)"
echo '{"time":' >>events.jsonl
it "a bad line is told" sh -c "'$BULKHEAD' observe --input-file events.jsonl 2>&1 >/dev/null |
	grep -q 'events.jsonl:[0-9]*: no event'"

# --- more than there is room for ---

# Connections are closed with their process.
too_many_follow()
{
	"$python" - <<-'END'
	import socket, subprocess, sys
	followers = []
	for _ in range(100):
	    s = socket.socket(socket.AF_UNIX)
	    s.connect("/run/bulkhead/control.sock")
	    s.send(b'{"op":"observe","last":0,"follow":true}\n')
	    followers.append(s)
	sys.exit(subprocess.run(["/mnt/bin/bulkhead", "status"]).returncode)
	END
}

it "those who follow can't keep others out" too_many_follow

# --- across agents ---

has_each_once()
{
	local port

	for port in 9101 9102 9103; do
		[ "$(grep -c "192.0.2.10:$port " again)" -eq 1 ] || return 1
	done
}

follow again --port 9101 --port 9102 --port 9103
wait_for 5 is_followed 1
try4 9101 1
wait_for 5 grep -q :9101 again
stop_agent KILL || :
it "a follow waits for it" wait_for 5 grep -q 'waiting for it' again.err
try4 9102 1
it "the agent starts again" start_agent server --policy "$policies/web-server.yaml" \
	--attach eth0 --event-rate 0
it "the follow goes on" wait_for 5 grep -q 'is back' again.err
try4 9103 1
it "with what was dropped meanwhile, and nothing twice" wait_for 5 has_each_once
stop_agent TERM
wait_for 5 sh -c '[ "$(grep -c "waiting for it" again.err)" -eq 2 ]'
end_follows
it "and ends with its summary when nobody comes back" grep -q 'events = 3 shown' again.err
it "the agent starts again" start_agent server --policy "$policies/web-server.yaml" --attach eth0
it "the agent ends" stop_agent TERM
"$BULKHEAD" detach
end_test
