#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Workloads on one bridge (L2-02, 4-06, 6-08, 6-11): one of them poses as another towards the third.
# Every attack is tried without an agent first, so that what fails with one is known to work.
. "$(dirname "$0")/lib.sh"

# add_port NAME NUMBER: a workload on the bridge; no router is between them.
add_port()
{
	local name=$1 number=$2

	ip netns add "$name"
	ip link add name "$name" type veth peer name eth0 netns "$name"
	in_ns "$name" sysctl -qw net.ipv6.conf.eth0.accept_dad=0 net.ipv6.conf.eth0.forwarding=0 \
		net.ipv6.conf.eth0.accept_ra=1
	in_ns "$name" sysctl -qw net.ipv4.conf.eth0.arp_accept=1
	ip link set dev "$name" master bridge up
	in_ns "$name" ip link set dev lo up
	in_ns "$name" ip link set dev eth0 up
	in_ns "$name" ip addr add "10.77.0.$number/24" dev eth0
	in_ns "$name" ip addr add "fd77::$number/64" dev eth0 nodad
}

mac_of()
{
	in_ns "$1" ip -o link show dev eth0 | grep -oE 'ether [0-9a-f:]+' | cut -d' ' -f2
}

link_local_of()
{
	in_ns "$1" ip -6 -o addr show dev eth0 scope link | grep -oE 'fe80[0-9a-f:]+'
}

# end_of NAME NUMBER: as spoof.py wants it.
end_of()
{
	echo "$(mac_of "$1"),10.77.0.$2,fd77::$2,$(link_local_of "$1")"
}

ip link add name bridge type bridge
ip link set dev bridge up
add_port alice 1
add_port bob 2
add_port mallory 3
wait_for 5 link_local_of alice
wait_for 5 link_local_of bob
wait_for 5 link_local_of mallory
alice=$(end_of alice 1)
bob=$(end_of bob 2)
mallory=$(end_of mallory 3)

cat >policy.yaml <<'END'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: bridge}
spec:
  zones:
    - {name: lan, cidrs: [10.77.0.0/24, "fd77::/64"]}
  workloads:
    - {name: alice,   zone: lan, addresses: [10.77.0.1, "fd77::1"]}
    - {name: bob,     zone: lan, addresses: [10.77.0.2, "fd77::2"]}
    - {name: mallory, zone: lan, addresses: [10.77.0.3, "fd77::3"]}
  rules:
    - {name: web, from: bob, to: alice, services: [tcp/7801, udp/7801]}
    - {name: back, from: alice, to: bob, services: [tcp/7801, udp/7801]}
    - {name: strangers, from: outside, to: [bob, outside], services: udp/7801}
END

attack()
{
	local answer

	echo "$1" >&"${attacker[1]}"
	read -r -t 60 answer <&"${attacker[0]}" && [ "$answer" = sent ] && sleep 0.1
}

# fools WHAT ADDRESS: until bob hears of alice again.
fools()
{
	attack "$1" && believes "$2" "$mallory"
}

# forget: bob learns alice's addresses again.
forget()
{
	in_ns bob ip neigh flush dev eth0
	in_ns bob ip -6 neigh flush dev eth0
	reaches bob 10.77.0.1 udp/7801 && reaches bob fd77::1 udp/7801
	in_ns bob ping -nqc1 -W1 "$(echo "$alice" | cut -d, -f4)%eth0" >/dev/null 2>&1 || :
}

# believes ADDRESS END: bob sends what is for the address to that end.
believes()
{
	in_ns bob ip neigh show "$1" dev eth0 | tee neighbour
	grep -q "${2%%,*}" neighbour
}

knows_no()
{
	! in_ns bob ip neigh show "$1" dev eth0 | grep "${2%%,*}"
}

has_route()
{
	in_ns bob ip -6 route show default | grep -q fe80
}

has_prefix()
{
	in_ns bob ip -6 -o addr show dev eth0 | grep -q fd99
}

# received SECONDS COMMAND…: whether a datagram of it reaches bob's port within so long.
received()
{
	local listener seconds=$1
	shift

	: >datagram
	in_ns bob "$python" -c '
import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.bind(("::", 7801))
s.settimeout(float(sys.argv[1]))
print("serving", flush=True)
print(s.recvfrom(64))' "$seconds" >>datagram 2>&1 &
	listener=$!
	wait_for 5 grep -q serving datagram
	"$@"
	wait "$listener"
}

has_event()
{
	"$BULKHEAD" observe --last 1000 --reason "$1" | grep -E -- "$2"
}

coproc attacker { in_ns mallory "$python" "$here/spoof.py" "$bob" "$alice"; }
serve alice tcp/7801 udp/7801
link=$(echo "$alice" | cut -d, -f4)

# --- without an agent every one of them works ---

declare -A claims=(
	[arp-reply]=10.77.0.1 [arp-request]=10.77.0.1 [arp-direct]=10.77.0.1
	[nd-advert]=fd77::1 [nd-advert-as]=fd77::1 [nd-advert-link]=$link
	[nd-solicit]=fd77::1 [nd-solicit-link]=$link)
in_ns bob sysctl -qw net.ipv4.neigh.eth0.locktime=0
for what in "${!claims[@]}"; do
	forget
	it "without an agent $what works" wait_for 3 fools "$what" "${claims[$what]}"
done
attack router
it "without an agent a router's advertisement works" wait_for 3 has_route
for what in udp udp6 udp-link udp-own; do
	it "without an agent $what works" received 20 attack "$what"
done

# --- with one, none does ---

it "the agent enforces" start_agent - --policy policy.yaml --attach alice=alice --attach bob=bob \
	--attach mallory=mallory
in_ns bob ip -6 route flush default
in_ns bob ip -6 route flush proto ra
in_ns bob ip -6 addr flush dev eth0 to fd99::/64
it "L2-02 bob finds alice" forget
it "6-08 and over IPv6" reaches bob fd77::1 tcp/7801
it "L2-02 bob knows where alice is" believes 10.77.0.1 "$alice"
it "6-11 and over IPv6" believes fd77::1 "$alice"
for what in "${!claims[@]}"; do
	attack "$what"
	it "L2-02 6-11 $what changes nothing" knows_no "${claims[$what]}" "$mallory"
done
it "L2-02 alice is where she was" believes 10.77.0.1 "$alice"
it "6-11 and over IPv6" believes fd77::1 "$alice"
it "L2-02 who posed as alice is told" \
	has_event spoofed-source ' alice\(lan\) 10\.77\.0\.1 -> .* arp .*if=mallory '
it "6-11 and over IPv6" has_event spoofed-source ' neighbour-advertisement .*if=mallory '
it "6-11 and who asked as alice" has_event spoofed-source ' neighbour-solicitation .*if=mallory '
for what in router redirect redirect4; do
	attack "$what"
done
it_not "6-08 a router's advertisement makes no route" has_route
it_not "6-08 nor an address" has_prefix
mine=$(echo "$mallory" | cut -d, -f4)
it "6-08 and is told" has_event neighbour " $mine -> .* router-advertisement .*if=mallory "
for what in udp udp6 udp-link udp-own; do
	it_not "4-06 6-11 $what does not arrive" received 1 attack "$what"
done
it "6-08 and so is a redirect" has_event neighbour " $mine -> .* redirect .*if=mallory "
it "IC-08 and over IPv4" has_event policy ' 10\.77\.0\.3 -> .* icmp 5/1 .*if=mallory '
it "4-06 whose port it was is told" has_event spoofed-source '10\.77\.0\.1:5000.*if=mallory'
it "6-11 and over IPv6" has_event spoofed-source 'fd77::1.*5000.*if=mallory'
it "6-11 and of a link-local address" has_event spoofed-source "$link.*if=mallory"
it "6-11 and of a stranger's that is its own" has_event spoofed-source "\[$mine\]:5000.*if=mallory"
# Their pings of forget() are: a link-local address is for neighbour discovery only.
it "none of alice's and bob's own was dropped as spoofed" \
	sh -c "! '$BULKHEAD' observe --last 1000 --reason spoofed-source |
		grep -v ' echo-request ' | grep -E 'if=(alice|bob)'"
it "L2-02 alice and bob still meet" reaches bob 10.77.0.1 tcp/7801 udp/7801
it "6-08 and over IPv6" reaches bob fd77::1 tcp/7801 udp/7801
in_ns bob ip neigh flush dev eth0
in_ns bob ip -6 neigh flush dev eth0
it "L2-02 and find each other again" reaches bob 10.77.0.1 tcp/7801
it "6-08 and find each other again over IPv6" reaches bob fd77::1 tcp/7801
it "the agent ends in order" stop_agent TERM

end_test
