#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Agents that are killed at any moment, swap policies and bring other programs, under load: what is
# allowed arrives, all of it, and nothing that is denied: LI-03, LI-04, LI-07, LI-20.
# RESTARTS, SWAPS and UPGRADES say how often.
. "$(dirname "$0")/lib.sh"

readonly restarts=${RESTARTS:-30}
readonly swaps=${SWAPS:-30}
readonly upgrades=${UPGRADES:-5}
readonly streams=100 # of TCP, and as many of UDP that want answers
readonly rate=20000  # datagrams a second that are allowed
readonly denied=2000 # and that are not, over each IP
readonly wire=/mnt/tree/build/tests/e2e/wire
readonly maps=/sys/fs/bpf/bulkhead/maps

# write_policy FILE PORT: the same but for one rule that nobody uses.
write_policy()
{
	cat >"$1" <<-END
	apiVersion: bulkhead.dev/v1
	kind: ZonePolicy
	metadata: {name: chaos}
	spec:
	  zones:
	    - {name: front, cidrs: [10.0.1.0/24, "fd00:1::/64"]}
	    - {name: back, cidrs: [10.0.2.0/24, "fd00:2::/64"]}
	  workloads:
	    - {name: client, zone: front, addresses: [10.0.1.1, "fd00:1::1"]}
	    - {name: server, zone: back, addresses: [10.0.2.1, "fd00:2::1"]}
	  rules:
	    - {name: stream, from: client, to: server, services: [udp/7001, tcp/7003, udp/7003]}
	    - {name: unused, from: client, to: server, services: tcp/$2}
	END
}

start_here()
{
	start_agent - --policy a.yaml --attach client=client --attach server=server "$@"
}

# Without waiting; what it says goes to the same places.
start_somehow()
{
	"$BULKHEAD" run --state-dir "$work/state" --policy a.yaml --attach client=client \
		--attach server=server >/dev/null 2>>agent.log &
	agent_pid=$!
}

kill_agent()
{
	kill -9 "$agent_pid"
	wait "$agent_pid" 2>/dev/null || :
}

# up_to SECONDS: sleeps for a random part of them.
up_to()
{
	sleep "$(awk -v most="$1" -v part="$RANDOM" 'BEGIN { print most * part / 32768 }')"
}

# What the network lost by itself: full queues and sockets.
lost_elsewhere()
{
	local total=0 file
	for file in /sys/class/net/{client,server}/statistics/{rx,tx}_dropped; do
		total=$((total + $(cat "$file")))
	done
	total=$((total + $(in_ns server awk '/^Udp6RcvbufErrors/ { n += $2 }
		END { print n + 0 }' /proc/net/snmp6)))
	echo $((total + $(in_ns server awk '$1 == "Udp:" && $6 ~ /^[0-9]/ { n += $6 }
		END { print n + 0 }' /proc/net/snmp) + $(in_ns server ip -s -j link show dev eth0 |
		"$python" -c 'import json, sys
stats, = json.load(sys.stdin)
print(stats["stats64"]["rx"]["dropped"])')))
}

# drops_but REASON…: packets that we dropped for other reasons than these.
drops_but()
{
	"$BULKHEAD" status -o json | "$python" -c '
import json, sys
drops = json.load(sys.stdin)["drops"]
print(sum(drop["packets"] for reason, drop in drops.items() if reason not in sys.argv[1:]))' "$@"
}

received()
{
	awk -v port="$1" '$1 == port { print $2 }' counted
}

# all_answered PROTOCOL MISSING: but so many.
all_answered()
{
	awk -v kind="$1" -v may="$2" '$2 == kind { n++; missing += $3 - $4 }
		END { print n, "flows", missing, "missing"; exit n == 0 || missing > may }' talked
}

write_policy a.yaml 81
write_policy b.yaml 82
printf 'vlan: pass\n' >other.yaml
add_station client 10.0.1.1 fd00:1::1
add_station server 10.0.2.1 fd00:2::1
in_ns server "$python" "$here/flows.py" echo 7003 >echo &
# Not by in_ns: these get signals.
nsenter --net=/run/netns/server -- "$wire" count 7001 7002 >counted 3>&- &
counter=$!
wait_for 10 grep -q serving echo
wait_for 10 grep -q serving counted
it "an agent enforces" start_here
ids=$(bpftool map show pinned "$maps/bh_conns" | sed -n 1p)

before=$(lost_elsewhere)
senders=
for stream in "::ffff:10.0.2.1 7001 $rate" "::ffff:10.0.2.1 7002 $denied" \
	"fd00:2::1 7002 $denied"; do
	# shellcheck disable=SC2086 # three words
	nsenter --net=/run/netns/client -- "$wire" send $stream \
		>"sent.$(echo "$stream" | tr ' :' '--')" 3>&- &
	senders="$senders $!"
done
in_ns client "$python" "$here/flows.py" beat $((restarts * 2 + swaps / 4 + upgrades * 3 + 5)) \
	"$streams" 10.0.2.1,7003 >talked &
talker=$!
wait_for 10 grep -q talking talked

for _ in $(seq "$restarts"); do
	kill_agent
	start_somehow
	up_to 2.5
done
kill_agent
it "LI-03: after $restarts times kill -9, at any moment, an agent starts" start_here
for i in $(seq "$swaps"); do
	"$BULKHEAD" apply "$([ $((i % 2)) -eq 0 ] && echo a.yaml || echo b.yaml)" >/dev/null ||
		fail "LI-07: swap $i"
	up_to 0.2
done
for i in $(seq "$upgrades"); do
	stop_agent TERM || :
	# What is constant in a program decides what the kernel makes of it.
	if [ $((i % 2)) -eq 0 ]; then
		start_here || fail "upgrade $i"
	else
		start_here --config other.yaml || fail "upgrade $i"
	fi
done

wait "$talker"
# shellcheck disable=SC2086 # pids
kill $senders
# shellcheck disable=SC2086
wait $senders || :
sleep 1
kill "$counter"
wait "$counter" || :

sent=$(awk '{ print $1 }' sent.--ffff-10.0.2.1-7001-*)
not_allowed=$(cat sent.*-7002-* | awk '{ n += $1 } END { print n }')
lost=$((sent - $(received 7001)))
elsewhere=$(($(lost_elsewhere) - before))
echo "# allowed: $sent sent at $(awk '{ print $2 }' sent.--ffff-10.0.2.1-7001-*)/s, $lost lost," \
	"$elsewhere by full queues and sockets; denied: $not_allowed sent, $(received 7002) arrived"
it "LI-04: enough was sent" test "$sent" -gt 100000
it "LI-04: no allowed datagram was lost, but by full queues and sockets" \
	test "$lost" -le "$elsewhere"
it "LI-04: no denied one arrived" test "$(received 7002)" -eq 0
it "LI-04: each of them was counted" test "$("$python" - <<END
import json, subprocess
status = json.loads(subprocess.check_output(["$BULKHEAD", "status", "-o", "json"]))
print(status["drops"]["policy"]["packets"])
END
)" -eq "$not_allowed"
it "LI-04: and nothing was dropped for any other reason" test "$(drops_but policy)" -eq 0
it "LI-04: $streams connections lost no byte" all_answered tcp 0
it "LI-04: nor did as many conversations over UDP, but there" all_answered udp "$elsewhere"
it "LI-20: maps are the same ones as at the beginning" \
	test "$(bpftool map show pinned "$maps/bh_conns" | sed -n 1p)" = "$ids"
it "LI-20: and no link more than four" \
	test "$(find /sys/fs/bpf/bulkhead/links -mindepth 1 | wc -l)" -eq 4
it "the agent stops" stop_agent TERM
it "detach leaves nothing" "$BULKHEAD" detach

end_test
