#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Who is rejected is told at once: by a node's workloads and by hosts, whatever hook rejects.
. "$(dirname "$0")/lib.sh"

add_station app 10.0.16.10 fd00:0:0:20::10
add_station db 10.0.32.10 fd00:0:0:30::10
add_station visitor 198.51.100.7 2001:db8:1::7
add_station server 192.0.2.10 2001:db8::10
serve db tcp/7000 tcp/7001 udp/7001
serve visitor tcp/7000 tcp/7001 udp/7001
serve server tcp/7000 tcp/7001 udp/7001

readonly all='[tcp/7001, udp/7001, icmp/echo-request, icmp6/echo-request]'

# write_policy ACTION-FOR-7000
write_policy()
{
	two_workloads reject '{name: hosts, cidrs: [192.0.2.0/24, "2001:db8::/64"]}' \
		-- "{name: good, from: any, to: any, services: tcp/7000, action: $1}" \
		"{name: bad, from: any, to: any, services: $all, action: reject}" >policy.yaml
}

# refused STATION ADDRESS SERVICE…
refused()
{
	local name=$1
	shift

	in_ns "$name" "$python" "$here/refused.py" refused "$@"
}

# pings_prohibited STATION ADDRESS
pings_prohibited()
{
	in_ns "$1" ping -n -c 1 -W 10 "$2" >ping || grep -iE 'filtered|prohibited' ping
}

# curl_is_refused STATION URL: 7 is "failed to connect", 28 "timeout".
curl_is_refused()
{
	local status=0

	in_ns "$1" curl -sS -m 10 "$2" || status=$?
	[ "$status" -eq 7 ]
}

# is_told WHO FROM V4 V6: all the ways in which FROM is told that it may not.
is_told()
{
	local who=$1 from=$2 v4=$3 v6=$4

	it "$who: TCP is refused at once" refused "$from" "$v4" tcp/7001 tcp/7001
	it "$who: TCP is refused at once over IPv6" refused "$from" "$v6" tcp/7001 tcp/7001
	it "$who: UDP is refused at once" refused "$from" "$v4" udp/7001
	it "$who: UDP is refused at once over IPv6" refused "$from" "$v6" udp/7001
	it "$who: a ping is told why" pings_prohibited "$from" "$v4"
	it "$who: a ping is told why over IPv6" pings_prohibited "$from" "$v6"
	it "$who: curl is refused" curl_is_refused "$from" "http://$v4:7001/"
	it "$who: curl is refused over IPv6" curl_is_refused "$from" "http://[$v6]:7001/"
	it "$who: what is allowed answers" reaches "$from" "$v4" tcp/7000
	it "$who: what is allowed answers over IPv6" reaches "$from" "$v6" tcp/7000
}

nobody_was_denied()
{
	! "$BULKHEAD" observe --last 1000 --verdict deny | grep .
}

# rejects_add_up: every reject is in exactly one count.
rejects_add_up()
{
	local sum

	sum=$(($(status_value rejects.answered) + $(status_value rejects.suppressed) +
		$(status_value rejects.silent)))
	[ "$sum" -eq "$(status_value books.reject.produced)" ]
}

# flood STATION ADDRESS: 10,000 SYNs get what the rate allows, and not much less.
flood()
{
	local resets seconds

	in_ns "$1" "$python" "$here/refused.py" flood "$2" 7001 10000 >flood
	read -r resets seconds <flood
	echo "$resets resets in $seconds s"
	[ "$resets" -ge 900 ] && [ "$resets" -le $((2000 + 1000 * ${seconds%.*})) ]
}

# --- workloads of a node ---

write_policy allow
it "the node's agent enforces" \
	start_agent - --policy policy.yaml --attach app=app --attach db=db
is_told "workload to workload" app 10.0.32.10 fd00:0:0:30::10
is_told "workload to elsewhere" app 198.51.100.7 2001:db8:1::7
is_told "elsewhere to workload" visitor 10.0.32.10 fd00:0:0:30::10
it "no answer was denied" nobody_was_denied
it "every reject is in exactly one count" wait_for 2 rejects_add_up
it "none of them had to be silent" test "$(status_value rejects.silent)" -eq 0

in_ns app "$python" "$here/refused.py" cut 10.0.32.10 7000 10 >cut 2>&1 &
cut=$!
wait_for 5 grep -q open cut
write_policy reject
it "a connection that becomes rejected" exits_with 0 "$BULKHEAD" apply policy.yaml
it "is reset" wait "$cut"
sleep 1
it "a flood gets the answers of the rate" flood visitor 10.0.32.10
it "every reject is in exactly one count after it" wait_for 2 rejects_add_up
it "the node's agent ends" stop_agent TERM
"$BULKHEAD" detach >/dev/null

# --- a host ---

write_policy allow
it "the host's agent enforces" start_agent server --policy policy.yaml --attach eth0
is_told "to the host" visitor 192.0.2.10 2001:db8::10
is_told "from the host" server 198.51.100.7 2001:db8:1::7
it "no answer was denied on the host" nobody_was_denied
it "every reject on the host is in exactly one count" wait_for 2 rejects_add_up
it "none of them had to be silent on the host" test "$(status_value rejects.silent)" -eq 0
rm -f cut
in_ns visitor "$python" "$here/refused.py" cut 192.0.2.10 7000 10 >cut 2>&1 &
cut=$!
wait_for 5 grep -q open cut
write_policy reject
it "a connection to the host that becomes rejected" exits_with 0 "$BULKHEAD" apply policy.yaml
it "is reset by the host" wait "$cut"
sleep 1
it "a flood to the host gets the answers of the rate" flood visitor 192.0.2.10
it "the host's agent ends" stop_agent TERM

# --- a lab ---

cat >lab.yaml <<'END'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: lab}
spec:
  zones:
    - {name: a, cidrs: [10.1.0.0/24, "fd01::/64"]}
    - {name: b, cidrs: [10.2.0.0/24, "fd02::/64"]}
  workloads:
    - {name: one, zone: a, addresses: [10.1.0.1, "fd01::1"]}
    - {name: two, zone: b, addresses: [10.2.0.1, "fd02::1"]}
  rules:
    - {name: web, from: any, to: any, services: tcp/80}
    - name: no
      from: any
      to: any
      services: [tcp/22, udp/53, icmp/echo-request, icmp6/echo-request]
      action: reject
END
for topology in node hosts; do
	it "a lab of a $topology topology sees refusals" \
		exits_with 0 "$BULKHEAD" lab --topology "$topology" -o json lab.yaml
	it "resets among them, $topology" grep -qE '"seen": ?"refused"' out
	it "ICMP errors among them, $topology" grep -qE '"seen": ?"unreachable"' out
done

end_test
