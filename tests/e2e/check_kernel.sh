#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `check --kernel`: the BPF programs decide as the compiled policy says, on nobody's interface.
. "$(dirname "$0")/lib.sh"

# The last line but one: it counts.
agrees()
{
	grep -qE '^kernel: [1-9][0-9]* connections, [1-9][0-9]* packets, 0 judged otherwise' out
}

unprivileged()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all "$@"
}

ip link set dev lo down
for policy in five-zone three-tier web-server; do
	it "the kernel agrees with $policy" \
		exits_with 0 "$BULKHEAD" check --kernel --strict "$policies/$policy.yaml"
	it "and says how much was tried" agrees
	it "the last line says ok" grep -qE '^1 documents, .* 0 findings: ok$' out
done
it "in JSON too" exits_with 0 "$BULKHEAD" check --kernel -o json "$policies/five-zone.yaml"
it "with the same count" "$python" -c '
import json, sys
kernel = json.load(open("out"))["kernel"]
sys.exit(not (kernel["packets"] == 5 * kernel["connections"] > 0 == kernel["wrong"]))'
it "nothing is left" nothing_is_left

cat >edges.yaml <<-'END'
	apiVersion: bulkhead.dev/v1
	kind: ZonePolicy
	metadata: {name: edges}
	spec:
	  zones:
	    - {name: a, cidrs: [10.0.0.0/24, "fd00:a::/64"]}
	    - {name: b, cidrs: [10.0.1.0/24, "fd00:b::/64"]}
	  rules:
	    - {name: tcp, from: a, to: b, services: [tcp/0, tcp/65535]}
	    - {name: others, from: a, to: b, services: [udp/0, udp/53, sctp/0, sctp/5000]}
	    - {name: icmp, from: a, to: b, services: [icmp/echo-request, icmp/13, icmp/3/1]}
	    - {name: icmp6, from: a, to: b, services: [icmp6/128, icmp6/1/1]}
	    - {name: protocols, from: a, to: b, services: [proto/0, proto/47, proto/255]}
END
it "the kernel agrees where services begin and end" \
	exits_with 0 "$BULKHEAD" check --kernel edges.yaml
it "and says how much was tried" agrees

cat >broken.yaml <<-'END'
	apiVersion: bulkhead.dev/v1
	kind: ZonePolicy
	metadata: {name: broken}
	spec:
	  zones:
	    - {name: a, cidrs: [10.0.0.0/24]}
	    - {name: b, cidrs: [10.0.1.0/24]}
	  expect:
	    - {from: a, to: b, services: tcp/80, verdict: allow}
END
it "a failed test is a finding with the kernel, too" \
	exits_with 1 "$BULKHEAD" check --kernel broken.yaml
it "and the kernel agrees with the policy as it is" agrees

it "without root it cannot be asked" \
	exits_with 2 unprivileged "$BULKHEAD" check --kernel "$policies/five-zone.yaml"
it "and the error says what is missing" \
	grep -qx 'error: the kernel cannot be asked: root is due, .*' err
it "without root all else is checked" \
	exits_with 0 unprivileged "$BULKHEAD" check "$policies/five-zone.yaml"

end_test
