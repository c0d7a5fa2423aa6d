#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What else goes wrong on machines: clocks that are not theirs, descriptors and disks that run out,
# interfaces that won't stay, while packets are counted: LI-16, LI-17, LI-23.
. "$(dirname "$0")/lib.sh"

readonly wire=/mnt/tree/build/tests/e2e/wire
readonly links=/sys/fs/bpf/bulkhead/links
readonly rate=2000 # datagrams a second of each kind
readonly flaps=40

# write_policy FILE SERVICES
write_policy()
{
	client_and_server chaos "{name: web, from: client, to: server, services: $2}" >"$1"
}

start_here()
{
	start_agent - --policy a.yaml --attach client=client --attach server=server \
		--attach 'late*=server' "$@"
}

# lets PORT: this one of 80, 81, 82, and not the others.
lets()
{
	local port others=()

	for port in 80 81 82; do
		[ "$port" -eq "$1" ] || others+=("10.0.2.1,$port" "fd00:2::1,$port")
	done
	reaches client 10.0.2.1 "tcp/$1" && reaches client fd00:2::1 "tcp/$1" &&
		shut client "${others[@]}"
}

links_of()
{
	find "$links" -name "$(cat "/sys/class/net/$1/ifindex")-*" | wc -l
}

is_attached()
{
	[ "$(links_of "$1")" -eq 2 ]
}

write_policy a.yaml '[tcp/80, udp/7001]'
write_policy b.yaml '[tcp/81, udp/7001]'
write_policy c.yaml '[tcp/82, udp/7001]'
add_station client 10.0.1.1 fd00:1::1
add_station server 10.0.2.1 fd00:2::1
serve server tcp/80 tcp/81 tcp/82

# --- clocks ---

# fails_in_time OPTION…: says why, and leaves all as it is.
fails_in_time()
{
	exits_with 1 unshare --time "$@" --fork "$BULKHEAD" run --state-dir "$work/state" \
		--policy b.yaml --attach client=client && grep 'time namespace' err
}

it "in a time namespace no agent starts" fails_in_time --monotonic 86400
it "nor where only the time since the machine was started is another one" \
	fails_in_time --boottime -100
it "nothing is left of them" test ! -e /sys/fs/bpf/bulkhead
it "an agent enforces" start_here
it_not "it is killed" stop_agent KILL
it "beside what is in force, none starts there either" fails_in_time --monotonic 86400
it "what is in force stays so" lets 80

# --- descriptors ---

limit_descriptors()
{
	prlimit --pid "$agent_pid" --nofile="$1:4096"
}

cpu_ticks()
{
	awk '{ print $14 + $15 }' "/proc/$agent_pid/stat"
}

asks()
{
	timeout 30 "$BULKHEAD" status
}

refuses()
{
	exits_with 2 timeout 30 "$BULKHEAD" status && grep "$1" err
}

it "an agent enforces" start_here
open_files=$(find "/proc/$agent_pid/fd" -type l -printf '%f\n' | sort -n)
# The first number that is free, and none after it.
free=$(awk '$1 != n { exit } { n++ } END { print n + 0 }' <<<"$open_files")
limit_descriptors $((free + 1))
it "LI-23: an agent with one descriptor left says that it can't tell who asks" \
	refuses "can't tell who asks: Too many open files"
ip link add late0 type veth peer name other0
sleep 1.2
limit_descriptors "$free"
timeout 2 "$BULKHEAD" status >/dev/null 2>&1 &
sleep 0.2
ticks=$(cpu_ticks)
sleep 1
it "LI-23: without any it lets clients wait, and does not run in circles" \
	test $(($(cpu_ticks) - ticks)) -lt 30
it "LI-23: and enforces" lets 80
limit_descriptors 4096
it "LI-23: with some again it answers" wait_for 3 asks
it "LI-23: and has attached what came meanwhile" wait_for 3 is_attached late0
it "LI-23: policies can be applied" "$BULKHEAD" apply b.yaml
it "LI-23: and hold" lets 81
ip link del late0
it "the agent stops" stop_agent TERM

# --- disks ---

refuses_to()
{
	exits_with "$1" "${@:3}" && grep "$2" err
}

mkdir small
mount -t tmpfs -o size=64k,mode=700 tmpfs small
it "an agent's state is on a small disk" start_here --state-dir "$work/small"
it "another policy is applied" "$BULKHEAD" apply b.yaml
dd if=/dev/zero of=small/full bs=1k status=none 2>/dev/null || :
it "LI-23: on a full disk no policy is tried: the way back is not there" \
	refuses_to 1 "the way back can't be written.*No space" "$BULKHEAD" apply --confirm 60 c.yaml
it "LI-23: the one before is in force" lets 81
it "LI-23: one may be applied" "$BULKHEAD" apply c.yaml
it "LI-23: and is in force" lets 82
it "LI-23: to roll back is refused: the one before might be another one" \
	refuses_to 1 "can't be kept in .*No space" "$BULKHEAD" rollback
it "LI-23: that changes nothing" lets 82
it "LI-23: a rule for a while is not saved, and says so" sh -c "'$BULKHEAD' allow --for 1h \
	--from 10.0.1.1 --to 10.0.2.1 --service tcp/99 --reason test 2>&1 | grep \"can't be saved\""
it "LI-23: nothing is torn" sh -c "! find small -name '*.new' | grep ."
it "LI-23: nor half written" "$python" -c 'import glob, json
for name in glob.glob("small/history/*.json"):
    json.load(open(name))
for line in open("small/audit.jsonl"):
    json.loads(line)'
rm small/full
it "LI-23: with room again, rolling back leads to what was kept" "$BULKHEAD" rollback
it "LI-23: which is in force" lets 81
it "the agent stops" stop_agent TERM

# --- interfaces that won't stay, under load ---

set_routes()
{
	ip -6 addr replace fe80::1/64 dev server nodad
	ip addr replace 169.254.1.1/32 dev server
	for address in 10.0.2.1 fd00:2::1; do
		ip route replace "$address" dev server
	done
}

goes_down_and_up()
{
	ip link set dev server down
	ip link set dev server up
	set_routes
}

# Nobody sees it meanwhile: its name is what it is asked for by.
is_renamed()
{
	ip link set dev server name elsewhere0
	ip link set dev elsewhere0 name server
}

# It comes back down, as all do, and is brought up by whoever moved it.
moves_there_and_back()
{
	ip link set dev server netns away
	wait_for 3 test ! -e "$links/$index-in"
	ip netns exec away ip link set dev server netns "$here_pid"
	wait_for 3 is_attached server
	ip link set dev server up
	set_routes
}

is_enslaved()
{
	ip link set dev server master bridge0
	ip link set dev server nomaster
}

received()
{
	awk -v port="$1" '$1 == port { print $2 }' counted
}

readonly here_pid=$$
it "an agent enforces" start_here
index=$(cat /sys/class/net/server/ifindex)
ip netns add away
ip link add bridge0 type bridge
nsenter --net=/run/netns/server -- "$wire" count 7001 7002 >counted 3>&- &
counter=$!
wait_for 10 grep -q serving counted
senders=
for stream in "::ffff:10.0.2.1 7001" "::ffff:10.0.2.1 7002" "fd00:2::1 7002"; do
	# shellcheck disable=SC2086 # two words
	nsenter --net=/run/netns/client -- "$wire" send $stream "$rate" \
		>"sent.$(echo "$stream" | tr ' :' '--')" 3>&- &
	senders="$senders $!"
done
for _ in $(seq "$flaps"); do
	goes_down_and_up
done
pass "LI-17: an interface went down and up $flaps times under load"
for _ in 1 2 3 4 5; do
	is_renamed
	is_enslaved
done
pass "LI-16: it had other names and was in a bridge"
it "LI-16: it moved to another namespace, and back" moves_there_and_back
it "LI-16: and again" moves_there_and_back
it "it is attached" wait_for 3 is_attached server
sleep 0.3
# shellcheck disable=SC2086 # pids
kill $senders
# shellcheck disable=SC2086
wait $senders || :
kill "$counter"
wait "$counter" || :
echo "# allowed: $(awk '{ print $1 }' sent.*-7001) sent, $(received 7001) arrived; denied:" \
	"$(cat sent.*-7002 | awk '{ n += $1 } END { print n }') sent, $(received 7002) arrived"
it "meanwhile some that were allowed arrived" test "$(received 7001)" -gt 100
it "LI-16, LI-17: of those that were denied, none" test "$(received 7002)" -eq 0
it "and it is as it was" lets 80
it "the agent stops" stop_agent TERM
it "detach leaves nothing" "$BULKHEAD" detach

# --- a bridge that has the machine's addresses ---

in_ns server ip link add br0 type bridge
in_ns server ip addr flush dev eth0
in_ns server ip link set dev eth0 master br0
in_ns server sysctl -qw net.ipv6.conf.br0.accept_dad=0
in_ns server ip link set dev br0 up
for address in 10.0.2.1 fd00:2::1; do
	in_ns server ip addr add "$address" dev br0
done
in_ns server ip route replace 169.254.1.1 dev br0
in_ns server ip route replace default via 169.254.1.1
in_ns server ip -6 route replace default via fe80::1 dev br0
it "without an agent, a bridge lets everything through" wait_for 5 \
	open client 10.0.2.1,81 fd00:2::1,81
it "an agent enforces on a bridge" start_agent server --policy a.yaml --attach br0
it "which then lets through what is allowed, and nothing else" lets 80
it "the agent stops" stop_agent TERM
it "detach leaves nothing there either" "$BULKHEAD" detach

end_test
