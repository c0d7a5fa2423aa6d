#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# POL-20: a workload that nobody may reach still reaches itself, by whatever way, and its node
# probes it; nobody else does.
. "$(dirname "$0")/lib.sh"

db4=10.0.32.10 db6=fd00:0:0:30::10 virtual4=192.0.2.30 virtual6=2001:db8:30::1

add_station db "$db4" "$db6"
add_station app 10.0.16.10 fd00:0:0:20::10
ip addr add 192.0.2.1/32 dev lo
ip addr add 2001:db8::1/128 dev lo nodad

# Ingress is shut; what leaves is open, so that a service's address may be tried.
cat >policy.yaml <<END
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
  - apiVersion: v1
    kind: Pod
    metadata: {name: db, namespace: shop}
    status: {podIPs: [{ip: $db4}, {ip: "$db6"}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: nobody, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress]}
END

# A service's address whose only end is db.  A kernel takes no IPv4 packet from itself by a wire
# unless it is told to.
"$python" "$here/pieces.py" translate nat "$virtual4,$virtual6" "$db4,$db6" >translated 2>&1 &
wait_for 5 grep -q serving translated
ip link set dev nat up
in_ns db sysctl -qw net.ipv4.conf.all.accept_local=1 net.ipv4.conf.eth0.accept_local=1 \
	net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.nat.rp_filter=0 \
	net.ipv4.conf.all.send_redirects=0
ip route add "$virtual4" dev nat
ip -6 route add "$virtual6" dev nat

serve db tcp/8080 udp/8080
in_ns db "$python" "$here/pieces.py" echo 7801 >arrived 2>&1 &
wait_for 5 grep -q serving arrived

# arrives WANTED STATION ADDRESS: a datagram, by the service's address.
arrives()
{
	local wanted=$1 before

	before=$(wc -l <arrived)
	in_ns "$2" "$python" "$here/pieces.py" ask "$3" 30080 1
	wait_for 5 have_arrived $((before + wanted))
}

have_arrived()
{
	echo "$(wc -l <arrived) arrived so far, expected $1"
	[ "$(wc -l <arrived)" -eq "$1" ]
}

# What is adopted could be a reply of what db may open.
start_here()
{
	start_agent - --policy policy.yaml --adopt 0 --attach "db=$db4,$db6" \
		--attach "app=10.0.16.10,fd00:0:0:20::10" "$@"
}

# probes reach|silent ADDRESS
probes()
{
	"$python" "$here/peer.py" "$1" "$2" tcp/8080 udp/8080
}

reaches_itself()
{
	reaches db 127.0.0.1 tcp/8080 udp/8080 && reaches db ::1 tcp/8080 &&
		reaches db "$db4" tcp/8080 && reaches db "$db6" tcp/8080 udp/8080
}

told_rule()
{
	"$BULKHEAD" list rules -o json | "$python" -c '
import json, sys
print(sum(rule["packets"] for rule in json.load(sys.stdin) if rule["rule"] == sys.argv[1]))' "$1"
}

it "without an agent a datagram comes back to its sender" arrives 1 db "$virtual4"
it "without an agent it does over IPv6" arrives 1 db "$virtual6"
it "the agent enforces" start_here

it "loopback and its own addresses answer within the workload" reaches_itself
it "its node's probes are answered" probes reach "$db4"
it "its node's probes are answered over IPv6" probes reach "$db6"
it "nobody else's are" shut app "$db4,8080" "$db6,8080"
for address in "$virtual4" "$virtual6"; do
	it "by its service's address it reaches itself, $address" arrives 1 db "$address"
	it "nobody else reaches it so, $address" arrives 0 app "$address"
done
it "it was let through as itself" test "$(told_rule builtin-self)" -gt 0
it "the node's probes were as its host's" test "$(told_rule builtin-host)" -gt 0
it "the agent ends" stop_agent TERM
"$BULKHEAD" detach >/dev/null

it "the agent enforces without the two" start_here --without host --without self
it "its node's probes are not answered then" probes silent "$db4"
it "nor over IPv6" probes silent "$db6"
it "nor does it reach itself by its service" arrives 0 db "$virtual4"
it "nor over IPv6" arrives 0 db "$virtual6"
it "within the workload nothing has changed" reaches_itself
it "the agent ends again" stop_agent TERM

end_test
