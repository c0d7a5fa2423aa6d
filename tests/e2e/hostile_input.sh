#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Policies made to hurt: each is refused with its place, soon and in little memory, and what is in
# force stays.
. "$(dirname "$0")/lib.sh"

add_station app 10.0.0.10 fd00::10
add_station db 10.0.1.10 fd00:0:0:1::10
serve db tcp/80 tcp/81
mkdir hostile
hostile()
{
	"$python" "$here/hostile.py" "$@"
}

cat >good.yaml <<'END'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: good}
spec:
  zones:
    - {name: a, cidrs: [10.0.0.0/24, "fd00::/64"]}
    - {name: b, cidrs: [10.0.1.0/24, "fd00:0:0:1::/64"]}
  rules:
    - {name: web, from: a, to: b, services: tcp/80}
END
it "the agent enforces" start_agent - --policy good.yaml --attach app=10.0.0.10,fd00::10 \
	--attach db=10.0.1.10,fd00:0:0:1::10
generation=$(status_value generation)

unchanged()
{
	[ "$(status_value generation)" -eq "$generation" ]
}

last=
while read -r case name; do
	milliseconds=400
	[ "$case" != IN-01 ] || milliseconds=100
	it "$case $name is refused" hostile refuse "$milliseconds" 64 "$BULKHEAD" check \
		"hostile/$name.yaml"
	[ "$case" != "$last" ] || continue
	last=$case
	it "$case $name is not applied" exits_with 2 "$BULKHEAD" apply "hostile/$name.yaml"
done < <(hostile write hostile)
it "IN-01 the policy in force is the good one" unchanged
it "IN-06 no name became a file" test -z "$(find / -xdev -name 'hostile' -newer good.yaml \
	! -path "$work/hostile" ! -path '/proc/*' 2>/dev/null)"
printf '\xef\xbb\xbf' >crlf.yaml
sed 's/$/\r/' good.yaml >>crlf.yaml
it "IN-02 a byte order mark and CRLF are no mistakes" exits_with 0 "$BULKHEAD" check crlf.yaml

sed 's/name: web/name: a.b-0/' good.yaml >named.yaml
it "IN-06 a name with a dot is one" exits_with 0 "$BULKHEAD" apply named.yaml
it "IN-06 and nothing is pinned by it" test -z "$(find /sys/fs/bpf -name 'a.b*')"
it "IN-06 its policy works" open app 10.0.1.10,80 fd00:0:0:1::10,80

# --- labels that look like what the agent itself says ---

cat >labels.yaml <<'END'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: labels}
spec:
  zones:
    - {name: a, cidrs: [10.0.0.0/24, "fd00::/64"]}
    - {name: b, cidrs: [10.0.1.0/24, "fd00:0:0:1::/64"]}
  workloads:
    - name: w
      zone: a
      addresses: [10.0.0.10, "fd00::10"]
      labels: {host: "true", name: host, kube-apiserver: "", reserved: host, identity: "1"}
  rules:
    - {name: from-host, from: host, to: b, services: tcp/80}
    - {name: from-outside, from: outside, to: b, services: tcp/81}
END
it "IN-07 labels may say anything" exits_with 0 "$BULKHEAD" apply labels.yaml
it "IN-07 and make nobody the host, nor the outside" \
	shut app 10.0.1.10,80 10.0.1.10,81 fd00:0:0:1::10,80 fd00:0:0:1::10,81
"$python" - >many.yaml <<'END'
print(open("labels.yaml").read().replace('identity: "1"', ", ".join(
    f"label{i}: v{i}" for i in range(1000))))
END
it "IN-07 a thousand labels make no difference" exits_with 0 "$BULKHEAD" apply many.yaml
it "IN-07 to that" shut app 10.0.1.10,80 fd00:0:0:1::10,80

# --- huge ones ---

hostile rules many.yaml 50000 10000
it "IN-08 50000 rules and 10000 networks are refused, and how they are taken is said" \
	sh -c "! timeout 60 '$BULKHEAD' apply many.yaml 2>err >out &&
		grep 'a start with this policy makes room' err"
it "the agent ends" stop_agent TERM
it "IN-08 a start takes them" start_agent - --policy many.yaml --attach app=10.0.0.10,fd00::10 \
	--attach db=10.0.1.10,fd00:0:0:1::10
it "IN-08 and are in force" open app 10.0.1.10,80 fd00:0:0:1::10,80
it "IN-08 and allow no more than they say" shut app 10.0.1.10,81 fd00:0:0:1::10,81
generation=$(status_value generation)
hostile rules more.yaml 140000 0
it "IN-08 more rules than the tables hold are refused" \
	exits_with 1 "$BULKHEAD" apply more.yaml
it "IN-08 with both numbers" grep -E '140[0-9]{3} rules; there is room for 131072' err
it "IN-08 as a whole" unchanged
it "the agent ends" stop_agent TERM

end_test
