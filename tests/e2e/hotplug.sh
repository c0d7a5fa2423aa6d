#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Interfaces that appear, are renamed, move and vanish are enforced from their beginning, and leave
# nothing behind: LI-01, LI-16, LI-17, LI-20.
. "$(dirname "$0")/lib.sh"

readonly links=/sys/fs/bpf/bulkhead/links
readonly crowd=250  # veths at once
readonly rounds=4   # of such a crowd
readonly calm=50    # so many are waited for
came=               # of the last flood
readonly slack=2048 # KiB that an agent may have grown by then

hotplug()
{
	"$python" "$here/hotplug.py" "$@"
}

cat >policy.yaml <<'END'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: hotplug}
spec:
  zones:
    - {name: data, cidrs: [10.0.32.0/24, "fd00:3::/64"]}
    - {name: users, cidrs: [198.51.100.0/24, "2001:db8:1::/64"]}
  workloads:
    - {name: db, zone: data, addresses: [10.0.32.10, "fd00:3::10"]}
  rules:
    - {name: db-in, from: users, to: db, services: tcp/80}
END

start_here()
{
	start_agent - --policy policy.yaml --attach 'veth*=db' --attach 'veth-no*'
}

add_db()
{
	add_station "$1" 10.0.32.10 fd00:3::10
	serve "$1" tcp/80 tcp/8080
}

enforces()
{
	reaches visitor 10.0.32.10 tcp/80 && reaches visitor fd00:3::10 tcp/80 &&
		shut visitor 10.0.32.10,8080 fd00:3::10,8080
}

endpoints()
{
	"$BULKHEAD" list endpoints -o json
}

# lists NAME; not when it is there, but not attached.
lists()
{
	endpoints | grep -F "\"interface\":\"$1\"" | grep -qv '"ingress":"none"'
}

lists_none()
{
	local list

	list=$(endpoints) && ! grep -q interface <<<"$list"
}

ifindex_of()
{
	cat "/sys/class/net/$1/ifindex"
}

# By the kernel's own word: how many programs hang at an interface.
programs_at()
{
	"$python" "$here/hotplug.py" query "$1"
}

runs_programs()
{
	[ "$(programs_at "$1")" -eq 2 ]
}

no_programs()
{
	[ "$(programs_at vethdb)" -eq 0 ]
}

# has_programs IFINDEX
has_programs()
{
	[ "$(find "$links" -name "$1-*" | wc -l)" -eq 2 ]
}

# left: what an endpoint takes, in one line.
left()
{
	local maps=/sys/fs/bpf/bulkhead/maps

	echo "links $(find "$links" -mindepth 1 | wc -l)" \
		"fds $(find "/proc/$agent_pid/fd" -type l | wc -l)" \
		"endpoints $(bpftool map dump pinned "$maps/bh_endpoints" | grep -c ifindex)" \
		"sources $(bpftool map dump pinned "$maps/bh_sources" | grep -c prefix_len)"
}

# settled: left, once it has been the same for a while in which the agent had its turns.
settled()
{
	local last= same=0

	while [ "$same" -lt 3 ]; do
		endpoints >/dev/null
		sleep 0.4
		same=$((same + 1))
		[ "$(left)" = "$last" ] || same=0
		last=$(left)
	done
	echo "$last"
}

is_left()
{
	[ "$(left)" = "$1" ]
}

rss()
{
	awk '/^VmRSS/ { print $2 }' "/proc/$agent_pid/status"
}

# flooded HOW: what came through of a flood that begins as soon as the other end is up.
flooded()
{
	local receiver sender
	ip netns add behind
	: >received
	"$python" "$here/hotplug.py" count 9001 >>received &
	receiver=$!
	wait_for 10 grep -q serving received
	nsenter --net=/run/netns/behind -- "$python" "$here/hotplug.py" \
		flood eth0 10.0.32.10 192.0.2.1 9001 >sent &
	sender=$!
	sleep 0.3
	case $1 in
	down) # as container runtimes should: made, and up once it is enforced
		ip link add vethlate type veth peer name eth0 netns behind
		in_ns behind ip link set dev eth0 up
		[ -z "$agent_pid" ] || wait_for 10 lists vethlate
		ip link set dev vethlate up
		;;
	at-once) # the next thing after it was made
		printf '%s\n' "link add vethlate type veth peer name eth0 netns behind" \
			"link set dev vethlate up" | ip -batch -
		in_ns behind ip link set dev eth0 up
		;;
	up) # our end is up when it appears; Linux doesn't make a veth with both ends up
		ip link add vethlate up type veth peer name eth0 netns behind
		in_ns behind ip link set dev eth0 up
		;;
	esac
	[ -z "$agent_pid" ] || wait_for 10 lists vethlate || :
	sleep 2
	kill "$sender"
	wait "$sender"
	kill "$receiver"
	wait "$receiver"
	ip link del vethlate
	ip netns del behind
	came=$(tail -n 1 received)
	echo "# flood, $1: $(cat sent) sent, $came came through" >&3
	[ "$(cat sent)" -gt 1000 ]
}

add_station visitor 198.51.100.7 2001:db8:1::7
ip addr add 192.0.2.1/32 dev lo
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0

# --- from the beginning ---

it "without an agent, a flood comes through" flooded down
it "most of it" test "$came" -gt 1000
it "an agent starts where nothing matches yet" start_here
for how in down at-once up; do
	flooded "$how" || fail "a flood was sent, $how"
	[ "$how" != down ] || it "LI-01: what comes up after it was made lets nothing through" \
		test "$came" -eq 0
	# Two seconds' worth were sent since, and a busy machine may have taken as long.
	[ "$how" = down ] || it "LI-01: else it is not more than some milliseconds' worth ($how)" \
		test "$came" -lt $(($(cat sent) / 2))
done
wait_for 3 lists_none
hotplug latency 50 "$links" >latency
echo "# from RTM_NEWLINK until both programs hang there: $(cat latency) ms (median, maximum)"
it "at half of them programs hang within half a second" awk '{ exit $1 > 500 }' latency
for i in $(seq 0 49); do
	echo "link del vetht$i"
done | ip -batch -
it "what went away is no endpoint any more" wait_for 5 lists_none

# --- it stays enforced, whatever becomes of it ---

add_db vethdb
it "what appears is enforced" wait_for 3 enforces
it "LI-16: renaming it" ip link set dev vethdb name eth0.100
it "LI-16: changes nothing" enforces
it "LI-16: but its name" wait_for 3 lists eth0.100
it "LI-16: with all the bytes there may be" ip link set dev eth0.100 name veth-15-bytes-x
it "LI-16: it is enforced" enforces
it "LI-16: and is called that" wait_for 3 lists veth-15-bytes-x
ip link add bridge0 type bridge
it "LI-16: a bridge takes it" ip link set dev veth-15-bytes-x master bridge0
it "LI-16: and gives it back" ip link set dev veth-15-bytes-x nomaster
it "LI-16: it is still enforced" enforces
it "LI-16: and the same endpoint" lists veth-15-bytes-x
before=$(settled)
attached=$(grep -c msg=attached agent.log)
for i in $(seq 100); do
	printf 'link set dev veth-15-bytes-x down\nlink set dev veth-15-bytes-x up\n'
done | ip -batch -
ip -6 addr replace fe80::1/64 dev veth-15-bytes-x nodad
for address in 10.0.32.10 fd00:3::10; do
	ip route replace "$address" dev veth-15-bytes-x
done
it "LI-17: after it went down and up a hundred times, it is enforced" wait_for 3 enforces
it "LI-17: once" wait_for 5 is_left "$before"
it "LI-17: without attaching again" test "$(grep -c msg=attached agent.log)" -eq "$attached"

# --- it goes, and another one comes ---

index=$(ifindex_of veth-15-bytes-x)
ip netns add elsewhere
it "LI-16: it moves to another namespace" ip link set dev veth-15-bytes-x netns elsewhere
it "LI-16: and is ours no more" wait_for 3 lists_none
it_not "LI-16: nor are its programs" has_programs "$index"
ip netns del elsewhere
kill %% 2>/dev/null || :
ip netns del vethdb
add_db vethdb
it "another one of its name is enforced" wait_for 3 enforces
index=$(ifindex_of vethdb)
it "its namespace vanishes, processes and all" \
	sh -c 'ip netns pids vethdb | xargs -r kill -9; ip netns del vethdb'
it "with it the interface" wait_for 3 test ! -e /sys/class/net/vethdb
it "and all that we had on it" wait_for 3 lists_none
it_not "also its programs" has_programs "$index"

# again HOW: an interface of the same index, in place of the one before.
again()
{
	printf '%s\n' "link del dev vethsame" \
		"link add vethsame index 4242 type veth peer name other" | ip -batch -
}

ip link add vethsame index 4242 type veth peer name other
it "one of a chosen index is enforced" wait_for 3 has_programs 4242
it "it is replaced by another one of the same index and name" again
sleep 0.5
it "that one is enforced, too" wait_for 3 has_programs 4242
it "by the kernel's own word" wait_for 2 runs_programs vethsame
it "the agent is killed" sh -c "kill -9 $agent_pid"
wait "$agent_pid" 2>/dev/null || :
it "the interface is replaced again" again
ip link add vethnew type veth peer name another
it "the agent starts again" start_here
it "what came while it was away is enforced" \
	runs_programs vethnew
it "as is what has the place of another one" \
	runs_programs vethsame
printf 'link del vethsame\nlink del vethnew\n' | ip -batch -
it "nothing is left of them" wait_for 5 lists_none

# --- many ---

has_endpoints()
{
	[ "$(endpoints | grep -vc '"ingress":"none"')" -ge "$1" ]
}

# come_and_go COUNT WAITED: so many, which go when so many of them are enforced.
come_and_go()
{
	for i in $(seq "$1"); do
		echo "link add veth$i group 7 type veth peer name x$i"
	done | ip -batch - || return
	wait_for 10 has_endpoints "$2"
	ip link del group 7
	wait_for 15 lists_none
}

it "a crowd comes and goes" come_and_go "$crowd" "$calm"
before=$(settled)
echo "# $before"
memory=$(rss)
began=$SECONDS
for _ in $(seq "$rounds"); do
	it "$crowd veths come and go" come_and_go "$crowd" "$calm"
done
wait_for 5 is_left "$before" || :
echo "# $((rounds * crowd)) veths came and went in $((SECONDS - began)) s;" \
	"RSS $memory KiB before, $(rss) KiB after; $(left)"
it "LI-20: nothing is left of them in the kernel, and no descriptor" is_left "$before"
it "LI-20: nor in memory" test $(($(rss) - memory)) -lt "$slack"
add_db vethdb
it "and the next one is enforced" wait_for 3 enforces

it "the agent stops" stop_agent TERM
it "detach leaves nothing" "$BULKHEAD" detach
it "on any interface" no_programs

end_test
