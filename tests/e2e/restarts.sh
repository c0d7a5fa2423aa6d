#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Agents that are killed at any moment, swap policies and are of other releases, under load: what is
# allowed arrives, all of it, and nothing that is denied: LI-03, LI-04, LI-07, LI-20, LI-21.
# RESTARTS, SWAPS and UPGRADES say how often; `make test-long` takes 100, 100 and 20.
. "$(dirname "$0")/lib.sh"

readonly restarts=${RESTARTS:-10}
readonly swaps=${SWAPS:-10}
readonly upgrades=${UPGRADES:-2}
readonly streams=1000 # of TCP, and as many of UDP that want answers
readonly rate=50000   # datagrams a second that are allowed
readonly denied=1000  # and that are not, over each IP
readonly wire=/mnt/tree/build/tests/e2e/wire
readonly next=/mnt/tree/build/tests/e2e/bulkhead-next   # other code over the same maps
readonly other=/mnt/tree/build/tests/e2e/bulkhead-other # a map of another layout
readonly pins=/sys/fs/bpf/bulkhead
workloads=(- --attach client=client --attach server=server)
readonly host=(server --attach eth0)

# write_policy FILE PORT: the same but for one rule that nobody uses.
write_policy()
{
	local used='[udp/7001, tcp/7003, udp/7003]'

	client_and_server chaos "{name: stream, from: client, to: server, services: $used}" \
		"{name: unused, from: client, to: server, services: tcp/$2}" >"$1"
}

cat >as_unit <<'END'
#!/bin/sh
# With what the unit gives to an agent.
exec setpriv --bounding-set=-all,+bpf,+net_admin,+perfmon,+chown --inh-caps=-all -- "$RELEASE" "$@"
END
chmod +x as_unit

# start_release PROGRAM PLACE OPTION…
start_release()
{
	RELEASE=$1 BULKHEAD=$work/as_unit start_agent "${@:2}" --policy a.yaml
}

# Without waiting; what it says goes to the same places.
start_somehow()
{
	"$BULKHEAD" run --state-dir "$work/state" --policy a.yaml "${workloads[@]:1}" \
		>/dev/null 2>>agent.log &
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

# lost_by COMMAND…: by queues, both ways, as the command shows /proc/net/dev.
lost_by()
{
	"$@" cat /proc/net/dev | awk '/eth0:|client:|server:/ { sub(/.*:/, ""); n += $4 + $12 }
		END { print n + 0 }'
}

# lost_by_sockets STATION: for want of room, over UDP.
lost_by_sockets()
{
	in_ns "$1" cat /proc/net/snmp | awk '$1 == "Udp:" && $6 ~ /^[0-9]/ { print $6 }'
	in_ns "$1" awk '/^Udp6RcvbufErrors/ { print $2 }' /proc/net/snmp6
}

# What the network lost by itself, wherever a question or its answer goes through.
lost_elsewhere()
{
	local station

	{
		lost_by env
		for station in client server; do
			lost_by in_ns "$station"
			lost_by_sockets "$station"
		done
	} | awk '{ n += $1 } END { print n }'
}

# What the kernel counts in all three namespaces, a word and a number a line.
network_counts()
{
	local station

	for station in env "in_ns client" "in_ns server"; do
		# shellcheck disable=SC2086 # words
		$station cat /proc/net/snmp /proc/net/netstat | awk -v at="${station##* }" '
			$1 != was { was = $1; split($0, name); next }
			{ for (i = 2; i <= NF; i++) print at, $1 name[i], $i; was = "" }'
		# shellcheck disable=SC2086
		$station cat /proc/net/dev | awk -v at="${station##* }" \
			'NR > 2 { print at, $1 "dropped", $5 + $13 }'
	done
}

# Where packets may have been lost that nobody expected to be.
show_losses()
{
	network_counts | diff counts_before - | grep '^>' |
		grep -iE 'drop|err|discard|fail|unreach|overflow|prune|nohandler|retrans|noroute' |
		sed 's/^>/#/'
}

# Segments that TCP sent again; on a busy machine also some that were not lost.
sent_again()
{
	local station

	for station in client server; do
		in_ns "$station" awk '$1 == "Tcp:" && $13 ~ /^[0-9]/ { print $13 }' /proc/net/snmp
	done | awk '{ n += $1 } END { print n }'
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
	awk -v kind="$1" -v may="$2" -v streams="$streams" '
		$2 == kind { n++; missing += $3 - $4 }
		END { print n, "flows", missing, "missing"; exit n != streams || missing > may }' \
		talked || { show_losses && false; }
}

# tags: of the programs that run, each once, by the kernel's own word.  What sends answers is the
# same in all releases.
tags()
{
	local pin id

	for pin in "$pins"/links/*; do
		case $pin in
		*-clsact-*)
			tc filter show dev "$(interface_of "$pin")" "$(way_of "$pin")" |
				grep -o 'tag [0-9a-f]*'
			continue
			;;
		*-qdisc | *-answer)
			continue
			;;
		esac
		id=$(bpftool link show pinned "$pin" | grep -oE 'prog [0-9]+')
		bpftool prog show id "${id#prog }" | grep -o 'tag [0-9a-f]*'
	done | sort
}

# program_of LINK…
program_of()
{
	local pin

	for pin in "$@"; do
		bpftool link show pinned "$pin" | sed -n 's/.*prog \([0-9]*\).*/\1/p'
	done
}

program_ids()
{
	program_of "$pins"/links/* | sort
}

interface_of()
{
	local index=${1##*/}

	ip -o link | awk -F': |@' -v index_="${index%%-*}" '$1 == index_ { print $2 }'
}

way_of()
{
	case $1 in
	*-in-*) echo ingress ;;
	*) echo egress ;;
	esac
}

# within NUMBER LEAST MOST
within()
{
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# differ TAGS TAGS: in every line.
differ()
{
	[ -n "$1" ] && [ -z "$(comm -12 <(echo "$1") <(echo "$2"))" ]
}

map_ids()
{
	for map in "$pins"/maps/*; do
		bpftool map show pinned "$map" | sed -n 's/^\([0-9]*: .* name [^ ]*\).*/\1/p'
	done | sort
}

second_is_told()
{
	exits_with 1 "$other" run --state-dir "$work/state" --socket "$work/second.sock" \
		--policy a.yaml "${workloads[@]:1}" && grep "another agent runs" err
}

# --- load ---

# has_come PACKETS: from the client, since the load began.
has_come()
{
	[ $(($(cat /sys/class/net/client/statistics/rx_packets) - came_before)) -ge "$1" ]
}

begin_load()
{
	local stream

	: >talked
	: >counted
	# Before all of it: the talker's first words, all at once, are what queues like least.
	before=$(lost_elsewhere)
	network_counts >counts_before
	again=$(sent_again)
	came_before=$(cat /sys/class/net/client/statistics/rx_packets)
	nsenter --net=/run/netns/server -- "$wire" count 7001 7002 >counted 3>&- &
	counter=$!
	wait_for 10 grep -q serving counted
	nsenter --net=/run/netns/client -- "$python" "$here/flows.py" beat 3600 "$streams" \
		10.0.2.1,7003 >talked 3>&- &
	talker=$!
	wait_for 30 grep -q talking talked
	senders=
	rm -f sent.*
	for stream in "::ffff:10.0.2.1 7001 $rate" "::ffff:10.0.2.1 7002 $denied" \
		"fd00:2::1 7002 $denied"; do
		# shellcheck disable=SC2086 # three words
		nsenter --net=/run/netns/client -- "$wire" send $stream \
			>"sent.$(echo "$stream" | tr ' :' '--')" 3>&- &
		senders="$senders $!"
	done
}

# On a busy machine it goes on until enough was sent.
end_load()
{
	wait_for 10 has_come $((2 * rate)) || :
	# shellcheck disable=SC2086 # pids
	kill $senders "$talker"
	# shellcheck disable=SC2086
	wait $senders || :
	wait "$talker"
	kill "$counter"
	wait "$counter" || :
	sent=$(awk '{ print $1 }' sent.--ffff-10.0.2.1-7001-*)
	not_allowed=$(cat sent.*-7002-* | awk '{ n += $1 } END { print n }')
	lost=$((sent - $(received 7001)))
	elsewhere=$(($(lost_elsewhere) - before))
}

# ends_well WORDS: what was sent since begin_load.
ends_well()
{
	end_load
	echo "# $1: allowed: $sent sent at $(awk '{ print $2 }' sent.--ffff-10.0.2.1-7001-*)/s," \
		"$lost lost, $elsewhere by full queues and sockets; denied: $not_allowed sent," \
		"$(received 7002) arrived; TCP sent $(($(sent_again) - again)) segments again"
	it "$1: enough was sent" test "$sent" -gt $((rate / 2))
	it "$1: no allowed datagram was lost, but by full queues and sockets" \
		test "$lost" -le "$elsewhere"
	it "$1: no denied one arrived" test "$(received 7002)" -eq 0
	it "$1: $streams connections lost no byte" all_answered tcp 0
	it "$1: nor did as many conversations over UDP, but there" all_answered udp "$elsewhere"
}

# all_counted WORDS: by the same maps, from the beginning.
all_counted()
{
	local least=$((not_allowed - elsewhere + lost))

	it "$1: each denied one was counted, but there" \
		within "$(status_value drops.policy.packets)" "$least" "$not_allowed"
	it "$1: and nothing was dropped for any other reason" test "$(drops_but policy)" -eq 0
}

# upgrade_under_load WORDS METHODS-OFF PLACE OPTION…: there and back, again and again.
upgrade_under_load()
{
	local words=$1 release

	export BULKHEAD_METHODS_OFF=$2
	shift 2
	it "$words: an agent enforces" start_release "$BULKHEAD" "$@"
	ids=$(map_ids)
	begin_load
	for i in $(seq "$upgrades"); do
		before_tags=$(tags)
		stop_agent TERM || :
		release=$next
		[ $((i % 2)) -eq 1 ] || release=$BULKHEAD
		start_release "$release" "$@" || fail "$words: upgrade $i"
		it "$words: other programs are in force, all of them ($i)" \
			differ "$before_tags" "$(tags)"
		sleep 0.3
	done
	ends_well "$words"
	all_counted "$words"
	it "$words: maps are the same ones as at the beginning" test "$(map_ids)" = "$ids"
	stop_agent TERM || :
	"$BULKHEAD" detach >/dev/null
	unset BULKHEAD_METHODS_OFF
}

ulimit -n 16384
write_policy a.yaml 81
write_policy b.yaml 82
add_station client 10.0.1.1 fd00:1::1
add_station server 10.0.2.1 fd00:2::1
in_ns server "$python" "$here/flows.py" echo 7003 >echo &
wait_for 10 grep -q serving echo

# --- kills and swaps ---

it "an agent enforces" start_release "$BULKHEAD" "${workloads[@]}"
ids=$(map_ids)
begin_load
for _ in $(seq "$restarts"); do
	kill_agent
	start_somehow
	up_to 0.8
done
kill_agent
it "LI-03: after $restarts times kill -9, at any moment, an agent starts" \
	start_release "$BULKHEAD" "${workloads[@]}"
for i in $(seq "$swaps"); do
	"$BULKHEAD" apply "$([ $((i % 2)) -eq 0 ] && echo a.yaml || echo b.yaml)" >/dev/null ||
		fail "LI-07: swap $i"
	up_to 0.2
done
ends_well "LI-04, LI-07"
all_counted "LI-04, LI-07"
it "LI-20: maps are the same ones as at the beginning" test "$(map_ids)" = "$ids"
it "LI-20: and no link more than four" test "$(find "$pins/links" -mindepth 1 | wc -l)" -eq 4

# --- the same release again ---

# after CHANGE…: an agent starts, other programs run, and the next one takes those.
after()
{
	local before

	stop_agent TERM || :
	before=$(program_ids)
	"$@" && start_release "$BULKHEAD" "${workloads[@]}" || return 1
	differ "$before" "$(program_ids)" || return 1
	before=$(program_ids)
	kill_agent
	start_release "$BULKHEAD" "${workloads[@]}" && [ "$(program_ids)" = "$before" ]
}

put_another()
{
	rm "$pins/rest/bh_tc_to" &&
		bpftool prog pin id "$(program_of "$pins/links/"*-in | sed q)" "$pins/rest/bh_tc_to"
}

go_on_in_another()
{
	bpftool map update pinned "$(echo "$pins/rest/"tc-*)" key 0 0 0 0 \
		value pinned "$pins/rest/bh_tc_from"
}

# Of constants that differ by more than what is random.
put_other_constants()
{
	local size

	size=$(bpftool -j map show pinned "$pins/rest/constants" | grep -oE '"bytes_value":[0-9]+')
	rm "$pins/rest/constants"
	bpftool map create "$pins/rest/constants" type array key 4 value "${size#*:}" entries 1 \
		name constants
}

ids=$(program_ids)
stop_agent TERM || :
it "the next agent takes the programs that run" start_release "$BULKHEAD" "${workloads[@]}"
it "and not loaded again" test "$(program_ids)" = "$ids"
it "unless another one took the place of one of them" after put_another
it "or of one that they go on in" after go_on_in_another
it "or they have other constants" after put_other_constants
it "or it is not known which they are" after rm "$pins/rest/kept"
it "or they are to do something else" after eval 'workloads+=(--event-rate 7)'
unset 'workloads[-1]' 'workloads[-1]'
stop_agent TERM || :
"$BULKHEAD" detach >/dev/null

# --- other releases ---

upgrade_under_load "upgrade, tcx" "" "${workloads[@]}"
upgrade_under_load "upgrade, clsact" tcx "${workloads[@]}"
upgrade_under_load "upgrade, XDP" "" "${host[@]}"

# Connections can't be read from the other release's map: they are adopted, as at the first start.
it "an agent enforces" start_release "$BULKHEAD" "${workloads[@]}"
ids=$(map_ids)
begin_load
it "LI-21: a second agent, of another release, is told" second_is_told
it "LI-21: which changes nothing" test "$(map_ids)" = "$ids"
stop_agent TERM || :
it "another layout: a release with a map of another layout starts" \
	start_release "$other" "${workloads[@]}"
it "another layout: it says so" grep -q 'pinned maps are of another build' agent.log
it "another layout: it has maps of its own" differ "$ids" "$(map_ids)"
it "another layout: of each one" test "$(map_ids | wc -l)" -eq "$(wc -l <<<"$ids")"
ids=$(map_ids)
stop_agent TERM || :
it "another layout: there is a way back" start_release "$BULKHEAD" "${workloads[@]}"
it "another layout: to other maps again" differ "$ids" "$(map_ids)"
kill_agent
rm "$pins/maps/bh_control"
ids=$(map_ids)
it "another layout: where maps are not complete, an agent starts" \
	start_release "$BULKHEAD" "${workloads[@]}"
it "another layout: with maps of its own" differ "$ids" "$(map_ids)"
ends_well "another layout"
it "another layout: and nothing was dropped for any other reason" test "$(drops_but policy)" -eq 0
it "the agent stops" stop_agent TERM
it "detach leaves nothing" "$BULKHEAD" detach

it "another layout, XDP: an agent enforces" start_release "$BULKHEAD" "${host[@]}"
ids=$(map_ids)
begin_load
stop_agent TERM || :
it "another layout, XDP: a release with a map of another layout starts" \
	start_release "$other" "${host[@]}"
it "another layout, XDP: it says so" grep -q 'pinned maps are of another build' agent.log
it "another layout, XDP: by XDP, too" grep -q 'ingress=xdp-native' agent.log
it "another layout, XDP: it has maps of its own" differ "$ids" "$(map_ids)"
stop_agent TERM || :
it "another layout, XDP: there is a way back" start_release "$BULKHEAD" "${host[@]}"
ends_well "another layout, XDP"
it "another layout, XDP: and nothing was dropped for any other reason" \
	test "$(drops_but policy)" -eq 0
it "another layout, XDP: the agent stops" stop_agent TERM
it "another layout, XDP: detach leaves nothing" "$BULKHEAD" detach
it "indeed" test ! -e "$pins"

end_test
