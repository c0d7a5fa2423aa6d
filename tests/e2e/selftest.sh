#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# `selftest`: hostile packets through the programs of this build, on nobody's interface.
. "$(dirname "$0")/lib.sh"

unprivileged()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all "$@"
}

ip link set dev lo down
it "every packet comes to what is due" exits_with 0 "$BULKHEAD" selftest
it "the last line says so" grep -qE '^[1-9][0-9]{2} packets, 5 hooks, 0 findings: ok$' out
for feature in xdp 'xdp frags' tc netfilter btf ringbuf jit; do
	it "a line tells of $feature" grep -qE "^$feature +[a-z]" out
done
it "in JSON too" exits_with 0 "$BULKHEAD" selftest -o json
it "which is one document, whose books balance" "$python" -c '
import json, sys
test = json.load(open("out"))
books, drops = test["books"], sum(test["drops"].values())
told = books["delivered"] + books["suppressed"] + books["lost"]
sys.exit(not (test["result"] == "ok" and test["findings"] == [] and test["hooks"] == 5 and
              books["balanced"] and books["produced"] == told == drops == test["dropped"] and
              0 < drops < test["runs"] and test["kernel"]["xdp"]))'
it "nothing is left" nothing_is_left

it "it takes no file" exits_with 2 "$BULKHEAD" selftest policy.yaml
it "without root it cannot be tried" exits_with 2 unprivileged "$BULKHEAD" selftest
it "and the error says what is missing" \
	grep -qx 'bulkhead: selftest: the programs cannot be tried: root is due, .*' err

end_test
