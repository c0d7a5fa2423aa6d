#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Programs of others on our interfaces, and somebody who takes ours off: LI-10, LI-11, LI-16, LI-17.
# This namespace is a machine with a NIC, `visitor`, and a workload behind the interface `db`.
. "$(dirname "$0")/lib.sh"

readonly theirs=/sys/fs/bpf/theirs # programs of somebody else
readonly links=/sys/fs/bpf/bulkhead/links
readonly promise=1000 # milliseconds; a busy machine may need more for some
next=-1               # what a tc program returns to leave the packet to the next one

foreign()
{
	"$python" "$here/foreign.py" "$@"
}

cat >policy.yaml <<'END'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: watched}
spec:
  zones:
    - {name: front, cidrs: [192.0.2.0/24, "2001:db8::/64"]}
    - {name: data, cidrs: [10.0.32.0/24, "fd00:3::/64"]}
    - {name: users, cidrs: [198.51.100.0/24, "2001:db8:1::/64"]}
  workloads:
    - {name: web, zone: front, addresses: [192.0.2.1, "2001:db8::1"]}
    - {name: db, zone: data, addresses: [10.0.32.10, "fd00:3::10"]}
  rules:
    - {name: web-in, from: users, to: web, services: tcp/80}
    - {name: db-in, from: users, to: db, services: tcp/80}
END

add_station visitor 198.51.100.7 2001:db8:1::7
add_station db 10.0.32.10 fd00:3::10
ip addr add 192.0.2.1/32 dev lo
ip addr add 2001:db8::1/128 dev lo
serve visitor tcp/80
serve db tcp/80 tcp/8080
"$python" "$here/peer.py" serve tcp/80 tcp/8080 >"$work/serve" 2>&1 &
wait_for 10 grep -q serving "$work/serve"
mkdir "$theirs"

# What is denied, all the time, each way through each interface.
in_ns db "$python" "$here/foreign.py" receive 9001 >"$work/to-db" &
in_ns visitor "$python" "$here/foreign.py" receive 9002 >"$work/from-db" &
foreign receive 9003 >"$work/to-host" &
in_ns visitor "$python" "$here/foreign.py" receive 9004 >"$work/from-host" &
in_ns visitor "$python" "$here/foreign.py" send 10.0.32.10 9001 &
in_ns db "$python" "$here/foreign.py" send 2001:db8:1::7 9002 &
in_ns visitor "$python" "$here/foreign.py" send 192.0.2.1 9003 &
foreign send 2001:db8:1::7 9004 &

enforces()
{
	reaches visitor 192.0.2.1 tcp/80 && reaches visitor 2001:db8::1 tcp/80 &&
		reaches visitor 10.0.32.10 tcp/80 && reaches visitor fd00:3::10 tcp/80 &&
		shut visitor 192.0.2.1,8080 2001:db8::1,8080 10.0.32.10,8080 fd00:3::10,8080 &&
		shut db 198.51.100.7,80 2001:db8:1::7,80 &&
		"$python" "$here/peer.py" shut 198.51.100.7,80 2001:db8:1::7,80
}

# start_without METHODS OPTION…
start_without()
{
	export BULKHEAD_METHODS_OFF=$1
	shift
	start_agent - --policy "$work/policy.yaml" --attach visitor --attach db=db "$@"
}

# stop_here: with all that it attached.
stop_here()
{
	stop_agent TERM || :
	"$BULKHEAD" detach >/dev/null
}

ifindex_of()
{
	cat "/sys/class/net/$1/ifindex"
}

# value PATH: of the status, whatever it is.
value()
{
	status_value "$1" || :
}

is_repaired()
{
	[ "$(value watchdog.repairs)" -gt "$1" ] && [ "$(value health)" = ok ]
}

# is_stopped STREAM SINCE: whether denied packets came for no longer than is promised.
is_stopped()
{
	local gap

	wait_for 1 foreign gap "$work/$1" "$2" || return 1
	gap=$(foreign gap "$work/$1" "$2")
	echo "$gap" | tee -a "$work/gaps"
	[ "$gap" -lt $((times_as_long * promise)) ]
}

# Two of three times at least.
promise_is_kept()
{
	sort -n "$work/gaps"
	awk -v promise="$promise" '$1 >= promise { late++ } END { exit NR == 0 || 3 * late > NR }' \
		"$work/gaps"
}

# comes STREAM SINCE
comes()
{
	awk -v since="$2" '$1 > since { came++ } END { exit came == 0 }' "$work/$1"
}

# never_came STREAM SINCE
never_came()
{
	awk -v since="$2" '$1 >= since { came++ } END { exit came > 0 }' "$work/$1"
}

# takes_off STREAM INTERFACE WORDS COMMAND…: what the command breaks is told, and repaired.
takes_off()
{
	local stream=$1 interface=$2 words=$3 name="$methods: $1" repairs since
	shift 3

	repairs=$(value watchdog.repairs)
	since=$(foreign now)
	: >"$work/agent.log"
	it "$name: $*" "$@"
	it "$name: is repaired" wait_for 3 is_repaired "$repairs"
	it "$name: what is denied came through for a short time" is_stopped "$stream" "$since"
	echo "# $name: denied packets came for $(tail -n 1 "$work/gaps") ms"
	it "$name: the log says so" grep -E "not in place.*interface=$interface .*$words" \
		"$work/agent.log"
	it "$name: and that it was repaired" grep -E "attached again.*interface=$interface " \
		"$work/agent.log"
	it "$name: the status says what it was" \
		sh -c "'$BULKHEAD' status | grep -E 'last $interface: .*$words.*repaired 20'"
}

detach_link()
{
	bpftool link detach pinned "$links/$(ifindex_of "$1")-$2"
}

delete_filter()
{
	local priority

	priority=$(tc filter show dev "$1" "$2" | sed -n 's/.*pref \([0-9]*\) .*/\1/p' | head -n 1)
	tc filter del dev "$1" "$2" pref "$priority"
}

count_ours()
{
	bpftool net show | grep -c ' bh_\|:bh_\|bh_' || :
}

# --- native XDP and tcx ---

methods='xdp-native and tcx'
it "$methods: the agent enforces" start_without ''
it "$methods: as the policy says" enforces
it "$methods: all is well" sh -c "'$BULKHEAD' status >out && ! grep degraded out"
takes_off to-host visitor 'ingress detached' detach_link visitor in
takes_off from-host visitor 'egress detached' detach_link visitor out
takes_off from-db db 'egress detached' detach_link db in
takes_off to-db db 'ingress detached' detach_link db out
it "$methods: the policy is in force" enforces

drop_pin()
{
	rm "$links/$(ifindex_of "$1")-$2"
}

takes_off to-db db 'ingress detached' drop_pin db out

it_not "LI-11: XDP can't be taken off" ip link set dev visitor xdp off
foreign load "$theirs/other_xdp" xdp 2
it_not "LI-11: nor replaced" ip link set dev visitor xdp pinned "$theirs/other_xdp"
it_not "LI-11: nor joined by a generic one" \
	ip link set dev visitor xdpgeneric pinned "$theirs/other_xdp"
it "LI-11: the policy is in force" enforces

repairs=$(value watchdog.repairs)
tc qdisc add dev db clsact
tc qdisc del dev db clsact
sleep 0.5
it "LI-10: with tcx a qdisc doesn't matter" test "$(value watchdog.repairs)" = "$repairs"

foreign load "$theirs/accepts" tc 0
foreign load "$theirs/accepts2" tc 0
foreign load "$theirs/watches" tc "$next"
it "a program may come last" foreign tcx "$theirs/watches" db in last
reaches visitor 10.0.32.10 tcp/80
it "it sees what ours lets through" test "$(foreign count "$theirs/watches")" -gt 0
takes_off to-db db "displaced by program \(id [0-9]+\) at tcx" \
	foreign tcx "$theirs/accepts" db out first
takes_off from-host visitor "displaced by program \(id [0-9]+\)" \
	foreign tcx "$theirs/accepts2" visitor out first
since=$(foreign now)
repairs=$(value watchdog.repairs)
foreign load "$theirs/asks" tc "$next"
foreign tcx "$theirs/asks" db out first
it "one that leaves it to the next is passed, too" wait_for 3 is_repaired "$repairs"
it "nothing that is denied came through meanwhile" never_came to-db "$since"
reaches visitor 10.0.32.10 tcp/80
it "who came first is left where it is" test "$(foreign count "$theirs/accepts")" -gt 0
it "the policy is in force" enforces
rm "$theirs/asks-link" "$theirs/accepts-link" "$theirs/accepts2-link" "$theirs/watches-link"

# Our link is taken off, and another program is quicker than we are: at some time, it is.
detach_and_replace()
{
	local i

	for i in $(seq 20); do
		wait_for 2 detach_link visitor in || return 1
		! ip link set dev visitor xdpgeneric pinned "$theirs/other_xdp" || return 0
	done
	return 1
}

is_displaced()
{
	{ "$BULKHEAD" status || :; } | grep -E "degraded +$1: .*$2"
}

since=$(foreign now)
it "another XDP program takes the place of ours" detach_and_replace
it "which is told" wait_for 3 is_displaced visitor "ingress displaced by program \(id [0-9]+\)"
it_not "with the exit code of status" "$BULKHEAD" status
it "behind it the policy is in force" enforces
it "what was denied came through for a short time" is_stopped to-host "$since"
it "the other one is left where it is" sh -c "ip link show dev visitor | grep xdpgeneric"
ip link set dev visitor xdpgeneric off
it "once it is gone all is well" wait_for 3 "$BULKHEAD" status

again_and_again()
{
	local i

	for i in $(seq 40); do
		wait_for 2 detach_link db out || return 1
	done
}

: >"$work/agent.log"
it "LI-17: taken off again and again" again_and_again
it "is repaired in the end" wait_for 3 "$BULKHEAD" status
it "and told in few lines" test "$(wc -l <"$work/agent.log")" -lt 60
it "the policy is in force" enforces
stop_here

# --- an XDP program of others at the start ---

ip link set dev visitor xdpgeneric pinned "$theirs/other_xdp"
export BULKHEAD_METHODS_OFF=
it "an XDP program of others is a reason not to start" exits_with 1 \
	timeout 60 "$BULKHEAD" run --state-dir "$work/state" --policy "$work/policy.yaml" \
	--attach visitor
it "which names it" grep -E "'visitor': .*program 'other_xdp' \(id [0-9]+\)" "$work/err"
it "and says what to do" grep -E "ip link set dev visitor xdp off.*BULKHEAD_METHODS_OFF" "$work/err"
it "it is left where it is" sh -c "ip link show dev visitor | grep xdpgeneric"
it_not "and nothing of ours is there" sh -c "bpftool net show | grep bh_"
it "behind it we start if told so" start_without 'xdp-native xdp-generic'
it "the policy is in force" enforces
it "all is well" "$BULKHEAD" status
stop_here
ip link set dev visitor xdpgeneric off

# --- detach, with an agent that would repair ---

# detaches_for_good METHODS
detaches_for_good()
{
	start_without "$1" && "$BULKHEAD" detach && sleep 1 && is_removed
}

is_removed()
{
	[ ! -e /sys/fs/bpf/bulkhead ] && ! bpftool net show | grep bh_ &&
		! tc qdisc show | grep clsact
}

for off in '' 'xdp-native tcx'; do
	it "detach is for good, with an agent that runs without '$off'" detaches_for_good "$off"
	it "the status says so" is_displaced db "ingress detached .*'bulkhead detach'"
	stop_agent TERM || :
done

# --- generic XDP and clsact ---

methods='xdp-generic and clsact'
it "$methods: the agent enforces" start_without 'xdp-native tcx'
takes_off to-host visitor 'ingress detached \(was xdp-generic\)' detach_link visitor in
takes_off to-db db 'ingress detached \(was clsact\)' tc qdisc del dev db clsact
takes_off from-db db 'egress detached' delete_filter db ingress
takes_off from-host visitor 'egress detached' delete_filter visitor egress
it_not "LI-11: generic XDP can't be taken off" ip link set dev visitor xdpgeneric off
it "LI-10: the policy is in force" enforces
takes_off to-db db "displaced by program \(id [0-9]+\)" tc filter add dev db egress prio 1 \
	protocol all bpf da pinned "$theirs/accepts"
it "the other filter is left where it is" sh -c "tc filter show dev db egress | grep accepts"
it "there is one of ours" test "$(tc filter show dev db egress | grep -c ' bh_tc_to')" = 1
it "the policy is in force" enforces
since=$(foreign now)
it "tcx comes before all filters" foreign tcx "$theirs/accepts2" db out first
it "which is told, as it can't be helped" wait_for 3 is_displaced db \
	"ingress displaced by program \(id [0-9]+\) at tcx"
rm "$theirs/accepts2-link"
it "once it is gone all is well" wait_for 3 "$BULKHEAD" status
stop_here
tc qdisc del dev db clsact

# --- alarm ---

echo 'watchdog: alarm' >agent.yaml
is_quiet()
{
	[ "$(value watchdog.repairs)" = 0 ] && ! grep -q 'attached again' "$work/agent.log"
}

: >"$work/agent.log"
it "alarm: the agent enforces" start_without '' --config "$work/agent.yaml"
it "alarm: what takes a program off" detach_link db out
it "alarm: is told" wait_for 3 is_displaced db "ingress detached \(was tcx\), since 20"
it "alarm: in the log" grep -E 'not in place.*interface=db .*watchdog=alarm' "$work/agent.log"
sleep 1.5
it "alarm: but not repaired" is_quiet
it "alarm: so that denied packets come" wait_for 2 comes to-db "$(foreign now)"
it "alarm: the exit code of status says so" exits_with 1 "$BULKHEAD" status -o json
it "alarm: the health says so" test "$(value health)" = degraded
stop_agent TERM || :
it "alarm: the next start attaches again" start_without '' --config "$work/agent.yaml"
it "alarm: and all is well" "$BULKHEAD" status
it "alarm: the policy is in force" enforces
stop_agent TERM || :

# --- LI-16, LI-17: what happens to interfaces ---

it "the agent enforces" start_without ''
# What a link loses when it goes down.
set_up()
{
	ip link set dev "$1" up
	ip -6 addr replace fe80::1/64 dev "$1" nodad
	ip route replace 10.0.32.10 dev "$1"
	ip -6 route replace fd00:3::10 dev "$1"
}

rename()
{
	ip link set dev "$1" down
	ip link set dev "$1" name "$2"
	set_up "$2"
}

for name in eth0.100 bh-15-bytes_abc 'a+b@c~d'; do
	rename db "$name"
	it "LI-16: '$name' is enforced on" wait_for 3 enforces
	it "LI-16: the list follows" wait_for 3 sh -c "'$BULKHEAD' list endpoints | grep -F '$name'"
	it "LI-16: all is well" "$BULKHEAD" status
	repairs=$(value watchdog.repairs)
	it "LI-16: a program taken off '$name'" detach_link "$name" out
	it "LI-16: is repaired" wait_for 3 is_repaired "$repairs"
	rename "$name" db
done

ip link add name bridge0 type bridge
ip link set dev bridge0 up
ip link set dev visitor master bridge0
ip addr add 169.254.1.1/32 dev bridge0
ip -6 addr add fe80::1/64 dev bridge0 nodad
ip addr del 169.254.1.1/32 dev visitor
ip -6 addr del fe80::1/64 dev visitor
ip route replace 198.51.100.7 dev bridge0
ip -6 route replace 2001:db8:1::7 dev bridge0
in_ns visitor ip neigh flush dev eth0
it "LI-16: a bridge's port is enforced on" wait_for 5 enforces
it "LI-16: all is well" "$BULKHEAD" status
ip link set dev visitor nomaster
ip link del dev bridge0
ip addr add 169.254.1.1/32 dev visitor
ip -6 addr add fe80::1/64 dev visitor nodad
ip route replace 198.51.100.7 dev visitor
ip -6 route replace 2001:db8:1::7 dev visitor
in_ns visitor ip neigh flush dev eth0
it "LI-16: and when it is none any more" wait_for 5 enforces

ours=$(count_ours)
since=$(foreign now)
repairs=$(value watchdog.repairs)
for _ in $(seq 100); do
	ip link set dev db down
	ip link set dev db up
done
set_up db
it "LI-17: after 100 times down and up the policy is in force" wait_for 5 enforces
it "LI-17: nothing hangs there twice" test "$(count_ours)" = "$ours"
it "LI-17: what is denied never came to the workload" never_came to-db "$since"
it "LI-17: nor from it" never_came from-db "$since"
it "LI-17: nothing had to be repaired" test "$(value watchdog.repairs)" = "$repairs"

: >"$work/agent.log"
ip link del dev db
sleep 0.7
it "an interface that vanished is no alarm" "$BULKHEAD" status
it_not "nor a fault in the log" grep 'not in place' "$work/agent.log"
stop_here
it_not "detach takes everything off" sh -c "bpftool net show | grep bh_"
it "what was taken off was put right within a second" promise_is_kept

end_test
