#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# A host whose NIC is a veth rejects, and who asked is told at once: the other end has no XDP
# program, so that what native XDP sends back by itself would be lost.
. "$(dirname "$0")/lib.sh"

add_station server 192.0.2.10 2001:db8::10
add_station visitor 198.51.100.7 2001:db8:1::7

serve server tcp/7000 tcp/7001 udp/7001

cat >policy.yaml <<'END'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: reject}
spec:
  zones:
    - {name: hosts, cidrs: [192.0.2.0/24, "2001:db8::/64"]}
  rules:
    - {name: good, from: any, to: any, services: [tcp/7000, udp/7000]}
    - name: bad
      from: any
      to: any
      services: [tcp/7001, udp/7001, icmp/echo-request, icmp6/echo-request]
      action: reject
END

# start_without METHODS INGRESS: the agent, and the way in that it must have found.
start_without()
{
	export BULKHEAD_METHODS_OFF=$1
	start_agent server --policy policy.yaml --attach eth0 || return 1
	"$BULKHEAD" list endpoints | grep -E "eth0.* $2 "
}

refused()
{
	"$python" "$here/refused.py" refused "$@"
}

visitor_refused()
{
	in_ns visitor "$python" "$here/refused.py" refused "$@"
}

# tagged IFACE FROM TO SERVICE
tagged()
{
	"$python" "$here/refused.py" tagged "$@"
}

# pings_prohibited ADDRESS
pings_prohibited()
{
	ping -n -c 1 -W 10 "$1" >ping || grep -iE 'filtered|prohibited' ping
}

# is_told WAY: all the ways of asking.
is_told()
{
	local address service

	for address in 192.0.2.10 2001:db8::10; do
		it "$1: $address refuses a visitor" visitor_refused "$address" tcp/7001 udp/7001
	done
	for address in 192.0.2.10 2001:db8::10; do
		it "$1: $address refuses TCP and UDP" refused "$address" tcp/7001 tcp/7001 udp/7001
		it "$1: $address says why a ping fails" pings_prohibited "$address"
	done
	for service in tcp/7001 udp/7001; do
		it "$1: a tagged packet to $service is refused, with its tag" tagged \
			server 198.51.100.7 192.0.2.10 "$service"
		it "$1: a tagged packet to $service is refused over IPv6, with its tag" tagged \
			server 2001:db8:1::7 2001:db8::10 "$service"
	done
	it "$1: what is allowed is answered" reaches visitor 192.0.2.10 tcp/7000
	it "$1: what is allowed is answered over IPv6" reaches visitor 2001:db8::10 tcp/7000
}

# What the server's stack has received of our packets, whatever became of them.
received()
{
	in_ns server nstat -asz IpInReceives TcpInSegs Udp6InDatagrams Udp6NoPorts \
		Icmp6InDestUnreachs
}

# answers_are_lost: and nothing else arrives, at either end.
answers_are_lost()
{
	local before after address

	before=$(received)
	for address in 192.0.2.10 2001:db8::10; do
		! refused "$address" tcp/7001 || return 1
		! refused "$address" udp/7001 || return 1
	done
	after=$(received)
	printf '%s\n' "$before" "$after"
	[ "$before" = "$after" ]
}

# rejects_add_up: and none was silent.
rejects_add_up()
{
	[ "$(status_value rejects.silent)" -eq 0 ] &&
		[ "$(status_value rejects.answered)" -eq "$(status_value books.reject.produced)" ]
}

# asks_behind_header ADDRESS: over IPv6, TCP behind destination options.
asks_behind_header()
{
	"$python" -c '
import socket, sys
peer = socket.socket(socket.AF_INET6)
peer.settimeout(0.5)
peer.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, bytes([0, 1, 1, 12] + 12 * [0]))
try:
    peer.connect((sys.argv[1], 7001))
except OSError as error:
    print(error)' "$1"
}

# was_silent COUNT
was_silent()
{
	[ "$(status_value rejects.silent)" -eq "$1" ] &&
		[ "$(status_value rejects.answered)" -eq 0 ]
}

listen()
{
	in_ns server "$python" -c '
import socket
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.bind(("eth0", 0))
print("listening", flush=True)
while True: s.recv(2048)' >listen &
	listener=$!
	wait_for 5 grep -q listening listen
}

# a_life METHODS-OFF INGRESS
a_life()
{
	local way="$2 without '$1'"

	it "$way: the agent enforces" start_without "$1" "$2"
	is_told "$way"
	it "$way: every reject is in exactly one count" wait_for 2 rejects_add_up
	stop_agent TERM || :
	it "$way: detach" exits_with 0 in_ns server "$BULKHEAD" detach
	it "$way: detach leaves no trace" has_no_trace server
}

a_life '' xdp-native
a_life tcx xdp-native
a_life xdp-native xdp-generic
a_life 'xdp-native xdp-generic' '(tcx|clsact)'

# The sender's kernel left the checksum, and it lies behind the end of what would be the answer.
it "a sum to be added where no answer is" start_without '' xdp-native
it "is asked for" asks_behind_header 2001:db8::10
it "gets silence, and is counted" was_silent 1
stop_agent TERM || :
in_ns server "$BULKHEAD" detach >/dev/null

# Whole checksums.
ethtool -K server tx off >/dev/null
listen
it "with whole checksums and a listener" start_without tcx xdp-native
is_told "with whole checksums and a listener"
kill "$listener"

# --- without the program that sends answers ---

stop_agent TERM || :
is_told "agent stopped"
in_ns server tc filter del dev eth0 ingress
it "who takes the answering program away loses answers, and lets nothing through" answers_are_lost
it "the next agent brings it back" start_without tcx xdp-native
is_told "brought back"
stop_agent TERM || :
it "detach" exits_with 0 in_ns server "$BULKHEAD" detach
it "detach leaves no trace" has_no_trace server

end_test
