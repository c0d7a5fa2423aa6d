#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# LI-22: a node whose policy denies everything can still be managed by those that its failsafe
# names, and by nobody else: neither by a workload of its own, nor by a stranger.
. "$(dirname "$0")/lib.sh"

readonly managed="tcp/22 tcp/2379 tcp/6443 tcp/10250"
node4=192.0.2.1 node6=2001:db8::1 db4=10.0.32.10 db6=fd00:0:0:30::10

add_station admin 198.51.100.7 2001:db8:1::7
add_station stranger 203.0.113.7 2001:db8:2::7
add_station db "$db4" "$db6"
ip addr add "$node4/32" dev lo
ip addr add "$node6/128" dev lo nodad

# write_policy RULE…
write_policy()
{
	cat >policy.yaml <<-END
	apiVersion: bulkhead.dev/v1
	kind: ZonePolicy
	metadata: {name: shut}
	spec:
	  zones:
	    - {name: node,       cidrs: [$node4/32, "$node6/128"]}
	    - {name: management, cidrs: [198.51.100.0/24, "2001:db8:1::/64"]}
	    - {name: data,       cidrs: [10.0.32.0/20, "fd00:0:0:30::/64"]}
	  workloads:
	    - {name: db, zone: data, addresses: [$db4, "$db6"]}
	  failsafe:
	    - {direction: ingress, services: [$(sed 's/ /, /g' <<<"$managed")], from: management}
	  rules:
	    - {name: nothing, from: any, to: any, services: any, action: deny}
	END
	[ $# -eq 0 ] || printf '    - %s\n' "$@" >>policy.yaml
}

# ends ADDRESS: the managed ports there.
ends()
{
	local service

	for service in $managed; do
		echo "$1,${service#tcp/}"
	done
}

# ears STATION PORT: what comes there is a line in heard.STATION.
ears()
{
	in_ns "$1" "$python" "$here/pieces.py" echo "$2" >"heard.$1" 2>&1 &
	wait_for 5 grep -q serving "heard.$1"
}

# says FROM SPORT ADDRESS DPORT
says()
{
	in_ns "$1" "$python" -c '
import socket, sys
sport, address, dport = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as own:
    own.bind(("", sport))
    own.sendto(b"offer", (address, dport))' "${@:2}"
}

# hears NUMBER STATION COMMAND…
hears()
{
	local wanted=$1 ear=$2 before
	shift 2

	before=$(wc -l <"heard.$ear")
	"$@" || :
	sleep 0.2
	wait_for 5 has_heard "$ear" $((before + wanted))
	cat "heard.$ear"
	has_heard "$ear" $((before + wanted))
}

has_heard()
{
	[ "$(wc -l <"heard.$1")" -eq "$2" ]
}

# shellcheck disable=SC2086 # a list of services
"$python" "$here/peer.py" serve $managed tcp/8080 >served 2>&1 &
wait_for 5 grep -q serving served
serve db tcp/22 tcp/2379 tcp/6443 tcp/10250 tcp/8080
"$python" "$here/pieces.py" echo 68 >heard.node 2>&1 &
wait_for 5 grep -q serving heard.node
ears db 68

write_policy
it "the agent enforces" start_agent - --policy policy.yaml --adopt 0 --attach admin \
	--attach stranger --attach db=db

# stands: in whatever policy.
stands()
{
	local ends

	ends=$(ends "$node4" && ends "$node6")
	# shellcheck disable=SC2086 # lists of services and of ends
	{
		it "$1: management reaches the node" reaches admin "$node4" $managed
		it "$1: management reaches the node over IPv6" reaches admin "$node6" $managed
		it "$1: it does with nothing else" shut admin "$node4,8080" "$node6,8080"
		it "$1: a stranger doesn't" shut stranger $ends
		it "$1: nor does a workload" shut db $ends
		ends=$(ends "$db4" && ends "$db6")
		it "$1: a stranger reaches no workload so" shut stranger $ends
	}
	it "$1: a workload opens nothing to management" shut db 198.51.100.7,22 2001:db8:1::7,22
}

stands "all is denied"
it "the node hears of its lease" hears 1 node says admin 67 "$node4" 68
it "not from a workload" hears 0 node says db 67 "$node4" 68
it "not from another port" hears 0 node says admin 6767 "$node4" 68
it "no workload hears of one" hears 0 db says admin 67 "$db4" 68
write_policy '{name: also, from: management, to: node, services: tcp/22, action: reject}'
it "the next policy" exits_with 0 "$BULKHEAD" apply policy.yaml
stands "one rule is against it"
it "the agent ends" stop_agent TERM

end_test
