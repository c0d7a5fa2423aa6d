#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# What an agent dropped is recorded; the rules learned from it let it through, and no more.
. "$(dirname "$0")/lib.sh"

add_station server 192.0.2.10 2001:db8::10
add_station visitor 198.51.100.7 2001:db8:1::7
serve server tcp/22 tcp/80 tcp/8080

cat >base.yaml <<'YAML'
apiVersion: bulkhead.dev/v1
kind: ZonePolicy
metadata: {name: base}
spec:
  zones:
    - {name: internet, cidrs: ["0.0.0.0/0", "::/0"]}
    - {name: front}
  workloads:
    - {name: web-server, zone: front, addresses: [192.0.2.10, "2001:db8::10"]}
  rules:
    - {name: web, from: internet, to: web-server, services: tcp/80}
  never:
    - {name: no-ssh, from: internet, to: web-server, services: tcp/22}
YAML

it "the agent enforces" start_agent server --policy base.yaml --attach eth0
it "port 8080 and SSH are shut" shut visitor 192.0.2.10,8080 192.0.2.10,22 2001:db8::10,8080

"$BULKHEAD" observe --last 100 --from internet --to web-server -o json >events.jsonl
it "the drops are recorded" grep -q '"port":8080' events.jsonl
it "SSH is refused" exits_with 1 "$BULKHEAD" learn events.jsonl base.yaml
cp out learned.yaml
it "by the promise" \
	grep -F "internet -> web-server tcp/22: never 'no-ssh' at base.yaml" learned.yaml
it "port 8080 is proposed" grep -F 'services: [tcp/8080]' learned.yaml
it "in one rule" test "$(grep -c '    - name:' learned.yaml)" -eq 1
it "that passes the check" exits_with 0 "$BULKHEAD" check base.yaml learned.yaml
it "the replay shows what changes" exits_with 1 \
	"$BULKHEAD" replay events.jsonl base.yaml learned.yaml
it "and that nothing is newly denied" \
	grep -E '^[0-9]+ events, .* 2 newly allowed, 0 newly denied$' out
it "the old policy would change nothing" exits_with 0 "$BULKHEAD" replay events.jsonl base.yaml
it "a bad line is told, and the rest used" sh -c "echo nonsense >>events.jsonl"
it "with exit code 2" exits_with 2 "$BULKHEAD" replay events.jsonl base.yaml
it "and its place" grep -E '^bulkhead: events.jsonl:[0-9]+: not JSON' err

it "both are put in force" exits_with 0 "$BULKHEAD" apply base.yaml learned.yaml
it "port 8080 is open" reaches visitor 192.0.2.10 tcp/8080
it "port 8080 is open over IPv6" reaches visitor 2001:db8::10 tcp/8080
it "SSH is shut" shut visitor 192.0.2.10,22
it "the agent ends" stop_agent TERM
"$BULKHEAD" detach >/dev/null
end_test
