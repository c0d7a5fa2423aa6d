#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Sourced first by every test here.  It starts the test again inside namespaces of its own (mounts,
# network, processes), so that tests can't meet each other or touch the machine, and the kernel
# cleans up whatever way a test ends: processes, interfaces, pins and files go with the namespaces.
set -eu -o pipefail

if [ -z "${BULKHEAD_E2E:-}" ]; then
	if [ "$(id -u)" -ne 0 ]; then
		echo "not ok 1 - needs root"
		exit 1
	fi
	BULKHEAD_E2E=$(cd "$(dirname "$0")/../.." && pwd)
	export BULKHEAD_E2E
	exec unshare --mount --net --pid --fork --kill-child --mount-proc "$0" "$@"
fi

# The inside: from here on this shell is process 1.
test_count=0
test_failures=0
exec 3>&1
trap 'exit 143' INT TERM HUP
trap 'echo "not ok $((test_count + 1)) - $0 gave up at line $LINENO" >&3' ERR
# What the test may see of the tree is below /mnt, so that /tmp can be its own.
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir /mnt/tree /mnt/bin /mnt/work
mount --bind "$BULKHEAD_E2E" /mnt/tree
cp "${BULKHEAD:-$BULKHEAD_E2E/build/bulkhead}" /mnt/bin/bulkhead
for directory in /run /tmp /var/lib/bulkhead /etc/bulkhead; do
	[ ! -d "$directory" ] || mount -t tmpfs tmpfs "$directory"
done
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
mkdir -p /run/netns /run/sshd
chmod 1777 /tmp

export BULKHEAD=/mnt/bin/bulkhead
readonly here=/mnt/tree/tests/e2e
readonly policies=/mnt/tree/policies
readonly work=/mnt/work # empty at the start; the current directory
readonly python=/usr/bin/python3
cd "$work"
ip link set dev lo up
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1

# --- reporting: the Test Anything Protocol ---

pass()
{
	test_count=$((test_count + 1))
	echo "ok $test_count - $*"
}

fail()
{
	test_count=$((test_count + 1))
	test_failures=$((test_failures + 1))
	echo "not ok $test_count - $*"
}

# it SENTENCE COMMAND…: the sentence is true if the command succeeds.
it()
{
	local sentence=$1 status=0
	shift

	"$@" >"$work/it.log" 2>&1 || status=$?
	if [ "$status" -eq 0 ]; then
		pass "$sentence"
	else
		fail "$sentence"
		echo "# $* -> exit $status"
		tail -n 20 "$work/it.log" | sed 's/^/# /'
	fi
}

# The same, if the command fails.
it_not()
{
	local sentence=$1
	shift

	if "$@" >"$work/it.log" 2>&1; then
		fail "$sentence"
		echo "# $* -> exit 0"
		tail -n 20 "$work/it.log" | sed 's/^/# /'
	else
		pass "$sentence"
	fi
}

# exits_with CODE COMMAND…; what it prints is in $work/out and $work/err.
exits_with()
{
	local expected=$1 status=0
	shift

	"$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	[ "$status" -eq "$expected" ] && return
	echo "exit $status, expected $expected"
	cat "$work/out" "$work/err"
	return 1
}

end_test()
{
	echo "1..$test_count"
	trap - ERR
	[ "$test_failures" -eq 0 ]
	exit
}

readonly times_as_long=4 # a busy machine may take, as a quiet one does

# wait_for SECONDS COMMAND…: such as a quiet machine may take.  In vain, it tells what the command
# said last.
wait_for()
{
	local end=$((SECONDS + times_as_long * $1)) said=/mnt/waited.$BASHPID
	shift

	until "$@" >"$said" 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			tail -n 20 "$said"
			return 1
		fi
		sleep 0.05
	done
}

# holds_until TIME COMMAND…: whether it succeeds; a machine that gets to it only after that time, in
# seconds since 1970, may find that it is over.  What fails must do so before.
holds_until()
{
	local end=$1
	shift

	"$@" || [ "$(date +%s)" -ge "$end" ]
}

# --- the network: stations around this namespace, which routes between them ---

# ip netns exec would hide /sys/fs/bpf.
in_ns()
{
	local name=$1
	shift

	nsenter --net="/run/netns/$name" -- "$@" 3>&-
}

# add_station NAME ADDRESS…: a namespace whose eth0 has them; our side is the interface NAME.
add_station()
{
	local name=$1 address
	shift

	ip netns add "$name"
	ip link add name "$name" type veth peer name eth0 netns "$name"
	in_ns "$name" sysctl -qw net.ipv6.conf.eth0.accept_dad=0
	sysctl -qw "net.ipv6.conf.$name.accept_dad=0"
	ip addr add 169.254.1.1/32 dev "$name"
	ip -6 addr add fe80::1/64 dev "$name"
	ip link set dev "$name" up
	in_ns "$name" ip link set dev lo up
	in_ns "$name" ip link set dev eth0 up
	for address; do
		in_ns "$name" ip addr add "$address" dev eth0
		ip route add "$address" dev "$name"
	done
	in_ns "$name" ip route add 169.254.1.1 dev eth0
	in_ns "$name" ip route add default via 169.254.1.1
	in_ns "$name" ip -6 route add default via fe80::1 dev eth0
}

# serve STATION SERVICE…: answers on every address.
serve()
{
	local name=$1
	shift

	: >"$work/serve.$name"
	in_ns "$name" "$python" "$here/peer.py" serve "$@" >>"$work/serve.$name" 2>&1 &
	wait_for 10 grep -q serving "$work/serve.$name" || fail "$name serves $*"
}

# reaches STATION ADDRESS SERVICE…: whether all of them answer.
reaches()
{
	local name=$1
	shift

	in_ns "$name" "$python" "$here/peer.py" reach "$@"
}

# silent STATION ADDRESS SERVICE…: whether none of them does.
silent()
{
	local name=$1
	shift

	in_ns "$name" "$python" "$here/peer.py" silent "$@"
}

# shut STATION ADDRESS,PORT…: whether no TCP connection opens.  `open` is the opposite.
shut()
{
	local name=$1
	shift

	in_ns "$name" "$python" "$here/peer.py" shut "$@"
}

open()
{
	local name=$1
	shift

	in_ns "$name" "$python" "$here/peer.py" open "$@"
}

# --- agents ---

agent_pid=

# start_agent STATION|- OPTION…: in a station or here; waits until it enforces.
start_agent()
{
	local name=$1 enter=
	shift

	[ "$name" = - ] || enter="nsenter --net=/run/netns/$name --"
	: >"$work/agent.out"
	$enter "$BULKHEAD" run --state-dir "$work/state" "$@" \
		>"$work/agent.out" 2>>"$work/agent.log" &
	agent_pid=$!
	wait_for 60 agent_is_ready_or_gone
	grep -qx ready "$work/agent.out" && return
	tail -n 20 "$work/agent.log"
	return 1
}

agent_is_ready_or_gone()
{
	grep -qx ready "$work/agent.out" || ! kill -0 "$agent_pid"
}

# is_followed COUNT: whether the agent has so many clients of here, such as `observe -f`, and has
# had its turn since, to read what they ask.
is_followed()
{
	[ "$(awk '$6 == "03" && $8 == "/run/bulkhead/control.sock"' /proc/net/unix | wc -l)" \
		-ge "$1" ] && sleep 0.1 && { "$BULKHEAD" status || :; }
}

# stop_agent SIGNAL: returns what the agent exited with.
stop_agent()
{
	local status=0

	kill "-$1" "$agent_pid"
	wait "$agent_pid" || status=$?
	agent_pid=
	return "$status"
}

# status_value PATH: of `status -o json`, like books.deny.produced.
status_value()
{
	"$BULKHEAD" status -o json | "$python" -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[key]
print(value)' "$1"
}

# --- what a lab or an agent could leave ---

# has_no_trace STATION: after detach, with its eth0.
has_no_trace()
{
	[ ! -e /sys/fs/bpf/bulkhead ] &&
		! in_ns "$1" ip link show dev eth0 | grep -q xdp &&
		[ -z "$(in_ns "$1" tc qdisc show dev eth0 | grep clsact)" ] &&
		[ -z "$(in_ns "$1" tc filter show dev eth0 ingress)" ] &&
		[ -z "$(in_ns "$1" tc filter show dev eth0 egress)" ] &&
		! in_ns "$1" bpftool net show dev eth0 | grep -q bh_
}

# A look from outside of whatever made it: processes, interfaces, pins, namespaces, directories.
nothing_is_left()
{
	local left

	left=$(
		pgrep -a -x bulkhead
		ip -o link show | grep -v ': lo: '
		find /sys/fs/bpf -mindepth 1 ! -name '*.debug'
		ls /run/netns
		find /tmp -maxdepth 1 -name 'bulkhead-*'
	) || :
	echo "$left"
	[ -z "$left" ]
}

# --- streams ---

declare -A pumps # by port: who sends
sinks=           # who receive

# policy_of END END NAME [ZONE…] -- RULE…: of two workloads, each in a zone of its own.
# END: "ZONE CIDR CIDR6 WORKLOAD ADDRESS ADDRESS6".
policy_of()
{
	local ends=("$1" "$2") zone cidr cidr6 workload address address6 end

	printf '%s\n' "apiVersion: bulkhead.dev/v1" "kind: ZonePolicy" "metadata: {name: $3}" \
		"spec:" "  zones:"
	for end in "${ends[@]}"; do
		read -r zone cidr cidr6 _ <<<"$end"
		echo "    - {name: $zone, cidrs: [$cidr, \"$cidr6\"]}"
	done
	shift 3
	while [ "$1" != -- ]; do
		echo "    - $1"
		shift
	done
	shift
	echo "  workloads:"
	for end in "${ends[@]}"; do
		read -r zone _ _ workload address address6 <<<"$end"
		echo "    - {name: $workload, zone: $zone, addresses: [$address, \"$address6\"]}"
	done
	echo "  rules:"
	[ $# -eq 0 ] || printf '    - %s\n' "$@"
}

# two_workloads NAME [ZONE…] -- RULE…: app and db.
two_workloads()
{
	policy_of "internal 10.0.16.0/20 fd00:0:0:20::/64 app 10.0.16.10 fd00:0:0:20::10" \
		"data 10.0.32.0/20 fd00:0:0:30::/64 db 10.0.32.10 fd00:0:0:30::10" "$@"
}

# client_and_server NAME RULE…
client_and_server()
{
	policy_of "front 10.0.1.0/24 fd00:1::/64 client 10.0.1.1 fd00:1::1" \
		"back 10.0.2.0/24 fd00:2::/64 server 10.0.2.1 fd00:2::1" "$1" -- "${@:2}"
}

# start_stream FROM TO ADDRESS PORT SECONDS: its ends write to sink.PORT and pump.PORT.
start_stream()
{
	local from=$1 to=$2 address=$3 port=$4 seconds=$5

	: >"$work/sink.$port"
	in_ns "$to" "$python" "$here/peer.py" sink "$port" >>"$work/sink.$port" 2>&1 &
	sinks="$sinks $!"
	wait_for 5 grep serving "$work/sink.$port"
	in_ns "$from" "$python" "$here/peer.py" pump "$address" "$port" "$seconds" \
		>"$work/pump.$port" 2>&1 &
	pumps[$port]=$!
}

# are_connected PORT…: whether the agent knows a connection to each.
are_connected()
{
	local port known

	known=$("$BULKHEAD" list connections -o json)
	for port; do
		grep -qE "\"port\": ?$port\\b" <<<"$known" || return 1
	done
}

# is_whole PORT: whether all that was sent has arrived, once its time is over.
is_whole()
{
	local sent received

	wait "${pumps[$1]}" || return 1
	sent=$(cat "$work/pump.$1")
	wait_for 5 grep -qE '^[0-9]+ [0-9a-f]{64}$' "$work/sink.$1"
	received=$(tail -n 1 "$work/sink.$1")
	echo "sent $sent, received $received"
	[ "$sent" = "$received" ] && [ "${sent%% *}" -gt 100000 ]
}

# --- an API server ---

# make_certificate KEY CERTIFICATE ADDRESS: of an API server.
make_certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
		-subj /CN=apiserver -addext "subjectAltName=IP:$3" \
		-keyout "$1" -out "$2" 2>openssl.log
}

# serve_api CERTIFICATE KEY TOKEN: on port 6443.
serve_api()
{
	rm -f "$work/api.sock"
	: >api.log
	"$python" "$here/kube_api.py" serve 6443 "$1" "$2" "$3" "$work/api.sock" \
		>api.log 2>&1 3>&- &
	api_pid=$!
	wait_for 5 grep -q serving api.log
}

stop_api()
{
	kill "$api_pid"
	wait "$api_pid" || :
}

# tell [JSON…]: what it has from now on, or does; without any, what it reads.
tell()
{
	"$python" "$here/kube_api.py" tell "$work/api.sock" "$@" >/dev/null
}

# --- what a lab saw ---

# Of lab.json, for each probe: a question by address, `FROM TO SERVICE`, and what was seen.
split_lab()
{
	"$python" - <<-'END'
	import json
	lab = json.load(open("lab.json"))["labs"][0]
	family = lambda address: 6 if ":" in address else 4
	address = {(s["name"], family(a)): a for s in lab["stations"] for a in s["addresses"]}
	with open("questions", "w") as questions, open("seen", "w") as seen:
	    for p in lab["probes"]:
	        print(address[p["from"], p["family"]], address[p["to"], p["family"]],
	              p["service"], file=questions)
	        print("through" if p["seen"] == "answered" else "stopped", file=seen)
	END
}
