#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What a running agent may still do, and who may talk to it: PR-01, PR-02, PR-03, IN-10.
. "$(dirname "$0")/lib.sh"

readonly net_admin_and_bpf=0000008000001000
readonly socket=/run/bulkhead/control.sock
readonly nobody=65534 group=4242

# The kernel's log is one for all: by this name what is refused is told from other tests'.
mv "$BULKHEAD" "$BULKHEAD-$RANDOM"
BULKHEAD=$(echo /mnt/bin/bulkhead-*)

add_station server 192.0.2.10 2001:db8::10
add_station visitor 198.51.100.7 2001:db8:1::7
serve server tcp/80 tcp/8080

enforces()
{
	reaches visitor 192.0.2.10 tcp/80 && reaches visitor 2001:db8::10 tcp/80 &&
		shut visitor 192.0.2.10,8080 2001:db8::10,8080
}

start()
{
	start_agent server --policy "$policies/web-server.yaml" --attach eth0
}

# has KEY VALUE: in the agent's /proc/PID/status
has()
{
	grep -E "^$1:" "/proc/$agent_pid/status"
	grep -qE "^$1:[[:space:]]*$2\$" "/proc/$agent_pid/status"
}

# mode_is MODE OWNER PATH
mode_is()
{
	stat -c '%a %U:%g %n' "$3"
	[ "$(stat -c '%a %u:%g' "$3")" = "$1 $2" ]
}

# Nothing below DIRECTORY lets others than root do anything.
is_private()
{
	[ -d "$1" ] && [ -z "$(find "$1" \( -perm /077 -o ! -uid 0 \) -print | tee /dev/stderr)" ]
}

# as USER GROUPS COMMAND…
as()
{
	local user=$1 groups=$2
	shift 2

	case $groups in
	'') setpriv --reuid "$user" --regid "$user" --clear-groups -- "$@" ;;
	*) setpriv --reuid "$user" --regid "$user" --groups "$groups" -- "$@" ;;
	esac
}

# Refused by the agent, not by the file's mode.
is_refused()
{
	exits_with 2 "$@" "$BULKHEAD" status && grep -q 'only root and members' "$work/err"
}

# What the kernel's log has of calls that the agent was refused.
refused_calls()
{
	dmesg | grep "type=1326.*comm=\"${BULKHEAD##*/}\"" | grep -c 'code=0x5' || :
}

# --- without a group ---

it "the agent enforces" start
for set in CapEff CapPrm; do
	it "PR-01: $set is CAP_NET_ADMIN and CAP_BPF" has "$set" "$net_admin_and_bpf"
done
for set in CapInh CapBnd CapAmb; do
	it "PR-01: $set is empty" has "$set" 0000000000000000
done
it "PR-01: no new privileges" has NoNewPrivs 1
it "PR-01: system calls are filtered" has Seccomp 2
it "IN-10: the socket is root's" mode_is 600 0:0 "$socket"
it "IN-10: so is its directory" mode_is 700 0:0 /run/bulkhead
it "PR-03: pins are root's" is_private /sys/fs/bpf/bulkhead
it "PR-03: so is the state" is_private "$work/state"
it "root is answered" "$BULKHEAD" status
it_not "uid $nobody does not get as far as the socket" as "$nobody" '' "$BULKHEAD" status
chmod 755 /run/bulkhead
chmod 666 "$socket"
it "IN-10: uid $nobody is refused, whatever the modes" is_refused as "$nobody" ''
it "IN-10: so is a group of that number" is_refused as "$nobody" "$group"
it "IN-10: and root of another user namespace" is_refused unshare --user --map-root-user
it "and who says to be root in one" is_refused as "$nobody" '' unshare --user --map-root-user

# --- maps: PR-02 ---

# maps_of_policy: programs can't write to what the agent compiled.  The prefixes are not among them:
# the agent writes to them in shared memory, which the kernel gives for one or the other only.
maps_of_policy()
{
	local name flags

	for name in policies identities services directory blocks later endpoints \
		interfaces sources local; do
		flags=$(bpftool -j map show pinned "/sys/fs/bpf/bulkhead/maps/bh_$name" |
			grep -oE '"flags":[0-9]+')
		echo "$name $flags"
		[ $((${flags#*:} & 0x80)) -ne 0 ] || return 1
	done
}

# The id of the agent's constants, among the maps that it has open, some of them more than once.
constants()
{
	local id

	for id in $(sed -n 's/^map_id:[[:space:]]*//p' "/proc/$agent_pid"/fdinfo/* | sort -u); do
		! bpftool -j map show id "$id" | grep -q '"name":"[^"]*\.rodata"' || echo "$id"
	done
}

it "PR-02: programs can't write to the policy's maps" maps_of_policy
it "PR-02: the programs' constants are frozen" sh -c \
	"bpftool map show id $(constants) | grep -E 'frozen|rdonly_prog' ||
		bpftool -j map show id $(constants) | grep '\"frozen\":1'"
readonly size=$(bpftool -j map show id "$(constants)" | "$python" -c '
import json, sys
print(json.load(sys.stdin)["bytes_value"])')
# shellcheck disable=SC2046 # as many words as bytes
it_not "PR-02: root can't write to them either" bpftool map update id "$(constants)" \
	key 0 0 0 0 value $(yes 0 | head -n "$size")

# --- what attaching later takes ---

comes_back()
{
	ip link del dev server
	ip link add name server type veth peer name eth0 netns server
	in_ns server sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	ip addr add 169.254.1.1/32 dev server
	ip -6 addr add fe80::1/64 dev server nodad
	ip link set dev server up
	in_ns server ip link set dev eth0 up
	in_ns server ip addr add 192.0.2.10 dev eth0
	in_ns server ip addr add 2001:db8::10 dev eth0
	ip route add 192.0.2.10 dev server
	ip route add 2001:db8::10 dev server
	in_ns server ip route add 169.254.1.1 dev eth0
	in_ns server ip route add default via 169.254.1.1
	in_ns server ip -6 route add default via fe80::1 dev eth0
	wait_for 5 enforces
}

reloads()
{
	kill -HUP "$agent_pid"
	wait_for 10 grep -q 'generation=[2-9]' "$work/agent.log"
}

it "the policy is in force" enforces
it "an interface that comes back is enforced on" comes_back
it "SIGHUP reloads the policy" reloads
it "apply swaps it" "$BULKHEAD" apply "$policies/web-server.yaml"
for what in endpoints identities rules connections; do
	it "list $what" "$BULKHEAD" list "$what"
done
it "observe" "$BULKHEAD" observe --last 1
stop_agent KILL || :
it "the next agent starts" start
it "and enforces" enforces
it "no call of theirs was refused" test "$(refused_calls)" -eq 0
stop_agent TERM || :

# --- with the group ---

cp /etc/group group
echo "bulkhead:x:$group:" >>group
mount --bind group /etc/group
mkdir -m 700 /run/managed
rm -rf /run/bulkhead
it "the agent enforces, with the group there" start
it "the socket is root's and the group's" mode_is 660 "0:$group" "$socket"
it "so is its directory" mode_is 750 "0:$group" /run/bulkhead
it "a member of the group is answered" as 1234 "$group" "$BULKHEAD" status
it "whose primary group it is, too" setpriv --reuid 1234 --regid "$group" --clear-groups -- \
	"$BULKHEAD" status
it "not from another user namespace" is_refused as 1234 "$group" unshare --user
it_not "nobody else" as 1234 '' "$BULKHEAD" status
stop_agent TERM || :
export RUNTIME_DIRECTORY=/run/managed
it "the service manager's directory" start_agent server --policy "$policies/web-server.yaml" \
	--attach eth0 --socket /run/managed/control.sock
it "is opened for the group" mode_is 750 "0:$group" /run/managed
stop_agent TERM || :
unset RUNTIME_DIRECTORY

ln -s /etc/passwd /run/link
it "IN-10: a symbolic link is not followed" exits_with 1 in_ns server timeout 60 "$BULKHEAD" run \
	--state-dir "$work/state" --policy "$policies/web-server.yaml" --attach eth0 \
	--socket /run/link
it "but told" grep "'/run/link' is there and no socket" err
it "and left where it is" test -L /run/link

# --- with what the unit file leaves ---

readonly unit=/mnt/tree/scripts/deploy/systemd/bulkhead.service

# start_bounded: with the capabilities of the unit file, as root without the others.
start_bounded()
{
	local capabilities

	capabilities=$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | sed 's/CAP_/+/g; s/ /,/g')
	: >agent.out
	nsenter --net=/run/netns/server -- setpriv --bounding-set "-all,${capabilities,,}" \
		--inh-caps=-all -- "$BULKHEAD" run \
		--state-dir "$work/state" --policy "$policies/web-server.yaml" --attach eth0 \
		>agent.out 2>>agent.log &
	agent_pid=$!
	wait_for 60 agent_is_ready_or_gone
	tail -n 5 agent.log
	grep -qx ready agent.out
}

in_ns server "$BULKHEAD" detach
export BULKHEAD_METHODS_OFF='xdp-native tcx'
it "the unit's capabilities suffice to start" start_bounded
it "it kept fewer" has CapEff "$net_admin_and_bpf"
it "it enforces" enforces
stop_agent KILL || :
it "they suffice to start again" start_bounded
it "it enforces again" enforces
it "and knows its own programs" "$BULKHEAD" status
stop_agent TERM || :
in_ns server "$BULKHEAD" detach
unset BULKHEAD_METHODS_OFF

# --- the service manager, and the way around the filter ---

# Prints what the agent tells it.
listen()
{
	"$python" -u -c '
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("notify")
while True:
    print(s.recv(4096).decode())' >"$work/notified" &
	listener=$!
	wait_for 5 test -S notify
}

listen
export NOTIFY_SOCKET=$work/notify WATCHDOG_USEC=2000000
BULKHEAD_SECCOMP=off
export BULKHEAD_SECCOMP
it "an agent without a filter starts" start
it "and has none" has Seccomp 0
it "it tells the service manager once it enforces" wait_for 5 grep -qx READY=1 notified
it "and every second that it lives" wait_for 5 sh -c '[ $(grep -cx WATCHDOG=1 notified) -ge 2 ]'
stop_agent TERM || :
it "and when it stops" wait_for 5 grep -qx STOPPING=1 notified
kill "$listener"
BULKHEAD_SECCOMP=kill
it "a mode of the filter nobody knows is refused" exits_with 2 \
	in_ns server timeout 60 "$BULKHEAD" run --state-dir "$work/state" \
	--policy "$policies/web-server.yaml" --attach eth0

end_test
